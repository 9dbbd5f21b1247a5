#!/bin/sh
# Installs deno-ssh-proxy: built from the checkout that this is in, or out of a release's archive.
set -eu
# Root starts with few of its variables: after su or sudo they can be another user's, and many name programs for Node.js,
# cargo, rustc, Deno or tar to run. Those of PATH and of directories are looked at below.
start_anew() {
  for name in PATH HOME TMPDIR CARGO_HOME RUSTUP_HOME SHELL ZDOTDIR TERM NO_COLOR LANG LC_ALL LC_CTYPE LC_MESSAGES TZ \
    http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY npm_config_registry \
    NPM_CONFIG_REGISTRY npm_config_cafile NPM_CONFIG_CAFILE NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR DENO_CERT \
    DENO_TLS_CA_STORE CARGO_HTTP_CAINFO CARGO_HTTP_PROXY CARGO_NET_OFFLINE SOURCE_DATE_EPOCH; do
    value=
    eval "value=\${$name-}"
    case $value in ?*) set -- "$name=$value" "$@" ;; esac
  done
  if [ -x /usr/bin/env ]; then exec /usr/bin/env -i "$@"; else exec env -i "$@"; fi
}
uid=$(/usr/bin/id -u 2>/dev/null || id -u)
case $uid:${1-} in
  0:--started-anew) shift ;;
  0:*) start_anew /bin/sh "$0" --started-anew "$@" ;;
esac

# Root looks at the directories of PATH before it runs a program out of them, and looks with the system's own programs.
given_path=$PATH
[ ! -x /usr/bin/id ] || PATH=/usr/sbin:/usr/bin:/sbin:/bin
me=$(id -u)
[ "$me" = 0 ] || PATH=$given_path
# Nobody else may write to what is made here, from the first moment, whatever the umask is otherwise. What root installs is
# for every user.
if [ "$me" = 0 ]; then umask 022; else umask go-w; fi

usage() {
  cat <<'END'
usage: ./install.sh [--prefix DIR] [--from ARCHIVE [--sha256 SUM]] [--no-proof]
       ./install.sh [--prefix DIR] --uninstall

  --prefix DIR    where to install: /usr/local for root, ~/.local otherwise
  --from ARCHIVE  installs what is in a release's archive, after comparing it
                  with SHA256SUMS beside it
  --sha256 SUM    compares it with this sum instead
  --no-proof      does not try what it built with ssh and a demo server
  --uninstall     removes what an earlier run with the same prefix installed,
                  and takes back its config --install

In a checkout it builds, with cargo and a C linker (cc). In an archive that was
unpacked, it installs what is beside it. It needs Deno 2.9 or later; without
one it installs one under the prefix, with npm. A standalone archive needs
neither. It leaves no cache behind: those of npm and Deno go away at its end,
and so does cargo's if there was none before.
END
}

# Prints a text that another user may have written: without control characters, and in UTF-8 those of 8 bits, and what is
# not seen or turns writing round. Line breaks stay.
shown() { # shown TEXT
  printf '%s\n' "$1" | LC_ALL=C tr -d '\000-\011\013-\037\177' | LC_ALL=C sed -e "s/$(printf '\302[\200-\237]')/?/g" \
    -e "s/$(printf '\342\200[\213-\217\250-\256]')/?/g" -e "s/$(printf '\342\201[\240-\257]')/?/g"
}

fail() { # fail WHAT [HINT]
  shown "install.sh: $1" >&2
  [ $# -lt 2 ] || shown "  $2" >&2
  exit 1
}

usage_error() { # usage_error WHAT
  shown "install.sh: $(printf '%s' "$1" | tr -d '\n')" >&2
  echo "  ./install.sh --help tells what it takes" >&2
  exit 64
}

# Fails unless VALUE is one: an option in its place was meant to be another option.
need_value() { # need_value OPTION WHAT [VALUE]
  case ${3-} in '' | --*) usage_error "$1 needs $2" ;; esac
}

prefix=
from=
sum=
proof=yes
uninstall=no
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) need_value "$1" "a directory" "${2-}"; prefix=$2; shift ;;
    --prefix=*) need_value --prefix "a directory" "${1#*=}"; prefix=${1#*=} ;;
    --from) need_value "$1" "an archive" "${2-}"; from=$2; shift ;;
    --from=*) need_value --from "an archive" "${1#*=}"; from=${1#*=} ;;
    --sha256) need_value "$1" "a sum" "${2-}"; sum=$2; shift ;;
    --sha256=*) need_value --sha256 "a sum" "${1#*=}"; sum=${1#*=} ;;
    --no-proof) proof=no ;;
    --uninstall) uninstall=yes ;;
    -h | --help) usage; exit 0 ;;
    -*) usage_error "$1: no such option" ;;
    *) usage_error "$1: one argument too many" ;;
  esac
  shift
done

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

