#!/bin/sh
# Stands for the compiler while llama.cpp is built by an old one: a processor flag it does not know
# is dropped, and the variant that needed it is written to a list, to be left out afterwards.
# Called as `cc` or `c++` (by a link of that name in front of the PATH).
set -eu
REAL=/usr/bin/${0##*/}
LIST=${AMAUTA_DEGRADED:-/opt/amauta/degraded}

known() { "$REAL" "$1" -E -x c /dev/null >/dev/null 2>&1; }

variant=$(printf '%s\n' "$@" | sed -n 's#.*ggml-cpu-\([a-z0-9._]*\)\.dir/.*#\1#p' | head -n 1)
count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    count=$((count - 1))
    case $argument in
        -mavxvnni | -mamx-* | -march=armv9*)
            if ! known "$argument"; then
                [ -z "$variant" ] || echo "$variant" >> "$LIST"
                continue
            fi
            ;;
    esac
    set -- "$@" "$argument"
done
exec "$REAL" "$@"
