# Part of install.sh: chooses the directories of PATH and the variables that root uses.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

others_deno=
# Keeps the directories of the given PATH that only trusted users may write to, and takes root's own home if HOME is another
# user's. Otherwise a program, a cargo configuration or a temporary directory lets that user become root.
use_trusted_places() {
  begin_check
  trusted_path='' left_out=''
  others_path=$given_path:
  while [ -n "$others_path" ]; do
    directory=${others_path%%:*} others_path=${others_path#*:}
    case $directory in /*) ;; *) continue ;; esac
    [ -d "$directory/" ] || continue
    case :$trusted_path:, in *:"$directory":*) continue ;; esac
    if guard_strictly "$directory"; then trusted_path=$trusted_path${trusted_path:+:}$directory
    else
      case ", $left_out" in *", $directory ("*) continue ;; esac
      left_out="$left_out${left_out:+, }$directory ($whose)"
      [ -n "$others_deno" ] || [ ! -x "$directory/deno" ] || others_deno=$directory/deno
    fi
  done
  [ -z "$left_out" ] || shown "install.sh: root runs no program of these directories of PATH: $left_out" >&2
  PATH=${trusted_path:-$PATH}
  [ -z "${HOME-}" ] || guard_strictly "$HOME" || {
    HOME=~root
    shown "install.sh: root uses $HOME as its home: $why" >&2
  }
  for variable in TMPDIR CARGO_HOME RUSTUP_HOME; do
    eval "directory=\${$variable-}"
    [ $variable != TMPDIR ] || may_be_sticky=yes
    [ -z "$directory" ] || guard_strictly "$directory" || {
      unset "$variable"
      shown "install.sh: root does without $variable: $why" >&2
    }
    may_be_sticky=no
  done
}

# Fails if root would run a program that another user can replace. (Other users run these every day.)
need_own() { # need_own PROGRAM…
  [ "$me" = 0 ] || return 0
  begin_check
  for tool; do
    tool=$(command -v "$tool" || true)
    [ -z "$tool" ] || guard_strictly "$tool" ||
      fail "$why" "$left; root runs no program of another user: install it for root, or run this as that user"
  done
}

# End of this part.
