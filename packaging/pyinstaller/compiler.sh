#!/bin/sh
# Stands for the compiler while llama.cpp is built by an old one: a processor flag it does not know
# is dropped, and the variant that needed it is written to a list, to be left out afterwards.
# Called by a link that has the compiler's name; AMAUTA_CC and AMAUTA_CXX say where the compiler is,
# AMAUTA_DEGRADED where the list is.
set -eu
case ${0##*/} in
    *++*) REAL=$AMAUTA_CXX ;;
    *) REAL=$AMAUTA_CC ;;
esac

known() { "$REAL" "$1" -E -x c /dev/null >/dev/null 2>&1; }

variant=$(printf '%s\n' "$@" | sed -n 's#.*ggml-cpu-\([a-z0-9._]*\)\.dir/.*#\1#p' | head -n 1)
count=$#
while [ "$count" -gt 0 ]; do
    argument=$1
    shift
    count=$((count - 1))
    case $argument in
        -mavxvnni | -mamx-* | -march=armv*)
            if ! known "$argument"; then
                [ -z "$variant" ] || echo "$variant" >> "$AMAUTA_DEGRADED"
                continue
            fi
            ;;
    esac
    set -- "$@" "$argument"
done
exec "$REAL" "$@"
