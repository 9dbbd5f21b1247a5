#!/bin/sh
# Makes what is installed, out of this checkout: the native library, the starter, the scripts, the manual page and the
# completions. install.sh puts that into place, and an archive and a package have it in them.
set -eu
umask go-w

case $# in
  2) standalone='' ;;
  3) standalone=$3 ;;
  *)
    echo "usage: release/payload.sh DENO FOLDER [PREFIX], where FOLDER is not there yet; with PREFIX, what needs no Deno" >&2
    exit 64 ;;
esac
deno=$1 payload=$2
case $payload in /*) ;; *) payload=$PWD/$payload ;; esac
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)

fail() { # fail WHAT [HINT]
  echo "release/payload.sh: $1" >&2
  [ $# -lt 2 ] || echo "  $2" >&2
  exit 1
}

mkdir "$payload"
sources=$payload/sources program=$payload/program
mkdir "$sources" "$program"
trap 'rm -rf "$sources" "$payload/built"' EXIT

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$root/deno.json")
rust_version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/rust/Cargo.toml")

# The dynamic linker maps what the program headers say, and never looks how long the file is: it dies of SIGBUS, without a
# word, where the end of a library is missing. The program headers themselves it reads. So they are put at the end: where
# that is missing, it says so. (elf(5), Elf64_Ehdr: at byte 32 is where they begin, in 8 bytes, the lowest first on each
# processor that there is a Deno for; at 54 and 56, in 2 bytes, how long each is and how many there are.)
headers_last() { # headers_last LIBRARY
  end=$(wc -c <"$1")
  # shellcheck disable=SC2046 # two numbers
  set -- "$1" $(od -An -tu2 -j54 -N4 "$1")
  dd if="$1" bs=1 skip=64 count=$(($2 * $3)) 2>/dev/null >>"$1"
  # shellcheck disable=SC2059 # an escape for each byte
  printf "$(printf '\\%03o\\%03o\\%03o' $((end & 255)) $((end >> 8 & 255)) $((end >> 16 & 255)))" |
    dd of="$1" bs=1 seek=32 conv=notrunc 2>/dev/null
}

case $(uname -s) in Darwin) library=libdeno_ssh_proxy.dylib ;; *) library=libdeno_ssh_proxy.so ;; esac
cannot_build() {
  rustc=$(cd / && "${RUSTC:-rustc}" --version 2>/dev/null) || rustc='no rustc'
  number=${rustc#rustc }
  older=$(printf '%s\n' "${number%% *}" "$rust_version" | sort -t . -k 1,1n -k 2,2n | head -n 1)
  why="what cargo says above is why"
  [ "$older" = "$rust_version" ] || why="it needs Rust $rust_version or later, and this is $rustc"
  fail "the library and the starter cannot be built" "$why"
}

# Builds where cargo builds by default, unless some of that is another user's: what root made in there would be in that
# user's way, and theirs in this one's.
target=$root/rust/target
foreign=$(find "$root/rust" ! -user "$(id -u)" -print -o -type d ! -perm -200 -print | head -n 1)
[ -z "$foreign" ] && [ -w "$root/rust" ] || target=$payload/built
# In /, because cargo and rustup look for their configuration in each directory above the one that they are started in.
(cd / && cargo build --quiet --release --locked --manifest-path "$root/rust/Cargo.toml" --target-dir "$target") ||
  cannot_build
cp "$target/release/$library" "$target/release/deno-ssh-proxy" "$program"
[ "$(uname -s)" != Linux ] || headers_last "$program/$library"

"$root/release/bundle.sh" copy "$sources"
bundles=$program
if [ -n "$standalone" ]; then
  bundles=$sources/bundles
  mkdir "$bundles"
  # The folder is called by what is in it: another version has another one, and is switched to in one moment.
  sum=$(cd "$sources" && find . -type f | LC_ALL=C sort | xargs cat "$program/$library" | sha256sum | cut -c 1-12)
  place=${standalone%/}/lib/deno-ssh-proxy/$version-$sum
  echo "export const EXECUTABLE_URL = \"file://$place/standalone\";" >"$sources/ffi/executable.ts"
fi
"$root/release/bundle.sh" bundle "$deno" "$sources" "$bundles"

if [ -z "$standalone" ]; then
  cp "$root/commands/commands.sh" "$program"
else
  # deno compile compares denort with no checksum.
  (cd "$root" && "$deno" run --quiet --no-prompt --frozen --allow-all release/why_no_executable.ts) ||
    fail "the program cannot be compiled" \
      "add the checksum to release/denort.sha256 once you have compared it, or set DENORT_SHA256 to it"
  cp "$root/release/standalone.js" "$bundles"
  # The times of these are in what is compiled.
  touch -d "@${SOURCE_DATE_EPOCH:-0}" "$bundles"/*
  # The one grant of the ProxyCommand. A cache of what V8 compiles would be a file in /tmp, which anybody may have put there.
  (cd "$bundles" && "$deno" compile --quiet --no-prompt --no-config --no-lock --no-remote --no-npm --no-code-cache \
    --deny-import --allow-ffi="$place/$library" --output "$program/standalone" standalone.js) ||
    fail "the program cannot be compiled"
  # What a denort of another version makes is an executable as well, and does not run.
  "$program/standalone" --help >/dev/null || fail "what was compiled does not run" "is denort that of this Deno?"
  echo "$place" >"$payload/place"
fi

cp "$root/docs/deno-ssh-proxy.1" "$root/LICENSE" "$program"
for shell in bash zsh fish; do
  "$deno" run --quiet --no-prompt --no-config "$bundles/cli.mjs" completions $shell >"$program/completions.$shell"
done
# As it is for the usual prefix; install.sh makes it anew for another one.
(cd "$sources" && "$deno" eval --quiet --no-config '
  import { dropIn } from "./commands/config/drop_in.ts";
  console.log(dropIn("/usr/local/bin/deno-ssh-proxy").trimEnd());
') >"$program/ssh_config"

echo "$version" >"$payload/version"
# As Rust and Deno name systems.
"$deno" eval --quiet --no-config 'console.log(Deno.build.target)' >"$payload/target"
"$root/release/installer.sh" >"$payload/install.sh"
cp "$root/README.md" "$root/CHANGELOG.md" "$payload"

find "$payload" -type d -exec chmod 755 {} +
find "$payload" -type f -exec chmod 644 {} +
chmod 755 "$payload/install.sh" "$program/deno-ssh-proxy" "$program/$library"
[ -z "$standalone" ] || chmod 755 "$program/standalone"
