#!/bin/sh
# Bundles the programs of a copy of the sources as proxy.mjs and cli.mjs (release/bundle.ts).
#
#   release/bundle.sh copy SOURCES               makes the copy: SOURCES is a directory without any of it
#   release/bundle.sh bundle DENO SOURCES OUT    bundles it into the directory OUT
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)

fail() { # fail WHAT HINT
  echo "release/bundle.sh: $1" >&2
  echo "  $2" >&2
  exit 1
}

copy() { # copy SOURCES
  cp -R "$root/deno.json" "$root/deno.lock" "$root"/*.ts "$root/release/bundle.ts" "$1"
  for layer in core ffi addresses proxy commands; do cp -R "$root/$layer" "$1"; done
  # The whole of deno.json would be read at every connection.
  version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$root/deno.json")
  echo "export const VERSION = \"$version\";" >"$1/core/version.ts"
}

bundle() { # bundle DENO SOURCES OUT
  cd "$2"
  # esbuild comes from npm, with a checksum in deno.lock that Deno compares before anything of it runs.
  "$1" install --quiet --frozen --entrypoint bundle.ts cli.ts 2>fetched || {
    cat fetched >&2
    why="Deno fetches esbuild from npm for that; behind a proxy with a certificate of its own, set DENO_TLS_CA_STORE=system"
    ! grep -q checksum fetched || why="a package from npm is not the one that deno.lock names; nothing of it ran"
    fail "the program cannot be bundled" "$why"
  }
  { "$1" info --json cli.ts >packages.json &&
    "$1" run --quiet --no-prompt --frozen --cached-only --allow-read --allow-write="$3" bundle.ts packages.json "$3"; } ||
    fail "the program cannot be bundled" "what Deno says above is why"
}

case $#,${1-} in
2,copy) copy "$2" ;;
4,bundle) bundle "$2" "$3" "$4" ;;
*)
  echo "usage: release/bundle.sh copy SOURCES | bundle DENO SOURCES OUT" >&2
  exit 64
  ;;
esac
