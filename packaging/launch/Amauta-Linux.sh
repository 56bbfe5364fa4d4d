#!/bin/sh
# Start Amauta: the release this computer uses, or else the program beside this file.
#
# Chooses and counts starts, nothing more. A release on trial that was begun twice and never reached its
# prompt is passed over for the one before it; the program then makes that last. See docs/updates.md.
set -u

here=$(cd -- "$(dirname -- "$0")" && pwd)
releases=${AMAUTA_HOME:-${XDG_DATA_HOME:-${HOME:-}/.local/share}/amauta}/releases

case $(uname -m) in
    amd64) machine=x86_64 ;;
    arm64) machine=aarch64 ;;
    *) machine=$(uname -m) ;;
esac
case $(uname -s) in
    Darwin) platform=macos-$machine ;;
    *) platform=linux-$machine ;;
esac

# Keep a number only when that release is whole; 0 is what came with the program.
installed() {
    case ${1:-} in
        '' | *[!0-9]*) echo 0 ;;
        *) if [ -f "$releases/$1/installed.json" ]; then echo "$1"; else echo 0; fi ;;
    esac
}

chosen=0 before=0 trying=0 back=0 starts=0
if [ -r "$releases/current" ]; then
    { read -r chosen; read -r before; } <"$releases/current"
fi
chosen=$(installed "$chosen")
[ "$chosen" != 0 ] || chosen=$(installed "$before")

if [ "$chosen" != 0 ] && [ -r "$releases/trying" ]; then
    {
        read -r trying
        read -r back
        while read -r _; do starts=$((starts + 1)); done
    } <"$releases/trying"
    if [ "$trying" = "$chosen" ]; then
        if [ "$starts" -ge 2 ]; then
            chosen=$(installed "$back")
        else
            case ${1:-tutor} in
                tutor | --plain)
                    echo start >>"$releases/trying"
                    # Whoever cuts the power on a start that hangs must be counted too.
                    sync "$releases/trying" 2>/dev/null || :
                    ;;
            esac
        fi
    fi
fi
export AMAUTA_RELEASE="$chosen"
[ ! -d "$here/AMAUTA" ] || export AMAUTA_STICK="${AMAUTA_STICK:-$here/AMAUTA}"

for folder in "$releases/$chosen/app/$platform" "$here/AMAUTA/app/$platform" "$here/app/$platform" "$here"; do
    if [ -f "$folder/amauta" ] && [ -x "$folder/amauta" ]; then
        exec "$folder/amauta" "$@"
    fi
    # Desktops mount FAT32 so that no file without .exe is a program; the system's own loader starts it all the same.
    if [ -f "$folder/amauta" ] && [ -d "$folder/_internal" ]; then
        for loader in /lib64/ld-linux-x86-64.so.2 /lib/ld-linux-aarch64.so.1; do
            [ ! -x "$loader" ] || exec "$loader" "$folder/amauta" "$@"
        done
    fi
done
echo "No encuentro el programa amauta para $platform al lado de $0. Copia la carpeta AMAUTA al disco y prueba desde allí." >&2
echo "Não encontro o programa amauta para $platform ao lado de $0. Copie a pasta AMAUTA para o disco e tente de lá." >&2
echo "I find no program amauta for $platform beside $0. Copy the folder AMAUTA to the disk and try from there." >&2
exit 1
