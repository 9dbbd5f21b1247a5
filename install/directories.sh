# Part of install.sh: makes directories and takes them back, and locks the program's.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Prints the directories that an installation has made, each before its parent. Ignores a line that is not the path of a
# directory on the way to this program's files.
made_directories() {
  { [ -f "$made" ] && [ ! -L "$made" ]; } || return 0
  sort -ru "$made" | while IFS= read -r directory; do
    for file in "$manual" "$bash" "$zsh" "$fish" "$drop_in" "$starter" "$program"; do
      case $file in "${directory:-/}"/*)
        printf '%s\n' "$directory"
        break ;;
      esac
    done
  done
}

locked=no
# Waits until no other install.sh works on this prefix. Fails if another one has removed the lock meanwhile. No other user can
# take it. Programs that this runs do not inherit it (9>&-): a daemon that a build leaves behind would keep it.
lock() {
  if command -v flock >/dev/null; then
    (umask 077 && : >>"$program/lock")
    chmod 600 "$program/lock" 2>/dev/null || true
    exec 9>>"$program/lock"
    flock -n 9 || {
      echo "waiting for another install.sh with this prefix"
      flock 9
    }
    # shellcheck disable=SC3013 # dash, bash, busybox and ksh have -ef
    [ ! -e /dev/fd/9 ] || [ "$program/lock" -ef /dev/fd/9 ] || return
  fi
  locked=yes
}

# Removes the directories that this run has made, unless it has put other files there.
take_back_directories() {
  [ "$is_new" = yes ] || return 0
  for file in "$program"/*; do
    case ${file##*/} in lock | made | made.new | '*') ;; *) return 0 ;; esac
  done
  # Another install.sh can have the lock.
  [ $locked = no ] || rm -rf "$program"
  # The other directories can be in one that another user has put there since.
  [ ! -f "$build/own" ] || sort -ru "$build/own" | while IFS= read -r directory; do rmdir "$directory" 2>/dev/null || true; done
}

# Removes a file if it exists.
remove() { # remove PATH
  { [ ! -e "$1" ] && [ ! -L "$1" ]; } || rm -f "$1"
}

# Makes a directory and its parents, one at a time. In a directory like /tmp another user can put a link there at any moment.
# So it looks at each before and after, and mkdir follows no link.
make_directory() { # make_directory DIRECTORY
  [ -d "${1%/*}/" ] || make_directory "${1%/*}" || return
  need_trust "$1"
  [ ! -d "$1" ] || return 0
  if mkdir "$1" 2>/dev/null; then printf '%s\n' "$1" >>"$build/own"
  else [ -d "$1" ] || return; fi
  need_trust "$1"
}

# Prints the directories that do not exist yet.
list_missing_directories() {
  for file in "$manual" "$bash" "$zsh" "$fish" "$drop_in" "$starter" "$program"; do
    directory=${file%/*}
    while [ -n "$directory" ] && [ ! -d "$directory" ]; do
      printf '%s\n' "$directory"
      directory=${directory%/*}
    done
  done
}

# Makes all directories, records those that are new, and takes the lock.
make_directories() {
  until [ $locked = yes ]; do
    begin_check
    list_missing_directories >>"$build/made"
    [ -d "$program" ] || is_new=yes
    make_directory "$program" || return
    [ -w "$program" ] || return
    # Record them at once, for the --uninstall after a run that was killed. -C keeps sh from writing to a file that exists.
    [ "$is_new" = no ] || (set -C && cat "$build/made" >"$made") 2>/dev/null || true
    # Another user can have made one of them meanwhile.
    guard_installation
    lock || true
  done
  # An --uninstall can just have removed more of them.
  list_missing_directories >>"$build/made"
  remove "$made.new"
  { [ ! -f "$made" ] || cat "$made"; cat "$build/made"; } | sort -u >"$made.new" && chmod 644 "$made.new" &&
    mv -f "$made.new" "$made" || return
  begin_check
  for file in "$starter" "$drop_in" "$manual" "$bash" "$zsh" "$fish"; do make_directory "${file%/*}" || return; done
}

# End of this part.
