#!/bin/sh
# Makes a directory of build/ with the OpenSSH client and the shells of an older Debian, to be entered with chroot(8), if it
# is not there yet. Prints the directory. If this machine cannot make one, the last line on stderr is the reason, and the
# exit code is 77.
#
#   tests/openssh/older.sh bullseye|bookworm
set -eu

PATH=$PATH:/usr/sbin
root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
suite=${1-}
case $suite in
  bullseye | bookworm) ;;
  *) echo "usage: tests/openssh/older.sh bullseye|bookworm" >&2; exit 64 ;;
esac

cannot() {
  echo "$1" >&2
  exit 77
}

[ "$(uname -s)" = Linux ] || cannot "only Linux can run an older Debian's ssh"
[ "$(id -u)" = 0 ] || cannot "only root can make and enter an older Debian"
command -v mmdebstrap >/dev/null || cannot "mmdebstrap is not installed"
unshare --mount true 2>/dev/null || cannot "root cannot have mounts of its own here"

mkdir -p "$root/build/openssh"
exec 9>"$root/build/openssh/lock"
flock 9
base=$root/build/openssh/$suite-$(cksum <"$0" | cut -d ' ' -f 1)
if [ -e "$base" ]; then
  echo "$base"
  exit 0
fi

work=$(mktemp -d "$root/build/openssh/new.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' HUP INT TERM
# The files of the packages are enough, and take a third of the time.
unshare --mount mmdebstrap --quiet --mode=root --variant=extract \
  --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Check-Valid-Until "false"' \
  --include=openssh-client,coreutils,dash,bash,zsh,fish,tcsh,mksh "$suite" "$work/system" >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; cannot "Debian's packages of $suite cannot be fetched"; }
echo root:x:0:0::/root:/bin/sh >"$work/system/etc/passwd"
rm -rf --one-file-system "$root/build/openssh/$suite"-*
mv "$work/system" "$base"
echo "$base"
