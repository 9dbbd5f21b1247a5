#!/bin/sh
# Runs the library's tests where a wrong use of memory, or a file descriptor that is left open, fails them. Ends with 77,
# and says why, where the tool is not there.
#
#   tests/memory.sh valgrind   no invalid or uninitialised byte is used, also by a system call, no memory is lost, and what
#                              a test opened is closed when all have ended
#   tests/memory.sh asan       LLVM's AddressSanitizer and LeakSanitizer
#   tests/memory.sh miri       the rules of Rust itself, for the tests that need no system call that Miri lacks
set -u
cd "$(dirname "$0")/../rust" || exit 1

missing() { # missing REASON
  echo "$1"
  exit 77
}

# The commands that may use what is only in a nightly Rust: rustup's, or a Rust that is told to do as if.
with_nightly() { # with_nightly ARGUMENTS-OF-CARGO…
  if cargo +nightly --version >/dev/null 2>&1; then cargo +nightly "$@"; else RUSTC_BOOTSTRAP=1 cargo "$@"; fi
}

in_valgrind() {
  command -v valgrind >/dev/null 2>&1 || missing "valgrind is not installed, and this may not install it"
  # Half a minute less than without.
  export CARGO_PROFILE_DEV_OPT_LEVEL=2 CARGO_TARGET_DIR=target/memory
  mkdir -p target/memory
  # The library allocates nothing. What std holds for its main thread until the end is reachable, or found by a pointer
  # into it ("possibly lost"): neither is lost.
  test_with "valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,indirect" ||
    return
  # By itself, because since 3.22 an fcntl of a number that is no file descriptor is an error for --track-fds, and the
  # library asks about such numbers on purpose. 0, 1 and 2, and what the tests were started with, are no concern of them.
  rm -f target/memory/fds.*.log
  # cargo runs the tests of each crate in its directory.
  test_with "valgrind --tool=none --quiet --track-fds=yes --log-file=../target/memory/fds.%p.log" ||
    { cat target/memory/fds.*.log; return 1; }
  awk '/Open file descriptor|Open AF_/ { what = $0; getline; if (!/inherited from parent/) { print what; open = 1 } }
    END { exit open }' target/memory/fds.*.log
}

test_with() { # test_with RUNNER
  cargo test --locked --lib --config "target.'cfg(all())'.runner = '$1'" -- --quiet
}

with_address_sanitizer() {
  export RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=target/asan
  target=$(rustc -vV | sed -n 's/^host: //p')
  probe=$(mktemp -d) || exit 1
  trap 'rm -rf "$probe"' EXIT
  echo 'fn main() {}' >"$probe/main.rs"
  # In a crate of its own: only linking tells whether the toolchain has the sanitizer.
  printf '[package]\nname = "probe"\nversion = "0.0.0"\n[[bin]]\nname = "probe"\npath = "main.rs"\n[workspace]\n' \
    >"$probe/Cargo.toml"
  with_nightly build --quiet --offline --manifest-path "$probe/Cargo.toml" --target "$target" 2>/dev/null ||
    missing "this Rust has no AddressSanitizer"
  with_nightly test --locked --lib --target "$target" -- --quiet
}

in_miri() {
  cargo +nightly miri --version >/dev/null 2>&1 || missing "there is no Miri here: it needs a nightly Rust"
  # Files and the clock are those of this machine.
  MIRIFLAGS=-Zmiri-disable-isolation CARGO_TARGET_DIR=target/miri cargo +nightly miri test --locked --lib -- --quiet
}

case ${1-} in
  valgrind) in_valgrind ;;
  asan) with_address_sanitizer ;;
  miri) in_miri ;;
  *) echo "usage: tests/memory.sh valgrind|asan|miri" >&2; exit 64 ;;
esac
