#!/bin/sh
# Installs what the tests need where it may, runs every test, and ends with one line: N passed, N failed, N skipped.
# Each step counts its tests; a step that is one check counts as one. With the argument vm, only those in virtual
# machines.
set -u
case ${1-} in
  '') here=yes ;;
  vm) here=no ;;
  *) echo "usage: tests/run.sh [vm]" >&2; exit 64 ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
cd "$root" || exit 1
mkdir -p build || exit 1

# What CI runs on may have neither; where there is no root and no apt-get, what is missing is reported below.
need() { # need COMMAND PACKAGE
  need_for "$2" command -v "$1"
}
# What is no command of its own is there where one succeeds.
need_for() { # need_for PACKAGE COMMAND ARGUMENT…
  package=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
missing=
need shellcheck shellcheck
if [ "$(command -v cargo)" = /usr/bin/cargo ]; then
  need cargo-fmt rustfmt
  need cargo-clippy rust-clippy
fi
need cc gcc
need nm binutils
need ssh openssh-client
PATH=$PATH:/usr/sbin
need sshd openssh-server
need socat socat
need rsync rsync
need dbclient dropbear-bin
need plink putty-tools
# Debian's Python, which another one may be before on PATH.
need_for python3-paramiko /usr/bin/python3 -c 'import paramiko'
need_for python3-asyncssh /usr/bin/python3 -c 'import asyncssh'
# Makes the folder in which tests/ssh_config has packages of PyPI.
need_for python3-venv /usr/bin/python3 -c 'import ensurepip'
need_for libssh-dev cc -E -include libssh/libssh.h -x c /dev/null
need_for ruby-net-ssh ruby -e 'require "net/ssh"'
need go golang-go
need_for golang-github-kevinburke-ssh-config-dev test -d /usr/share/gocode/src/github.com/kevinburke/ssh_config
need strace strace
need bwrap bubblewrap
need valgrind valgrind
need mandoc mandoc
need zsh zsh
need fish fish
need patch patch
need tmux tmux
need lintian lintian
need mmdebstrap mmdebstrap
if [ "$(uname -m)" = x86_64 ]; then
  need qemu-system-x86_64 qemu-system-x86
  need mke2fs e2fsprogs
fi
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  # shellcheck disable=SC2086 # a list of words
  { apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >build/apt.log 2>&1 ||
    { echo "apt-get could not install:$missing"; tail -n 3 build/apt.log; }
fi

deno=$(command -v deno || true)
if [ -z "$deno" ]; then
  # The installer knows which Deno, for which system, and its checksum.
  ./install.sh --no-proof --prefix "$root/build/deno" >build/install.log 2>&1 || { tail -n 20 build/install.log; exit 1; }
  deno=$root/build/deno/lib/deno-ssh-proxy/deno
fi
# The installer looks for one there, and some of the tests start the installer.
PATH=$(dirname "$deno"):$PATH
export PATH

passed=0
failed=0
skipped=0

check() { # check NAME COMMAND ARGUMENT…
  name=$1
  shift
  if "$@" >build/check.log 2>&1; then
    passed=$((passed + 1))
    echo "ok: $name"
  else
    fail "$name" build/check.log
  fi
}

fail() { # fail NAME LOG
  failed=$((failed + 1))
  echo "FAILED: $1"
  tail -n 60 "$2"
}

skip() { # skip NAME REASON
  skipped=$((skipped + 1))
  echo "skipped: $1: $2"
}

count() { # count NUMBER-PATTERN, in the step's log: the sum of the first group
  sed -n "s/$1/\\1/p" build/step.log | awk '{ sum += $1 } END { print sum + 0 }'
}

# steps NAME PASSED-PATTERN FAILED-PATTERN SKIPPED-PATTERN COMMAND ARGUMENT…
steps() {
  name=$1 p=$2 f=$3 s=$4
  shift 4
  "$@" >build/step.log 2>&1
  status=$?
  broken=$(count "$f")
  [ "$status" = 0 ] || [ "$broken" != 0 ] || broken=1
  passed=$((passed + $(count "$p")))
  failed=$((failed + broken))
  skipped=$((skipped + $(count "$s")))
  if [ "$broken" = 0 ]; then
    echo "ok: $name: $(count "$p") passed, $(count "$s") skipped"
  else
    echo "FAILED: $name"
    tail -n 100 build/step.log
  fi
  grep -E 'ignored, |\.\.\. ignored|^skipped: ' build/step.log | sed 's/^/  /'
}

cargo_passed='.*test result: .* \([0-9]*\) passed.*'
cargo_failed='.*test result: .* \([0-9]*\) failed.*'
cargo_skipped='.*test result: .* \([0-9]*\) ignored.*'
deno_passed='.*| \([0-9]*\) passed.*'
deno_failed='.*| \([0-9]*\) failed.*'
deno_skipped='.*| \([0-9]*\) ignored.*'

# tests FOLDER [OPTION]: with what those tests are allowed to do.
tests() {
  folder=tests/$1
  shift
  "$deno" test --frozen --no-prompt --allow-ffi --allow-read --allow-write --allow-net --allow-run "$@" "$folder"
}

# memory TOOL: the library's tests once more, under a tool that sees what they do with memory.
memory() {
  tests/memory.sh "$1" >build/memory.log 2>&1
  case $? in
    77) skip "cargo test under $1" "$(tail -n 1 build/memory.log)" ;;
    # What it leaves out is counted where all of them run.
    0) steps "cargo test under $1" "$cargo_passed" "$cargo_failed" '^\($\)' cat build/memory.log ;;
    *) fail "cargo test under $1" build/memory.log ;;
  esac
}

