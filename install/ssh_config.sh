# Part of install.sh: takes back config --install, with the program or in its place.
# shellcheck shell=sh disable=SC2034,SC2154 # for and from other parts

# Prints the program that an ssh_config of config --install names, quoted for sh.
program_in() { # program_in FILE
  [ ! -f "$1" ] || { named_program <"$1"; } 2>/dev/null
}

# Prints the same of an ssh_config on stdin.
named_program() {
  sed -n "s/^ *ProxyCommand \(.*\) '%h' .*/\1/p" | head -n 1
}

# Prints the first 64 KiB of a regular file in another user's home. That user can put a link or a pipe there at any moment:
# GNU dd opens neither, and timeout ends another dd.
read_of_other() { # read_of_other FILE
  { [ -f "$1" ] && [ ! -L "$1" ]; } || return 0
  limit=
  ! command -v timeout >/dev/null || limit='timeout 5'
  flags=iflag=nofollow,nonblock
  $limit dd if=/dev/null iflag=nofollow,nonblock 2>/dev/null || flags=
  # shellcheck disable=SC2086 # words, or none
  $limit dd if="$1" bs=65536 count=1 $flags 2>/dev/null | LC_ALL=C tr -d '\000' || true
}

# Prints the path of an installed program that program_in found, and nothing for any other command.
path_of() { # path_of COMMAND
  path=$(printf '%s' "$1" | sed "s/^'\(.*\)'\$/\1/; s/'\\\\\(.\)'/\1/g; s/%%/%/g")
  case $path in /*/bin/deno-ssh-proxy) printf '%s' "$path" ;; esac
}

# Sets gone to the program that the ssh_config of config --install names, if that program no longer exists.
find_orphan() {
  gone=
  [ -f "$config" ] || return 0
  gone=$(path_of "$(program_in "$config")")
  [ ! -e "$gone" ] || gone=
}

include="Include deno-ssh-proxy.conf"

# Prints a user's ssh_config without the line that config --install put there.
without_include() { # without_include FILE
  cr=$(printf '\r')
  LC_ALL=C sed "/^# deno-ssh-proxy config --install put this here, and --uninstall takes it out again\.$cr*\$/{
\$!N
/\\n$include$cr*\$/d
}" "$1"
}

# Tells whether the ssh_config of config --install has lines that no version of this program writes. Ignores comments.
is_edited() { # is_edited FILE
  ! named=$(program_in "$1") LC_ALL=C awk '
    /^ *#/ || /^$/ { alias = /^# --alias /; next }
    alias && /^Host [^ ]+$/ { alias = 0; next }
    { alias = 0 }
    /^Host (\.host|[a-z-]+\/[.*]|\*$)/ || /^Match (host \.host|host unix\/|final all$)/ { next }
    index($0, "    ProxyCommand " ENVIRON["named"] " ") == 1 { next }
    /^    (Port [0-9]+|ProxyCommand none|ProxyUseFdpass yes|CheckHostIP no|ControlPath [^ ]+|User [^ ]+|HostKeyAlias [^ ]+)$/ { next }
    /^    (StrictHostKeyChecking (no|yes|ask|accept-new)|LogLevel ERROR)$/ { next }
    /^    UserKnownHostsFile (\/dev\/null|~\/\.ssh\/[a-z0-9._-]+( ~\/\.ssh\/known_hosts2)?)$/ { next }
    { exit edited = 1 }
    END { exit edited }
  ' "$1"
}

# Takes back config --install of the program $gone, which can no longer do that itself.
take_back_orphan() {
  own=
  if [ "$me" != 0 ] && [ -f "$HOME/.ssh/config" ]; then own=$(readlink -f "$HOME/.ssh/config"); fi
  by_hand="rm $(word "$config")"
  [ -z "$own" ] || by_hand="take the line '$include' out of $own, and then: $by_hand"
  for place in "$config" ${own:+"$own"}; do
    [ -w "${place%/*}" ] || fail "${place%/*}: this user cannot write to it, and nothing was changed" "$by_hand"
  done
  if [ -n "$own" ]; then
    new=$(mktemp "$own.XXXXXX")
    if ! { cp -p "$own" "$new" && without_include "$own" >"$new"; }; then
      rm -f "$new"
      fail "$own: it cannot be written anew, and nothing was changed" "$by_hand"
    fi
    backup=$HOME/.ssh/config.before-deno-ssh-proxy
    if cmp -s "$own" "$new"; then rm "$new"
    elif [ ! -s "$new" ] && [ ! -e "$backup" ]; then
      rm "$new" "$own"
      echo "removed $own, in which nothing else was"
    else
      mv -f "$new" "$own"
      echo "took the line '$include' out of $own"
      if cmp -s "$own" "$backup"; then rm "$backup"; echo "removed $backup, which is the same again"; fi
    fi
  fi
  if is_edited "$config"; then
    old=$config.old number=0
    while [ -e "$old" ]; do number=$((number + 1)); old=$config.old.$number; done
    mv "$config" "$old"
    echo "kept $config, into which somebody wrote, as $old"
  else rm "$config"; echo "removed $config"; fi
  echo "they were for $gone, which no longer exists"
  name_leftovers
}

# Names the files of config --install and ssh that stay.
name_leftovers() {
  for file in "$config".old* "${HOME-}/.ssh/config.before-deno-ssh-proxy"* "${HOME-}/.ssh/deno-ssh-proxy.known_hosts"*; do
    [ ! -f "$file" ] || shown "$file stays"
  done
}

# Takes back config --install, so that ssh does not name a program that is gone.
take_back_config() {
  if ! [ -f "$config" ]; then
    name_leftovers
    return
  fi
  named=$(program_in "$config")
  command=$(program_in "$program/current/ssh_config")
  if [ "$named" != "${command:-$starter}" ]; then
    find_orphan
    if [ -n "$gone" ]; then take_back_orphan
    else shown "left $config as it is: it names ${named:-another program}"; fi
    return
  fi
  # A standalone executable has no permission to: install.sh removes its output if that is unchanged.
  if [ -f "$program/current/standalone" ]; then
    { "$starter" config --user root | cmp -s - "$config" || "$starter" config | cmp -s - "$config"; } && rm -f "$config" &&
      echo "removed $config"
  elif ! [ -x "$starter" ] || ! guard "$program/current/deno"; then
    # The installation has lost its program, or the Deno that runs it.
    gone=$starter
    take_back_orphan
  else "$starter" config --uninstall; fi ||
    fail "ssh is configured to use it: nothing was removed" "take away $config, and then try again"
}

# Names each other user's ssh_config that still names this program. Does not change it.
name_other_users() {
  getent passwd 2>/dev/null | cut -d : -f 6 | sort -u | while IFS= read -r home; do
    theirs=$home/.ssh/deno-ssh-proxy.conf
    { [ "$theirs" != "$config" ] && [ -f "$theirs" ]; } || continue
    [ "$(path_of "$(read_of_other "$theirs" | named_program)")" != "$starter" ] ||
      shown "still names it: $theirs, and the Include line in $home/.ssh/config
  ./install.sh --uninstall, run by that user, takes both back"
  done || true
}

# End of this part.