# Each installation is a folder of its own in here, with all that belongs to it, and `current` leads to the one that counts.
# What is looked for in other places are links through that: so all of it changes in the moment in which that one does.
program=$prefix/lib/deno-ssh-proxy
shim=$prefix/bin/deno-ssh-proxy
fragment=$prefix/share/deno-ssh-proxy/ssh_config
# Where man and the shells look, for the usual prefixes.
manual=$prefix/share/man/man1/deno-ssh-proxy.1
bash=$prefix/share/bash-completion/completions/deno-ssh-proxy
zsh=$prefix/share/zsh/site-functions/_deno-ssh-proxy
fish=$prefix/share/fish/vendor_completions.d/deno-ssh-proxy.fish
# Whether a path is a link that an installation has made.
is_ours() { # is_ours LINK
  case $(readlink "$1" || true) in "$program"/*) ;; *) return 1 ;; esac
}

# The folders that an installation has made on the way to all these, for --uninstall: others stay, though they be empty.
made=$program/made

# In single quotes for sh, whatever is in it.
quoted() {
  printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

# The same, without quotes where none are needed.
word() {
  if [ -n "$(printf '%s' "$1" | tr -d 'A-Za-z0-9/._+@-')" ]; then quoted "$1"; else printf '%s' "$1"; fi
}

if [ "$me" = 0 ]; then config=/etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf
else config=${HOME-}/.ssh/deno-ssh-proxy.conf; fi

# Whoever can write to the library, the scripts, the starter or Deno, or to a directory on the way to them, decides what every
# connection of this user runs: that may be root, the owner of /, and this user.
is_trusted() { # is_trusted UID
  [ "$1" = 0 ] || [ "$1" = "$me" ] || [ "$1" = "$owner_of_all" ]
}

status_of() { # status_of PATH: sets mode, uid and gid, of a link those of its own
  read -r mode _ uid gid _ <<END
$(ls -ldn "$1" 2>/dev/null)
END
  [ -n "$gid" ] || fail "$1: it cannot be looked at"
}

status_of /
owner_of_all=$uid
system=$(uname -s)

# Whether a group has a member who is not trusted: yes, too, where that cannot be told.
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

# Why guard refused a path, what mends it (nothing: only another path does), and who it is that is not trusted.
why='' mend='' whose=''
distrust() { # distrust WHY MEND WHOSE
  why=$1 mend=$2 whose=$3
  return 1
}
anything="and could have connections run anything"

name_of() { # name_of UID
  id -nu "$1" 2>/dev/null || printf 'user %s' "$1"
}

# Another user's directory is not made safe by a new owner: files in it stay theirs, or open in a program of theirs.
distrust_owner() { # distrust_owner PATH UID
  case $1 in
    "$prefix" | "$prefix"/*) mend="move it away: mv $(quoted "$1") $(quoted "$1.old")" ;;
    *) mend='' ;;
  esac
  distrust "$1: it belongs to another user ($2), who could have connections run anything" "$mend" "$(name_of "$2")'s"
}

# GNU ls prints a + after the mode of a file that has an ACL. That of busybox does not: then each file is asked for its ACL.
# Neither sees an access list of NFSv4.
shows_acls=no
case $(ls --version 2>/dev/null || true) in *"GNU coreutils"*) shows_acls=yes ;; esac
may_have_acl() { # may_have_acl MODE
  case $shows_acls:$1 in
    yes:??????????+*) ;;
    yes:*) return 1 ;;
    *) command -v getfacl >/dev/null ;;
  esac
}

# Prints each entry of an ACL with which somebody may write: u or g and a number (none: the group of the file itself), with
# a d before it if new files get it. Prints `unknown` if there is no getfacl (Debian's package acl).
writers_of() { # writers_of PATH
  command -v getfacl >/dev/null || { echo unknown; return; }
  getfacl -cpn -- "$1" 2>/dev/null | sed -n -e 's/:...[[:space:]]*#effective:/:/' \
    -e 's/^user:\([0-9][0-9]*\):.w.*/u \1/p' -e 's/^group:\([0-9]*\):.w.*/g \1/p' -e 's/^default:other::.w.*/do/p' \
    -e 's/^default:user:\([0-9][0-9]*\):.w.*/du \1/p' -e 's/^default:group:\([0-9]*\):.w.*/dg \1/p'
}

# Groups are warned of, once, with what mends it: Debian's /usr/local is for the group staff. guard_strictly refuses them.
shared='' warned='' groups=warn
judge_group() { # judge_group PATH GID
  case $groups:" $shared $warned " in warn:*" $(quoted "$1") "*) return 0 ;; esac
  is_shared "$2" || return 0
  if [ $groups = warn ]; then shared="$shared $(quoted "$1")"
  else
    group=$(getent group "$2" 2>/dev/null) || group=$2
    distrust "$1: others of the group ${group%%:*} may write to it" "chmod g-w $(quoted "$1")" "open to the group ${group%%:*}"
  fi
}
warn_of_groups() {
  # A word for sh each.
  [ -z "$shared" ] ||
    echo "install.sh: warning: a group may write there, and have connections run anything: chmod g-w$shared" >&2
  warned="$warned $shared" shared=''
}

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

# Looks at what a new file in a directory gets, whatever the umask is.
judge_new() { # judge_new DIRECTORY
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

# Without getfacl, a default ACL shows in what a new directory gets: then the umask does not count.
judge_probe() { # judge_probe DIRECTORY MODE
  [ $groups = warn ] && [ "$system" != Darwin ] || return 0
  case $shows_acls:$2 in yes:??????????+* | no:*) ;; *) return 0 ;; esac
  probe=$1/.deno-ssh-proxy.$$
  # Who cannot make one makes no files there either.
  mkdir "$probe" 2>/dev/null || return 0
  status_of "$probe"
  rmdir "$probe"
  case $mode in
    ?????-??-*) return 0 ;;
    *) distrust "$1: its default ACL may let others write to new files; only getfacl (Debian's package acl) tells whom" \
      "install that" "of an ACL that cannot be read" ;;
  esac
}

# The first place on the way to what guard looked at last that other users may not enter or start.
closed=
may_be_sticky=no
judge() { # judge PATH ENTRY, where ENTRY is what counts in a directory that is PATH
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
    ?????-??-*) return 0 ;;
    d????????[tT]*)
      # There each may remove and rename what is their own, and that is what counts.
      if [ "$1" != "$2" ]; then
        { [ -e "$2" ] || [ -L "$2" ]; } || return 0
        status_of "$2"
        is_trusted "$uid" || distrust_owner "$2" "$uid"
        return
      fi
      # Files of fixed names are put into the last directory: others could have links there first.
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

# Looks at each directory on the way to a file, and at the file itself, as far as they are there. Follows links: who can
# replace one decides as much. Sets why and mend where one is not trusted.
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
    # Before judge: what another user puts there in between is seen by it.
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

# The same, and refuses what others of a group may write to.
guard_strictly() { # guard_strictly PATH
  groups=refuse
  guard "$1" || {
    groups=warn
    return 1
  }
  groups=warn
}

left="nothing was changed" choice="choose another --prefix"
need_trust() { # need_trust PATH
  guard "$1" || fail "$why" "$left; ${mend:+$mend, or }$choice"
}

guard_installation() {
  # Files that this puts there anew are no matter.
  for place in "$program/deno" "$program" "${shim%/*}" "${fragment%/*}" "${manual%/*}" "${bash%/*}" "${zsh%/*}" "${fish%/*}"; do
    need_trust "$place"
  done
  guard_contents
}

