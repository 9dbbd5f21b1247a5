# Part of install.sh: chooses the prefix, and names the path of each installed file.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Sets prefix to an absolute path without a trailing slash. Refuses a path that Deno, ssh or a terminal would misread.
choose_prefix() {
  if [ -z "$prefix" ]; then
    if [ "$me" = 0 ]; then prefix=/usr/local
    else prefix=${HOME:?"install.sh: HOME is not set; use --prefix"}/.local; fi
  fi
  case $prefix in
    /*) ;;
    *) prefix=${PWD%/}/$prefix ;;
  esac
  while [ "$prefix" != / ] && [ "${prefix%/}" != "$prefix" ]; do prefix=${prefix%/}; done
  case $prefix in
    /) fail "/ is no prefix" "choose another --prefix" ;;
    *,*) fail "$prefix: a comma is in it" "Deno's --allow-ffi separates paths by commas; choose another --prefix" ;;
    */../* | */.. | */./* | */. | *//*) fail "$prefix: it has . or .. or // in it" "write the folder's plain path" ;;
    *[[:cntrl:]]*) fail "the prefix has a control character in it" "choose another --prefix" ;;
  esac
  [ "$(shown "$prefix")" = "$prefix" ] || fail "the prefix has a control character in it" "choose another --prefix"
}

# Sets the path of each file. Each installation has a directory of its own in $program, and the link `current` leads to the
# one in use. The files in other directories are links through `current`, so that all of them change at once.
set_places() {
  program=$prefix/lib/deno-ssh-proxy
  starter=$prefix/bin/deno-ssh-proxy
  drop_in=$prefix/share/deno-ssh-proxy/ssh_config
  # man and the shells look here, for the usual prefixes.
  manual=$prefix/share/man/man1/deno-ssh-proxy.1
  bash=$prefix/share/bash-completion/completions/deno-ssh-proxy
  zsh=$prefix/share/zsh/site-functions/_deno-ssh-proxy
  fish=$prefix/share/fish/vendor_completions.d/deno-ssh-proxy.fish
  # Lists the directories that an installation has made, for --uninstall: others stay, even if they are empty.
  made=$program/made
  if [ "$me" = 0 ]; then config=/etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf
  else config=${HOME-}/.ssh/deno-ssh-proxy.conf; fi
}

# Prints the target of a link, and nothing for another file.
target_of() { # target_of PATH
  [ ! -L "$1" ] || readlink "$1" || true
}

# Tells whether a path is a link that an installation has made.
is_ours() { # is_ours LINK
  case $(target_of "$1") in "$program"/*) ;; *) return 1 ;; esac
}

# End of this part.
