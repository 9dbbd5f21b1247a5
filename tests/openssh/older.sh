#!/bin/sh
# Makes a directory of build/ with the OpenSSH client and the shells of an older Debian, to be entered with chroot(8), if it
# does not exist yet. Prints the directory.
#
#   tests/openssh/older.sh bullseye|bookworm
set -eu

# shellcheck source=tests/debian_systems.sh
. "$(dirname "$0")/../debian_systems.sh"
suite=${1-}
case $suite in
  bullseye | bookworm) ;;
  *) echo "usage: tests/openssh/older.sh bullseye|bookworm" >&2; exit 64 ;;
esac

[ "$(uname -s)" = Linux ] || cannot "only Linux can run an older Debian's ssh"
[ "$(id -u)" = 0 ] || cannot "only root can make and enter an older Debian"
command -v mmdebstrap >/dev/null || cannot "mmdebstrap is not installed"
unshare --mount true 2>/dev/null || cannot "root cannot have mounts of its own here"

base=$root/build/openssh/$suite-$(version_of "$0")
begin_work "$root/build/openssh" "$base"
# The files of the packages are enough, and take a third of the time.
unshare --mount mmdebstrap --quiet --mode=root --variant=extract \
  --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Check-Valid-Until "false"' \
  --include=openssh-client,coreutils,dash,bash,zsh,fish,tcsh,mksh "$suite" "$work/system" >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; cannot "Debian's packages of $suite cannot be fetched"; }
echo root:x:0:0::/root:/bin/sh >"$work/system/etc/passwd"
rm -rf --one-file-system "$root/build/openssh/$suite"-*
mv "$work/system" "$base"
echo "$base"
