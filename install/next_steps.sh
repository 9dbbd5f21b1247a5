# Part of install.sh: prints how to use the program.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Prints the program as a user types it: its name, if that is enough.
command_line() {
  if [ "$(command -v deno-ssh-proxy)" = "$1" ]; then echo deno-ssh-proxy
  else word "$1"; fi
}

# Prints the line that puts the program on PATH, for the user's shell.
name_path() {
  bin=${starter%/*}
  case :$PATH: in
    *:"$bin":*)
      first=$(command -v deno-ssh-proxy || true)
      [ "$first" = "$starter" ] || printf '\nAnother one comes first on PATH: %s\n' "$first"
      return ;;
  esac
  place=$bin
  case $bin in "${HOME:-/none}"/*) place="~${bin#"$HOME"}" ;; esac
  case ${SHELL-} in
    */fish) line="fish_add_path $place" ;;
    */zsh) line="echo 'path+=($place)' >>${ZDOTDIR:-~}/.zshrc" ;;
    */bash) line="echo 'PATH=\$PATH:$place' >>~/.bashrc" ;;
    *) line="echo 'PATH=\$PATH:$place' >>~/.profile" ;;
  esac
  # Anything else needs quotes, of which each shell has its own.
  [ -z "$(printf '%s' "$place" | tr -d 'A-Za-z0-9/._+@~-')" ] || line="add that directory in the start file of your shell"
  printf '\n%s is not on PATH. To have it there in each new shell:\n\n  %s\n' "$bin" "$line"
  # Debian's adds it at a login, if it is there.
  # shellcheck disable=SC2016 # it stands like this in the file
  if [ "$bin" = "${HOME:-/none}/.local/bin" ] && grep -qF '$HOME/.local/bin' "$HOME/.profile" 2>/dev/null; then
    case ${SHELL-} in */zsh | */fish) ;; *) printf '\nOr log in again: ~/.profile adds it.\n' ;; esac
  fi
}

# Prints the line that tells zsh where the completions are: it does not look there by itself.
name_completions() {
  case ${SHELL-}:$prefix in
    */zsh:/usr/local | */zsh:/usr) return ;;
    */zsh:*) ;;
    *) return ;;
  esac
  place=${zsh%/*}
  case $place in "${HOME:-/none}"/*) place="~${place#"$HOME"}" ;; esac
  [ -z "$(printf '%s' "$place" | tr -d 'A-Za-z0-9/._+@~-')" ] || place=$(quoted "${zsh%/*}")
  printf '\nFor completions, put this line above compinit in %s/.zshrc:\n\n  %s\n' \
    "${ZDOTDIR:-~}" "fpath=($place \$fpath)"
}

# Prints where the program is installed, and what to type next.
print_next_steps() {
  begin_check
  need_trust "$starter"
  only_root=
  [ "$me" != 0 ] || only_root=$closed
  warn_of_groups

  cat <<END

Installed in $prefix${only_root:+, for root alone: $only_root is closed to other users}. To try it:

  ssh -F $(quoted "$drop_in") unix/PATH/OF/A/SOCKET

END
  if [ -n "$standalone" ]; then
    cat <<END
To make ssh always use it (it may open no file itself):

  $(command_line "$starter") config --user root | sudo tee /etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf
END
  else
    cat <<END
To make ssh always use it (--dry-run shows what that changes, --uninstall takes it back):

  $(command_line "$starter") config --install
END
  fi
  name_path
  name_completions
}

# End of this part.
