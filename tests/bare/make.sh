#!/bin/sh
# Makes a bare Debian with the packages that README names for it and nothing else, and with a user called somebody, in a
# directory of build/ if it does not exist yet. Prints the directory.
#
#   tests/bare/make.sh trixie|bookworm|sid
set -eu

# shellcheck source=tests/debian_systems.sh
. "$(dirname "$0")/../debian_systems.sh"
here=$root/tests/bare
suite=${1-}
case $suite in
  bookworm) name='Debian 12' ;;
  trixie | sid) name='Debian 13' ;;
  *) echo "usage: tests/bare/make.sh trixie|bookworm|sid" >&2; exit 64 ;;
esac

[ "$(uname -s)" = Linux ] || cannot "only Linux can run a Debian"
[ "$(id -u)" = 0 ] || cannot "only root can make and enter another Debian"
for tool in mmdebstrap git setpriv unshare; do
  command -v $tool >/dev/null || cannot "$tool is not installed"
done
unshare --mount --pid --ipc --fork true 2>/dev/null || cannot "root cannot have mounts of its own here"

packages=$(sed -n "s/^    apt-get install \(.*[^ ]\) *# $name\$/\1/p" "$root/README.md")
[ -n "$packages" ] || { echo "tests/bare/make.sh: README.md names no packages of $name" >&2; exit 1; }

base=$root/build/bare/$suite-$(echo "$packages" | version_of "$0" -)
begin_work "$root/build/bare" "$base"
system=$work/system

# If this machine fetches packages in a way of its own, so does the system.
copy_settings() {
  for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/npmrc; do
    [ ! -e "$file" ] || cp -L "$file" "$system$file"
  done
  for file in .npmrc .cargo/config.toml .config/pip/pip.conf; do
    [ -e "${HOME-}/$file" ] || continue
    for home in root home/somebody; do
      mkdir -p "$(dirname "$system/$home/$file")"
      cp "$HOME/$file" "$system/$home/$file"
    done
  done
  [ ! -d /usr/local/share/ca-certificates ] ||
    cp -rL /usr/local/share/ca-certificates "$system/usr/local/share"
}

began=$(date +%s)
echo "making a bare $suite, with the packages of README.md: $packages" >&2
# An index of sid that has been kept for a while reads as expired.
unshare --mount mmdebstrap --quiet --variant=minbase --skip=cleanup/apt --dpkgopt=force-unsafe-io \
  --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Check-Valid-Until "false"' \
  --chrooted-customize-hook='useradd --create-home --shell /bin/bash somebody' \
  "$suite" "$system" >&2 || cannot "Debian's packages of $suite cannot be fetched"
copy_settings
bare=$("$here/enter.sh" "$system" dpkg-query -W | wc -l)
# shellcheck disable=SC2086 # a list of words
"$here/enter.sh" "$system" DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $packages >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; cannot "Debian's packages of $suite cannot be fetched"; }
"$here/enter.sh" "$system" apt-get clean
all=$("$here/enter.sh" "$system" dpkg-query -W | wc -l)
echo "made in $(($(date +%s) - began)) s: $bare packages, and $((all - bare)) for README's" >&2

rm -rf --one-file-system "$root/build/bare/$suite"-*
mv "$system" "$base"
echo "$base"
