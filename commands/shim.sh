#!/bin/sh
# Starts deno-ssh-proxy, each command with just the permissions that it needs (docs/permissions.md). install.sh writes the
# three words in which something stands between two @.
deno=@deno@ program=@program@ library=@library@

start() { # start SCRIPT-AND-ARGUMENTS, with the grants before them
  DENO_NO_UPDATE_CHECK=1 exec "$deno" run --no-prompt --no-config --no-lock --no-remote --no-npm --no-code-cache "$@"
}

case ${1-} in
# Addresses. One that itself says where to connect, and one try, has a program of its own, which is faster to load.
machine[/%]* | --*[/%]*) start --allow-ffi="$library" "$program/proxy.mjs" "$@" ;;
*/* | *%* | .host)
  case $* in
  *--wait*) start --allow-ffi="$library" "$program/proxy.mjs" "$@" ;;
  *) start --allow-ffi="$library" "$program/direct.mjs" "$@" ;;
  esac
  ;;
check) start --allow-ffi="$library" --allow-read=/etc/passwd,/etc/group "$program/cli.mjs" "$@" ;;
list) start --allow-ffi="$library" --allow-read=/run/systemd/nspawn "$program/cli.mjs" "$@" ;;
-h | --help | completions | config) start "$program/cli.mjs" "$@" ;;
*) start --allow-ffi="$library" "$program/cli.mjs" "$@" ;;
esac
