#!/bin/sh
# Make the Debian 11 room in which `amauta-kit freeze --old-glibc` builds, so that the result
# runs from glibc 2.31 on. Runs as root; every step is skipped when its stamp is there.
#
#   bullseye.sh ROOM        ROOM is a folder outside the repository, about 2 GB
#
# Python 3.11 is not in Debian 11: it is compiled from Debian 12's own source package.
set -eu
ROOM=$1
MIRROR=${AMAUTA_DEBIAN_MIRROR:-http://deb.debian.org/debian}
JOBS=$(nproc)

done_before() { [ -e "$ROOM/opt/amauta/done-$1" ]; }
mark_done() { touch "$ROOM/opt/amauta/done-$1"; }
inside() { LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$ROOM" "$@"; }

if ! done_before base; then
    rm -rf "$ROOM"
    mkdir -p "$ROOM"
    debootstrap --variant=minbase --include=ca-certificates bullseye "$ROOM" "$MIRROR"
    mkdir -p "$ROOM/opt/amauta"
    mark_done base
fi

# The names and the certificates of the machine outside: an office may have its own authority.
cp -L /etc/resolv.conf "$ROOM/etc/resolv.conf"
cp -L /etc/ssl/certs/ca-certificates.crt "$ROOM/opt/amauta/certificates.crt"

if ! done_before tools; then
    inside apt-get -q update
    inside apt-get -q install -y --no-install-recommends build-essential cmake ninja-build pkg-config dpkg-dev \
        zlib1g-dev libbz2-dev liblzma-dev libffi-dev libssl-dev libsqlite3-dev uuid-dev git zstd binutils
    mark_done tools
fi

if ! done_before python; then
    # Debian 12's sources only, never its programs.
    echo "deb-src $MIRROR bookworm main" > "$ROOM/etc/apt/sources.list.d/bookworm-source.list"
    inside apt-get -q update
    inside sh -ec "
        rm -rf /opt/amauta/build && mkdir -p /opt/amauta/build && cd /opt/amauta/build
        apt-get -q source --download-only python3.11
        mkdir python && tar -xf python3.11_*.orig.tar.* -C python --strip-components=1
        cd python
        # Debian's corrections of faults and holes; those about Debian's own folders stay out.
        tar -xf ../python3.11_*.debian.tar.*
        sed -n '/^shutdown-deadlock/,\$p' debian/patches/series | while read -r name; do
            patch -s -p1 < debian/patches/\$name
        done
        # Debian builds this one into the interpreter, where the define is there anyway.
        sed -i '1i #define Py_BUILD_CORE_MODULE 1' Modules/pyexpat.c
        ./configure -q --prefix=/opt/amauta/python --enable-shared --disable-test-modules --with-ensurepip=install \
            LDFLAGS=-Wl,-rpath,/opt/amauta/python/lib
        make -s -j$JOBS
        make -s install
        cd / && rm -rf /opt/amauta/build
    "
    mark_done python
fi

inside /opt/amauta/python/bin/python3 -c 'import ssl, sqlite3, ctypes, lzma, bz2, zlib, uuid; print(sqlite3.sqlite_version)'
