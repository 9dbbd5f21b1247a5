#!/bin/sh
# Runs the tests, several steps side by side, and ends with one line: N passed, N failed, N skipped.
#
#   ./tests/run.sh         all of them; as root on Debian it installs the packages that they need
#   ./tests/run.sh quick   in about a minute, those that need no packages besides those of the README
#   ./tests/run.sh vm      those in virtual machines
#   ./tests/run.sh rust    those of the library that depend on the version of Rust
set -u
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd) || exit 1
cd "$root" || exit 1
what=${1-all}
list=$(tests/step.sh --list "$what") || { echo "usage: tests/run.sh [quick | vm | rust]" >&2; exit 64; }
began=$(date +%s)

# Everything temporary is in here, and so can be seen to be gone in the end. The name is short, as a socket's path is in it,
# and without capital letters, which ssh does not keep in a host name. Tests become another user, who has to get into it.
temporary=/tmp/dsp-$$
mkdir -m 755 "$temporary" || exit 1
clean_up() {
  rm -rf --one-file-system "$temporary"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
export TMPDIR="$temporary" NO_COLOR=1 NODE_DISABLE_COMPILE_CACHE=1
# Debian gives ordinary users 002, and root 022.
umask 022

logs=$root/build/tests
rm -rf "$logs"
mkdir -p "$logs" || exit 1

case $what in
  all | vm) tests/packages.sh || echo "some packages are not installed: tests that need them are skipped" ;;
esac
PATH=$PATH:/usr/sbin

stop() { # stop MESSAGE LOG
  tail -n 20 "$2" >&2
  echo "$1" >&2
  exit 1
}

# The one on PATH, or the one that ./install.sh took.
for deno in "$(command -v deno || true)" "${HOME-}/.local/lib/deno-ssh-proxy/deno" /usr/local/lib/deno-ssh-proxy/deno; do
  [ ! -x "$deno" ] || break
  deno=
done
if [ -z "$deno" ]; then
  # The installer knows which Deno, for which system, and its checksum.
  echo "There is no Deno on PATH: taking one from npm"
  ./install.sh --no-proof --prefix "$root/build/deno" >"$logs/install.log" 2>&1 ||
    stop "no Deno could be installed" "$logs/install.log"
  deno=$root/build/deno/lib/deno-ssh-proxy/deno
fi
# The user that root's tests become may not start one in, say, root's home. (setpriv itself looks the program up as root.)
as_nobody='setpriv --reuid=54321 --regid=54321 --clear-groups'
if [ "$(id -u)" = 0 ] && ! $as_nobody env "$deno" --version >/dev/null 2>&1; then
  executable=$("$deno" eval --no-config 'console.log(Deno.execPath())')
  mkdir "$temporary/deno"
  cp "$executable" "$temporary/deno/deno"
  deno=$temporary/deno/deno
fi
# The installer looks for one there, and some of the tests start the installer.
PATH=$(dirname "$deno"):$PATH
export PATH
# What Deno and cargo fetch is in build/, not in the home of whoever runs this, unless cargo has a cache there already.
export DENO_DIR="$root/build/deno-dir"
if [ -z "${CARGO_HOME-}" ] && [ -n "${HOME-}" ] && ! [ -d "$HOME/.cargo/registry" ]; then
  export CARGO_HOME="$root/build/cargo"
  mkdir -p "$CARGO_HOME"
  for file in config config.toml credentials credentials.toml; do
    [ ! -f "$HOME/.cargo/$file" ] || ln -sf "$HOME/.cargo/$file" "$CARGO_HOME/$file"
  done
fi

echo "Building"
cargo build --quiet --release --locked --manifest-path rust/Cargo.toml >"$logs/build.log" 2>&1 ||
  stop "the library cannot be built" "$logs/build.log"
tests/payload.sh "$deno" >"$logs/build.log" 2>&1 || stop "the program cannot be built" "$logs/build.log"

# One more than there are processors: many tests wait for something.
processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
counts=$logs/counts
: >"$counts"
echo "Running $(echo "$list" | wc -l) steps, $((processors + 1)) at a time"
echo "$list" | xargs -n 1 -P $((processors + 1)) tests/step.sh "$deno" "$counts"

sum() { # sum COLUMN
  awk -v column="$1" '{ sum += $column } END { print sum + 0 }' "$counts"
}
passed=$(sum 2)
failed=$(sum 3)
skipped=$(sum 4)
for step in $list; do
  grep -q "^$step " "$counts" || { echo "FAILED: the step $step did not end"; failed=$((failed + 1)); }
done
rm -rf "$temporary/deno"
if left=$(ls -A "$temporary") && [ -z "$left" ]; then passed=$((passed + 1))
else
  failed=$((failed + 1))
  echo "FAILED: the tests leave nothing temporary"
  ls -lA "$temporary"
fi

echo "after $(($(date +%s) - began)) s; logs are in build/tests"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
