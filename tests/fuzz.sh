#!/bin/sh
# Fuzzes at full length, in about ten minutes: the TypeScript and the installed program with fast-check, the library with
# libFuzzer. Ends with a failure where anything failed. CI has a short form of it (tests/run.sh).
#
#   tests/fuzz.sh [--seed=NUMBER]   the seed of the part in TypeScript, which tells it
set -u
cd "$(dirname "$0")/.." || exit 1
began=$(date +%s)
status=0

cargo build --quiet --release --locked --manifest-path rust/Cargo.toml || exit 1
deno test --frozen --no-prompt --allow-ffi --allow-read --allow-write --allow-net --allow-run tests/fuzz -- --full "$@" ||
  status=1

# How long libFuzzer tries each of its targets, in seconds.
each=120

# What cargo-fuzz would have rustc do.
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-trace-compares
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table'

fuzz_library() {
  target=$(rustc -vV | sed -n 's/^host: //p')
  RUSTFLAGS="$coverage -Zsanitizer=address" cargo +nightly build --quiet --release --locked --features libfuzzer \
    --manifest-path rust/fuzz/Cargo.toml --target "$target" --target-dir rust/target/fuzz || return 1
  for name in relay parsers; do
    mkdir -p "build/fuzz/$name"
    # It keeps what leads to a place where nothing before it did; what fails, it leaves beside that.
    "rust/target/fuzz/$target/release/$name" -max_total_time=$each -max_len=400 -print_final_stats=1 -verbosity=0 \
      -artifact_prefix="build/fuzz/$name-" "build/fuzz/$name" "rust/fuzz/corpus/$name" >"build/fuzz/$name.log" 2>&1 ||
      { tail -n 60 "build/fuzz/$name.log"; return 1; }
    echo "the library's $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") inputs in $each s"
  done
}

if ! cargo +nightly --version >/dev/null 2>&1; then echo "skipped: libFuzzer: it needs a nightly Rust"
elif ! command -v c++ >/dev/null; then echo "skipped: libFuzzer: there is no C++ compiler (c++)"
else fuzz_library || status=1; fi

echo "all of it took $(($(date +%s) - began)) s"
exit $status
