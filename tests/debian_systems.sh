#!/bin/sh
# For scripts in a directory of tests/ that make Debian systems below build/, and read this file with `.`. If this machine
# cannot make one, the last line on stderr is the reason, and the exit code is 77, which the tests count as skipped.
# shellcheck disable=SC2034 # used by the scripts
PATH=$PATH:/usr/sbin
root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)

# Ends the script with the reason why it cannot make a system.
cannot() { # cannot REASON
  echo "$1" >&2
  exit 77
}

# Prints a checksum of this file and of others, the script among them. If it changes, the systems are made anew.
version_of() { # version_of SCRIPT [FILE]…
  cat "$root/tests/debian_systems.sh" "$@" | cksum | cut -d ' ' -f 1
}

# Prints the path and ends the script, if the system exists already.
end_if_made() { # end_if_made SYSTEM [MARK], where only a complete system has the file MARK
  [ ! -e "$1${2:+/$2}" ] || {
    echo "$1"
    exit 0
  }
}

# Waits until no other script works in a directory. Then sets work to a new directory in it, which goes away at the end.
begin_work() { # begin_work DIRECTORY SYSTEM [MARK]
  mkdir -p "$1"
  exec 9>"$1/lock"
  ! command -v flock >/dev/null || flock 9
  end_if_made "$2" "${3-}"
  work=$(mktemp -d "$1/new.XXXXXX")
  # Commands in the background work in there too.
  trap 'wait; rm -rf --one-file-system "$work"' EXIT
  trap 'exit 1' HUP INT TERM
}
