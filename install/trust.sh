# Part of install.sh: refuses a path that untrusted users can write to.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Tells whether a user may decide what every connection of this user runs: root, the owner of / and this user may. Everybody
# decides it who can write to the library, the scripts, the starter or Deno, or to a directory on the way to them.
is_trusted() { # is_trusted UID
  [ "$1" = 0 ] || [ "$1" = "$me" ] || [ "$1" = "$owner_of_all" ]
}

# Sets mode, uid and gid to those of a path. Does not follow a link.
status_of() { # status_of PATH
  read -r mode _ uid gid _ <<END
$(ls -ldn "$1" 2>/dev/null)
END
  [ -n "$gid" ] || fail "$1: it cannot be looked at"
}

# Sets the owner of /, and the names of this system and its processor.
look_at_system() {
  status_of /
  owner_of_all=$uid
  machine=$(uname -sm)
  system=${machine%% *} machine=${machine#* }
}

# Tells whether a group has a member who is not trusted. Assumes so if its members are unknown.
is_shared() { # is_shared GID
  group=$(getent group "$1" 2>/dev/null) || return 0
  {
    printf '%s\n' "${group##*:}" | tr , '\n'
    getent passwd | awk -F: -v gid="$1" '$4 == gid { print $1 }'
  } | {
    while read -r name; do
      [ -z "$name" ] || is_trusted "$(id -u "$name" 2>/dev/null || echo unknown)" || exit 0
    done
    exit 1
  }
}

why='' mend='' whose=''
# Records why guard refused a path, what mends that (empty: only another path does), and whose it is.
distrust() { # distrust WHY MEND WHOSE
  why=$1 mend=$2 whose=$3
  return 1
}
anything="and could have connections run anything"

# Prints the name of a user, or the number if there is no name.
name_of() { # name_of UID
  id -nu "$1" 2>/dev/null || printf 'user %s' "$1"
}

# Refuses a path of another user's. Never suggests chown: files in it stay theirs, or open in a program of theirs.
distrust_owner() { # distrust_owner PATH UID
  case $1 in
    "$prefix" | "$prefix"/*) mend="move it away: mv $(quoted "$1") $(quoted "$1.old")" ;;
    *) mend='' ;;
  esac
  distrust "$1: it belongs to another user ($2), who could have connections run anything" "$mend" "$(name_of "$2")'s"
}

shared='' warned='' groups=warn
# Warns of a group, once, with the command that mends it: Debian's /usr/local is for the group staff. guard_strictly refuses it.
judge_group() { # judge_group PATH GID
  case $groups:" $shared $warned " in warn:*" $(quoted "$1") "*) return 0 ;; esac
  is_shared "$2" || return 0
  if [ $groups = warn ]; then shared="$shared $(quoted "$1")"
  else
    group=$(getent group "$2" 2>/dev/null) || group=$2
    distrust "$1: others of the group ${group%%:*} may write to it" "chmod g-w $(quoted "$1")" "open to the group ${group%%:*}"
  fi
}

# Prints the warning of each path that judge_group noted. Each is already quoted for sh.
warn_of_groups() {
  [ -z "$shared" ] ||
    echo "install.sh: warning: a group may write there, and have connections run anything: chmod g-w$shared" >&2
  warned="$warned $shared" shared=''
}

# The first path that other users may not enter or start, on the way to the path that guard looked at last.
closed=
may_be_sticky=no

# Forgets what judge has found safe. Each check begins so: it looks at every path anew, and at none twice.
begin_check() {
  safe='' safe_entries=''
}
begin_check

# Notes a directory that only trusted users can change, that every user may enter, and that has no ACL.
note_safe() { # note_safe PATH MODE
  case $2 in d????-??-x | d????-??-x.) safe="$safe//${1#/}//" ;; esac
}

# Refuses a path if an untrusted user owns it, or can write to it. ENTRY is the name that counts in a directory PATH.
judge() { # judge PATH ENTRY
  case $safe in *"//${1#/}//"*) return 0 ;; esac
  case $safe_entries in *"//${2#/}//"*) [ "$1" = "$2" ] || return 0 ;; esac
  status_of "$1"
  case $mode in l* | ?????????[xt]*) ;; *) closed=${closed:-$1} ;; esac
  is_trusted "$uid" || distrust_owner "$1" "$uid" || return
  case $mode in l*) return 0 ;; esac
  # An ACL of macOS adds to the mode.
  case $system in Darwin)
    # shellcheck disable=SC2010 # the lines after the first are its ACL
    ! ls -lden "$1" | grep -v " user:$(id -un) " | grep -q -e ' allow .*write' -e ' allow .*append' -e ' allow .*add_' \
      -e ' allow .*delete' -e ' allow .*chown' ||
      distrust "$1: its ACL lets others write to it, $anything" "chmod -N $(quoted "$1")" "of an ACL" || return ;;
  esac
  case $mode in
    ?????-??-*)
      note_safe "$1" "$mode"
      return 0 ;;
    d????????[tT]*)
      # In a sticky directory users may remove and rename only files of their own.
      if [ "$1" != "$2" ]; then
        { [ -e "$2" ] || [ -L "$2" ]; } || return 0
        status_of "$2"
        is_trusted "$uid" || distrust_owner "$2" "$uid" || return
        [ "$closed" = "$1" ] || safe_entries="$safe_entries//${2#/}//"
        return 0
      fi
      # install.sh puts files of fixed names into the last directory: others could have links there first.
      [ $may_be_sticky = no ] || return 0 ;;
  esac
  case $mode in ????????w*)
    distrust "$1: everybody may write to it, $anything" "chmod o-w $(quoted "$1")" "open to everybody"
    return ;;
  esac
  # The bits of the group are the mask of an ACL: without w there, no other entry of it lets anybody write.
  if may_have_acl "$mode"; then judge_acl "$1" "$gid"
  else judge_group "$1" "$gid"; fi
}

# Judges each directory on the way to a file, and the file itself, as far as they exist. Follows links, because replacing one
# has the same effect. Sets why and mend if it refuses one.
guard() { # guard PATH
  case $1 in /*) rest=${1#/} ;; *) rest=${PWD#/}/$1 ;; esac
  at='' links=0 closed=''
  while [ -n "$rest" ]; do
    name=${rest%%/*}
    case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
    case $name in
      '' | .) continue ;;
      ..) at=${at%/*}; continue ;;
    esac
    # Look before judge does: then judge sees a link that another user puts there in between.
    kind=missing
    if [ -L "$at/$name" ]; then kind='a link'; elif [ -e "$at/$name" ]; then kind=there; fi
    judge "${at:-/}" "$at/$name" || return
    if [ "$kind" = "a link" ]; then
      links=$((links + 1))
      [ $links -le 40 ] || distrust "$1: it is a link that leads to itself" "remove it" "a link" || return
      link=$(readlink "$at/$name")
      case $link in /*) at='' ;; esac
      rest=${link#/}${rest:+/$rest}
    elif [ "$kind" = there ]; then at=$at/$name
    else
      judge_new "${at:-/}"
      return
    fi
  done
  judge "${at:-/}" "${at:-/}" || return
  [ ! -d "${at:-/}" ] || judge_new "${at:-/}"
}

# Judges likewise, and refuses a path that others of a group may write to.
guard_strictly() { # guard_strictly PATH
  groups=refuse
  guard "$1" || {
    groups=warn
    return 1
  }
  groups=warn
}

# Say what a failure leaves behind, and what else one can do.
left="nothing was changed" choice="choose another --prefix"
# Fails unless guard accepts a path.
need_trust() { # need_trust PATH
  guard "$1" || fail "$why" "$left; ${mend:+$mend, or }$choice"
}

# End of this part.