# Looks at all that is in the program's directory already: whose it is, who may write to it, and where links lead. No file
# of another user's there is taken over, and none is written through a link.
guard_contents() {
  [ -d "$program" ] || return 0
  away="$left; move all of it away: mv $(quoted "$program") $(quoted "$program.old"), or $choice"
  # Each of these prints a path with a dot at its beginning.
  found=$(cd "$program" && find . ! -user 0 ! -user "$me" ! -user "$owner_of_all" -print 2>/dev/null | head -n 1) || true
  [ -z "$found" ] || fail "$program${found#.}: it belongs to another user ($(owner_of "$program/$found"))" "$away"
  found=$(cd "$program" && find . \( -type l ! -path ./current ! -path ./current.new ! -path './*/deno' -o \
    ! -type l ! -type f ! -type d \) -print 2>/dev/null | head -n 1) || true
  [ -z "$found" ] || fail "$program${found#.}: it is a link or a device, and no installation makes one there" "$away"
  case $(readlink "$program/current" || true) in */* | ..)
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

owner_of() { # owner_of PATH
  status_of "$1"
  echo "$uid"
}

# Looks at all that --uninstall runs, reads and removes.
guard_installed() {
  left="nothing was removed" choice="run this as the user whose it is"
  guard_installation
  ! is_ours "$shim" || need_trust "$shim"
}

# Takes the directories of the given PATH that only trusted users may write to, and root's own home where HOME is another
# user's. A program, a cargo configuration or a temporary directory of another user lets that user become root.
others_deno=
use_trusted_places() {
  trusted_path='' left_out=''
  others_path=$given_path:
  while [ -n "$others_path" ]; do
    folder=${others_path%%:*} others_path=${others_path#*:}
    case $folder in /*) ;; *) continue ;; esac
    [ -d "$folder/" ] || continue
    case :$trusted_path:, in *:"$folder":*) continue ;; esac
    if guard_strictly "$folder"; then trusted_path=$trusted_path${trusted_path:+:}$folder
    else
      case ", $left_out" in *", $folder ("*) continue ;; esac
      left_out="$left_out${left_out:+, }$folder ($whose)"
      [ -n "$others_deno" ] || [ ! -x "$folder/deno" ] || others_deno=$folder/deno
    fi
  done
  [ -z "$left_out" ] || shown "install.sh: root runs no program of these directories of PATH: $left_out" >&2
  PATH=${trusted_path:-$PATH}
  [ -z "${HOME-}" ] || guard_strictly "$HOME" || {
    HOME=~root
    shown "install.sh: root uses $HOME as its home: $why" >&2
  }
  for variable in TMPDIR CARGO_HOME RUSTUP_HOME; do
    eval "folder=\${$variable-}"
    [ $variable != TMPDIR ] || may_be_sticky=yes
    [ -z "$folder" ] || guard_strictly "$folder" || {
      unset "$variable"
      shown "install.sh: root does without $variable: $why" >&2
    }
    may_be_sticky=no
  done
}
[ "$me" != 0 ] || use_trusted_places

# Fails where root would run a program that another user can replace. (Who is not root runs them every day.)
need_own() { # need_own PROGRAM…
  [ "$me" = 0 ] || return 0
  for tool; do
    tool=$(command -v "$tool" || true)
    [ -z "$tool" ] || guard_strictly "$tool" ||
      fail "$why" "$left; root runs no program of another user: install it for root, or run this as that user"
  done
}

# Prints the program that an ssh_config of config --install names, as sh reads it.
program_in() { # program_in FILE
  [ ! -f "$1" ] || { named_program <"$1"; } 2>/dev/null
}
named_program() { # of the ssh_config that it reads
  sed -n "s/^ *ProxyCommand \(.*\) '%h' .*/\1/p" | head -n 1
}

# Prints the first 64 KiB of a regular file in another user's home. That user may have put a link or a pipe there, and may
# do so at any moment: GNU's dd opens neither, and timeout ends another one.
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

# Whether there are lines in the ssh_config of config --install that no version of this program writes. Comments do not count.
is_edited() { # is_edited FILE
  ! named=$(program_in "$1") LC_ALL=C awk '
    /^ *#/ || /^$/ { alias = /^# --alias /; next }
    alias && /^Host [^ ]+$/ { alias = 0; next }
    { alias = 0 }
    /^Host (\.host|machine\/\.|unix\/|\*$)/ || /^Match (host \.host|host unix\/|final all$)/ { next }
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

# Names what config --install and ssh left that stays.
name_leftovers() {
  for file in "$config".old* "${HOME-}/.ssh/config.before-deno-ssh-proxy"* "${HOME-}/.ssh/deno-ssh-proxy.known_hosts"*; do
    [ ! -f "$file" ] || shown "$file stays"
  done
}

# Takes back config --install, because ssh must not be left with the name of a program that is gone.
take_back_config() {
  if ! [ -f "$config" ]; then
    name_leftovers
    return
  fi
  named=$(program_in "$config")
  command=$(program_in "$program/current/ssh_config")
  if [ "$named" != "${command:-$shim}" ]; then
    find_orphan
    if [ -n "$gone" ]; then take_back_orphan
    else shown "left $config as it is: it names ${named:-another program}"; fi
    return
  fi
  # A standalone executable may not: what it printed is taken away where nobody has changed it.
  if [ -f "$program/current/standalone" ]; then
    { "$shim" config --user root | cmp -s - "$config" || "$shim" config | cmp -s - "$config"; } && rm -f "$config" &&
      echo "removed $config"
  elif ! [ -x "$shim" ] || ! guard "$program/current/deno"; then
    # An installation that lost its program, or a Deno to run it with.
    gone=$shim
    take_back_orphan
  else "$shim" config --uninstall; fi ||
    fail "ssh is configured to use it: nothing was removed" "take away $config, and then try again"
}

# Prints the directories that an installation has made, each before the one that it is in. A line for any other directory
# than those on the way to this program's files does not count.
made_folders() {
  { [ -f "$made" ] && [ ! -L "$made" ]; } || return 0
  sort -ru "$made" | while IFS= read -r folder; do
    for file in "$manual" "$bash" "$zsh" "$fish" "$fragment" "$shim" "$program"; do
      case $file in "${folder:-/}"/*)
        printf '%s\n' "$folder"
        break ;;
      esac
    done
  done
}

# Names the ssh_config of each user who still has this program in theirs: that of others is not changed.
name_other_users() {
  getent passwd 2>/dev/null | cut -d : -f 6 | sort -u | while IFS= read -r home; do
    theirs=$home/.ssh/deno-ssh-proxy.conf
    [ "$theirs" != "$config" ] || continue
    [ "$(path_of "$(read_of_other "$theirs" | named_program)")" != "$shim" ] ||
      shown "still names it: $theirs, and the Include line in $home/.ssh/config
  ./install.sh --uninstall, run by that user, takes both back"
  done || true
}

# Prints sudo where this user cannot change a directory, and root can.
as_root() { # as_root DIRECTORY
  [ -w "$1" ] || [ "$me" = 0 ] || printf 'sudo '
}

# Fails before anything is removed, if something cannot be.
need_to_remove() {
  for place in "$shim" "$manual" "$bash" "$zsh" "$fish" "$fragment" "$program" "$program/." \
    "$program"/*/.; do
    # What current leads to is looked at under its own name.
    case $place in "$program/current/.") continue ;; esac
    [ -e "$place" ] || [ -L "$place" ] || continue
    [ ! -w "${place%/*}" ] || continue
    hint="is it on a read-only file system?"
    [ "$me" = 0 ] || hint="sudo ./install.sh --prefix $(word "$prefix") --uninstall"
    fail "${place%/*}: this user cannot write to it, and nothing was removed" "$hint"
  done
}

