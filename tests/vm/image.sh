#!/bin/sh
# Makes the disks and kernels that the tests' virtual machines start from, in a directory of build/ if it does not exist yet.
# Prints the directory.
#
#   trixie.ext4         Debian 13, whose systemd (257) binds sshd to vsock by itself; also booted without systemd
#   bookworm.ext4       Debian 12, whose systemd (252) does not
#   trixie.vmlinuz      Linux 6.12
#   bookworm.vmlinuz    Linux 6.1, which both disks have the modules for
#   vhost-device-vsock  the multiplexer, a script that starts it with the C library it was built for
#
# Two kernels, because none of them does for all. Linux 6.17 and later, and 6.12 in Debian 13, send large packets in more
# pieces than vhost-device-vsock 0.3.0 puts together: what such a guest sends is corrupted (docs/guest.md). Debian 12's has
# the virtio bus in a module, which is loaded after systemd looks for a vsock device where there is no initramfs.
set -eu

# shellcheck source=tests/debian_systems.sh
. "$(dirname "$0")/../debian_systems.sh"
here=$root/tests/vm
folder=$root/build/vm/$(version_of "$0" "$here/init")

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || cannot "the virtual machines are for x86-64 Linux only"
for tool in qemu-system-x86_64 setpriv mke2fs sshd socat; do
  command -v "$tool" >/dev/null || cannot "$tool is not installed, and this may not install it"
done
end_if_made "$folder" complete
command -v mmdebstrap >/dev/null || cannot "mmdebstrap is not installed, and this may not install it"
[ "$(id -u)" = 0 ] || cannot "only root can make their disks: run tests/vm/image.sh as root once"

begin_work "$root/build/vm" "$folder" complete

# mmdebstrap mounts /proc, /sys and devices in what it makes. Where that can be hidden, nobody else sees it, least of all
# rm; in a chroot it cannot.
apart=
if unshare --mount true 2>/dev/null; then apart='unshare --mount'; fi

# debian VARIANT SUITE PACKAGES FOLDER. What has been unstable's or testing's index for a while reads as expired.
debian() {
  $apart mmdebstrap --quiet --variant="$1" --include="$3" --aptopt='Acquire::Check-Valid-Until "false"' "$2" "$4" \
    >"$4.log" 2>&1 || { cat "$4.log" >&2; cannot "Debian's packages ($3 of $2) cannot be fetched"; }
}

kernel() { # kernel SUITE
  debian extract "$1" linux-image-cloud-amd64 "$work/$1-kernel"
  mv "$work/$1-kernel/boot/vmlinuz-"* "$work/$1.vmlinuz"
  # Debian 13 has /lib under /usr.
  modules=$work/$1-kernel/lib/modules
  [ -d "$modules" ] || modules=$work/$1-kernel/usr/lib/modules
  mv "$modules" "$work/$1-modules"
}

disk() { # disk SUITE PACKAGES KERNEL…
  suite=$1 tree=$work/$1
  debian essential "$suite" "kmod,udev,systemd,libpam-systemd,dbus,mount,openssh-server,$2" "$tree"
  shift 2
  mkdir -p "$tree/usr/lib/modules"
  for from in "$@"; do
    cp -r "$work/$from-modules/"* "$tree/usr/lib/modules/"
  done
  for release in "$tree/usr/lib/modules/"*; do
    chroot "$tree" depmod "${release##*/}"
  done
  cp "$here/init" "$tree/usr/sbin/tests-init"
  chmod 755 "$tree/usr/sbin/tests-init"
  # Whoever is at the console is root.
  chroot "$tree" passwd --quiet --delete root
  # Its size is what a disk may grow to; the file has holes where nothing is.
  mke2fs -q -t ext4 -O ^has_journal -d "$tree" "$work/$suite.ext4" 1G >&2
  rm -rf --one-file-system "$tree"
}

kernel trixie &
trixie=$!
kernel bookworm
wait "$trixie"
disk trixie socat,systemd-container bookworm trixie &
trixie=$!
disk bookworm socat bookworm &
bookworm=$!

# No stable Debian has it yet.
debian extract forky vhost-device-vsock "$work/multiplexer"
cat >"$work/vhost-device-vsock" <<'END'
#!/bin/sh
here=$(dirname "$0")/multiplexer
exec "$here/usr/lib64/ld-linux-x86-64.so.2" --library-path "$here/usr/lib/x86_64-linux-gnu" \
  "$here/usr/bin/vhost-device-vsock" "$@"
END
chmod 755 "$work/vhost-device-vsock"
wait "$trixie"
wait "$bookworm"

rm -rf "$work"/*-kernel "$work"/*-modules "$work"/*.log
: >"$work/complete"
# Others may be making theirs, in new.…
rm -rf "$root"/build/vm/[0-9]*
chmod 755 "$work"
mv "$work" "$folder"
echo "$folder"
