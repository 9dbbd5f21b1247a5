#!/bin/sh
# What install.sh takes from the directories above the ones that it works in, and from root's variables. Anybody can put a
# file into /tmp, and after su or sudo a variable can be another user's. Prints one line a check, and how many there were.
set -u
# shellcheck source=tests/install_checks.sh
. "$(dirname "$0")/install_checks.sh"
deno=$(deno eval --no-config 'console.log(Deno.execPath())') || exit 1
if ! command -v cargo >/dev/null || ! command -v npm >/dev/null; then
  skip "what a directory above has" "cargo or npm is not installed"
  count
  exit
fi
# The home has what rustup needs, and how packages are fetched.
export RUSTUP_HOME="${RUSTUP_HOME:-${HOME-}/.rustup}"
[ -d "$RUSTUP_HOME" ] || unset RUSTUP_HOME
chmod 755 "$folder"
# As /tmp is.
open=$folder/open
mkdir "$open" && chmod 1777 "$open" || exit 1

# Makes a program which notes that it ran, and does what it is there for.
noting() { # noting FILE COMMAND
  printf '#!/bin/sh\necho "%s $*" >>"%s/ran"\n%s\n' "$1" "$folder" "$2" >"$1"
  chmod 755 "$1"
}

nothing_ran() {
  [ ! -e "$folder/ran" ] || { cat "$folder/ran"; return 1; }
}

# Puts an esbuild of a workspace's above into place, as Deno has it in node_modules.
put_workspace() {
  echo '{ "workspace": ["./*/payload/sources"], "nodeModulesDir": "auto", "lock": false }' >"$open/deno.json"
  package=$open/node_modules/.deno/esbuild-wasm@0.25.5
  mkdir -p "$package/node_modules/esbuild-wasm/esm"
  : >"$package/.initialized"
  echo '{ "name": "esbuild-wasm", "version": "0.25.5" }' >"$package/node_modules/esbuild-wasm/package.json"
  cat >"$package/node_modules/esbuild-wasm/esm/browser.js" <<'END'
for (const name of ["proxy", "cli"]) Deno.writeTextFileSync(`${Deno.args[1]}/${name}.mjs`, "// not ours\n");
Deno.exit();
export const initialize = 0, build = 0;
END
}

takes_no_workspace() {
  put_workspace
  before=$(state_of "$open/node_modules")
  TMPDIR=$open "$root/install.sh" --no-proof --prefix "$folder/installed" || return 1
  ! grep -l "not ours" "$folder"/installed/lib/deno-ssh-proxy/current/*.mjs && [ "$(state_of "$open/node_modules")" = "$before" ] ||
    return 1
  rm -rf "$open/deno.json" "$open/node_modules"
  # What cannot be read is not even looked at.
  echo '{ broken' >"$open/deno.json"
  echo '{ broken' >"$open/package.json"
  TMPDIR=$open "$root/install.sh" --no-proof --prefix "$folder/installed" || return 1
  rm "$open/deno.json" "$open/package.json"
}

takes_no_cargo_configuration() {
  mkdir "$open/.cargo" "$open/checkout"
  noting "$open/wrapper" 'exec "$@"'
  printf '[build]\nrustc-wrapper = "%s"\n' "$open/wrapper" >"$open/.cargo/config.toml"
  printf '[toolchain]\npath = "%s"\n' "$open" >"$open/rust-toolchain.toml"
  printf '[workspace]\nmembers = ["checkout/rust"]\n[profile.release]\ndebug = true\n' >"$open/Cargo.toml"
  (cd "$root" && tar -cf - --exclude=./build --exclude=./rust/target --exclude=./.git .) | tar -xf - -C "$open/checkout" || return 1
  (cd "$open" && checkout/install.sh --no-proof --prefix "$folder/installed") && nothing_ran &&
    [ ! -e "$open/target" ] && [ ! -e "$open/Cargo.lock" ] || return 1
  rm -rf "$open/.cargo" "$open/checkout" "$open/rust-toolchain.toml" "$open/Cargo.toml"
}

# The home's registry stays unless a check has another one. npm is told of it in its own variable.
begin_registry() {
  mkdir "$folder/package"
  noting "$folder/package/deno" 'exit 0'
  echo '{ "name": "deno", "version": "2.9.6", "scripts": { "install": "touch ran" } }' >"$folder/package/package.json"
  tar -czf "$folder/package.tgz" -C "$folder" package
  "$deno" run --quiet --no-config --allow-net=127.0.0.1 --allow-read="$folder" --allow-write="$folder" \
    "$root/tests/support/registry.ts" "$folder/package.tgz" 2.9.6,2.9.5 "$folder/port" &
  child=$!
  until [ -e "$folder/port" ]; do kill -0 "$child" 2>/dev/null || return 1; done
  registry=http://127.0.0.1:$(cat "$folder/port")
}

# A PATH on which there is no Deno.
without_deno() {
  mkdir "$folder/without"
  (
    IFS=:
    for place in $PATH; do
      for file in "$place"/*; do
        case ${file##*/} in deno | '*') ;; *) [ -e "$folder/without/${file##*/}" ] || ln -s "$file" "$folder/without" ;; esac
      done
    done
  ) 2>/dev/null
}