# Tells where an installation is that is not under the prefix, if ssh's configuration or PATH names one.
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

# Waits until no other install.sh works on this prefix. Nobody else can take the lock. The programs that are run do not
# inherit it (9>&-): a daemon that a build leaves behind would keep it.
locked=no
lock() {
  if command -v flock >/dev/null; then
    (umask 077 && : >>"$program/lock")
    chmod 600 "$program/lock" 2>/dev/null || true
    exec 9>>"$program/lock"
    flock -n 9 || {
      echo "waiting for another install.sh with this prefix"
      flock 9
    }
    # What another one has removed meanwhile is no lock.
    # shellcheck disable=SC3013 # dash, bash, busybox and ksh have -ef
    [ ! -e /dev/fd/9 ] || [ "$program/lock" -ef /dev/fd/9 ] || return
  fi
  locked=yes
}

if [ "$uninstall" = yes ]; then
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
  # Each before the one that it is in.
  folders=$(made_folders)
  removed=
  for link in "$shim" "$manual" "$bash" "$zsh" "$fish" "$fragment"; do
    # The second is of an installation that was killed. What is not of this program stays.
    rm -f "$link.new"
    is_ours "$link" || continue
    removed="${removed:-$link}"
    rm -f "$link"
  done
  # The first of them is the program, where it is there.
  case $removed in
    '') ;;
    "$shim") echo "removed $shim, and its manual page and completions" ;;
    *) echo "removed the manual page and completions" ;;
  esac
  if [ -e "$program/deno" ]; then echo "removed $program, and in it the Deno that was installed for this program"
  else echo "removed $program"; fi
  # At last what tells another install.sh whose the rest is.
  for file in "$program"/*; do
    case ${file##*/} in made | lock) ;; *) rm -rf "$file" ;; esac
  done
  rm -rf "$program"
  printf '%s\n' "$folders" | while IFS= read -r folder; do
    # Who has put something else there keeps it.
    rmdir "$folder" 2>/dev/null || true
  done
  [ "$me" != 0 ] || name_other_users
  echo "deno-ssh-proxy is no longer in $prefix"
  exit 0
fi

# It may have been started through links.
self=$0
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=$(dirname "$self")/$link ;;
  esac
done
root=$(CDPATH='' cd "$(dirname "$self")" && pwd)
payload=
if [ -n "$from" ]; then
  [ -f "$from" ] || fail "$from: there is no such archive"
  case $from in /*) ;; *) from=${PWD%/}/$from ;; esac
elif [ -n "$sum" ]; then usage_error "--sha256 goes with --from"
elif [ -d "$root/program" ]; then payload=$root
elif [ -d "$root/rust" ]; then
  rust_version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/rust/Cargo.toml")
else fail "there is nothing beside it to install" "--from ARCHIVE installs a release's"; fi
# cargo, rustup, npm and Deno look for their configuration where they are started and in each directory above. That can be
# below /tmp, where anybody can put it.
cd /

# Prints the path of the executable itself of a Deno that is new enough. What is on PATH may be a script that starts it, and
# takes five times as long: it is asked for the executable that it starts.
deno_of() { # deno_of CANDIDATE
  "$1" eval --no-config '
    const [major, minor] = Deno.version.deno.split(".").map(Number);
    if (major > 2 || major === 2 && minor >= 9) console.log(Deno.execPath());
  ' 2>/dev/null | tail -n 1
}

# Refuses to replace what this did not install: uninstalling would take it away.
guard_others_files() {
  # In this order: another install.sh may begin there at the same time.
  others=
  for file in "$program"/*; do
    case ${file##*/} in made | lock | '*') ;; *) others=$file ;; esac
  done
  if [ -n "$others" ] && ! [ -f "$made" ] && ! [ -L "$program/current" ]; then
    fail "$program: it is there, and this did not install it" \
      "for a Debian package: apt-get remove deno-ssh-proxy; or choose another --prefix"
  fi
  for link in "$shim" "$manual" "$bash" "$zsh" "$fish" "$fragment"; do
    { [ -e "$link" ] || [ -L "$link" ]; } || continue
    is_ours "$link" ||
      fail "$link: it is there, and this did not install it" "move it to another place, or choose another --prefix"
  done
}

# Before anything in there is started.
guard_others_files
guard_installation
warn_of_groups

build=$(mktemp -d)
# For everybody: who can replace what is built there decides what is installed.
{ judge_new "${build%/*}" && guard_strictly "$build"; } || {
  rmdir "$build"
  # As /tmp is everywhere.
  case $mend in "chmod o-w"*) mend="chmod +t${mend#chmod o-w}" ;; esac
  fail "$why" "$left; ${mend:+$mend, or }set TMPDIR to a directory of your own"
}
child=''
stage=''
is_new=no
clean_up() {
  # Another Ctrl-C does not stop it half-way.
  trap '' HUP INT TERM
  [ -z "$child" ] || kill "$child" 2>/dev/null || true
  # dash leaves wait early in the trap of a signal.
  while [ -n "$child" ] && kill -0 "$child" 2>/dev/null; do wait "$child" 2>/dev/null || true; done
  [ -z "$stage" ] || rm -rf "$stage"
  [ $locked = no ] || rm -f "$program/deno.new"
  take_back_folders
  rm -rf "$build" 2>/dev/null || rm -rf "$build"
}
# Removes the folders that this run has made, if it has put nothing else there.
take_back_folders() {
  [ "$is_new" = yes ] || return 0
  for file in "$program"/*; do
    case ${file##*/} in lock | made | made.new | '*') ;; *) return 0 ;; esac
  done
  # Another install.sh may have the lock.
  [ $locked = no ] || rm -rf "$program"
  # The others can be in a directory that another user has put there since.
  [ ! -f "$build/own" ] || sort -ru "$build/own" | while IFS= read -r folder; do rmdir "$folder" 2>/dev/null || true; done
}
interrupted() {
  trap '' HUP INT TERM
  # What Ctrl-C ends besides has its say first.
  echo >&2
  fail "interrupted: $left"
}
trap clean_up EXIT
trap interrupted HUP INT TERM

