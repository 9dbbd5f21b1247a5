# Part of install.sh: connects ssh to a demo server through the installed program.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Waits for the process $child, and returns its exit code. Ends it after SECONDS.
finish() { # finish SECONDS
  tenths=$(($1 * 10))
  while kill -0 "$child" 2>/dev/null; do
    [ "$tenths" -gt 0 ] || kill "$child" 2>/dev/null || true
    # POSIX has whole seconds only.
    if sleep 0.1 2>/dev/null; then tenths=$((tenths - 1)); else sleep 1; tenths=$((tenths - 10)); fi
  done
  code=0
  wait "$child" || code=$?
  child=
  return $code
}

# Says why there is no proof.
skip_proof() { # skip_proof REASON [HINT]
  echo "The proof was skipped: $1"
  [ $# -lt 2 ] || echo "  $2"
}

# Connects the real ssh, through the installed program, to a server in a directory that only this user may enter.
prove() {
  ssh=$(command -v ssh || true)
  [ -n "$ssh" ] || { skip_proof "there is no ssh" "on Debian: apt-get install openssh-client"; return; }
  need_own ssh
  demo=$build/demo
  # The longest path of a socket has 103 bytes on macOS, 107 on Linux.
  if [ -n "$(printf '%s' "$demo" | tr -d 'A-Za-z0-9/._+=@-')" ] || [ ${#demo} -gt 90 ]; then
    skip_proof "ssh cannot take a path such as $demo in a host name" "set TMPDIR to another folder"
    return
  fi
  mkdir -m 700 "$demo"

  echo "fetching the demo's SSH server from npm"
  (cd "$root" && exec "$deno" install --quiet --frozen --entrypoint demo/prove.ts) >"$build/fetch.log" 2>&1 &
  child=$!
  if ! finish 60; then
    # It can contain text of a server.
    LC_ALL=C tr -d '\000-\010\013-\037\177' <"$build/fetch.log" | sed 's/^/  /' >&2
    ! grep -q 'checksum' "$build/fetch.log" || fail "a package from npm is not the one that deno.lock names"
    skip_proof "it cannot be fetched" "deno-ssh-proxy is installed all the same, and needs nothing from npm"
    return
  fi

  echo "proving that ssh gets through:"
  # Without the variables of this shell: they may name the user's keys, and Deno refuses to start a program with LD_*.
  # With no SHLVL, a bash that has a socket as its input takes itself for a login over a network, and reads ~/.bashrc.
  (cd "$root" && exec env -i PATH="$PATH" ${HOME:+"HOME=$HOME"} ${SHELL:+"SHELL=$SHELL"} SHLVL=1 \
    DENO_DIR="$DENO_DIR" DENO_NO_UPDATE_CHECK=1 "$deno" run --no-prompt --frozen --cached-only \
    --allow-read="$demo" --allow-write="$demo" --allow-net="unix:$demo/ssh.sock,unix:$demo/mux.sock" \
    --allow-run="$ssh" demo/prove.ts "$demo" "$ssh" "$drop_in") &
  child=$!
  finish 60 || fail "ssh does not get through" "what is installed in $prefix stays there; --no-proof skips this check"
}

# End of this part.
