#!/bin/sh
# Chooses the permissions of a command (docs/permissions.md), and has the starter run Deno with them. The starter runs this
# with one word before the command line: `address` if one of its words is an address, otherwise `name`.
program=${0%/*}
about=$1
shift
starter=$program/deno-ssh-proxy
for library in "$program"/libdeno_ssh_proxy.*; do :; done
if [ ! -e "$library" ]; then
  # The program opens this path and reports that it is missing.
  case $(command -p uname -s) in Darwin) suffix=dylib ;; *) suffix=so ;; esac
  library=$program/libdeno_ssh_proxy.$suffix
fi

start() { # start PERMISSIONS SCRIPT ARGUMENTS
  exec "$starter" --start-deno "$@"
}

# A path with a comma in it would be two for Deno: it grants nothing in its place, and the program says so.
without_comma() { # without_comma PATH
  case $1 in
  *,*) echo /dev/null ;;
  *) printf '%s\n' "$1" ;;
  esac
}

# config: printing needs nothing. Of the system's files root has those of one directory; a user has those of ~/.ssh, and of
# the directories that its two files are really in: links can lead to them, or to ~/.ssh, or to the home.
start_config() { # start_config ARGUMENTS
  install=no uninstall=no list=no dry=no readable=
  for argument in "$@"; do
    case $argument in
    --install) install=yes ;;
    --uninstall) uninstall=yes ;;
    --list) list=yes ;;
    --dry-run) dry=yes ;;
    esac
  done
  set -- "$program/cli.mjs" "$@"
  [ $install$uninstall$list != nonono ] || start "$@"
  [ $install$dry != yesno ] || set -- --allow-run="$starter" "$@"
  if [ "$(command -p id -u)" = 0 ]; then
    directories=/etc/ssh/ssh_config.d
  else
    directories=$(without_comma "${HOME-}/.ssh")
    for file in config deno-ssh-proxy.conf; do
      target=$(command -p readlink -f "${HOME-}/.ssh/$file") || continue
      target=$(without_comma "${target%/*}")
      case ,$directories, in
      *,"$target",*) ;;
      *) directories=$directories,$target ;;
      esac
    done
    # Of root's files, a user's ssh reads this one too: --uninstall says that it stays.
    [ $list$uninstall = nono ] || readable=,/etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf
    set -- --allow-env=SAVED_HOME "$@"
  fi
  [ $install$uninstall = nono ] || [ $dry = yes ] || set -- --allow-write="$directories" "$@"
  start --allow-sys=uid --allow-read="$directories$readable" "$@"
}

case ${1-} in
-h | --help | help | completions) start "$program/cli.mjs" "$@" ;;
config) start_config "$@" ;;
check)
  # Marks that are no ASCII take a locale that has them: the first of these variables that is set tells. JSON has no marks.
  locale=LANG
  [ -z "${LC_CTYPE-}" ] || locale=LC_CTYPE
  [ -z "${LC_ALL-}" ] || locale=LC_ALL
  case " $* " in
  *" --json "*) set -- "$program/cli.mjs" "$@" ;;
  *) set -- --allow-env=SAVED_$locale "$program/cli.mjs" "$@" ;;
  esac
  start --allow-ffi="$library" --allow-read=/etc/passwd,/etc/group --allow-run="$starter" "$@"
  ;;
wait)
  # ssh is asked what a name stands for.
  [ "$about" = address ] || start --allow-ffi="$library" --allow-run="$starter" "$program/cli.mjs" "$@"
  start --allow-ffi="$library" "$program/cli.mjs" "$@"
  ;;
list) start --allow-ffi="$library" --allow-read=/run/systemd/nspawn "$program/cli.mjs" "$@" ;;
*) start --allow-ffi="$library" "$program/cli.mjs" "$@" ;;
esac