# Deno's own cache of this build goes with it.
export DENO_DIR="$build/deno-dir" DENO_NO_UPDATE_CHECK=1

sum_of() { # sum_of: of what it reads
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

sha512_of() { # sha512_of: of what it reads
  if command -v sha512sum >/dev/null; then sha512sum; else shasum -a 512; fi | cut -d ' ' -f 1
}

# A copy of the archive is looked at and unpacked: nobody can have another one in its place in between.
unpack() {
  cp "$from" "$build/archive"
  beside=${from%/*}/SHA256SUMS
  if [ -z "$sum" ]; then
    [ -f "$beside" ] || fail "$from: there is no SHA256SUMS beside it to compare it with" \
      "fetch the release's into the same folder, or give the sum with --sha256"
    sum=$(awk -v name="${from##*/}" '$2 == name || $2 == "*" name { print $1; exit }' "$beside")
    [ -n "$sum" ] || fail "$beside: it has no sum of ${from##*/}"
  fi
  [ "$(sum_of <"$build/archive")" = "$(printf '%s' "$sum" | tr A-F a-f)" ] ||
    fail "$from: it is not the archive that the sum is of" "nothing was changed; fetch it again"
  mkdir "$build/unpacked"
  if ! LC_ALL=C tar -tvzf "$build/archive" >"$build/listed" 2>/dev/null ||
    ! tar -tzf "$build/archive" >"$build/names" 2>/dev/null; then fail "$from: it cannot be unpacked"; fi
  # The first character of a line is the kind: a link or a device is not even unpacked.
  ! LC_ALL=C grep -q '^[^-d]' "$build/listed" || fail "$from: it has something else in it than files" "$left"
  # One directory with at most as many files as a release has.
  case $(sed 's|/.*||' "$build/names" | sort -u) in
    *"
"*) fail "$from: it is no archive of deno-ssh-proxy" "$left" ;;
    deno-ssh-proxy-[0-9]*) ;;
    *) fail "$from: it is no archive of deno-ssh-proxy" "$left" ;;
  esac
  [ "$(wc -l <"$build/names")" -lt 50 ] || fail "$from: it is no archive of deno-ssh-proxy" "$left"
  others=$(sed -e 's|^[^/]*/||' -e 's|/$||' "$build/names" | not_ours)
  [ -z "$others" ] || fail "$from: it has files in it that no release has: $others" "$left; use the install.sh of its release"
  # Owners that are in it are nobody's here. No file of a release has 512 MiB.
  (ulimit -f 1048576 && tar -xzf "$build/archive" -C "$build/unpacked" -o) || fail "$from: it cannot be unpacked"
  payload=$(echo "$build/unpacked"/*)
}

# Prints, of the paths that it reads, the first that release/ puts into no archive.
not_ours() {
  while IFS= read -r file; do
    case $file in
      '' | CHANGELOG.md | README.md | install.sh | target | version | place | program) ;;
      program/LICENSE | program/NOTICES | program/ssh_config | program/deno-ssh-proxy | program/deno-ssh-proxy.1) ;;
      program/proxy.mjs | program/cli.mjs | program/commands.sh | program/standalone) ;;
      program/completions.bash | program/completions.zsh | program/completions.fish) ;;
      program/libdeno_ssh_proxy.so | program/libdeno_ssh_proxy.dylib) ;;
      *)
        printf '%s\n' "$file"
        return ;;
    esac
  done
}

# Fails unless all of a directory are files of a release, and nothing is a link.
need_files() { # need_files DIRECTORY
  others=$(cd "$1" && find . ! -type d \( ! -type f -o -links +1 \) -print | head -n 1)
  [ -z "$others" ] || fail "${from:-$payload}: $others is no file, or has another name besides" "$left"
  others=$(cd "$1" && find . ! -name . -print | sed 's|^\./|program/|' | not_ours)
  [ -z "$others" ] || fail "${from:-$payload}: it has files in it that no release has: $others" "$left"
}
missing='' packages=''
need() { # need WHAT [PACKAGES], as Debian calls them
  missing="${missing:+$missing
}$1" packages="$packages${2:+ $2}"
}

# Fails with all that is missing at once.
report_missing() {
  [ -n "$missing" ] || return 0
  command -v ssh >/dev/null || need ssh openssh-client
  hint=
  if [ "$distribution" = alpine ]; then hint="on Alpine: apk add deno cargo gcc musl-dev openssh-client"
  elif [ -z "$glibc" ]; then hint="Deno is needed from the distribution, first on PATH"
  elif [ -n "$packages" ]; then hint="on Debian: apt-get install$packages"; fi
  [ "${missing#*Rust}" = "$missing" ] || [ -n "$rust_packages" ] || hint="$hint${hint:+; }Rust from rustup"
  [ -z "$from$payload" ] || hint="$hint${hint:+; }the release's standalone archive needs no Deno"
  case $missing in
    *"
"*) fail "missing:
$(printf '%s\n' "$missing" | sed 's/^/    /')" "$hint" ;;
    *) fail "missing: $missing" "$hint" ;;
  esac
}

# What the packages of this system call Rust, if theirs is new enough. (Debian 12 has two: the one for its browsers is newer.)
distribution=$(sed -n 's/^ID="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release 2>/dev/null || true)
case $distribution:$(sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' /etc/os-release 2>/dev/null || true) in
  debian:9 | debian:10 | debian:11) rust_packages='' ;;
  debian:12) rust_packages="rustc-web cargo-web" ;;
  *) rust_packages=cargo ;;
esac

# Deno as npm has it, and what a release has, start with the dynamic linker of glibc, which is always here.
glibc=none
case $(uname -s)-$(uname -m) in
  Linux-x86_64) linker=/lib64/ld-linux-x86-64.so.2 ;;
  Linux-aarch64) linker=/lib/ld-linux-aarch64.so.1 ;;
  *) linker=/ ;;
esac
[ -e "$linker" ] || glibc=''

is_older() { # is_older VERSION THAN: of two numbers with a dot between
  [ "${1%%.*}" -lt "${2%%.*}" ] || { [ "${1%%.*}" = "${2%%.*}" ] && [ "${1#*.}" -lt "${2#*.}" ]; }
}

need_to_build() {
  need_own cargo rustc cc
  if command -v cargo >/dev/null; then
    # cargo's own version says little: Debian 12 has cargo 1.65 with rustc 1.63.
    rustc=$("${RUSTC:-rustc}" --version 2>/dev/null | sed -n 's/^rustc \([0-9]*\.[0-9]*\).*/\1/p') || rustc=
    if [ -z "$rustc" ]; then need "rustc (Rust $rust_version or later)" "$rust_packages"
    elif is_older "$rustc" "$rust_version"; then
      # It is installed, and too old.
      [ "$rust_packages" != cargo ] || rust_packages=
      need "Rust $rust_version or later (this is rustc $rustc)" "$rust_packages"
    fi
  else need "cargo (Rust $rust_version or later)" "$rust_packages"; fi
  if ! command -v cc >/dev/null; then need "a C linker (cc)" "gcc libc6-dev"
  elif ! echo 'int main(void) { return 0; }' | cc -x c -o "$build/linked" - 2>/dev/null; then
    need "the C library's files for development (cc cannot link a program)" libc6-dev
  fi
}

