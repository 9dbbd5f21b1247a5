#!/bin/sh
# Makes the systems that the tests of the Debian package start from, in a directory of build/ if it does not exist yet: the
# bare systems bookworm and trixie, a directory each. Prints the directory.
#
# In each, apt knows the suite's packages, and has those of OpenSSH's client at hand, not installed: so that what the
# package depends on comes from the suite, and nothing is fetched in a test. trixie has man and three shells too.
set -eu

# shellcheck source=tests/debian_systems.sh
. "$(dirname "$0")/../debian_systems.sh"
folder=$root/build/debian/$(version_of "$0")

[ "$(uname -s)" = Linux ] || cannot "only Linux can run another Debian"
[ "$(id -u)" = 0 ] || cannot "only root can make and enter another Debian"
for tool in dpkg-deb objdump lintian mmdebstrap sshd socat git; do
  command -v $tool >/dev/null || cannot "$tool is not installed, and this may not install it"
done
# Where /proc and others are mounted in such a system, nobody else is to see it, least of all rm.
unshare --mount --pid --net --fork true 2>/dev/null || cannot "root has no mounts of its own here"
# Tests that run at the same time share them.
begin_work "$root/build/debian" "$folder" complete

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
