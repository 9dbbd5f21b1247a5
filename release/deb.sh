#!/bin/sh
# Makes a Debian package of this checkout and of a Deno, the first on PATH if none is given, and prints where it is:
# build/release/deno-ssh-proxy_VERSION_ARCHITECTURE.deb. The same checkout gives the same bytes, wherever and whenever it is
# built, with the same Deno and the same Rust.
set -eu
umask 022
export LC_ALL=C
[ $# -le 1 ] || { echo "usage: release/deb.sh [DENO]" >&2; exit 64; }
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
debian=$root/release/debian

fail() { # fail WHAT [HINT]
  echo "release/deb.sh: $1" >&2
  [ $# -lt 2 ] || echo "  $2" >&2
  exit 1
}

for tool in dpkg-deb:dpkg objdump:binutils; do
  command -v "${tool%:*}" >/dev/null || fail "${tool%:*} is missing" "on Debian: apt-get install ${tool#*:}"
done
deno=${1:-$(command -v deno)} || fail "there is no deno on PATH" "it becomes a part of the package"
# That may be a script that starts it.
deno=$("$deno" eval --no-config 'console.log(Deno.execPath())')

# From the commit, but for what is given in the variables that Debian's own tools take.
of_commit() { # of_commit FORMAT
  git -C "$root" log -1 --format="$1" ||
    fail "$root is no checkout of git" "set SOURCE_DATE_EPOCH, DEBFULLNAME and DEBEMAIL"
}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(of_commit %ct)}
name=${DEBFULLNAME:-$(of_commit %an)}
address=${DEBEMAIL:-$(of_commit %ae)}
maintainer="$name <$address>"
# dpkg-deb takes these. The next levels take several times as long, for 2 % each.
: "${DPKG_DEB_COMPRESSOR_TYPE:=xz}" "${DPKG_DEB_COMPRESSOR_LEVEL:=1}"
export SOURCE_DATE_EPOCH DPKG_DEB_COMPRESSOR_TYPE DPKG_DEB_COMPRESSOR_LEVEL

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
payload=$work/payload program=$work/payload/program tree=$work/tree
"$root/release/payload.sh" "$deno" "$payload"

case $(cat "$payload/target") in
  x86_64-unknown-linux-gnu) architecture=amd64 ;;
  aarch64-unknown-linux-gnu) architecture=arm64 ;;
  *) fail "$deno: it is for $(cat "$payload/target"), which is no architecture of Debian's that there is a Deno for" ;;
esac
[ "$(dpkg --print-architecture)" = $architecture ] ||
  fail "$deno: it is for $architecture, and this system is $(dpkg --print-architecture)"
version=$(cat "$payload/version")
"$deno" run --quiet --no-prompt --frozen --allow-read="$payload/CHANGELOG.md" "$debian/changelog.ts" \
  "$payload/CHANGELOG.md" "$version" "$SOURCE_DATE_EPOCH" "$maintainer" >"$work/changelog" ||
  fail "CHANGELOG.md and deno.json do not agree"

put() { # put FILE PLACE [MODE]
  install -D -m "${3:-644}" "$1" "$tree$2"
}
lib=/usr/lib/deno-ssh-proxy doc=/usr/share/doc/deno-ssh-proxy
put "$program/deno-ssh-proxy" $lib/deno-ssh-proxy 755
mkdir -p "$tree/usr/bin"
ln -s ../lib/deno-ssh-proxy/deno-ssh-proxy "$tree/usr/bin/deno-ssh-proxy"
put "$deno" $lib/deno 755
put "$program/commands.sh" $lib/commands.sh 755
for file in proxy.mjs cli.mjs libdeno_ssh_proxy.so; do
  put "$program/$file" $lib/$file
