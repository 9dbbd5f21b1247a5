#!/bin/sh
# Prints what CHANGELOG.md says of the version that a tag names: the notes of its release. Fails where the tag is not that
# of the version in deno.json, or where nothing is said of it.
set -eu
[ $# = 1 ] || { echo "usage: release/notes.sh TAG, such as v1.2.3" >&2; exit 64; }
tag=$1
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)

fail() { # fail WHAT
  echo "release/notes.sh: $1" >&2
  exit 1
}

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$root/deno.json")
[ "$tag" = "v$version" ] || fail "$tag: deno.json has version $version, whose tag is v$version"
# From the heading to the next one, or to where the addresses of links begin; without the empty lines at both ends.
notes=$(awk -v heading="## [$version]" '
  /^## / || /^\[[^]]*\]: / { inside = index($0, heading) == 1; next }
  inside
' "$root/CHANGELOG.md" | sed '/./,$!d')
[ -n "$notes" ] || fail "CHANGELOG.md says nothing under ## [$version]"
printf '%s\n' "$notes"
