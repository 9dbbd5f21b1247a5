#!/bin/sh
# Makes what install.sh puts into place (release/payload.sh), once for all tests of these sources, in a directory of build/.
# Prints the directory.
#
#   tests/payload.sh DENO
set -eu

[ $# = 1 ] || { echo "usage: tests/payload.sh DENO" >&2; exit 64; }
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
cd "$root"
sources='README.md CHANGELOG.md LICENSE install install.sh deno.json deno.lock commands docs/deno-ssh-proxy.1 ffi core addresses proxy release
  rust/Cargo.lock rust/Cargo.toml rust/core rust/abi rust/starter'
version() {
  # shellcheck disable=SC2086 # a list of words
  { "$1" --version; find ./*.ts $sources -type f | LC_ALL=C sort | tr '\n' '\0' | xargs -0 cat; } | cksum | cut -d ' ' -f 1
}
folder=$root/build/payload/$(version "$1")

mkdir -p build/payload
# Tests that run at the same time share it.
exec 9>build/payload/lock
! command -v flock >/dev/null || flock 9
if [ ! -e "$folder" ]; then
  work=$(mktemp -d "$root/build/payload/new.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM
  release/payload.sh "$1" "$work/payload" >&2
  rm -rf build/payload/[0-9]*
  mv "$work/payload" "$folder"
fi
echo "$folder"
