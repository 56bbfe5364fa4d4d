#!/bin/sh
# Finish the base layer: $1 is the new root, $2 the list of kernel modules to leave out. Run by mmdebstrap.
set -eu
root=$1
left_out=$2

for kernel in "$root"/lib/modules/*; do
    grep -v '^#' "$left_out" | while read -r folder; do rm -rf "$kernel/kernel/$folder"; done
    chroot "$root" depmod "${kernel##*/}"
done

printf 'es_MX.UTF-8 UTF-8\npt_BR.UTF-8 UTF-8\n' > "$root/etc/locale.gen"
chroot "$root" locale-gen
find "$root/usr/share/i18n" "$root/usr/share/doc" "$root/usr/share/man" "$root/usr/share/info" "$root/usr/share/locale" \
    -type f ! -name copyright -delete

# The keys of Latin America and of Brazil, ready for `loadkeys`.
for keys in es:latam:pc105 pt:br:abnt2; do
    lang=${keys%%:*} rest=${keys#*:}
    mkdir -p "$root/usr/share/amauta"
    chroot "$root" sh -c "ckbcomp -layout ${rest%%:*} -model ${rest#*:} | gzip -9n > /usr/share/amauta/teclas-$lang.kmap.gz"
done

# Nobody has a password; the tutor's user may use the sound and nothing else.
chroot "$root" useradd --create-home --uid 1000 --groups audio --shell /usr/sbin/nologin amauta
chroot "$root" passwd --lock --quiet root
: > "$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id" "$root/etc/hostname" "$root/etc/resolv.conf" "$root/usr/lib/udev/rules.d/90-console-setup.rules"
echo amauta > "$root/etc/hostname"

# Nothing but the tutor's own screen and keys, and nothing that speaks to a network.
for unit in getty@.service autovt@.service serial-getty@.service console-getty.service console-setup.service \
    keyboard-setup.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    e2scrub_reap.service systemd-networkd.service systemd-networkd.socket systemd-resolved.service \
    systemd-timesyncd.service systemd-networkd-wait-online.service rpcbind.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# From the first second a word on the screen, and never a shell.
install -m 755 "$(dirname "$0")/initramfs/opening" "$root/etc/initramfs-tools/scripts/init-top/amauta"
install -D -m 755 "$(dirname "$0")/initramfs/stopped" "$root/etc/initramfs-tools/scripts/panic/amauta"

printf 'MODULES=most\nCOMPRESS=zstd\n' > "$root/etc/initramfs-tools/conf.d/amauta"
chroot "$root" update-initramfs -u -k all
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/var/cache/debconf/*-old \
    "$root"/var/lib/systemd/random-seed
