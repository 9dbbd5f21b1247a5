# Part of install.sh: refuses ACLs that let untrusted users write. Does not see an NFSv4 ACL, as ls and getfacl do not.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Sets shows_acls to yes for GNU ls, which prints a + after the mode of a file that has an ACL. busybox's does not: then
# getfacl looks at each file.
look_for_acls() {
  shows_acls=no
  case $(ls --version 2>/dev/null || true) in *"GNU coreutils"*) shows_acls=yes ;; esac
}

# Tells whether a file can have an ACL.
may_have_acl() { # may_have_acl MODE
  case $shows_acls:$1 in
    yes:??????????+*) ;;
    yes:*) return 1 ;;
    *) command -v getfacl >/dev/null ;;
  esac
}

# Prints each entry of an ACL that allows writing: u or g and a number (none: the file's own group), with a d before it if it
# is for new files. Prints `unknown` if there is no getfacl (Debian's package acl).
writers_of() { # writers_of PATH
  command -v getfacl >/dev/null || { echo unknown; return; }
  getfacl -cpn -- "$1" 2>/dev/null | sed -n -e 's/:...[[:space:]]*#effective:/:/' \
    -e 's/^user:\([0-9][0-9]*\):.w.*/u \1/p' -e 's/^group:\([0-9]*\):.w.*/g \1/p' -e 's/^default:other::.w.*/do/p' \
    -e 's/^default:user:\([0-9][0-9]*\):.w.*/du \1/p' -e 's/^default:group:\([0-9]*\):.w.*/dg \1/p'
}

# Refuses a path if its ACL lets an untrusted user write to it.
judge_acl() { # judge_acl PATH GID
  writers=$(writers_of "$1")
  while read -r kind id; do
    case $kind in
      u) is_trusted "$id" || distrust "$1: its ACL lets another user ($id) write to it, $anything" \
        "chmod g-w $(quoted "$1")" "open to $(name_of "$id")" || return ;;
      g) judge_group "$1" "${id:-$2}" || return ;;
      unknown)
        distrust "$1: its ACL may let others write to it; only getfacl (Debian's package acl) tells whom" \
          "install that, or chmod g-w $(quoted "$1")" "of an ACL that cannot be read" || return ;;
    esac
  done <<END
$writers
END
}

# Refuses a directory if its default ACL lets untrusted users write to new files, whatever the umask is.
judge_new() { # judge_new DIRECTORY
  case $shows_acls:$safe in yes:*"//${1#/}//"*) return 0 ;; esac
  status_of "$1"
  if ! command -v getfacl >/dev/null; then
    judge_probe "$1" "$mode"
    return
  fi
  may_have_acl "$mode" || return 0
  # A file gets the group of a directory with setgid.
  case $mode in ??????[sS]*) new_gid=$gid ;; *) new_gid=$(id -g) ;; esac
  writers=$(writers_of "$1")
  while read -r kind id; do
    case $kind in
      du) ! is_trusted "$id" || continue ;;
      dg) is_shared "${id:-$new_gid}" || continue ;;
      do) ;;
      *) continue ;;
    esac
    distrust "$1: its default ACL lets others write to new files, $anything" "setfacl -k $(quoted "$1")" "of an ACL" || return
  done <<END
$writers
END
}

# Makes a directory to see its mode, if there is no getfacl: a default ACL overrides the umask.
judge_probe() { # judge_probe DIRECTORY MODE
  [ "$groups" = warn ] && [ "$system" != Darwin ] || return 0
  case $shows_acls:$2 in yes:??????????+* | no:*) ;; *) return 0 ;; esac
  probe=$1/.deno-ssh-proxy.$$
  # A user who cannot make one makes no files there either.
  mkdir "$probe" 2>/dev/null || return 0
  status_of "$probe"
  rmdir "$probe"
  case $mode in
    ?????-??-*) return 0 ;;
    *) distrust "$1: its default ACL may let others write to new files; only getfacl (Debian's package acl) tells whom" \
      "install that" "of an ACL that cannot be read" ;;
  esac
}

# End of this part.
