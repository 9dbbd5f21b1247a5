# Part of install.sh: --uninstall, which removes the files of an earlier run.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Prints sudo if this user cannot change a directory, and root can.
as_root() { # as_root DIRECTORY
  [ -w "$1" ] || [ "$me" = 0 ] || printf 'sudo '
}

# Fails, before anything is removed, if this user cannot remove everything.
need_to_remove() {
  for place in "$starter" "$manual" "$bash" "$zsh" "$fish" "$drop_in" "$program" "$program/." \
    "$program"/*/.; do
    # The directory that current leads to has a name of its own.
    case $place in "$program/current/.") continue ;; esac
    [ -e "$place" ] || [ -L "$place" ] || continue
    [ ! -w "${place%/*}" ] || continue
    hint="is it on a read-only file system?"
    [ "$me" = 0 ] || hint="sudo ./install.sh --prefix $(word "$prefix") --uninstall"
    fail "${place%/*}: this user cannot write to it, and nothing was removed" "$hint"
  done
}

# Fails with the place of an installation outside the prefix, if ssh's configuration or PATH names one.
name_other_place() {
  where=$config other=$(program_in "$config")
  [ -n "$other" ] || { where=PATH other=$(command -v deno-ssh-proxy || true); }
  [ -n "$other" ] || return 0
  path=$(path_of "$other")
  case $path in
    /usr/bin/deno-ssh-proxy) hint="$(as_root /usr/bin)apt-get remove deno-ssh-proxy removes that" ;;
    /*/bin/deno-ssh-proxy)
      hint="$(as_root "${path%/*}")./install.sh --prefix $(word "${path%/bin/deno-ssh-proxy}") --uninstall removes that" ;;
    *) hint="it was not installed by install.sh" ;;
  esac
  [ -e "${path:-$other}" ] || [ "$where" = PATH ] || hint="that is not there either: take away $config"
  fail "it is not installed in $prefix, and nothing was changed; $where names $other" "$hint"
}

# Removes the installation under the prefix, and exits.
uninstall() {
  if ! [ -L "$program/current" ] && ! [ -f "$made" ]; then
    find_orphan
    if [ -n "$gone" ]; then
      take_back_orphan
      exit 0
    fi
    name_other_place
    echo "deno-ssh-proxy is not installed in $prefix: nothing was changed"
    exit 0
  fi
  guard_installed
  need_to_remove
  if ! lock || { ! [ -L "$program/current" ] && ! [ -f "$made" ]; }; then
    echo "deno-ssh-proxy is no longer in $prefix: another install.sh has just removed it"
    exit 0
  fi
  guard_installed
  take_back_config 9>&-
  directories=$(made_directories)
  removed=
  for link in "$starter" "$manual" "$bash" "$zsh" "$fish" "$drop_in"; do
    # A run that was killed leaves one. Links of other programs stay.
    remove "$link.new"
    is_ours "$link" || continue
    removed="${removed:-$link}"
    rm -f "$link"
  done
  # The program comes first, if it exists.
  case $removed in
    '') ;;
    "$starter") echo "removed $starter, and its manual page and completions" ;;
    *) echo "removed the manual page and completions" ;;
  esac
  if [ -e "$program/deno" ]; then echo "removed $program, and in it the Deno that was installed for this program"
  else echo "removed $program"; fi
  # Remove made and lock last: they tell another install.sh whose the rest is.
  for file in "$program"/*; do
    case ${file##*/} in made | lock) ;; *) rm -rf "$file" ;; esac
  done
  rm -rf "$program"
  printf '%s\n' "$directories" | while IFS= read -r directory; do
    # A directory with other files stays.
    rmdir "$directory" 2>/dev/null || true
  done
  [ "$me" != 0 ] || name_other_users
  echo "deno-ssh-proxy is no longer in $prefix"
  exit 0
}

# End of this part.
