#!/bin/sh
# Walks the README's set-up in a bare Debian: installs the packages that README names and nothing else, and runs
# ./install.sh and ./tests/run.sh of a clean clone in there.
#
#   tests/suite.sh SUITE [quick|root|user]…
#
# SUITE is trixie, bookworm or sid. root and user run all tests as that user, in this order on the same system; quick runs
# the short form as an ordinary user. Without these words, it is: quick root user.
#
# The last line on stdout is the sum: N passed, N failed, N skipped. Where this machine cannot make such a system, the last
# line on stderr is the reason, and the exit code is 77.
set -eu

root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
suite=${1-}
case $suite in
  trixie | bookworm | sid) ;;
  *) echo "usage: tests/suite.sh trixie|bookworm|sid [quick|user|root]…" >&2; exit 64 ;;
esac
shift
[ $# -gt 0 ] || set -- quick root user

cd "$root"
base=$(tests/bare/make.sh "$suite")
system=$(mktemp -d build/bare/copy.XXXXXX)
system=$root/$system
trap 'rm -rf --one-file-system "$system"' EXIT
trap 'exit 1' HUP INT TERM
cp -a "$base/." "$system"
chmod 755 "$system"

enter() {
  tests/bare/enter.sh "$system" "$@"
}

as_user() { # as_user COMMAND-LINE: as somebody who has just logged in
  # shellcheck disable=SC2086 # a list of words
  enter $certificates su --login --whitelist-environment=SSL_CERT_FILE,NODE_EXTRA_CA_CERTS somebody --command "$1"
}

as_root() { # as_root COMMAND-LINE
  # shellcheck disable=SC2086
  enter $certificates sh -c "cd && $1"
}

certificates=
[ -z "$(ls /usr/local/share/ca-certificates 2>/dev/null)" ] ||
  certificates='SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt'

# Runs a command line, shows what it prints, and how long it took.
step() { # step AS USER COMMAND-LINE
  echo "$suite, $2: $3"
  began=$(date +%s)
  { code=0; $1 "$3" 2>&1 || code=$?; echo "$code" >"$system/code"; } | tee "$system/log"
  code=$(cat "$system/code")
  took=$(($(date +%s) - began))
  packages=$(enter dpkg-query -W | wc -l)
  size=$(du -sm --one-file-system "$system" | cut -f 1)
  echo "$suite, $2: $3 ended with $code after $took s: $packages packages, $size MiB in all"
}

passed=0
failed=0
skipped=0
# Counts a step as one test.
succeeded() { # succeeded NAME CONDITION…
  name=$1
  shift
  if "$@"; then passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $suite, $user: $name"
  fi
}

is_as_before() { # is_as_before COMMAND…: what that prints has not changed
  "$@" >"$system/now"
  diff "$system/before" "$system/now"
}

# The links by which something starts with the system.
enabled() {
  find "$system/etc/systemd" "$system"/etc/rc?.d -type l ! -name 'K*' 2>/dev/null | sort
}

walk() { # walk USER WHAT
  user=$1
  case $user in
    root) home=/root as=as_root ;;
    *) home=/home/somebody as=as_user ;;
  esac
  if [ ! -e "$system$home/deno-ssh-proxy" ]; then
    git clone --quiet --no-hardlinks "$root" "$system$home/deno-ssh-proxy"
    [ "$user" = root ] || chroot "$system" chown -R somebody: "$home/deno-ssh-proxy"
    step "$as" "$user" "cd deno-ssh-proxy && ./install.sh"
    succeeded "./install.sh" [ "$code" = 0 ]
    succeeded "the proof" grep -q 'ssh gets through' "$system/log"
  fi
  enabled >"$system/before"
  step "$as" "$user" "cd deno-ssh-proxy && ./tests/run.sh $2"
  set -- "$(sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$system/log")"
  succeeded "./tests/run.sh" [ "$code" = 0 ]
  # shellcheck disable=SC2086 # three numbers
  set -- ${1:-0 1 0}
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
  succeeded "no service is enabled that was not before" is_as_before enabled
  # Packages may make the directories of X11's sockets.
  left=$(cd "$system/tmp" && find . -mindepth 1 ! -name '.*-unix')
  succeeded "nothing is left in /tmp${left:+: $left}" [ -z "$left" ]
  succeeded "the checkout is as it was" [ "$("$as" "cd deno-ssh-proxy && git status --porcelain && echo unchanged")" = unchanged ]
}

for step in "$@"; do
  case $step in
    root | user) walk "$step" "" ;;
    quick) walk user quick ;;
  esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