need_to_unpack() {
  need_own tar gzip
  for tool in tar gzip awk; do command -v $tool >/dev/null || need $tool $tool; done
  command -v sha256sum >/dev/null || command -v shasum >/dev/null || need sha256sum coreutils
}

guard_deno() { # guard_deno FILE
  case $me:$1 in
    0:"$program/deno") guard "$1" ;;
    0:*) guard_strictly "$1" ;;
    *) guard "$1" ;;
  esac
}

# Sets deno to one that everybody can start whom this installation is for, or else hidden to one that root alone can.
deno='' hidden='' hidden_by='' closed_prefix=''
find_deno() {
  need_trust "$program"
  closed_prefix=${closed:-none}
  for candidate in "$(command -v deno || true)" "$program/deno"; do
    [ -x "$candidate" ] || continue
    # It may be a script, and the executable that this starts another user's.
    if ! guard_deno "$candidate"; then
      shown "not used: $why" >&2
      continue
    fi
    found=$(deno_of "$candidate")
    if [ -z "$found" ]; then
      shown "not used, because it is older than Deno 2.9 or does not run: $candidate" >&2
      continue
    fi
    if ! guard_deno "$found"; then
      shown "not used: $why" >&2
      continue
    fi
    if [ "$me" != 0 ] || [ -z "$closed" ] || [ "$closed_prefix" != none ]; then
      deno=$found
      return
    fi
    [ -n "$hidden" ] || { hidden=$found hidden_by=$closed; }
  done
}

need_deno() {
  [ -n "$closed_prefix" ] || find_deno
  [ -z "$deno$hidden" ] || return 0
  if [ -z "$glibc" ]; then need "Deno 2.9 or later (npm's is for glibc, and there is no $linker)"
  elif ! command -v npm >/dev/null; then need "Deno 2.9 or later, or npm to install it with" npm; fi
}

if [ -n "$from" ]; then
  need_to_unpack
  [ -z "$missing" ] || case ${from##*/} in *-standalone*) ;; *) need_deno ;; esac
elif [ -z "$payload" ]; then
  need_to_build
  need_deno
fi
report_missing
[ -z "$from" ] || unpack
if [ -n "$payload" ]; then
  { [ -f "$payload/version" ] && [ -f "$payload/target" ] && [ -d "$payload/program" ]; } ||
    fail "${from:-$payload}: it is no archive of deno-ssh-proxy"
  for file in version target place program; do
    [ ! -L "$payload/$file" ] || fail "${from:-$payload}: $file is a link" "$left"
  done
  need_files "$payload/program"
  case $(cat "$payload/version") in
    [0-9]*) ;;
    *) fail "${from:-$payload}: it has no version" "$left" ;;
  esac
  case $(cat "$payload/version") in *[!0-9A-Za-z.+-]*) fail "${from:-$payload}: it has no version" "$left" ;; esac
  target=$(cat "$payload/target")
  # As uname(1) and as Rust name them.
  case $(uname -s)-$(uname -m)-$target in
    Linux-x86_64-x86_64-*-linux-* | Linux-aarch64-aarch64-*-linux-*) ;;
    Darwin-x86_64-x86_64-apple-* | Darwin-arm64-aarch64-apple-*) ;;
    *) fail "${from:-$payload}: it is for $target, and this is $(uname -s) on $(uname -m)" ;;
  esac
  case $target in
    *-gnu) [ -n "$glibc" ] || fail "${from:-$payload}: it is for glibc, and there is no $linker" \
      "with a Deno from the distribution, build it in a checkout; on Alpine: apk add deno cargo gcc musl-dev" ;;
  esac
