#!/bin/sh
# Builds deno-ssh-proxy from this checkout and installs it.
set -eu

deno_version=2.9.6 # the one that is installed where there is none; 2.9 is the oldest that works

usage() {
  cat <<'END'
usage: ./install.sh [--prefix DIR] [--uninstall]

  --prefix DIR   where to install: /usr/local for root, ~/.local otherwise
  --uninstall    removes what an earlier run with the same prefix installed

It needs cargo, a C linker (cc), and Deno 2.9 or later; without Deno it installs one under the prefix, with npm.
END
}

fail() { # fail WHAT [HINT]
  echo "install.sh: $1" >&2
  [ $# -lt 2 ] || echo "  $2" >&2
  exit 1
}

prefix=
uninstall=no
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -ge 2 ] || fail "--prefix needs a folder"; prefix=$2; shift ;;
    --prefix=*) prefix=${1#*=} ;;
    --uninstall) uninstall=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
  esac
  shift
done

if [ -z "$prefix" ]; then
  if [ "$(id -u)" = 0 ]; then prefix=/usr/local
  else prefix=${HOME:?"install.sh: HOME is not set; use --prefix"}/.local; fi
fi
case $prefix in
  /*) ;;
  *) prefix=$(pwd)/$prefix ;;
esac
while [ "$prefix" != / ] && [ "${prefix%/}" != "$prefix" ]; do prefix=${prefix%/}; done
case $prefix in
  *,*) fail "$prefix: a comma is in it" "Deno's --allow-ffi separates paths by commas; choose another --prefix" ;;
  */../* | */.. | */./* | */. | *//*) fail "$prefix: it has . or .. or // in it" "write the folder's plain path" ;;
  *"
"*) fail "the prefix has a line break in it" "choose another --prefix" ;;
esac

program=$prefix/lib/deno-ssh-proxy
shim=$prefix/bin/deno-ssh-proxy
share=$prefix/share/deno-ssh-proxy

if [ "$uninstall" = yes ]; then
  rm -f "$shim"
  rm -rf "$program" "$share"
  # Folders that were there before stay, unless nothing else is in them.
  rmdir "$prefix/bin" "$prefix/lib" "$prefix/share" "$prefix" 2>/dev/null || true
  echo "deno-ssh-proxy is no longer in $prefix"
  exit 0
fi

root=$(cd "$(dirname "$0")" && pwd)
command -v cargo >/dev/null || fail "cargo is missing" "install Rust 1.87 or later"
command -v cc >/dev/null || fail "there is no C linker (cc)" "on Debian: apt-get install gcc libc6-dev"

# The path of the executable itself of a Deno that is new enough. What is on PATH may be a script that starts it, and
# takes five times as long: it is asked for the executable that it starts.
find_deno() {
  for candidate in "$(command -v deno || true)" "$program/deno"; do
    [ -x "$candidate" ] || continue
    found=$("$candidate" eval --no-config '
      const [major, minor] = Deno.version.deno.split(".").map(Number);
      if (major > 2 || major === 2 && minor >= 9) console.log(Deno.execPath());
    ' 2>/dev/null) || continue
    [ -z "$found" ] || { echo "$found"; return; }
  done
}

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
trap 'exit 1' HUP INT TERM

# Deno's own cache of this build goes with it.
export DENO_DIR="$build/deno-dir" DENO_NO_UPDATE_CHECK=1

mkdir -p "$prefix/bin" "$program" "$share" || fail "$prefix: cannot be written to" "choose another --prefix"
deno=$(find_deno)
if [ -z "$deno" ]; then
  command -v npm >/dev/null || fail "there is neither Deno 2.9 or later nor npm" "install one of them"
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) package=@deno/linux-x64-glibc ;;
    Linux-aarch64) package=@deno/linux-arm64-glibc ;;
    Darwin-x86_64) package=@deno/darwin-x64 ;;
    Darwin-arm64) package=@deno/darwin-arm64 ;;
    *) fail "npm has no Deno for $(uname -s) on $(uname -m)" "install Deno 2.9 or later" ;;
  esac
  echo "installing Deno $deno_version from npm into $program"
  npm install --silent --no-save --prefix "$build/npm" "$package@$deno_version" >&2 ||
    fail "npm could not install $package@$deno_version"
  cp "$build/npm/node_modules/$package/deno" "$build/deno"
  chmod 755 "$build/deno"
  mv -f "$build/deno" "$program/deno"
  deno=$program/deno
fi

echo "building with $deno"
case $(uname -s) in Darwin) suffix=dylib ;; *) suffix=so ;; esac
library=libdeno_ssh_proxy.$suffix
cargo build --quiet --release --locked --manifest-path "$root/rust/Cargo.toml" || fail "the library cannot be built"
for name in proxy cli; do
  (cd "$root" && "$deno" bundle --quiet --minify --output "$build/$name.mjs" "$name.ts") ||
    fail "the program cannot be bundled"
done

# In single quotes for sh, whatever is in it.
quoted() {
  printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

cat >"$build/shim" <<END
#!/bin/sh
# An address starts the ProxyCommand alone, which is faster to load; everything else the whole program, which can do both.
case \${1-} in
*/* | *%* | .host) main=proxy ;;
*) main=cli ;;
esac
DENO_NO_UPDATE_CHECK=1 exec $(quoted "$deno") run --no-prompt --no-config --no-lock --no-remote --no-npm --no-code-cache \\
  --allow-ffi=$(quoted "$program/$library") $(quoted "$program")/\$main.mjs "\$@"
END

# Each file is complete under another name in its own folder first: whoever runs the program meanwhile sees the old file
# or the new one.
put() { # put FILE PLACE MODE
  cp "$1" "$2.new"
  chmod "$3" "$2.new"
  mv -f "$2.new" "$2"
}
put "$root/rust/target/release/$library" "$program/$library" 755
put "$build/proxy.mjs" "$program/proxy.mjs" 644
put "$build/cli.mjs" "$program/cli.mjs" 644
put "$build/shim" "$shim" 755
"$shim" config >"$build/ssh_config" || fail "the installed program does not run"
put "$build/ssh_config" "$share/ssh_config" 644

"$shim" --version
cat <<END

Installed in $prefix. To try it:

  ssh -F $(quoted "$share/ssh_config") unix/PATH/OF/A/SOCKET

To make ssh always use it, put this line at the top of ~/.ssh/config:

  Include "$share/ssh_config"
END
