# Part of install.sh: finds the Deno that runs the program, or copies or fetches one.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Prints the path of the executable of a Deno that is new enough. Asks Deno for it, because the file on PATH can be a script
# that starts Deno, which takes five times as long.
deno_of() { # deno_of CANDIDATE
  path=$("$1" eval --no-config '
    const [major, minor] = Deno.version.deno.split(".").map(Number);
    if (major > 2 || major === 2 && minor >= 9) console.log(Deno.execPath());
  ' 2>/dev/null) || true
  printf '%s\n' "${path##*"$newline"}"
}

# Prints the SHA-512 of stdin.
sha512_of() {
  if command -v sha512sum >/dev/null; then sha512sum; else shasum -a 512; fi | first_word
}

# Refuses a Deno that untrusted users can write to. Strict for root, but for this program's own.
guard_deno() { # guard_deno FILE
  case $me:$1 in
    0:"$program/deno") guard "$1" ;;
    0:*) guard_strictly "$1" ;;
    *) guard "$1" ;;
  esac
}

deno='' hidden='' hidden_by='' closed_prefix=''
# Sets deno to one that all users of this installation can start. If there is none, sets hidden to one for root alone.
find_deno() {
  begin_check
  need_trust "$program"
  closed_prefix=${closed:-none}
  for candidate in "$(command -v deno || true)" "$program/deno"; do
    [ -x "$candidate" ] || continue
    # It can be a script of root's that starts another user's executable.
    if ! guard_deno "$candidate"; then
      shown "not used: $why" >&2
      continue
    fi
    found=$(deno_of "$candidate")
    if [ -z "$found" ]; then
      shown "not used, because it is older than Deno 2.9 or does not run: $candidate" >&2
      continue
    fi
    if ! guard_deno "$found"; then
      shown "not used: $why" >&2
      continue
    fi
    if [ "$me" != 0 ] || [ -z "$closed" ] || [ "$closed_prefix" != none ]; then
      deno=$found
      return
    fi
    [ -n "$hidden" ] || { hidden=$found hidden_by=$closed; }
  done
}

# Notes that Deno is missing, if it can neither be found nor fetched.
need_deno() {
  [ -n "$closed_prefix" ] || find_deno
  [ -z "$deno$hidden" ] || return 0
  if [ -z "$glibc" ]; then need "Deno 2.9 or later (npm's is for glibc, and there is no $linker)"
  elif ! command -v npm >/dev/null; then need "Deno 2.9 or later, or npm to install it with" npm; fi
}

# Copies a Deno into the program's directory.
put_deno() { # put_deno FILE
  rm -f "$program/deno.new"
  cp "$1" "$program/deno.new" || fail "$program: Deno cannot be put there" "$left"
  chmod 755 "$program/deno.new"
  mv -f "$program/deno.new" "$program/deno"
  deno=$program/deno
  left="Deno stays in $program for the next run, and --uninstall takes it away"
}

# Fetches Deno from npm. Pins the newest version for each system when this was written, with its package's checksum.
fetch_deno() {
  case $system-$machine in
    Linux-x86_64)
      package=linux-x64-glibc version=2.9.6
      sha512=de67784ca2c2bb3b0b0e67cea02e4a37b34065ac525643209bae2f83a7e80f4d090400c2a584b6ff942a5dfce09cfe59433de22cff6f05026d120735d7a380a1 ;;
    Linux-aarch64)
      package=linux-arm64-glibc version=2.9.5
      sha512=22e623b33f4f1a5ec225c35732e376eca34307c438d1bacadd21b797e4d7303556eb564ac1c9f47d01c11e75c58a2ca013023c6f2fdf2a7012125ba1641d5ab7 ;;
    Darwin-x86_64)
      package=darwin-x64 version=2.9.5
      sha512=81b765c5666e01916226266d4d3d3432ffda0bb7ffdf5fa9caa24640a959af95f7dd6793a39074186f9e7dc5f73f551971e44a1ee3c4010d41fccda846df2bf5 ;;
    Darwin-arm64)
      package=darwin-arm64 version=2.9.5
      sha512=497f7ca927414f5970f71e8dc06c31db121aca5d6446299d467168858949ea7b7798b2b34ca1c7290c10b390f6a4463b99b50619b61ef5baccda47cdef9a4f92 ;;
    *) fail "npm has no Deno for $system on $machine" "install Deno 2.9 or later" ;;
  esac
  need_own npm node
  echo "installing Deno $version from npm into $program"
  mkdir "$build/npm"
  # A newer Node.js has a cache of its own, in /tmp.
  export NODE_DISABLE_COMPILE_CACHE=1
  # With --prefix, because npm takes a package.json in a directory above for its own, and in /tmp that can be anybody's.
  (cd "$build/npm" && npm pack --prefix "$build/npm" --cache "$build/npm-cache" --ignore-scripts --no-audit --no-fund \
    --no-update-notifier --loglevel error "@deno/$package@$version" >/dev/null) ||
    fail "npm could not fetch @deno/$package@$version"
  # This checksum decides, whatever npm was told to believe. Nothing of the package has run yet.
  archive=$build/npm/deno-$package-$version.tgz
  [ "$(sha512_of <"$archive")" = "$sha512" ] ||
    fail "@deno/$package@$version: it is not the package that this checksum is of: $sha512" "$left; which registry does npm use?"
  tar -xzf "$archive" -C "$build/npm" -o package/deno || fail "@deno/$package@$version: it cannot be unpacked"
  fetched=$build/npm/package/deno
  chmod 755 "$fetched"
  "$fetched" --version >/dev/null ||
    fail "the Deno that npm has does not run on this system" \
      "install Deno 2.9 or later, so that it is first on PATH; nothing was changed"
  put_deno "$fetched"
}

# Puts a Deno into the program's directory, if no other can run the program.
put_own_deno() {
  if [ -n "$deno$standalone" ]; then :
  elif [ -n "$hidden" ]; then
    echo "copying $hidden into $program: $hidden_by is closed to other users"
    put_deno "$hidden"
  else
    [ -z "$others_deno" ] || shown "not used: $others_deno: root runs no program of that directory" >&2
    fetch_deno 9>&-
  fi
}

# End of this part.
