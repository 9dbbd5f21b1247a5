# Part of install.sh: unpacks a release's archive, and checks its contents.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Prints the first word of stdin.
first_word() {
  read -r first _
  printf '%s\n' "$first"
}

# Prints the SHA-256 of stdin.
sum_of() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | first_word
}

# Checks and unpacks a copy of the archive, so that nobody can replace the archive in between. Sets payload.
unpack() {
  cp "$from" "$build/archive"
  beside=${from%/*}/SHA256SUMS
  if [ -z "$sum" ]; then
    [ -f "$beside" ] || fail "$from: there is no SHA256SUMS beside it to compare it with" \
      "fetch the release's into the same folder, or give the sum with --sha256"
    sum=$(awk -v name="${from##*/}" '$2 == name || $2 == "*" name { print $1; exit }' "$beside")
    [ -n "$sum" ] || fail "$beside: it has no sum of ${from##*/}"
  fi
  [ "$(sum_of <"$build/archive")" = "$(printf '%s' "$sum" | tr A-F a-f)" ] ||
    fail "$from: it is not the archive that the sum is of" "nothing was changed; fetch it again"
  mkdir "$build/unpacked"
  if ! LC_ALL=C tar -tvzf "$build/archive" >"$build/listed" 2>/dev/null ||
    ! tar -tzf "$build/archive" >"$build/names" 2>/dev/null; then fail "$from: it cannot be unpacked"; fi
  # The first character of a line is the type. Links and devices are not even unpacked.
  ! LC_ALL=C grep -q '^[^-d]' "$build/listed" || fail "$from: it has something else in it than files" "$left"
  # A release has one directory with fewer than 50 files.
  case $(sed 's|/.*||' "$build/names" | sort -u) in
    *"
"*) fail "$from: it is no archive of deno-ssh-proxy" "$left" ;;
    deno-ssh-proxy-[0-9]*) ;;
    *) fail "$from: it is no archive of deno-ssh-proxy" "$left" ;;
  esac
  [ "$(wc -l <"$build/names")" -lt 50 ] || fail "$from: it is no archive of deno-ssh-proxy" "$left"
  others=$(sed -e 's|^[^/]*/||' -e 's|/$||' "$build/names" | not_ours)
  [ -z "$others" ] || fail "$from: it has files in it that no release has: $others" "$left; use the install.sh of its release"
  # -o ignores the owners in the archive. No file of a release has 512 MiB.
  (ulimit -f 1048576 && tar -xzf "$build/archive" -C "$build/unpacked" -o) || fail "$from: it cannot be unpacked"
  payload=$(echo "$build/unpacked"/*)
}

# Prints the first path of stdin that release/ puts into no archive.
not_ours() {
  while IFS= read -r file; do
    case $file in
      '' | CHANGELOG.md | README.md | install.sh | target | version | place | program) ;;
      program/LICENSE | program/NOTICES | program/ssh_config | program/deno-ssh-proxy | program/deno-ssh-proxy.1) ;;
      program/proxy.mjs | program/cli.mjs | program/commands.sh | program/standalone) ;;
      program/completions.bash | program/completions.zsh | program/completions.fish) ;;
      program/libdeno_ssh_proxy.so | program/libdeno_ssh_proxy.dylib) ;;
      *)
        printf '%s\n' "$file"
        return ;;
    esac
  done
}

# Fails unless a directory contains only files of a release, and no link.
need_files() { # need_files DIRECTORY
  others=$(cd "$1" && find . ! -type d \( ! -type f -o -links +1 \) -print)
  others=${others%%"$newline"*}
  [ -z "$others" ] || fail "${from:-$payload}: $others is no file, or has another name besides" "$left"
  others=$(cd "$1" && find . ! -name . -print | sed 's|^\./|program/|' | not_ours)
  [ -z "$others" ] || fail "${from:-$payload}: it has files in it that no release has: $others" "$left"
}

# Fails unless the payload is a release's for this machine.
check_payload() {
  { [ -f "$payload/version" ] && [ -f "$payload/target" ] && [ -d "$payload/program" ]; } ||
    fail "${from:-$payload}: it is no archive of deno-ssh-proxy"
  for file in version target place program; do
    [ ! -L "$payload/$file" ] || fail "${from:-$payload}: $file is a link" "$left"
  done
  need_files "$payload/program"
  version=$(cat "$payload/version")
  case $version in
    [0-9]*) ;;
    *) fail "${from:-$payload}: it has no version" "$left" ;;
  esac
  case $version in *[!0-9A-Za-z.+-]*) fail "${from:-$payload}: it has no version" "$left" ;; esac
  target=$(cat "$payload/target")
  # As uname(1) and as Rust name them.
  case $system-$machine-$target in
    Linux-x86_64-x86_64-*-linux-* | Linux-aarch64-aarch64-*-linux-*) ;;
    Darwin-x86_64-x86_64-apple-* | Darwin-arm64-aarch64-apple-*) ;;
    *) fail "${from:-$payload}: it is for $target, and this is $system on $machine" ;;
  esac
  case $target in
    *-gnu) [ -n "$glibc" ] || fail "${from:-$payload}: it is for glibc, and there is no $linker" \
      "with a Deno from the distribution, build it in a checkout; on Alpine: apk add deno cargo gcc musl-dev" ;;
  esac
}

# Sets standalone to the directory of a standalone executable, which needs no Deno. Otherwise looks for a Deno.
choose_place() {
  # A standalone executable is compiled for one place: it has permission for the library there alone.
  standalone=
  if [ -n "$payload" ] && [ -f "$payload/place" ]; then
    standalone=$(cat "$payload/place")
    case ${standalone##*/} in [0-9]*-????????????) ;; *) fail "${from:-$payload}: it has no place" "$left" ;; esac
    [ "${standalone%/*}" = "$program" ] ||
      fail "it is compiled for ${standalone%/lib/*}, and for no other place" "--prefix ${standalone%/lib/*}"
  else
    need_deno
    report_missing
  fi
}

# End of this part.
