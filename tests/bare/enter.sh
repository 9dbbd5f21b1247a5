#!/bin/sh
# Runs a command in a system that is a directory, as in a machine of its own: its own processes, mounts and devices, of which
# nothing is left afterwards. Not with chroot(2), in which nobody may make a user namespace.
#
#   tests/bare/enter.sh DIRECTORY [NAME=VALUE]… COMMAND [ARGUMENT]…
set -eu
# shellcheck disable=SC2016 # for the sh inside
exec setpriv --pdeathsig KILL unshare --mount --pid --ipc --fork --kill-child -- sh -c '
  set -e
  system=$1
  shift
  mount --bind "$system" "$system"
  mount -t proc proc "$system/proc"
  mount --rbind /sys "$system/sys"
  mount -t tmpfs -o mode=755 devices "$system/dev"
  for device in null zero full random urandom tty kvm fuse; do
    [ -e "/dev/$device" ] || continue
    : >"$system/dev/$device"
    mount --bind "/dev/$device" "$system/dev/$device"
  done
  mkdir "$system/dev/pts" "$system/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$system/dev/pts"
  mount -t tmpfs -o mode=1777 shm "$system/dev/shm"
  mount -t tmpfs -o mode=755 run "$system/run"
  ln -s pts/ptmx "$system/dev/ptmx"
  ln -s /proc/self/fd "$system/dev/fd"
  ln -s fd/0 "$system/dev/stdin"
  ln -s fd/1 "$system/dev/stdout"
  ln -s fd/2 "$system/dev/stderr"
  cd "$system"
  pivot_root . mnt
  umount --lazy /mnt
  # Not exec: what becomes an orphan needs a parent that waits for it.
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb "$@"
  exit
' sh "$@"