done
(cd "$root" && "$deno" eval --quiet --no-config '
  import { dropIn } from "./commands/config/drop_in.ts";
  import { SYSTEM_SETTINGS } from "./commands/config/settings.ts";
  console.log(dropIn("/usr/bin/deno-ssh-proxy", SYSTEM_SETTINGS).trimEnd());
') >"$work/ssh_config"
put "$work/ssh_config" /etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf
put "$program/completions.bash" /usr/share/bash-completion/completions/deno-ssh-proxy
put "$program/completions.zsh" /usr/share/zsh/vendor-completions/_deno-ssh-proxy
put "$program/completions.fish" /usr/share/fish/vendor_completions.d/deno-ssh-proxy.fish
put "$program/deno-ssh-proxy.1" /usr/share/man/man1/deno-ssh-proxy.1
put "$debian/lintian-overrides" /usr/share/lintian/overrides/deno-ssh-proxy
put "$debian/README.Debian" $doc/README.Debian
sed "s|@deno@|$("$deno" eval --no-config 'console.log(Deno.version.deno)')|" "$debian/copyright" >"$work/copyright"
put "$work/copyright" $doc/copyright
put "$work/changelog" $doc/changelog
(cd "$root" && "$deno" eval --frozen 'import { inside, notices } from "./release/inside.ts";
  console.log(notices(inside()).trimEnd());') >"$work/NOTICES"
put "$work/NOTICES" $doc/NOTICES
gzip -9n "$tree$doc/changelog" "$tree$doc/NOTICES" "$tree/usr/share/man/man1/deno-ssh-proxy.1"

# What the three ELF files need, in the versions that their headers name. (dpkg-shlibdeps says which C library this very
# system would need for that, and on Debian 12 that is one that Debian 11 has not.)
needed=
for file in deno deno-ssh-proxy libdeno_ssh_proxy.so; do
  objdump -p "$tree$lib/$file" >"$work/headers"
  while read -r word object _ symbols; do
    case $word:$object:$symbols in
      NEEDED:libc.so.6:* | NEEDED:libm.so.6:* | NEEDED:ld-linux*) ;;
      # Which are in the first of these since glibc 2.34.
      NEEDED:libdl.so.2:* | NEEDED:libpthread.so.0:* | NEEDED:librt.so.1:*) ;;
      NEEDED:libgcc_s.so.1:*) ;;
      NEEDED:*) fail "$file: it needs $object, and no package with that is known here" ;;
      0x*:GLIBC_[0-9]*) needed="$needed libc6:${symbols#GLIBC_}" ;;
      0x*:GCC_[0-9]*) needed="$needed libgcc-s1:${symbols#GCC_}" ;;
      0x*:G[LC]*_*) fail "$file: it needs $symbols, and no version with that is known here" ;;
    esac
  done <"$work/headers"
done
depends=$(
  for package in libc6 libgcc-s1; do
    # shellcheck disable=SC2086 # a list of words
    printf '%s\n' $needed | sed -n "s/^$package://p" | sort -V | sed -n "\$s/.*/$package (>= &), /p"
  done | tr -d '\n'
)

put "$debian/preinst" /DEBIAN/preinst 755
put "$debian/postrm" /DEBIAN/postrm 755
# Each file and each folder begins a new KiB: deb-substvars(5), Installed-Size.
size=$(find "$tree/etc" "$tree/usr" -printf '%y %s\n' |
  awk '{ total += $1 == "f" ? int(($2 + 1023) / 1024) : 1 } END { print total }')
word() { # word TEXT: for the right side of sed's s command
  printf '%s' "$1" | sed 's/[\\&|]/\\&/g'
}
sed -e "s|@version@|$version|" -e "s|@architecture@|$architecture|" -e "s|@maintainer@|$(word "$maintainer")|" \
  -e "s|@size@|$size|" -e "s|@depends@|$depends|" "$debian/control" >"$tree/DEBIAN/control"
(cd "$tree" && find etc -type f | sed 's|^|/|') >"$tree/DEBIAN/conffiles"
(cd "$tree" && find usr -type f | sort | xargs md5sum) >"$tree/DEBIAN/md5sums"
chmod -R u=rwX,go=rX "$tree"
find "$tree" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

package=$root/build/release/deno-ssh-proxy_${version}_$architecture.deb
mkdir -p "${package%/*}"
dpkg-deb --root-owner-group --build "$tree" "$work/package" >/dev/null
mv -f "$work/package" "$package"
echo "$package"
