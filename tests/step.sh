#!/bin/sh
# Runs one step of the tests, and prints what came of it: a line, and what failed or why something was skipped. Steps may
# run side by side.
#
#   tests/step.sh DENO COUNTS STEP   appends "STEP PASSED FAILED SKIPPED" to the file COUNTS
#   tests/step.sh --list all|quick|vm|rust   prints the names of the steps, those that take longest first
set -u
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd) || exit 1
cd "$root" || exit 1

# Those of `quick` need no packages but those that README names.
steps() {
  case $1 in
    all) echo vm release faults commands sandbox openssh memory ssh_config fuzz installer clients unit proxy rust documents checks ;;
    quick) echo unit proxy rust documents ;;
    vm) echo vm ;;
    rust) echo memory rust ;;
    *) return 1 ;;
  esac
}
if [ "${1-}" = --list ]; then
  steps "${2-}" | tr ' ' '\n'
  exit
fi
[ $# = 3 ] || { echo "usage: tests/step.sh DENO COUNTS STEP" >&2; exit 64; }
deno=$1 counts=$2 step=$3
log=$root/build/tests/$step.log
passed=0
failed=0
skipped=0
said=
began=$(date +%s)

# What there is to say is said at once: another step may have much to say at the same time.
say() { # say LINE…
  said="$said$(printf '%s\n' "$@")
"
}

fail() { # fail NAME
  failed=$((failed + 1))
  say "FAILED: $1" "$(tail -n 60 "$log")"
}

check() { # check NAME COMMAND ARGUMENT…
  name=$1
  shift
  if "$@" >"$log" 2>&1; then passed=$((passed + 1)); else fail "$name"; fi
}

skip() { # skip NAME REASON
  skipped=$((skipped + 1))
  say "  1 skipped ($1): $2"
}

count() { # count NUMBER-PATTERN, in the log: the sum of the first group
  sed -n "s/$1/\\1/p" "$log" | awk '{ sum += $1 } END { print sum + 0 }'
}

# Prints each reason for which tests were skipped, with their number.
reasons() {
  sed -n -e 's/.* (left out: \(.*\)) \.\.\. ignored.*/\1/p' -e 's/.*\.\.\. ignored, \(.*\)/\1/p' -e 's/^skipped: [^:]*: //p' "$log" |
    sort | uniq -c | sed 's/^ *\([0-9]*\) /  \1 skipped: /'
}

run() { # run NAME PASSED-PATTERN FAILED-PATTERN SKIPPED-PATTERN COMMAND ARGUMENT…
  name=$1 p=$2 f=$3 s=$4
  shift 4
  "$@" >"$log" 2>&1
  status=$?
  broken=$(count "$f")
  [ "$status" = 0 ] || [ "$broken" != 0 ] || broken=1
  passed=$((passed + $(count "$p")))
  failed=$((failed + broken))
  skipped=$((skipped + $(count "$s")))
  [ "$broken" = 0 ] || say "FAILED: $name" "$(tail -n 100 "$log")"
  why=$(reasons)
  [ -z "$why" ] || say "$why"
}

cargo_passed='.*test result: .* \([0-9]*\) passed.*'
rust_tests() { # rust_tests NAME COMMAND ARGUMENT…: what cargo test prints
  name=$1
  shift
  run "$name" "$cargo_passed" '.*test result: .* \([0-9]*\) failed.*' \
    '.*test result: .* \([0-9]*\) ignored.*' "$@"
}

deno_tests() { # deno_tests NAME ARGUMENT…: what deno test prints
  name=$1
  shift
  run "$name" '.*| \([0-9]*\) passed.*' '.*| \([0-9]*\) failed.*' '.*| \([0-9]*\) ignored.*' \
    "$deno" test --frozen --no-prompt "$@"
}

tests() { # tests DIRECTORY [OPTION]…: those in tests/DIRECTORY, with what they are allowed to do
  directory=tests/$1
  shift
  deno_tests "$title" --allow-ffi --allow-read --allow-write --allow-net --allow-run "$@" "$directory"
}

# rustup leaves a stand-in for what it has not installed.
has_cargo() { # has_cargo COMMAND
  cargo "$1" --version >/dev/null 2>&1
}

# The library's tests once more, under a tool that sees what they do with memory.
memory() { # memory TOOL
  tests/memory.sh "$1" >"$log" 2>&1
  case $? in
    77) skip "cargo test under $1" "$(tail -n 1 "$log")" ;;
    # The tests that the tool leaves out are counted where all of them run.
    0) passed=$((passed + $(count "$cargo_passed"))) ;;
    *) fail "cargo test under $1" ;;
  esac
}

