#!/bin/sh
# Takes the Deno that install.sh pins, for x86_64 Linux, to a job that runs nothing else.
#
#   release/pinned_deno.sh name                 prints the npm package and its version
#   release/pinned_deno.sh unpack PACKAGE FILE  writes its executable to FILE if PACKAGE has the checksum of install.sh
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)

fail() { # fail WHAT
  echo "release/pinned_deno.sh: $1" >&2
  exit 1
}

# Prints what install.sh has for a name behind Linux-x86_64.
pinned() { # pinned NAME
  value=$(sed -n "/^ *Linux-x86_64)\$/,/;;/s/.*\\<$1=\\([^ ]*\\).*/\\1/p" "$root/install/deno.sh")
  [ -n "$value" ] || fail "install.sh pins no $1"
  printf '%s\n' "$value"
}

case ${1-}:$# in
  name:1)
    package=$(pinned package)
    version=$(pinned version)
    echo "@deno/$package@$version" ;;
  unpack:3)
    sum=$(pinned sha512)
    found=$(sha512sum "$2" | cut -d ' ' -f 1)
    [ "$found" = "$sum" ] || fail "$2: it is not the package that install.sh pins"
    tar -xzOf "$2" package/deno >"$3"
    chmod 755 "$3" ;;
  *)
    echo "usage: release/pinned_deno.sh name | unpack PACKAGE FILE" >&2
    exit 64 ;;
esac
