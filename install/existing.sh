# Part of install.sh: looks at an installation that exists already, and at files of other programs.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Fails unless only trusted users can write to the installation. Does not look at the links that it replaces.
guard_installation() {
  begin_check
  for place in "$program/deno" "$program" "${starter%/*}" "${drop_in%/*}" "${manual%/*}" "${bash%/*}" "${zsh%/*}" "${fish%/*}"; do
    need_trust "$place"
  done
  guard_contents
}

# Fails if the program's directory contains a file of another user's, or one that others can write to, or a link or a device.
# Otherwise this would take over that file, or write through that link.
guard_contents() {
  [ -d "$program" ] || return 0
  away="$left; move all of it away: mv $(quoted "$program") $(quoted "$program.old"), or $choice"
  # Each find prints paths that begin with a dot.
  found=$(cd "$program" && find . ! -user 0 ! -user "$me" ! -user "$owner_of_all" -print 2>/dev/null) || true
  found=${found%%"$newline"*}
  [ -z "$found" ] || fail "$program${found#.}: it belongs to another user ($(owner_of "$program/$found"))" "$away"
  found=$(cd "$program" && find . \( -type l ! -path ./current ! -path ./current.new ! -path './*/deno' -o \
    ! -type l ! -type f ! -type d \) -print 2>/dev/null) || true
  found=${found%%"$newline"*}
  [ -z "$found" ] || fail "$program${found#.}: it is a link or a device, and no installation makes one there" "$away"
  case $(target_of "$program/current") in */* | ..)
    fail "$program/current: it leads out of $program" "$away" ;;
  esac
  # The bits of the group are the mask of an ACL. An ACL of macOS has no mask.
  writable='-perm -20 -o -perm -2'
  [ "$system" != Darwin ] || writable='-perm -0'
  # shellcheck disable=SC2086 # words
  found=$(cd "$program" && find . ! -type l \( $writable \) -print 2>/dev/null) || true
  while IFS= read -r file; do
    # Another install.sh may have removed it meanwhile.
    { [ -n "$file" ] && [ -e "$program/$file" ]; } || continue
    judge "$program${file#.}" "$program${file#.}" || fail "$why" "$away"
  done <<END
$found
END
}

# Prints the number of a file's owner.
owner_of() { # owner_of PATH
  status_of "$1"
  echo "$uid"
}

# Fails unless only trusted users can write to the files that --uninstall runs, reads and removes.
guard_installed() {
  left="nothing was removed" choice="run this as the user whose it is"
  guard_installation
  ! is_ours "$starter" || need_trust "$starter"
}

# Refuses to replace files that this did not install: uninstalling would remove them.
guard_others_files() {
  # Look in this order: another install.sh can begin there at the same time.
  others=
  for file in "$program"/*; do
    case ${file##*/} in made | lock | '*') ;; *) others=$file ;; esac
  done
  if [ -n "$others" ] && ! [ -f "$made" ] && ! [ -L "$program/current" ]; then
    fail "$program: it is there, and this did not install it" \
      "for a Debian package: apt-get remove deno-ssh-proxy; or choose another --prefix"
  fi
  for link in "$starter" "$manual" "$bash" "$zsh" "$fish" "$drop_in"; do
    { [ -e "$link" ] || [ -L "$link" ]; } || continue
    is_ours "$link" ||
      fail "$link: it is there, and this did not install it" "move it to another place, or choose another --prefix"
  done
}

# End of this part.
