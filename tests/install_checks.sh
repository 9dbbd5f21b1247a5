#!/bin/sh
# For scripts of checks of install.sh, which read this file with `.`: a directory in $folder that goes away at the end, with
# $TMPDIR in it, and the checks with their counts.
# shellcheck disable=SC2034 # used by the scripts
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd) || exit 1
# In /tmp itself, so that a directory on the way is not closed to other users.
folder=$(mktemp -d) || exit 1
child=
clean_up() {
  [ -z "$child" ] || { kill "$child" && wait "$child"; } 2>/dev/null
  rm -rf --one-file-system "$folder"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
# What is begun here and not cleaned up is left in here, or names it in its arguments.
mkdir "$folder/tmp" || exit 1
export TMPDIR="$folder/tmp"
log=$folder/log passed=0 failed=0 skipped=0

skip() { # skip SENTENCE REASON
  skipped=$((skipped + 1))
  echo "skipped: $1: $2"
}

check() { # check SENTENCE COMMAND ARGUMENT…
  sentence=$1
  shift
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok: $sentence"
  else
    failed=$((failed + 1))
    echo "FAILED: $sentence"
    cat "$log"
  fi
}

# Prints the counts, and fails if a check has.
count() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
}

# Prints all that is in a directory, and whose, to compare.
state_of() { # state_of DIRECTORY
  (cd "$1" && find . -exec ls -ldn {} + | sort)
}
