# Part of install.sh: puts the new installation into place, and switches to it.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Completes the new installation, and runs it, before any link leads to it.
stage_installation() {
  stage=$(mktemp -d "$program/new.XXXXXX")
  # cp -P copies a link that another user has put there since as a link, and need_files finds it.
  cp -RP "$payload/program"/* "$stage" || fail "$program: the program cannot be put there" "$left"
  need_files "$stage"
  if [ -n "$standalone" ]; then set -- "$stage/standalone"
  else set -- "$deno" run --quiet --no-prompt --no-config "$stage/cli.mjs"; fi
  "$@" config >"$build/ssh_config" 9>&- || fail "it does not run on this system" "$left"
  cp "$build/ssh_config" "$stage"
  # The name depends on the files and on Deno. The installation in use stays as it is.
  if [ -n "$standalone" ]; then name=${standalone##*/}
  else name=$(cat "$payload/version")-$(printf %.12s "$({ cat "$stage"/*; echo "$deno"; } | sum_of)"); fi
  chmod 644 "$stage"/*
  chmod 755 "$stage" "$stage/deno-ssh-proxy" "$stage"/libdeno_ssh_proxy.*
  if [ -n "$standalone" ]; then chmod 755 "$stage/standalone"
  # The starter runs the Deno that this link leads to.
  else ln -s "$deno" "$stage/deno"; fi
  if [ -d "$program/$name" ]; then
    # They are the same files, unless they were damaged: this mends them one by one.
    mv -f "$stage"/* "$program/$name"
    rmdir "$stage"
    stage=
  else
    mv "$stage" "$program/$name"
    stage=$program/$name
  fi
  "$program/$name/deno-ssh-proxy" --version >"$build/version" 9>&- || fail "it does not run on this system" "$left"
}

# Replaces a link in one step: a program that starts meanwhile sees the old target or the new one.
lead() { # lead LINK TARGET
  [ "$(target_of "$1")" != "$2" ] || return 0
  remove "$1.new"
  ln -s "$2" "$1.new"
  # Replace the link, and do not move into the directory that it leads to.
  case $system in Darwin) mv -fh "$1.new" "$1" ;; *) mv -fT "$1.new" "$1" ;; esac
}

# Has all links lead to the new installation, and removes older ones.
switch_to_it() {
  previous=$(target_of "$program/current")
  left="it is installed in part; run this again to complete it"
  lead "$program/current" "$name"
  stage=
  lead "$drop_in" "$program/current/ssh_config"
  lead "$manual" "$program/current/deno-ssh-proxy.1"
  lead "$bash" "$program/current/completions.bash"
  lead "$zsh" "$program/current/completions.zsh"
  lead "$fish" "$program/current/completions.fish"
  lead "$starter" "$program/current/deno-ssh-proxy"
  # The previous one stays until the next run: a connection can just have begun with it.
  for file in "$program"/*; do
    case ${file##*/} in
      "$name" | "$previous") ;;
      new.?????? | [0-9]*-????????????) rm -rf "$file" ;;
    esac
  done

  left="what is installed in $prefix stays, and --uninstall takes it away"
  cat "$build/version"
}

# End of this part.