# As soon as npm's directory is there, its workspace says which package it is, with no checksum.
watch_for_npm() {
  while :; do
    for place in "$open"/tmp.*/npm; do
      [ -d "$place" ] || continue
      build=${place%/npm} && build=${build##*/}
      printf '{ "lockfileVersion": 3, "packages": { "": { "workspaces": ["*/npm"] }, "%s": {%s} } }' \
        "$build/npm/node_modules/@deno/linux-x64-glibc" \
        " \"version\": \"2.9.6\", \"resolved\": \"$registry/deno/-/deno-2.9.6.tgz\"" >"$open/package-lock.json"
      return
    done
  done
}

takes_no_other_deno() {
  echo '{ "name": "above", "version": "1.0.0", "workspaces": ["*/npm"] }' >"$open/package.json"
  watch_for_npm &
  watcher=$!
  PATH=$folder/without TMPDIR=$open NPM_CONFIG_REGISTRY=$registry "$root/install.sh" --no-proof --prefix "$folder/other" >"$folder/said" 2>&1
  code=$?
  kill "$watcher" 2>/dev/null
  cat "$folder/said"
  [ "$code" = 1 ] && nothing_ran && [ ! -e "$folder/other" ] && grep -q "it is not the package that this checksum is of" "$folder/said"
}

takes_no_variables() {
  noting "$folder/wrapper" 'exec "$@"'
  echo "require('fs').writeFileSync('$folder/ran', 'NODE_OPTIONS')" >"$folder/required.js"
  # A Deno has to be fetched, so that npm starts.
  PATH=$folder/without NPM_CONFIG_REGISTRY=$registry RUSTC_WRAPPER="$folder/wrapper" RUSTC="$folder/wrapper" \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER="$folder/wrapper" CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER="$folder/wrapper" \
    NODE_OPTIONS="--require $folder/required.js" TAR_OPTIONS="--to-command=$folder/wrapper" \
    "$root/install.sh" --no-proof --prefix "$folder/other" >"$folder/said" 2>&1
  cat "$folder/said"
  nothing_ran && grep -q "it is not the package that this checksum is of" "$folder/said" || return 1
  RUSTC_WRAPPER="$folder/wrapper" RUSTC="$folder/wrapper" DENO_V8_FLAGS=--nonsense DENO_PERMISSION_BROKER_PATH="$folder/none" \
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER="$folder/wrapper" CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER="$folder/wrapper" \
    "$root/install.sh" --no-proof --prefix "$folder/installed" && nothing_ran
}

check "a workspace of Deno's in a directory above decides nothing" takes_no_workspace
check "neither does a configuration of cargo or rustup there, nor above the checkout" takes_no_cargo_configuration
begin_registry || exit 1
without_deno
check "a workspace of npm's in a directory above has no other Deno installed" takes_no_other_deno
if [ "$(id -u)" = 0 ]; then check "root's cargo, npm and Deno are not told what to run by a variable" takes_no_variables
else skip "root's variables" "another user's are their own"; fi
check "nothing is left in TMPDIR" [ -z "$(ls -A "$folder/tmp")" ]
count