fi
# What needs no Deno was compiled for the one place that it may open its library in.
standalone=
if [ -n "$payload" ] && [ -f "$payload/place" ]; then
  standalone=$(cat "$payload/place")
  case ${standalone##*/} in [0-9]*-????????????) ;; *) fail "${from:-$payload}: it has no place" "$left" ;; esac
  [ "${standalone%/*}" = "$program" ] ||
    fail "it is compiled for ${standalone%/lib/*}, and for no other place" "--prefix ${standalone%/lib/*}"
else
  need_deno
  report_missing
fi

# Makes a directory and those on the way to it, one at a time. In one like /tmp another user may put a link there at any
# moment: each is looked at before and after, and mkdir follows no link.
make_folder() { # make_folder DIRECTORY
  [ -d "${1%/*}/" ] || make_folder "${1%/*}" || return
  need_trust "$1"
  [ ! -d "$1" ] || return 0
  if mkdir "$1" 2>/dev/null; then printf '%s\n' "$1" >>"$build/own"
  else [ -d "$1" ] || return; fi
  need_trust "$1"
}

list_folders() {
  for file in "$manual" "$bash" "$zsh" "$fish" "$fragment" "$shim" "$program"; do
    folder=${file%/*}
    while [ -n "$folder" ] && [ ! -d "$folder" ]; do
      printf '%s\n' "$folder"
      folder=${folder%/*}
    done
  done
}

# Makes all directories, and takes the lock.
make_folders() {
  until [ $locked = yes ]; do
    list_folders >>"$build/made"
    [ -d "$program" ] || is_new=yes
    make_folder "$program" || return
    [ -w "$program" ] || return
    # At once, for the --uninstall after a run that was killed. With -C nothing that is there is written to.
    [ $is_new = no ] || (set -C && cat "$build/made" >"$made") 2>/dev/null || true
    # What somebody else made meanwhile is not this user's.
    guard_installation
    lock || true
  done
  # An --uninstall may just have removed more of them.
  list_folders >>"$build/made"
  rm -f "$made.new"
  { [ ! -f "$made" ] || cat "$made"; cat "$build/made"; } | sort -u >"$made.new" && chmod 644 "$made.new" &&
    mv -f "$made.new" "$made" || return
  for file in "$shim" "$fragment" "$manual" "$bash" "$zsh" "$fish"; do make_folder "${file%/*}" || return; done
}
guard_others_files
make_folders || fail "$prefix: cannot be written to" "choose another --prefix"
guard_installation
put_deno() { # put_deno FILE: for this program alone
  rm -f "$program/deno.new"
  cp "$1" "$program/deno.new" || fail "$program: Deno cannot be put there" "$left"
  chmod 755 "$program/deno.new"
  mv -f "$program/deno.new" "$program/deno"
  deno=$program/deno
  left="Deno stays in $program for the next run, and --uninstall takes it away"
}
fetch_deno() {
  # What npm had for each system when this was written, with the checksum of its package.
  case $(uname -s)-$(uname -m) in
    Linux-x86_64)
      package=linux-x64-glibc version=2.9.6
      sha512=de67784ca2c2bb3b0b0e67cea02e4a37b34065ac525643209bae2f83a7e80f4d090400c2a584b6ff942a5dfce09cfe59433de22cff6f05026d120735d7a380a1 ;;
    Linux-aarch64)
      package=linux-arm64-glibc version=2.9.5
      sha512=22e623b33f4f1a5ec225c35732e376eca34307c438d1bacadd21b797e4d7303556eb564ac1c9f47d01c11e75c58a2ca013023c6f2fdf2a7012125ba1641d5ab7 ;;
    Darwin-x86_64)
      package=darwin-x64 version=2.9.5
      sha512=81b765c5666e01916226266d4d3d3432ffda0bb7ffdf5fa9caa24640a959af95f7dd6793a39074186f9e7dc5f73f551971e44a1ee3c4010d41fccda846df2bf5 ;;
    Darwin-arm64)
      package=darwin-arm64 version=2.9.5
      sha512=497f7ca927414f5970f71e8dc06c31db121aca5d6446299d467168858949ea7b7798b2b34ca1c7290c10b390f6a4463b99b50619b61ef5baccda47cdef9a4f92 ;;
    *) fail "npm has no Deno for $(uname -s) on $(uname -m)" "install Deno 2.9 or later" ;;
  esac
  need_own npm node
  echo "installing Deno $version from npm into $program"
  mkdir "$build/npm"
  # A newer Node.js has a cache of its own, in /tmp.
  export NODE_DISABLE_COMPILE_CACHE=1
  # With --prefix, because npm takes a package.json in a directory above for its own, and in /tmp that can be anybody's.
  (cd "$build/npm" && npm pack --prefix "$build/npm" --cache "$build/npm-cache" --ignore-scripts --no-audit --no-fund \
    --no-update-notifier --loglevel error "@deno/$package@$version" >/dev/null) ||
    fail "npm could not fetch @deno/$package@$version"
  # Whatever npm was told to believe: this is what counts, and nothing of the package has run yet.
  archive=$build/npm/deno-$package-$version.tgz
  [ "$(sha512_of <"$archive")" = "$sha512" ] ||
    fail "@deno/$package@$version: it is not the package that this checksum is of: $sha512" "$left; which registry does npm use?"
  tar -xzf "$archive" -C "$build/npm" -o package/deno || fail "@deno/$package@$version: it cannot be unpacked"
  fetched=$build/npm/package/deno
  chmod 755 "$fetched"
  "$fetched" --version >/dev/null ||
    fail "the Deno that npm has does not run on this system" \
      "install Deno 2.9 or later, so that it is first on PATH; nothing was changed"
  put_deno "$fetched"
}
if [ -n "$deno$standalone" ]; then :
elif [ -n "$hidden" ]; then
  echo "copying $hidden into $program: $hidden_by is closed to other users"
  put_deno "$hidden"
else
  [ -z "$others_deno" ] || shown "not used: $others_deno: root runs no program of that directory" >&2
  fetch_deno 9>&-
fi

# A cache that cargo has already is used. Otherwise it gets one that goes away, with the settings that it has.
if [ -z "$payload" ] && [ -z "${CARGO_HOME-}" ] && [ -n "${HOME-}" ] && ! [ -d "$HOME/.cargo/registry" ]; then
  export CARGO_HOME="$build/cargo"
  mkdir "$CARGO_HOME"
  for file in config config.toml credentials credentials.toml; do
    [ ! -f "$HOME/.cargo/$file" ] || ln -s "$HOME/.cargo/$file" "$CARGO_HOME/$file"
  done
fi

if [ -z "$payload" ]; then
  echo "building with $deno"
  payload=$build/payload
  "$root/release/payload.sh" "$deno" "$payload" 9>&- || {
    echo "  $left" >&2
    exit 1
  }
else
  proof=no
fi

# The new installation is whole, and has been seen to run, before anything leads to it.
stage=$(mktemp -d "$program/new.XXXXXX")
# A link that another user has put there since is copied as one, and found.
cp -RP "$payload/program"/* "$stage" || fail "$program: the program cannot be put there" "$left"
need_files "$stage"
if [ -n "$standalone" ]; then set -- "$stage/standalone"
else set -- "$deno" run --quiet --no-prompt --no-config "$stage/cli.mjs"; fi
"$@" config >"$build/ssh_config" 9>&- || fail "it does not run on this system" "$left"
cp "$build/ssh_config" "$stage"
# Other files or another Deno have another name; what is there already stays as it is until it counts no more.
if [ -n "$standalone" ]; then name=${standalone##*/}
else name=$(cat "$payload/version")-$({ cat "$stage"/*; echo "$deno"; } | sum_of | cut -c 1-12); fi
chmod 644 "$stage"/*
chmod 755 "$stage" "$stage/deno-ssh-proxy" "$stage"/libdeno_ssh_proxy.*
if [ -n "$standalone" ]; then chmod 755 "$stage/standalone"
# The starter runs what this leads to.
else ln -s "$deno" "$stage/deno"; fi
if [ -d "$program/$name" ]; then
  # The same files, unless something became of them: that is mended, one by one.
  mv -f "$stage"/* "$program/$name"
  rmdir "$stage"
  stage=
else
  mv "$stage" "$program/$name"
  stage=$program/$name
fi
"$program/$name/deno-ssh-proxy" --version >"$build/version" 9>&- || fail "it does not run on this system" "$left"

# In one moment: who runs the program meanwhile sees what was there, or what is there now.
lead() { # lead LINK TARGET
  [ "$(readlink "$1" || true)" != "$2" ] || return 0
  rm -f "$1.new"
  ln -s "$2" "$1.new"
  # In the place of the link, and not into the folder that it leads to.
  case $(uname -s) in Darwin) mv -fh "$1.new" "$1" ;; *) mv -fT "$1.new" "$1" ;; esac
}
previous=$(readlink "$program/current" || true)
left="it is installed in part; run this again to complete it"
lead "$program/current" "$name"
stage=
lead "$fragment" "$program/current/ssh_config"
lead "$manual" "$program/current/deno-ssh-proxy.1"
lead "$bash" "$program/current/completions.bash"
lead "$zsh" "$program/current/completions.zsh"
lead "$fish" "$program/current/completions.fish"
lead "$shim" "$program/current/deno-ssh-proxy"
# A connection may just have begun with the one before: that stays until the next time.
for file in "$program"/*; do
  case ${file##*/} in
    "$name" | "$previous") ;;
    new.?????? | [0-9]*-????????????) rm -rf "$file" ;;
  esac
done

left="what is installed in $prefix stays, and --uninstall takes it away"
cat "$build/version"

# Waits for the process that is $child, and gives its exit code; after SECONDS it is ended.
finish() { # finish SECONDS
  tenths=$(($1 * 10))
  while kill -0 "$child" 2>/dev/null; do
    [ "$tenths" -gt 0 ] || kill "$child" 2>/dev/null || true
    # POSIX has whole seconds only.
    if sleep 0.1 2>/dev/null; then tenths=$((tenths - 1)); else sleep 1; tenths=$((tenths - 10)); fi
  done
  code=0
  wait "$child" || code=$?
  child=
  return $code
}

skip_proof() { # skip_proof REASON [HINT]
  echo "The proof was skipped: $1"
  [ $# -lt 2 ] || echo "  $2"
}

# The real ssh, through what was just installed, to a server in a folder that only this user may enter.
prove() {
  ssh=$(command -v ssh || true)
  [ -n "$ssh" ] || { skip_proof "there is no ssh" "on Debian: apt-get install openssh-client"; return; }
  need_own ssh
  demo=$build/demo
  # The longest path of a socket has 103 bytes on macOS, 107 on Linux.
  if [ -n "$(printf '%s' "$demo" | tr -d 'A-Za-z0-9/._+=@-')" ] || [ ${#demo} -gt 90 ]; then
    skip_proof "ssh cannot take a path such as $demo in a host name" "set TMPDIR to another folder"
    return
  fi
  mkdir -m 700 "$demo"

  echo "fetching the demo's SSH server from npm"
  (cd "$root" && exec "$deno" install --quiet --frozen --entrypoint demo/prove.ts) >"$build/fetch.log" 2>&1 &
  child=$!
  if ! finish 60; then
    # What a server said may be in it.
    LC_ALL=C tr -d '\000-\010\013-\037\177' <"$build/fetch.log" | sed 's/^/  /' >&2
    ! grep -q 'checksum' "$build/fetch.log" || fail "a package from npm is not the one that deno.lock names"
    skip_proof "it cannot be fetched" "deno-ssh-proxy is installed all the same, and needs nothing from npm"
    return
  fi

  echo "proving that ssh gets through:"
  # Without the variables of this shell: they may name the user's keys, and Deno refuses to start a program with LD_*.
  # With no SHLVL, a bash that has a socket as its input takes itself for a login over a network, and reads ~/.bashrc.
  (cd "$root" && exec env -i PATH="$PATH" ${HOME:+"HOME=$HOME"} ${SHELL:+"SHELL=$SHELL"} SHLVL=1 \
    DENO_DIR="$DENO_DIR" DENO_NO_UPDATE_CHECK=1 "$deno" run --no-prompt --frozen --cached-only \
    --allow-read="$demo" --allow-write="$demo" --allow-net="unix:$demo/ssh.sock,unix:$demo/mux.sock" \
    --allow-run="$ssh" demo/prove.ts "$demo" "$ssh" "$fragment") &
  child=$!
  finish 60 || fail "ssh does not get through" "what is installed in $prefix stays there; --no-proof skips this check"
}
[ "$proof" = no ] || prove 9>&-

# The program as somebody types it: by its name, where that is enough.
command_line() {
  if [ "$(command -v deno-ssh-proxy)" = "$1" ]; then echo deno-ssh-proxy
  else word "$1"; fi
}

# Tells which line puts the program on PATH: for zsh, fish and others it goes into different files.
name_path() {
  bin=${shim%/*}
  case :$PATH: in
    *:"$bin":*)
      first=$(command -v deno-ssh-proxy || true)
      [ "$first" = "$shim" ] || printf '\nAnother one comes first on PATH: %s\n' "$first"
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

# Tells zsh where the completions are: it does not look there by itself.
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

need_trust "$shim"
only_root=
[ "$me" != 0 ] || only_root=$closed
warn_of_groups

cat <<END

Installed in $prefix${only_root:+, for root alone: $only_root is closed to other users}. To try it:

  ssh -F $(quoted "$fragment") unix/PATH/OF/A/SOCKET

END
if [ -n "$standalone" ]; then
  cat <<END
To make ssh always use it (it may open no file itself):

  $(command_line "$shim") config --user root | sudo tee /etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf
END
else
  cat <<END
To make ssh always use it (--dry-run shows what that changes, --uninstall takes it back):

  $(command_line "$shim") config --install
END
fi
name_path
name_completions
