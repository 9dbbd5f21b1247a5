# Part of install.sh: chooses what is installed, and builds it in a checkout.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Sets payload if there is an archive, or one that was unpacked. Otherwise sets the Rust that the checkout needs.
choose_source() {
  payload=
  if [ -n "$from" ]; then
    [ -f "$from" ] || fail "$from: there is no such archive"
    case $from in /*) ;; *) from=${PWD%/}/$from ;; esac
  elif [ -n "$sum" ]; then usage_error "--sha256 goes with --from"
  elif [ -d "$root/program" ]; then payload=$root
  elif [ -d "$root/rust" ]; then
    rust_version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/rust/Cargo.toml")
  else fail "there is nothing beside it to install" "--from ARCHIVE installs a release's"; fi
}

# Uses the cache that cargo has already. Otherwise cargo gets one that goes away, with the user's settings.
choose_cargo_cache() {
  if [ -z "${CARGO_HOME-}" ] && [ -n "${HOME-}" ] && ! [ -d "$HOME/.cargo/registry" ]; then
    export CARGO_HOME="$build/cargo"
    mkdir "$CARGO_HOME"
    for file in config config.toml credentials credentials.toml; do
      [ ! -f "$HOME/.cargo/$file" ] || ln -s "$HOME/.cargo/$file" "$CARGO_HOME/$file"
    done
  fi
}

# Builds the program, and sets payload.
build_payload() {
  choose_cargo_cache
  echo "building with $deno"
  payload=$build/payload
  "$root/release/payload.sh" "$deno" "$payload" 9>&- || {
    echo "  $left" >&2
    exit 1
  }
}

# End of this part.
