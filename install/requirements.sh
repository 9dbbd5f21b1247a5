# Part of install.sh: looks for the programs that it needs, and names the packages that contain them.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

missing='' packages=''
# Notes that something is missing, and Debian's packages that contain it.
need() { # need WHAT [PACKAGES]
  missing="${missing:+$missing
}$1" packages="$packages${2:+ $2}"
}

# Fails with everything that is missing at once.
report_missing() {
  [ -n "$missing" ] || return 0
  command -v ssh >/dev/null || need ssh openssh-client
  hint=
  if [ "$distribution" = alpine ]; then hint="on Alpine: apk add deno cargo gcc musl-dev openssh-client"
  elif [ -z "$glibc" ]; then hint="Deno is needed from the distribution, first on PATH"
  elif [ -n "$packages" ]; then hint="on Debian: apt-get install$packages"; fi
  [ "${missing#*Rust}" = "$missing" ] || [ -n "$rust_packages" ] || hint="$hint${hint:+; }Rust from rustup"
  [ -z "$from$payload" ] || hint="$hint${hint:+; }the release's standalone archive needs no Deno"
  case $missing in
    *"
"*) fail "missing:
$(printf '%s\n' "$missing" | sed 's/^/    /')" "$hint" ;;
    *) fail "missing: $missing" "$hint" ;;
  esac
}

# Sets the packages that contain Rust, and whether this system has glibc.
look_at_distribution() {
  distribution='' release=''
  [ ! -r /etc/os-release ] || while IFS='=' read -r key value || [ -n "$key" ]; do
    case $key in
      ID) distribution=${value#\"} distribution=${distribution%\"} ;;
      VERSION_ID) release=${value#\"} release=${release%%[!0-9]*} ;;
    esac
  done </etc/os-release
  # Only those that are new enough. (Debian 12 has two: the one for its browsers is newer.)
  case $distribution:$release in
    debian:9 | debian:10 | debian:11) rust_packages='' ;;
    debian:12) rust_packages="rustc-web cargo-web" ;;
    *) rust_packages=cargo ;;
  esac

  # npm's Deno and a release's programs start with glibc's dynamic linker, which has a fixed path.
  glibc=none
  case $system-$machine in
    Linux-x86_64) linker=/lib64/ld-linux-x86-64.so.2 ;;
    Linux-aarch64) linker=/lib/ld-linux-aarch64.so.1 ;;
    *) linker=/ ;;
  esac
  [ -e "$linker" ] || glibc=''
}

# Compares two versions of the form MAJOR.MINOR.
is_older() { # is_older VERSION THAN
  [ "${1%%.*}" -lt "${2%%.*}" ] || { [ "${1%%.*}" = "${2%%.*}" ] && [ "${1#*.}" -lt "${2#*.}" ]; }
}

# Notes what is missing for a build.
need_to_build() {
  need_own cargo rustc cc
  if command -v cargo >/dev/null; then
    # cargo's own version says little: Debian 12 has cargo 1.65 with rustc 1.63.
    rustc=$("${RUSTC:-rustc}" --version 2>/dev/null | sed -n 's/^rustc \([0-9]*\.[0-9]*\).*/\1/p') || rustc=
    if [ -z "$rustc" ]; then need "rustc (Rust $rust_version or later)" "$rust_packages"
    elif is_older "$rustc" "$rust_version"; then
      # It is installed, and too old.
      [ "$rust_packages" != cargo ] || rust_packages=
      need "Rust $rust_version or later (this is rustc $rustc)" "$rust_packages"
    fi
  else need "cargo (Rust $rust_version or later)" "$rust_packages"; fi
  if ! command -v cc >/dev/null; then need "a C linker (cc)" "gcc libc6-dev"
  elif ! echo 'int main(void) { return 0; }' | cc -x c -o "$build/linked" - 2>/dev/null; then
    need "the C library's files for development (cc cannot link a program)" libc6-dev
  fi
}

# Notes what is missing to unpack an archive.
need_to_unpack() {
  need_own tar gzip
  for tool in tar gzip awk; do command -v $tool >/dev/null || need $tool $tool; done
  command -v sha256sum >/dev/null || command -v shasum >/dev/null || need sha256sum coreutils
}

# Fails if something is missing.
need_all() {
  if [ -n "$from" ]; then
    need_to_unpack
    [ -z "$missing" ] || case ${from##*/} in *-standalone*) ;; *) need_deno ;; esac
  elif [ -z "$payload" ]; then
    need_to_build
    need_deno
  fi
  report_missing
}

# End of this part.
