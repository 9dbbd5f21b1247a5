#!/bin/sh
# Makes what the tests of the Debian package are started from, in a folder of build/, where it is not there yet: the bare
# systems bookworm and trixie, a folder each. Prints the folder. Where this machine has not what it takes, the last line on
# stderr says what that is, and the exit code is 77, as of tests/vm/image.sh.
#
# In each, apt knows the suite's packages, and has those of OpenSSH's client at hand, not installed: so that what the
# package depends on comes from the suite, and nothing is fetched in a test. trixie has man and three shells too.
set -eu

PATH=$PATH:/usr/sbin
root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
version=$(cksum <"$0" | cut -d ' ' -f 1)
folder=$root/build/debian/$version

cannot() {
  echo "$1" >&2
  exit 77
}

[ "$(uname -s)" = Linux ] || cannot "only Linux can run another Debian"
[ "$(id -u)" = 0 ] || cannot "only root can make and enter another Debian"
for tool in dpkg-deb objdump lintian mmdebstrap sshd socat git; do
  command -v $tool >/dev/null || cannot "$tool is not installed, and this may not install it"
done
# Where /proc and others are mounted in such a system, nobody else is to see it, least of all rm.
unshare --mount --pid --net --fork true 2>/dev/null || cannot "root has no mounts of its own here"
mkdir -p "$root/build/debian"
# Tests that run at the same time share them.
exec 9>"$root/build/debian/lock"
flock 9
if [ -e "$folder/complete" ]; then
  echo "$folder"
  exit 0
fi

work=$(mktemp -d "$root/build/debian/new.XXXXXX")
trap 'wait; rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' HUP INT TERM

debian() { # debian SUITE [PACKAGES]
  unshare --mount mmdebstrap --quiet --variant=minbase ${2:+"--include=$2"} --skip=cleanup/apt \
    --dpkgopt=force-unsafe-io --aptopt='Acquire::Languages "none"' --aptopt='Acquire::GzipIndexes "true"' \
    --chrooted-customize-hook='apt-get clean' \
    --chrooted-customize-hook='apt-get install --yes --no-install-recommends --download-only openssh-client' \
    --chrooted-customize-hook='useradd --create-home somebody' \
    "$1" "$work/$1" >"$work/$1.log" 2>&1 || { cat "$work/$1.log" >&2; cannot "Debian's packages of $1 cannot be fetched"; }
}

debian bookworm &
bookworm=$!
debian trixie man-db,bash-completion,zsh,fish &
trixie=$!
wait "$bookworm"
wait "$trixie"

rm -f "$work"/*.log
: >"$work/complete"
# Others may be making theirs, in new.…
rm -rf --one-file-system "$root"/build/debian/[0-9]*
chmod 755 "$work"
mv "$work" "$folder"
echo "$folder"
