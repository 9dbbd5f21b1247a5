#!/bin/sh
# The installer in a throw-away prefix with a space and a quote in its name: installs twice, runs, is refused where it must
# be, and leaves nothing behind. Prints one line a check, and how many there were.
set -u
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
prefix="$folder/it's a prefix"
log=$folder/log
passed=0
failed=0

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

exits() { # exits CODE COMMAND ARGUMENT…
  expected=$1
  shift
  "$@"
  code=$?
  [ "$code" = "$expected" ] || { echo "exit code $code, not $expected"; return 1; }
}

refuses_commas() {
  ! "$root/install.sh" --prefix "$folder/a,b" && [ ! -e "$folder/a,b" ]
}

check "it installs into a prefix with a space and a quote in its name" "$root/install.sh" --prefix "$prefix"
check "installing again is harmless" "$root/install.sh" --prefix "$prefix"
check "the installed program runs with no environment" env -i "$prefix/bin/deno-ssh-proxy" --version
check "no arguments are a usage error" exits 64 "$prefix/bin/deno-ssh-proxy"
check "an unknown form of address is a usage error" exits 64 "$prefix/bin/deno-ssh-proxy" telnet/host 22
check "a file as fd 1 takes no connection" exits 74 "$prefix/bin/deno-ssh-proxy" unix/no/such/socket 22
check "ssh understands the fragment" ssh -G -F "$prefix/share/deno-ssh-proxy/ssh_config" unix/run/x.sock
check "a prefix with a comma in it is refused, and nothing is made" refuses_commas
check "an unknown option is a usage error" exits 64 "$root/install.sh" --no-such-option
check "it uninstalls" "$root/install.sh" --prefix "$prefix" --uninstall
check "nothing is left behind" test ! -e "$prefix"
check "uninstalling again is harmless" "$root/install.sh" --prefix "$prefix" --uninstall

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