export NO_COLOR=1
check "the library builds" cargo build --release --locked --manifest-path rust/Cargo.toml

on_this_machine() {
  # rustup leaves a stand-in for what it has not installed.
  has_cargo() { cargo "$1" --version >/dev/null 2>&1; }
  if has_cargo fmt; then
    check "the library is formatted" cargo fmt --check --manifest-path rust/Cargo.toml
  else
    skip "cargo fmt" "it is not installed, and this may not install it"
  fi
  if has_cargo clippy; then
    check "clippy has nothing to say" cargo clippy --locked --all-targets --manifest-path rust/Cargo.toml -- -D warnings
  else
    skip "clippy" "it is not installed, and this may not install it"
  fi
  # Any CID but 1 is another machine. Only where that one can be bound is AF_VSOCK touched any further.
  vsock=
  if "$deno" run --no-prompt --frozen --allow-ffi tests/support/vsock.ts 2>build/vsock.log; then vsock=--include-ignored; fi
  steps "cargo test" "$cargo_passed" "$cargo_failed" "$cargo_skipped" \
    cargo test --locked --manifest-path rust/Cargo.toml -- ${vsock:+"$vsock"}
  for tool in valgrind asan miri; do memory $tool; done
  # The short forms of tests/fuzz.sh.
  if has_cargo clippy; then
    check "clippy has nothing to say about the fuzz targets" \
      cargo clippy --locked --lib --test corpus --manifest-path rust/fuzz/Cargo.toml --target-dir rust/target -- -D warnings
  else
    skip "clippy on the fuzz targets" "it is not installed, and this may not install it"
  fi
  steps "the library's fuzz targets" "$cargo_passed" "$cargo_failed" "$cargo_skipped" \
    cargo test --locked --test corpus --manifest-path rust/fuzz/Cargo.toml --target-dir rust/target
  steps "fuzzing" "$deno_passed" "$deno_failed" "$deno_skipped" tests fuzz
  check "the TypeScript is formatted" "$deno" fmt --check
  check "deno lint has nothing to say" "$deno" lint
  check "the types are right" "$deno" check --frozen direct.ts proxy.ts cli.ts mod.ts bench tests demo release
  check "the documentation is complete" "$deno" doc --lint mod.ts
  check "the types in the documentation are right" "$deno" check --frozen --doc-only docs/library.md
  if command -v shellcheck >/dev/null 2>&1; then
    check "shellcheck has nothing to say" shellcheck install.sh commands/commands.sh release/*.sh bench/peers.sh release/debian/postrm tests/*.sh tests/release/debian.sh tests/vm/image.sh tests/vm/init .ci/run
  else
    skip "shellcheck" "it is not installed, and this may not install it"
  fi
  steps "deno test" "$deno_passed" "$deno_failed" "$deno_skipped" tests unit
  steps "the installed program as ssh starts it" "$deno_passed" "$deno_failed" "$deno_skipped" tests proxy
  steps "what may go wrong" "$deno_passed" "$deno_failed" "$deno_skipped" tests faults
  steps "the commands as a person types them" "$deno_passed" "$deno_failed" "$deno_skipped" tests commands
  # Those of one file wait for compilers, the others meanwhile for packages.
  steps "what is released" "$deno_passed" "$deno_failed" "$deno_skipped" tests release --parallel
  steps "the sandbox, and what reaches a terminal" "$deno_passed" "$deno_failed" "$deno_skipped" tests sandbox
  steps "deno test --doc" "$deno_passed" "$deno_failed" "$deno_skipped" \
    "$deno" test --frozen --doc --no-prompt "--allow-ffi=$root/rust/target/release/libdeno_ssh_proxy.so" mod.ts proxy

  if command -v sshd >/dev/null 2>&1 && command -v socat >/dev/null 2>&1; then
    steps "the real ssh against the real sshd" "$deno_passed" "$deno_failed" "$deno_skipped" tests openssh
    steps "SSH clients that take no file descriptor" "$deno_passed" "$deno_failed" "$deno_skipped" tests clients
    steps "other hosts, and other programs that read ssh_config" "$deno_passed" "$deno_failed" "$deno_skipped" \
      tests ssh_config --parallel
  else
    skip "the real ssh against the real sshd" "sshd or socat is not installed, and this may not install it"
    skip "SSH clients that take no file descriptor" "sshd or socat is not installed, and this may not install it"
    skip "other hosts, and other programs that read ssh_config" "sshd or socat is not installed, and this may not install it"
  fi
  steps "the installer" '^\([0-9]*\) passed.*' '.* \([0-9]*\) failed.*' '.* \([0-9]*\) skipped$' tests/install_test.sh
}

in_virtual_machines() {
  case $image in
    0) steps "virtual machines" "$deno_passed" "$deno_failed" "$deno_skipped" tests vm ;;
    77) skip "virtual machines" "$(tail -n 1 build/image.log)" ;;
    *) fail "virtual machines" build/image.log ;;
  esac
}

# First, because it has the real multiplexer, which tests on this machine take too.
tests/vm/image.sh >build/image.log 2>&1
image=$?
[ "$here" = no ] || on_this_machine
in_virtual_machines

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
