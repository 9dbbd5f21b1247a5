#!/bin/sh
# Installs deno-ssh-proxy: built from the checkout that this is in, or out of a release's archive.
set -eu
# Starts install.sh again with few of root's variables: after su or sudo they can be another user's, and many name programs
# for Node.js, cargo, rustc, Deno or tar to run. use_trusted_places looks at PATH and the directories.
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
me=$uid
[ "$me" = 0 ] || PATH=$given_path
# Lets nobody else write to a new file, from its first moment. Every user may read the files that root installs.
if [ "$me" = 0 ]; then umask 022; else umask go-w; fi

# Prints the help.
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

newline='
'
# Prints a text that another user may have written, without control characters. In UTF-8 it replaces those of 8 bits,
# invisible characters, and those that change the direction of writing. Line breaks stay.
shown() { # shown TEXT
  printf '%s\n' "$1" | LC_ALL=C tr -d '\000-\011\013-\037\177' | LC_ALL=C sed -e "s/$(printf '\302[\200-\237]')/?/g" \
    -e "s/$(printf '\342\200[\213-\217\250-\256]')/?/g" -e "s/$(printf '\342\201[\240-\257]')/?/g"
}

# Prints why install.sh fails, and what to do, and exits.
fail() { # fail WHAT [HINT]
  shown "install.sh: $1" >&2
  [ $# -lt 2 ] || shown "  $2" >&2
  exit 1
}

# Prints what is wrong with the arguments, and exits.
usage_error() { # usage_error WHAT
  shown "install.sh: $(printf '%s' "$1" | tr -d '\n')" >&2
  echo "  ./install.sh --help tells what it takes" >&2
  exit 64
}

# Fails unless VALUE is one: an option in its place was meant to be another option.
need_value() { # need_value OPTION WHAT [VALUE]
  case ${3-} in '' | --*) usage_error "$1 needs $2" ;; esac
}

# Prints a text in single quotes for sh.
quoted() { # quoted TEXT
  text=$1 quoted=
  while :; do
    case $text in
      *\'*) quoted=$quoted${text%%\'*}\'\\\'\' text=${text#*\'} ;;
      *) break ;;
    esac
  done
  printf "'%s'" "$quoted$text"
}

# Prints a text likewise, without quotes if it needs none.
word() { # word TEXT
  if [ -n "$(printf '%s' "$1" | tr -d 'A-Za-z0-9/._+@-')" ]; then quoted "$1"; else printf '%s' "$1"; fi
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

# Finds install.sh itself: it may have been started through links.
self=$0
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) case $self in */*) self=${self%/*}/$link ;; *) self=$link ;; esac ;;
  esac
done
case $self in */*) root=${self%/*} ;; *) root=. ;; esac
root=$(CDPATH='' cd "$root/" && pwd)

# --- Only in a checkout: release/installer.sh leaves this out of a release's install.sh, and puts the parts into it.
parts='places trust acl environment existing directories ssh_config uninstall temporary archive requirements deno build
  activate proof next_steps'

# Fails unless each part exists, is whole, and belongs to root, to this user or to the owner of install.sh. Nobody may write
# to a part who may not write to install.sh.
check_parts() {
  again="clone the repository again, or install a release's archive"
  files=
  for part in $parts; do files="$files install/$part.sh"; done
  read -r own_mode _ own_uid own_gid _ <<END
$(ls -ldn "$self")
END
  # shellcheck disable=SC2086 # words
  listed=$(cd "$root" && ls -ldn install $files 2>/dev/null) || true
  while read -r mode _ uid gid name; do
    name=${name%% -> *}
    file=$root/${name##* }
    case $mode:$file in
      '':* | -*.sh | d*/install) ;;
      *) fail "$file: it is a link or a device, and no checkout has one there" "$again" ;;
    esac
    case $uid in
      '' | 0 | "$me" | "$own_uid") ;;
      *) fail "$file: it belongs to another user ($uid) than install.sh" "$again" ;;
    esac
    # The bits of the group are the mask of an ACL.
    case $mode:$own_mode:$gid in
      ?????w*:?????w*:"$own_gid") ;;
      ?????w*) fail "$file: its group may write to it, and not to install.sh" "chmod g-w $(word "$file")" ;;
    esac
    case $mode:$own_mode in
      ????????w*:????????w*) ;;
      ????????w*) fail "$file: everybody may write to it, and not to install.sh" "chmod o-w $(word "$file")" ;;
    esac
  done <<END
$listed
END
  # shellcheck disable=SC2086 # words
  whole=$(cd "$root" && grep -lx '# End of this part\.' $files 2>/dev/null) || true
  # shellcheck disable=SC2086 # words
  set -- $whole
  for file in $files; do
    case " $* " in
      *" $file "*) ;;
      *) fail "$root/$file: it is missing or cut off" "$again" ;;
    esac
  done
}
check_parts
# --- To here.

. "$root/install/places.sh"
. "$root/install/trust.sh"
. "$root/install/acl.sh"
. "$root/install/environment.sh"
. "$root/install/existing.sh"
. "$root/install/directories.sh"
. "$root/install/ssh_config.sh"
. "$root/install/uninstall.sh"
. "$root/install/temporary.sh"
. "$root/install/archive.sh"
. "$root/install/requirements.sh"
. "$root/install/deno.sh"
. "$root/install/build.sh"
. "$root/install/activate.sh"
. "$root/install/proof.sh"
. "$root/install/next_steps.sh"

choose_prefix
set_places
look_at_system
look_for_acls
[ "$me" != 0 ] || use_trusted_places
[ "$uninstall" = no ] || uninstall

choose_source
# cargo, rustup, npm and Deno look for their configuration where they are started and in each directory above. That can be
# below /tmp, where anybody can put it.
cd /
# Before any of the installed files is started.
guard_others_files
guard_installation
warn_of_groups

make_temporary
look_at_distribution
need_all
[ -z "$from" ] || unpack
[ -z "$payload" ] || check_payload
choose_place

guard_others_files
make_directories || fail "$prefix: cannot be written to" "choose another --prefix"
guard_installation
put_own_deno
if [ -z "$payload" ]; then build_payload; else proof=no; fi

stage_installation
switch_to_it
[ "$proof" = no ] || prove 9>&-
print_next_steps
