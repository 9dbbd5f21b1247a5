# Part of install.sh: makes a temporary directory, and cleans up at the end.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Makes the temporary directory, and has clean_up run at the end and when a signal comes.
make_temporary() {
  build=$(mktemp -d)
  begin_check
  # Not for root alone: a user who can replace a file there decides what is installed.
  { judge_new "${build%/*}" && guard_strictly "$build"; } || {
    rmdir "$build"
    # /tmp is sticky everywhere.
    case $mend in "chmod o-w"*) mend="chmod +t${mend#chmod o-w}" ;; esac
    fail "$why" "$left; ${mend:+$mend, or }set TMPDIR to a directory of your own"
  }
  child=''
  stage=''
  is_new=no
  trap clean_up EXIT
  trap interrupted HUP INT TERM
  # Deno's cache of this build goes away with it.
  export DENO_DIR="$build/deno-dir" DENO_NO_UPDATE_CHECK=1
}

# Ends the child, and removes everything temporary.
clean_up() {
  # Another Ctrl-C does not stop it half-way.
  trap '' HUP INT TERM
  [ -z "$child" ] || kill "$child" 2>/dev/null || true
  # dash leaves wait early in the trap of a signal.
  while [ -n "$child" ] && kill -0 "$child" 2>/dev/null; do wait "$child" 2>/dev/null || true; done
  [ -z "$stage" ] || rm -rf "$stage"
  [ "$locked" = no ] || rm -f "$program/deno.new"
  take_back_directories
  rm -rf "$build" 2>/dev/null || rm -rf "$build"
}

# Says what an interrupted run leaves behind, and exits.
interrupted() {
  trap '' HUP INT TERM
  # Another program that Ctrl-C ends can be in the middle of a line.
  echo >&2
  fail "interrupted: $left"
}

# End of this part.
