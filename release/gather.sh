#!/bin/sh
# Gathers what `deno task release` and `deno task deb` made on several machines, each in a folder of its own, with one
# SHA256SUMS of all of it.
set -eu
[ $# -ge 2 ] || { echo "usage: release/gather.sh OUT FOLDER…, where OUT is not there yet" >&2; exit 64; }
out=$1
shift

fail() { # fail WHAT
  echo "release/gather.sh: $1" >&2
  exit 1
}

mkdir "$out"
for folder in "$@"; do
  [ -f "$folder/SHA256SUMS" ] || fail "$folder: it has no SHA256SUMS"
  (cd "$folder" && sha256sum --check --strict --quiet SHA256SUMS) || fail "$folder: it is not what was made there"
  for file in "$folder"/*; do
    name=${file##*/}
    case $name in
      SHA256SUMS) continue ;;
      # These are made by themselves.
      *.deb) ;;
      *) awk -v name="$name" '$2 == name { found = 1 } END { exit !found }' "$folder/SHA256SUMS" ||
        fail "$file: SHA256SUMS does not have it" ;;
    esac
    # What is for every machine is the same from each.
    [ ! -e "$out/$name" ] || cmp -s "$file" "$out/$name" || fail "$name: not every machine made the same"
    cp "$file" "$out/$name"
  done
done
sums=$(cd "$out" && sha256sum -- *)
printf '%s\n' "$sums" >"$out/SHA256SUMS"
