#!/bin/sh
# Starts deno-ssh-proxy, each command with just the permissions that it needs (docs/permissions.md). install.sh writes the
# three words in which something stands between two @.
deno=@deno@ program=@program@ library=@library@

# Its messages are those of the program, and so are its exit codes (sysexits.h).
fail() { # fail EXIT-CODE WHAT HINT
  printf 'deno-ssh-proxy: %s\n  %s\n' "$2" "$3" >&2
  exit "$1"
}

# Deno starts in no folder that was deleted. Any other will do, but for a path that begins in it.
# shellcheck disable=SC3013 # the shells that have no -ef are gone
if ! [ "$PWD" -ef . ]; then
  case " $*" in
  *" unix"[/%]./* | *" vsock-mux"[/%]./*)
    fail 66 "the current folder: it was deleted" "a path that begins with ./ begins in there; cd to another folder"
    ;;
  esac
  cd /
fi

# One without colours and lines that are drawn anew, such as the shell of Emacs. What the program sees of its environment
# without a grant is NO_COLOR.
[ "${TERM-}" != dumb ] || export NO_COLOR=1

# What follows is for Deno. An executable that needs none is started in its place (release/payload.sh).

# Deno's own choice of a folder for its cache, which it makes out of HOME. Where there is none, as for a user who has neither
# a home nor an account (in a container), it would not start: it keeps nothing in /dev/null.
if [ -z "${DENO_DIR-}" ]; then
  case ${XDG_CACHE_HOME-} in
  /*) DENO_DIR=$XDG_CACHE_HOME/deno ;;
  *)
    case ${HOME-} in
    /*) DENO_DIR=$HOME/.cache/deno ;;
    *) DENO_DIR=/dev/null ;;
    esac
    ;;
  esac
fi
export DENO_DIR

start() { # start SCRIPT-AND-ARGUMENTS, with the grants before them
  for script in "$@"; do
    case $script in --*) ;; *) break ;; esac
  done
  anew="install deno-ssh-proxy again, with ./install.sh or its package"
  # Of a script that is empty Deno has nothing to say, and of the others in words of its own.
  [ -x "$deno" ] || fail 71 "$deno: there is no Deno any more" "$anew"
  [ -s "$script" ] || fail 71 "$script: it is missing or empty" "$anew"
  # Deno tells a terminal at each start that it cannot use its cache. What else it has to say stays.
  export DENO_NO_UPDATE_CHECK=1 DENO_LOG="${DENO_LOG-info,deno::cache::cache_db=off}"
  exec "$deno" run --no-prompt --no-config --no-lock --no-remote --no-npm --no-code-cache "$@"
}

# For what starts no other program. Deno reads HOME/.npmrc, whatever it runs, and ends where it cannot make sense of it: no
# connection is to depend on that, and nothing needs the tokens in it.
start_without_home() { # start_without_home SCRIPT-AND-ARGUMENTS, with the grants before them
  export HOME="$program"
  start "$@"
}

# Addresses. One that itself says where to connect, and one try, has a program of its own, which is faster to load.
case ${1-} in
machine[/%]* | --*[/%]*) start_without_home --allow-ffi="$library" "$program/proxy.mjs" "$@" ;;
*/* | *%* | .host)
  case $* in
  *--wait*) start_without_home --allow-ffi="$library" "$program/proxy.mjs" "$@" ;;
  *) start_without_home --allow-ffi="$library" "$program/direct.mjs" "$@" ;;
  esac
  ;;
esac

# A path with a comma in it would be two for Deno: nothing is granted in its place, and the program says so.
without_comma() { # without_comma PATH
  case $1 in
  *,*) echo /dev/null ;;
  *) printf '%s\n' "$1" ;;
  esac
}

# The ssh on PATH. There may be none; of a name that it does not find, Deno would have something to say.
find_ssh() {
  without_comma "$(command -v ssh || echo /usr/bin/ssh)"
}

# config: one that prints needs nothing. Of the system's files root has those of one folder, a user those of ~/.ssh and of
# the folders that its two files are really in: links may lead to them, or to ~/.ssh, or to the home.
start_config() { # start_config ARGUMENTS
  install=no uninstall=no dry=no
  for argument in "$@"; do
    case $argument in
    --install) install=yes ;;
    --uninstall) uninstall=yes ;;
    --dry-run) dry=yes ;;
    esac
  done
  set -- "$program/cli.mjs" "$@"
  [ $install$uninstall != nono ] || start "$@"
  [ $install$dry != yesno ] || set -- --allow-run="$(find_ssh)" "$@"
  if [ "$(id -u)" = 0 ]; then
    folders=/etc/ssh/ssh_config.d
  else
    folders=$(without_comma "${HOME-}/.ssh")
    for file in config deno-ssh-proxy.conf; do
      target=$(readlink -f "${HOME-}/.ssh/$file") || continue
      target=$(without_comma "${target%/*}")
      case ,$folders, in
      *,"$target",*) ;;
      *) folders=$folders,$target ;;
      esac
    done
    set -- --allow-env=HOME "$@"
  fi
  [ $dry = yes ] || set -- --allow-write="$folders" "$@"
  start --allow-sys=uid --allow-read="$folders" "$@"
}

case ${1-} in
-h | --help | completions) start_without_home "$program/cli.mjs" "$@" ;;
config) start_config "$@" ;;
check)
  start --allow-ffi="$library" --allow-read=/etc/passwd,/etc/group --allow-run="$(find_ssh)" "$program/cli.mjs" "$@"
  ;;
wait)
  case $* in
  */* | *%* | *.host*) start_without_home --allow-ffi="$library" "$program/cli.mjs" "$@" ;;
  # A name: ssh is asked what it stands for.
  *) start --allow-ffi="$library" --allow-run="$(find_ssh)" "$program/cli.mjs" "$@" ;;
  esac
  ;;
list) start_without_home --allow-ffi="$library" --allow-read=/run/systemd/nspawn "$program/cli.mjs" "$@" ;;
*) start_without_home --allow-ffi="$library" "$program/cli.mjs" "$@" ;;
esac
