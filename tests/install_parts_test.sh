#!/bin/sh
# The parts that a checkout's install.sh reads, and how they become the one install.sh of a release. Prints one line a check,
# and how many there were.
set -u
# shellcheck source=tests/install_checks.sh
. "$(dirname "$0")/install_checks.sh"
umask 022
other=54321
checkout="$folder/a check out" part=install/trust.sh

as_root() { # as_root SENTENCE COMMAND…
  if [ "$(id -u)" = 0 ]; then check "$@"; else skip "$1" "only root can make another user's files"; fi
}

# Makes a copy of the installer and its parts, and has one part note that it was read.
copy_installer() {
  rm -rf "$checkout" "$folder/read"
  mkdir "$checkout" && cp -R "$root/install.sh" "$root/install" "$checkout" && chmod -R go-w "$checkout" &&
    sed "1a\\
: >'$folder/read'" "$root/$part" >"$checkout/$part"
}

# Starts install.sh in such a way that it ends as soon as it has read its parts.
said_by() { # said_by INSTALLER: sets said and code
  said=$(sh "$1" --prefix / 2>&1)
  code=$?
  echo "$said"
}

reads_parts() { # reads_parts [INSTALLER]
  rm -f "$folder/read"
  said_by "${1:-$checkout/install.sh}"
  [ "$code" = 1 ] && [ -e "$folder/read" ] && case $said in "install.sh: / is no prefix
"*) ;; *) return 1 ;; esac
}

refuses() { # refuses FILE TEXT
  rm -f "$folder/read"
  said_by "$checkout/install.sh"
  [ "$code" = 1 ] && [ ! -e "$folder/read" ] && case $said in "install.sh: $checkout/$1: $2
  "*) ;; *) echo "it does not say '$2' of $1"; return 1 ;; esac
}

# Refuses likewise, until the command that is the second line was run.
refuses_until_mended() { # refuses_until_mended FILE TEXT
  refuses "$1" "$2" && sh -c "$(printf '%s\n' "$said" | sed -n 2p)" && reads_parts
}

refuses_missing_parts() {
  for file in "$root"/install/*.sh; do
    copy_installer && rm "$checkout/install/${file##*/}" && refuses "install/${file##*/}" "it is missing or cut off" || return 1
  done
  rm -r "$checkout/install" && refuses install/places.sh "it is missing or cut off"
}

refuses_parts_cut_off() {
  for file in "$root"/install/*.sh; do
    copy_installer || return 1
    sed '$d' "$file" >"$checkout/install/${file##*/}"
    refuses "install/${file##*/}" "it is missing or cut off" || return 1
  done
  copy_installer && : >"$checkout/$part" && refuses "$part" "it is missing or cut off"
}

refuses_links() {
  copy_installer && mv "$checkout/$part" "$folder/moved" && ln -s "$folder/moved" "$checkout/$part" &&
    refuses "$part" "it is a link or a device, and no checkout has one there" || return 1
  rm "$checkout/$part" && mkfifo "$checkout/$part" &&
    refuses "$part" "it is a link or a device, and no checkout has one there" || return 1
  copy_installer && mv "$checkout/install" "$folder/the parts" && ln -s "$folder/the parts" "$checkout/install" &&
    refuses install "it is a link or a device, and no checkout has one there"
}

refuses_writable_parts() {
  copy_installer || return 1
  for file in install "$part"; do
    chmod o+w "$checkout/$file"
    refuses_until_mended "$file" "everybody may write to it, and not to install.sh" || return 1
    chmod g+w "$checkout/$file"
    refuses_until_mended "$file" "its group may write to it, and not to install.sh" || return 1
  done
  # As with a umask of 002, where each user has a group.
  chmod -R g+w "$checkout" && reads_parts
}

refuses_parts_of_others() {
  copy_installer || return 1
  for file in install "$part"; do
    chown "$other" "$checkout/$file"
    refuses "$file" "it belongs to another user ($other) than install.sh" || return 1
    chown 0 "$checkout/$file"
  done
  chgrp "$other" "$checkout/$part" && chmod -R g+w "$checkout" &&
    refuses "$part" "its group may write to it, and not to install.sh" || return 1
  # As with sudo in a user's own checkout.
  copy_installer && chown -R "$other" "$checkout" && reads_parts
}

is_nothing_alone() {
  copy_installer && rm -r "$checkout/install" && refuses install/places.sh "it is missing or cut off" &&
    sh "$checkout/install.sh" --help | grep -q '^usage: '
}

finds_parts_through_links() {
  copy_installer && ln -s "$checkout/install.sh" "$folder/one" && mkdir "$folder/up" && ln -s ../one "$folder/up/two" &&
    reads_parts "$folder/up/two" && (cd "$folder" && reads_parts one) && (cd "$checkout" && reads_parts install.sh)
}

is_one_file_in_a_release() {
  copy_installer && "$root/release/installer.sh" >"$folder/alone.sh" || return 1
  mv "$checkout/install" "$folder/install"
  said_by "$folder/alone.sh"
  [ "$said" = "$(sh "$root/install.sh" --prefix / 2>&1)" ] && [ ! -e "$folder/read" ] || return 1
  # Each function is in it, once.
  functions() { sed -n 's/^\([a-z_0-9]*\)() {.*/\1/p' "$@" | grep -v '^check_parts$' | sort; }
  [ "$(functions "$folder/alone.sh")" = "$(functions "$root/install.sh" "$root"/install/*.sh)" ]
}

is_not_made_of_less() {
  copy_installer && mkdir "$checkout/release" && cp "$root/release/installer.sh" "$checkout/release" || return 1
  for lines in 0 40; do
    head -n $lines "$root/$part" >"$checkout/$part"
    [ $lines != 0 ] || rm "$checkout/$part"
    said=$("$checkout/release/installer.sh" 2>&1 >/dev/null)
    code=$?
    echo "$said"
    [ "$code" = 1 ] && [ "$said" = "release/installer.sh: $checkout/$part: it is missing or cut off" ] || return 1
  done
  cp "$root/$part" "$checkout/$part"
  sed '/^# --- To here/,$d' "$root/install.sh" >"$checkout/install.sh"
  ! "$checkout/release/installer.sh" >/dev/null
}

check "a part that is missing ends install.sh before it reads any other" refuses_missing_parts
check "so does one that is cut off" refuses_parts_cut_off
check "so does a link or a pipe in the place of a part, and a link in that of their directory" refuses_links
check "a part that more users can write to than install.sh is not read, and it says what mends that" refuses_writable_parts
as_root "a part of another user's is not read, unless install.sh is that user's too" refuses_parts_of_others
check "a checkout's install.sh alone prints its help, and says what is missing" is_nothing_alone
check "it finds its parts through links" finds_parts_through_links
check "a release's install.sh is one file with all of them, and reads none" is_one_file_in_a_release
check "no release's install.sh is made without one of them" is_not_made_of_less

count
