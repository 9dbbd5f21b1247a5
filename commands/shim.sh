#!/bin/sh
# Starts deno-ssh-proxy, each command with just the permissions that it needs (docs/permissions.md). install.sh writes the
# three words in which something stands between two @.
deno=@deno@ program=@program@ library=@library@

start() { # start SCRIPT-AND-ARGUMENTS, with the grants before them
  DENO_NO_UPDATE_CHECK=1 exec "$deno" run --no-prompt --no-config --no-lock --no-remote --no-npm --no-code-cache "$@"
}

case ${1-} in
# An address: the ProxyCommand alone, which is faster to load than the whole program.
*/* | *%* | .host) start --allow-ffi="$library" "$program/proxy.mjs" "$@" ;;
-h | --help | config) start "$program/cli.mjs" "$@" ;;
*) start --allow-ffi="$library" "$program/cli.mjs" "$@" ;;
esac