checks() {
  not_here="it is not installed, and this may not install it"
  if has_cargo fmt; then
    check "the Rust is formatted" cargo fmt --all --check --manifest-path rust/Cargo.toml
  else
    skip "cargo fmt" "$not_here"
  fi
  if ! has_cargo clippy; then
    skip "clippy" "$not_here"
    skip "clippy on the fuzz targets" "$not_here"
  elif [ "$(clippy-driver --rustc --version)" != "$(rustc --version)" ]; then
    skip "clippy" "it is of another version than rustc"
    skip "clippy on the fuzz targets" "it is of another version than rustc"
  else
    check "clippy" cargo clippy --locked --all-targets --manifest-path rust/Cargo.toml -- -D warnings
    check "clippy on the fuzz targets" \
      cargo clippy --locked --lib --test corpus --manifest-path rust/fuzz/Cargo.toml --target-dir rust/target -- -D warnings
  fi
  check "the TypeScript is formatted" "$deno" fmt --check
  check "deno lint" "$deno" lint
  check "the types" "$deno" task --quiet types
  check "the documentation is complete" "$deno" doc --lint mod.ts
  check "the types in the documentation" "$deno" check --frozen --doc-only docs/library.md
  if command -v shellcheck >/dev/null 2>&1; then
    check "shellcheck" shellcheck install.sh install/*.sh commands/commands.sh release/*.sh bench/peers.sh \
      release/debian/postrm release/debian/preinst tests/*.sh tests/bare/*.sh tests/openssh/older.sh \
      tests/release/debian.sh tests/vm/image.sh tests/vm/init .ci/run
    check "shellcheck on a release's install.sh" sh -c 'release/installer.sh | shellcheck -'
  else
    skip "shellcheck" "$not_here"
  fi
}

rust() {
  # Any CID but 1 is another machine. Only where that one can be bound is AF_VSOCK touched any further.
  vsock=
  if "$deno" run --no-prompt --frozen --allow-ffi tests/support/vsock.ts >"$log" 2>&1; then vsock=--include-ignored; fi
  rust_tests "cargo test" cargo test --locked --manifest-path rust/Cargo.toml -- ${vsock:+"$vsock"}
  # The short form of tests/fuzz.sh.
  rust_tests "the library's fuzz targets" \
    cargo test --locked --test corpus --manifest-path rust/fuzz/Cargo.toml --target-dir rust/target
}

with_sshd() { # with_sshd DIRECTORY [OPTION]…
  if command -v sshd >/dev/null 2>&1 && command -v socat >/dev/null 2>&1; then tests "$@"
  else skip "$title" "sshd or socat is not installed, and this may not install it"
  fi
}

vm() {
  tests/vm/image.sh >"$log" 2>&1
  case $? in
    0) tests vm --parallel ;;
    77) skip "$title" "$(tail -n 1 "$log")" ;;
    *) fail "$title" ;;
  esac
}

installer() {
  run "$title" '^\([0-9]*\) passed.*' '.* \([0-9]*\) failed.*' '.* \([0-9]*\) skipped$' tests/install_test.sh
  run "what $title refuses" '^\([0-9]*\) passed.*' '.* \([0-9]*\) failed.*' '.* \([0-9]*\) skipped$' tests/install_guard_test.sh
  run "the parts of $title" '^\([0-9]*\) passed.*' '.* \([0-9]*\) failed.*' '.* \([0-9]*\) skipped$' tests/install_parts_test.sh
  run "what $title takes from around it" '^\([0-9]*\) passed.*' '.* \([0-9]*\) failed.*' '.* \([0-9]*\) skipped$' tests/install_surroundings_test.sh
}

case $step in
  checks) title="formatting, lints and types" ;;
  rust) title="the library" ;;
  memory) title="the library, under valgrind, AddressSanitizer and Miri" ;;
  fuzz) title="fuzzing" ;;
  unit) title="the modules" ;;
  documents) title="the examples in the documentation" ;;
  proxy) title="the installed program as ssh starts it" ;;
  faults) title="faults" ;;
  commands) title="the commands as a person types them" ;;
  release) title="releases and packages" ;;
  sandbox) title="the sandbox, and what reaches a terminal" ;;
  openssh) title="the real ssh against the real sshd" ;;
  clients) title="SSH clients that take no file descriptor" ;;
  ssh_config) title="other hosts, and other programs that read ssh_config" ;;
  installer) title="the installer" ;;
  vm) title="virtual machines" ;;
  *) echo "tests/step.sh: there is no step $step" >&2; exit 64 ;;
esac
[ ! -t 1 ] || echo "… $title"
case $step in
  memory) for tool in valgrind asan miri; do memory $tool; done ;;
  documents)
    deno_tests "$title" --doc "--allow-ffi=$root/rust/target/release/libdeno_ssh_proxy.so" mod.ts core ffi addresses proxy ;;
  # Tests of one file wait for compilers, those of the others meanwhile for packages.
  release) tests release --parallel ;;
  ssh_config) with_sshd ssh_config --parallel ;;
  openssh | clients) with_sshd "$step" ;;
  unit | fuzz | proxy | faults | commands | sandbox) tests "$step" ;;
  *) "$step" ;;
esac

word=ok
[ "$failed" = 0 ] || word=FAILED
printf '%s: %s: %s passed, %s failed, %s skipped, %s s\n%s' \
  "$word" "$title" "$passed" "$failed" "$skipped" "$(($(date +%s) - began))" "$said"
echo "$step $passed $failed $skipped" >>"$counts"
