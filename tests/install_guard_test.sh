#!/bin/sh
# What install.sh refuses to run, to follow and to write through: each is an attack of another user of this machine, of a
# registry or of an archive. Prints one line a check, and how many there were.
set -u
# shellcheck source=tests/install_checks.sh
. "$(dirname "$0")/install_checks.sh"
umask 022
is_root=no
[ "$(id -u)" != 0 ] || is_root=yes
deno=$(deno eval --no-config 'console.log(Deno.execPath())') || exit 1
# Is built once for all tests.
payload=$("$root/tests/payload.sh" "$deno") || exit 1
other=54321
[ "$(id -u)" != "$other" ] || other=54322
# rustup looks for its toolchains in the home.
[ ! -d "${HOME-}/.rustup" ] || export RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"
unset CARGO_HOME
export HOME="$folder/home"
mkdir -m 700 "$HOME" || exit 1

as_root() { # as_root SENTENCE COMMAND…
  if [ "$is_root" = yes ]; then check "$@"; else skip "$1" "only root can make another user's files"; fi
}

# Runs a command that hangs if the fault is there, and prints what it says.
ran() { # ran COMMAND ARGUMENT…: sets code
  timeout 120 "$@" >"$folder/printed" 2>&1
  code=$?
  cat "$folder/printed"
}

says() { # says TEXT
  grep -qF -e "$1" "$folder/printed" || { echo "it does not say '$1'"; return 1; }
}

refused() { # refused TEXT INSTALLER ARGUMENT…
  expected=$1
  shift
  ran "$@"
  [ "$code" = 1 ] || { echo "exit code $code, not 1"; return 1; }
  says "$expected"
}

install_in() { # install_in PREFIX
  ran "$payload/install.sh" --prefix "$1"
  return $code
}

# A program that leaves a mark if it is run, and does what it should.
marking() { # marking FILE [COMMAND]
  mkdir -p "${1%/*}"
  printf '#!/bin/sh\n: >"%s/ran"\n%s\n' "$folder" "${2-exit 1}" >"$1"
  chmod 755 "$1"
}

not_run() {
  [ ! -e "$folder/ran" ] || { echo "it was run"; rm "$folder/ran"; return 1; }
}

# --- What comes from a registry

begin_registry() {
  package=$folder/package
  for file in bin/esbuild deno; do marking "$package/$file"; done
  mkdir -p "$package/esm" "$package/dist" "$package/lib"
  for file in esm/browser.js dist/index.js lib/index.js; do echo 'console.error("THIS RAN");' >"$package/$file"; done
  echo '{ "name": "any", "version": "1.0.0", "main": "dist/index.js" }' >"$package/package.json"
  tar -C "$folder" -czf "$folder/package.tgz" package
  versions=$(sed -n 's/^    "@\{0,1\}[^"@]*@\([0-9.]*\)": {$/\1/p' "$root/deno.lock" | tr '\n' ,)0.25.5
  "$deno" run --quiet --no-config --no-prompt --allow-net=127.0.0.1 --allow-read --allow-write \
    "$root/tests/support/registry.ts" "$folder/package.tgz" "$versions" "$folder/port" &
  child=$!
  until [ -e "$folder/port" ]; do kill -0 "$child" && sleep 0.1 || return 1; done
  registry=http://127.0.0.1:$(cat "$folder/port")/
}

refuses_other_packages() {
  NPM_CONFIG_REGISTRY=$registry refused "a package from npm is not the one that deno.lock names" \
    "$root/install.sh" --no-proof --prefix "$folder/supplied"
  status=$?
  not_run && ! says "THIS RAN" && [ ! -e "$folder/supplied" ] && return $status
}

refuses_packages_of_npmrc() {
  printf 'registry=%s\n@esbuild:registry=%s\n' "$registry" "$registry" >"$HOME/.npmrc"
  refused "a package from npm is not the one that deno.lock names" "$root/install.sh" --no-proof --prefix "$folder/supplied"
  status=$?
  rm "$HOME/.npmrc"
  not_run && ! says "THIS RAN" && [ ! -e "$folder/supplied" ] && return $status
}

end_registry() {
  kill "$child" && wait "$child" 2>/dev/null
  child=
}

if command -v cargo >/dev/null; then
  begin_registry || exit 1
  check "another esbuild than the pinned one is not run, and nothing is installed" refuses_other_packages
  check "nor is one of the registry that ~/.npmrc names" refuses_packages_of_npmrc
  end_registry
else skip "another esbuild than the pinned one" "there is no cargo"; fi

# --- What root finds on PATH

runs_no_deno_of_others() {
  marking "$folder/theirs/deno" "exec '$deno' \"\$@\""
  chown "$other" "$folder/theirs/deno"
  PATH=$folder/theirs:$PATH ran "$payload/install.sh" --prefix "$folder/fine"
  not_run && says "not used: $folder/theirs/deno: it belongs to another user ($other)" || return 1
  rm -rf "$folder/theirs" "$folder/fine"
}

runs_no_open_deno() {
  marking "$folder/open/deno" "exec '$deno' \"\$@\""
  chmod o+w "$folder/open/deno"
  PATH=$folder/open:$PATH ran "$payload/install.sh" --prefix "$folder/fine"
  not_run && says "not used: $folder/open/deno: everybody may write to it" && rm -rf "$folder/open" "$folder/fine"
}

runs_nothing_of_others() {
  for program in cargo rustc cc npm node id ls getfacl tar awk; do
    marking "$folder/theirs/$program" "exec /usr/bin/$program \"\$@\""
  done
  chown "$other" "$folder/theirs"
  PATH=$folder/theirs:$PATH ran "$root/install.sh" --no-proof --prefix "$folder/fine"
  not_run && says "root runs no program of these directories of PATH: $folder/theirs (user $other's)" || return 1
  # A link in a directory of root's to a program of theirs.
  mkdir "$folder/links" && ln -s "$folder/theirs/cargo" "$folder/links/cargo"
  PATH=$folder/links:$PATH refused "$folder/theirs: it belongs to another user" "$root/install.sh" --no-proof --prefix "$folder/no"
  status=$?
  not_run && [ ! -e "$folder/no" ] && rm -rf "$folder/theirs" "$folder/fine" "$folder/links" && return $status
}

uses_no_home_of_others() {
  mkdir -p "$folder/their home/.cargo" && marking "$folder/their home/wrapper"
  printf '[build]\nrustc-wrapper = "%s"\n' "$folder/their home/wrapper" >"$folder/their home/.cargo/config.toml"
  chown -R "$other" "$folder/their home"
  HOME="$folder/their home" ran "$root/install.sh" --no-proof --prefix "$folder/fine"
  not_run && says "as its home: $folder/their home: it belongs to another user" && rm -rf "$folder/their home" "$folder/fine"
}

uses_no_temporary_directory_of_others() {
  mkdir "$folder/their tmp" && chown "$other" "$folder/their tmp"
  TMPDIR="$folder/their tmp" ran "$payload/install.sh" --prefix "$folder/fine"
  [ "$code" = 0 ] && says "root does without TMPDIR: $folder/their tmp: it belongs to another user" &&
    rm -rf "$folder/their tmp" "$folder/fine"
}

as_root "root makes nothing in a TMPDIR of another user's" uses_no_temporary_directory_of_others
as_root "a deno of another user on PATH is not run, and it says why" runs_no_deno_of_others
check "nor is one that everybody may write to" runs_no_open_deno
if command -v cargo >/dev/null; then
  as_root "root runs no program out of a directory of another user's, nor through a link into one" runs_nothing_of_others
  as_root "root does not build with the cargo configuration of another user's home" uses_no_home_of_others
fi

names_what_it_leaves_out() {
  marking "$folder/their home/.deno/bin/deno" && mkdir "$folder/their home/bin" "$folder/loose" || return 1
  chown -R "$other" "$folder/their home"
  chmod 1777 "$folder/loose"
  PATH="$folder/their home/.deno/bin:$folder/their home/bin:$folder/loose:$folder/loose:$PATH" \
    ran "$payload/install.sh" --prefix "$folder/fine"
  not_run && [ "$(grep -c '^install.sh:' "$folder/printed")" = 1 ] &&
    says "$folder/their home/.deno/bin (user $other's), $folder/their home/bin (user $other's), $folder/loose (open to everybody)" &&
    rm -rf "$folder/their home" "$folder/fine" "$folder/loose"
}

# No group has this number: nobody can tell who is in it.
runs_nothing_of_groups() {
  for kind in 0775 2775 1775; do
    for program in sed deno awk; do marking "$folder/group/$program" "exec $(command -v $program) \"\$@\""; done
    chgrp "$other" "$folder/group" && chmod "$kind" "$folder/group" || return 1
    PATH=$folder/group:$PATH ran "$payload/install.sh" --prefix "$folder/fine"
    # The group of a directory of PATH is no matter of the prefix.
    not_run && [ "$code" = 0 ] && says "$folder/group (open to the group $other)" && ! says chmod &&
      rm -rf "$folder/group" "$folder/fine" || return 1
  done
}

runs_nothing_in_sticky_places() {
  mkdir -m 1777 "$folder/sticky" && marking "$folder/sticky/open/sed" 'exec /usr/bin/sed "$@"' && chmod 777 "$folder/sticky/open" &&
    PATH=$folder/sticky/open:$PATH ran "$payload/install.sh" --prefix "$folder/fine"
  not_run && [ "$code" = 0 ] && says "$folder/sticky/open (open to everybody)" && rm -rf "$folder/sticky" "$folder/fine"
}

warns_of_groups_first() {
  marking "$folder/first/deno" "echo '$folder ran it' >&2; exec '$deno' \"\$@\" 2>&1"
  # shellcheck disable=SC2016 # for that sh
  printf '#!/bin/sh\necho "$0 was run" >&2\nexec /usr/bin/mktemp "$@"\n' >"$folder/first/mktemp"
  chmod 755 "$folder/first/mktemp"
  mkdir "$folder/shared" && chgrp "$other" "$folder/shared" && chmod 2775 "$folder/shared" || return 1
  PATH=$folder/first:$PATH ran "$payload/install.sh" --prefix "$folder/shared"
  rm -f "$folder/ran"
  [ "$code" = 0 ] && [ "$(grep -c 'chmod g-w' "$folder/printed")" = 1 ] &&
    head -n 1 "$folder/printed" | grep -qF "chmod g-w '$folder/shared'" &&
    says "mktemp was run" && rm -rf "$folder/first" "$folder/shared"
}

as_root "one line names the directories of PATH that root leaves out, and whose they are" names_what_it_leaves_out
as_root "root runs no program out of a directory that others of a group may write to" runs_nothing_of_groups
as_root "root runs no program out of an open directory of its own in one like /tmp" runs_nothing_in_sticky_places
as_root "a group that may write to the prefix is warned of before anything is run" warns_of_groups_first

# --- Where it is built

# As where TMPDIR is not set, and /tmp is like this.
builds_nowhere_open() {
  mkdir "$folder/loose" "$folder/bin" && chmod 777 "$folder/loose" || return 1
  printf '#!/bin/sh\n[ "$*" = -d ] || exec /usr/bin/mktemp "$@"\nexec /usr/bin/mktemp -d "%s/loose/tmp.XXXXXX"\n' "$folder" \
    >"$folder/bin/mktemp"
  chmod 755 "$folder/bin/mktemp"
  PATH=$folder/bin:$PATH refused "$folder/loose: everybody may write to it" "$payload/install.sh" --prefix "$folder/built" &&
    [ ! -e "$folder/built" ] && [ -z "$(ls -A "$folder/loose")" ] && says "chmod +t '$folder/loose'" || return 1
  chmod +t "$folder/loose"
  PATH=$folder/bin:$PATH install_in "$folder/built" && [ -z "$(ls -A "$folder/loose")" ] &&
    rm -rf "$folder/loose" "${folder:?}/bin" "$folder/built"
}

check "a temporary directory that everybody may write to is refused, unless it is sticky" builds_nowhere_open

# --- What others put into the prefix

# Runs a program out of PATH at which another user, who sees that it begins, puts a link in place of the prefix.
with_link_at() { # with_link_at PROGRAM
  mkdir -p "$folder/watched" "$folder/aim/lib/deno-ssh-proxy" "$folder/aim/bin" || return 1
  echo precious >"$folder/precious"
  for name in made lock; do ln -sf "$folder/precious" "$folder/aim/lib/deno-ssh-proxy/$name"; done
  chown -hR "$other" "$folder/aim"
  mkdir -m 1777 "$folder/sticky"
  printf '#!/bin/sh\n[ -L "%s/sticky/x" ] || { ln -s "%s/aim" "%s/sticky/x" && chown -h %s "%s/sticky/x"; } 2>/dev/null\nexec "%s" "$@"\n' \
    "$folder" "$folder" "$folder" "$other" "$folder" "$(command -v "$1")" >"$folder/watched/$1"
  chmod 755 "$folder/watched/$1"
}

follows_no_link_put_there() {
  for program in deno mkdir sort; do
    with_link_at $program || return 1
    PATH=$folder/watched:$PATH ran "$payload/install.sh" --prefix "$folder/sticky/x"
    { [ "$(cat "$folder/precious")" = precious ] && [ "$(find "$folder/aim" | wc -l)" = 6 ]; } || { echo "with $program"; return 1; }
    [ $program = sort ] || { [ "$code" = 1 ] && says "$folder/sticky/x: it belongs to another user ($other)"; } || return 1
    rm -rf "$folder/watched" "$folder/aim" "$folder/sticky"
  done
}

# Runs a program out of PATH at which the prefix changes, after install.sh has looked at it once.
looks_again() {
  mkdir "$folder/watched" && install_in "$folder/again" || return 1
  printf '#!/bin/sh\nchmod o+w "%s/again/lib"\nexec "%s" "$@"\n' "$folder" "$(command -v mktemp)" >"$folder/watched/mktemp"
  chmod 755 "$folder/watched/mktemp"
  PATH=$folder/watched:$PATH refused "$folder/again/lib: everybody may write to it" "$payload/install.sh" --prefix "$folder/again" &&
    rm -rf "$folder/watched" "$folder/again"
}

looks_again_in_sticky_places() {
  mkdir -p "$folder/watched" "$folder/aim" && mkdir -m 1777 "$folder/sticky" && mkdir "$folder/sticky/x" || return 1
  printf '#!/bin/sh\nrmdir "%s/sticky/x" && ln -s ../aim "%s/sticky/x" && chown -h %s "%s/sticky/x"\nexec "%s" "$@"\n' \
    "$folder" "$folder" "$other" "$folder" "$(command -v mktemp)" >"$folder/watched/mktemp"
  chmod 755 "$folder/watched/mktemp"
  PATH=$folder/watched:$PATH refused "$folder/sticky/x: it belongs to another user ($other)" \
    "$payload/install.sh" --prefix "$folder/sticky/x" && [ -z "$(ls -A "$folder/aim")" ] &&
    rm -rf "$folder/watched" "$folder/aim" "$folder/sticky"
}

takes_over_no_files() {
  install_in "$folder/taken" || return 1
  program=$folder/taken/lib/deno-ssh-proxy
  version=$(readlink "$program/current")
  # As after the chown of each directory that a message named.
  for place in "$version" "$version/deno-ssh-proxy" made lock; do
    chown "$other" "$program/$place"
    before=$(state_of "$folder/taken")
    refused "$program/$place: it belongs to another user ($other)" "$payload/install.sh" --prefix "$folder/taken" &&
      says "mv '$program' '$program.old'" && [ "$(state_of "$folder/taken")" = "$before" ] || return 1
    chown 0 "$program/$place"
  done
  chown -hR "$other" "$folder/taken"
  refused "$folder/taken: it belongs to another user ($other)" "$payload/install.sh" --prefix "$folder/taken" &&
    ! says chown && says "mv '$folder/taken' '$folder/taken.old'" && mv "$folder/taken" "$folder/taken.old" &&
    install_in "$folder/taken" && rm -rf "$folder/taken" "$folder/taken.old"
}

follows_no_link_in_it() {
  install_in "$folder/linked" || return 1
  program=$folder/linked/lib/deno-ssh-proxy
  version=$(readlink "$program/current")
  for place in made lock deno deno.new made.new "$version" current "$version/cli.mjs"; do
    rm -rf "$folder/kept"
    cp -RP "$folder/linked" "$folder/kept"
    echo precious >"$folder/precious"
    rm -rf "${program:?}/$place"
    case $place in "$version" | current) aim=$folder ;; *) aim=$folder/precious ;; esac
    ln -s "$aim" "$program/$place"
    before=$(ls "$folder")
    for argument in --no-proof --uninstall; do
      refused "$program/$place: it" "$payload/install.sh" $argument --prefix "$folder/linked" || return 1
    done
    [ "$(cat "$folder/precious")" = precious ] && [ "$(ls "$folder")" = "$before" ] || return 1
    rm -rf "$folder/linked"
    mv "$folder/kept" "$folder/linked"
  done
  rm -f "$program/lock"
  mkfifo "$program/lock"
  refused "$program/lock: it is a link or a device" "$payload/install.sh" --prefix "$folder/linked" && rm -rf "$folder/linked"
}

refuses_sticky_places() {
  mkdir -p "$folder/wide/bin" && chmod 1777 "$folder/wide/bin"
  refused "$folder/wide/bin: everybody may write to it" "$payload/install.sh" --prefix "$folder/wide" && rm -rf "$folder/wide"
}

as_root "a link that another user puts in the place of the prefix at any moment is not followed" follows_no_link_put_there
check "a directory that everybody may write to since it was looked at first is refused" looks_again
as_root "so is another user's link in the place of a prefix that was removed since" looks_again_in_sticky_places
as_root "files of another user's that are there are not taken over, and it says to move them away" takes_over_no_files
check "links and devices in the program's directory are neither written through nor followed" follows_no_link_in_it
check "a sticky directory in which it would put links is refused" refuses_sticky_places

# --- The lock

begin_locked() {
  install_in "$folder/locked" || return 1
  lock=$folder/locked/lib/deno-ssh-proxy/lock
  exec 8>>"$lock"
  flock 8
}

# Begins it in the background, and waits until it waits.
waits_for_the_lock() { # waits_for_the_lock ARGUMENT…
  : >"$folder/printed"
  timeout 120 "$payload/install.sh" --prefix "$folder/locked" "$@" >"$folder/printed" 2>&1 8>&- &
  child=$!
  until grep -q "waiting for another install.sh" "$folder/printed"; do
    kill -0 $child 2>/dev/null || { child=; cat "$folder/printed"; echo "it did not wait"; return 1; }
    sleep 0.05
  done
}

ends() {
  wait "$child"
  code=$?
  child=
  cat "$folder/printed"
  return $code
}

uninstalls_after_another() {
  begin_locked || return 1
  waits_for_the_lock --uninstall
  status=$?
  [ $status != 0 ] || [ -x "$folder/locked/bin/deno-ssh-proxy" ] || status=1
  exec 8>&-
  [ $status = 0 ] && ends && [ ! -e "$folder/locked" ]
}

installs_after_a_removal() {
  begin_locked || return 1
  waits_for_the_lock --no-proof
  status=$?
  rm -rf "$folder/locked"
  exec 8>&-
  [ $status = 0 ] && ends && "$folder/locked/bin/deno-ssh-proxy" --version && [ -f "$lock" ] &&
    ran "$root/install.sh" --prefix "$folder/locked" --uninstall && [ ! -e "$folder/locked" ]
}

# As sccache does.
leaves_no_lock_to_daemons() {
  mkdir "$folder/left"
  printf '#!/bin/sh\nsleep 600 </dev/null >/dev/null 2>&1 &\necho $! >>"%s/daemons"\nexec "%s" "$@"\n' "$folder" "$(command -v cargo)" \
    >"$folder/left/cargo"
  chmod 755 "$folder/left/cargo"
  PATH=$folder/left:$PATH ran "$root/install.sh" --no-proof --prefix "$folder/daemon"
  flock -n "$folder/daemon/lib/deno-ssh-proxy/lock" true
  status=$?
  while read -r pid; do kill "$pid"; done <"$folder/daemons"
  { [ "$code" = 0 ] && [ $status = 0 ]; } || { echo "the lock is still taken"; return 1; }
  rm -rf "$folder/left" "$folder/daemon"
}

if command -v flock >/dev/null; then
  check "uninstalling waits for an installation that is not complete" uninstalls_after_another
  check "an installation that waited makes anew what was removed meanwhile" installs_after_a_removal
  if command -v cargo >/dev/null; then
    check "a daemon that a build leaves behind does not keep the lock" leaves_no_lock_to_daemons
  fi
else skip "the lock" "there is no flock"; fi

starts_through_links() {
  ln -s "$payload/install.sh" "$folder/one" && mkdir "$folder/up" && ln -s ../one "$folder/up/two" || return 1
  ran "$folder/up/two" --prefix "$folder/through"
  [ "$code" = 0 ] && (cd "$folder" && ran sh one --prefix "$folder/through") && rm -rf "$folder/through" "$folder/up" "$folder/one"
}
check "it finds what is beside it when it is started through links" starts_through_links

# --- ACLs

refuses_acls() {
  install_in "$folder/acl" || return 1
  for place in "$folder/acl" "$folder/acl/lib" "$folder/acl/lib/deno-ssh-proxy" "$folder/acl/bin" "$folder/acl/share"; do
    setfacl -m "u:$other:rwx" "$place" || return 1
    before=$(state_of "$folder/acl")
    refused "$place: its ACL lets another user ($other) write to it" "$payload/install.sh" --prefix "$folder/acl" || return 1
    [ "$(state_of "$folder/acl")" = "$before" ] || return 1
    # What it says mends it.
    says "chmod g-w '$place'" && chmod g-w "$place" || return 1
    install_in "$folder/acl" || return 1
    setfacl -b "$place"
  done
}

refuses_default_acls() {
  for entry in "u:$other:rwx" o::rwx g::rwx; do
    rm -rf "$folder/default"
    mkdir "$folder/default" || return 1
    # A new file gets the group of such a directory.
    [ $entry != g::rwx ] || { [ "$is_root" = yes ] && chgrp "$other" "$folder/default" && chmod g+s "$folder/default"; } || continue
    setfacl -d -m "$entry" "$folder/default" || return 1
    refused "$folder/default: its default ACL lets others write to new files" "$payload/install.sh" --prefix "$folder/default" &&
      [ -z "$(ls -A "$folder/default")" ] && says "setfacl -k '$folder/default'" && setfacl -k "$folder/default" &&
      install_in "$folder/default" || return 1
  done
}

takes_harmless_acls() {
  mkdir "$folder/harmless" && setfacl -m "u:$(id -u):rwx,u:$other:rx" -m "d:u:$other:rx" "$folder/harmless" &&
    install_in "$folder/harmless" && ! says warning
}

refuses_acls_that_it_cannot_read() {
  mkdir "$folder/bin" "$folder/unread"
  (IFS=: && for place in $PATH; do ln -s "$place"/* "$folder/bin/"; done) 2>/dev/null
  rm -f "$folder/bin/getfacl"
  setfacl -m "u:$other:rwx" "$folder/unread" &&
    PATH=$folder/bin refused "$folder/unread: its ACL may let others write to it" "$payload/install.sh" --prefix "$folder/unread" &&
    chmod g-w "$folder/unread" && setfacl -d -m "u:$other:rwx" "$folder/unread" &&
    PATH=$folder/bin refused "$folder/unread: its default ACL may let others write" "$payload/install.sh" --prefix "$folder/unread" &&
    [ -z "$(ls -A "$folder/unread")" ] || return 1
  # Without w in their masks.
  setfacl -b "$folder/unread" && setfacl -m "u:$other:rx,d:u:$other:rx" "$folder/unread" &&
    PATH=$folder/bin ran "$payload/install.sh" --prefix "$folder/unread"
  [ "$code" = 0 ] && ! says warning && rm -rf "${folder:?}/bin" "$folder/unread"
}

refuses_acls_of_files() {
  install_in "$folder/inner" || return 1
  program=$folder/inner/lib/deno-ssh-proxy
  for place in current/commands.sh current/cli.mjs current/. made lock; do
    # The path without a link in it.
    place=$(readlink -f "$program/$place")
    kept=$(stat -c %a "$place")
    setfacl -m "u:$other:rwx" "$place"
    before=$(state_of "$folder/inner")
    for argument in --no-proof --uninstall; do
      refused "$place: its ACL lets another user ($other) write to it" "$payload/install.sh" --prefix "$folder/inner" $argument &&
        says "mv '$program' '$program.old'" && [ "$(state_of "$folder/inner")" = "$before" ] || return 1
    done
    setfacl -b "$place" && chmod "$kept" "$place"
  done
  rm -rf "$folder/inner"
}

gives_files_to_no_group() {
  mkdir "$folder/ours" && setfacl -d -m g::rwx "$folder/ours" && install_in "$folder/ours" &&
    [ -z "$(find "$folder/ours" -type f -perm /022)" ] && rm -rf "$folder/ours"
}

if command -v setfacl >/dev/null && mkdir "$folder/try" && setfacl -m "u:$other:rwx" "$folder/try" 2>/dev/null; then
  check "a directory that an ACL lets another user write to is refused, and what mends it is said" refuses_acls
  check "so is one whose default ACL lets others write to new files" refuses_default_acls
  check "an ACL that lets nobody else write is fine" takes_harmless_acls
  check "where there is no getfacl, an ACL that may let others write is refused, and no other" refuses_acls_that_it_cannot_read
  check "so is an installation with a file that an ACL lets another user write to, by --uninstall too" refuses_acls_of_files
  as_root "no file that is made is the group's to write, whatever a default ACL says" gives_files_to_no_group
else skip "ACLs" "setfacl (Debian's package acl) is missing, or this file system has none"; fi

# --- What is uninstalled

uninstalls_nothing_of_others() {
  install_in "$folder/theirs" || return 1
  rm "$folder/theirs/lib/deno-ssh-proxy/current/deno-ssh-proxy"
  marking "$folder/theirs/lib/deno-ssh-proxy/current/deno-ssh-proxy"
  chown -hR "$other" "$folder/theirs"
  before=$(state_of "$folder/theirs")
  refused "it belongs to another user ($other)" "$root/install.sh" --prefix "$folder/theirs" --uninstall
  status=$?
  not_run && [ "$(state_of "$folder/theirs")" = "$before" ] || return 1
  # Only one file is theirs: everything on the way to it is root's.
  chown -hR 0 "$folder/theirs"
  chown "$other" "$folder/theirs/lib/deno-ssh-proxy/current/deno-ssh-proxy"
  refused "$other" "$root/install.sh" --prefix "$folder/theirs" --uninstall || return 1
  chown 0 "$folder/theirs/lib/deno-ssh-proxy/current/deno-ssh-proxy"
  chown "$other" "$folder/theirs/lib/deno-ssh-proxy/current/cli.mjs"
  refused "cli.mjs: it belongs to another user ($other)" "$root/install.sh" --prefix "$folder/theirs" --uninstall
  rm -rf "$folder/theirs"
  return $status
}

removes_no_other_directories() {
  install_in "$folder/made" || return 1
  mkdir "$folder/elsewhere" "$folder/made/lib/mine"
  printf '%s\n' "$folder/elsewhere" "$folder/made/lib/../../elsewhere" "$folder/made/lib/mine" "" / \
    >>"$folder/made/lib/deno-ssh-proxy/made"
  ran "$root/install.sh" --prefix "$folder/made" --uninstall
  [ "$code" = 0 ] && [ -d "$folder/elsewhere" ] && [ -d "$folder/made/lib/mine" ] && [ ! -e "$folder/made/bin" ]
}

# Their home is what getent says.
home_of_others() { # home_of_others
  mkdir -p "$folder/getent" "$folder/that home/.ssh"
  # shellcheck disable=SC2016 # for that sh
  printf '#!/bin/sh\n[ "$1" != passwd ] || echo "other:x:%s:%s::%s:/bin/sh"\n' "$other" "$other" "$folder/that home" \
    >"$folder/getent/getent"
  chmod 755 "$folder/getent/getent"
}

reads_no_pipe_of_others() {
  home_of_others
  theirs="$folder/that home/.ssh/deno-ssh-proxy.conf"
  for kind in fifo zero file; do
    install_in "$folder/read" || return 1
    rm -f "$theirs"
    case $kind in
      fifo) mkfifo "$theirs" ;;
      zero) ln -s /dev/zero "$theirs" ;;
      file) printf "Host x\n    ProxyCommand %s '%%h' '%%p'\n" "$folder/read/bin/deno-ssh-proxy" >"$theirs" ;;
    esac
    PATH=$folder/getent:$PATH ran sh -c 'ulimit -v 1000000; exec "$@"' sh \
      timeout 60 "$root/install.sh" --prefix "$folder/read" --uninstall
    [ "$code" = 0 ] && says "no longer in $folder/read" || return 1
    [ "$kind" != file ] || says "still names it: $theirs" || return 1
  done
}

as_root "root uninstalls nothing that another user can replace, and runs nothing of it" uninstalls_nothing_of_others
check "uninstalling removes no directory that is not on the way to what was installed" removes_no_other_directories
as_root "a pipe or a device in the place of another user's ssh_config does not stop root's --uninstall" reads_no_pipe_of_others

# --- What is in an archive

begin_archive() {
  name=deno-ssh-proxy-$(cat "$payload/version")-$(cat "$payload/target")
  secret=$folder/secret
  echo secret >"$secret" && chmod 600 "$secret"
  rm -rf "${folder:?}/x"
  mkdir "$folder/x" && cp -R "$payload" "$folder/x/$name"
}

pack() {
  tar -C "$folder/x" -czf "$folder/$name.tar.gz" -P "$@" "$name"
  sum=$(sha256sum "$folder/$name.tar.gz" | cut -d ' ' -f 1)
}

refuses_archive() { # refuses_archive TEXT
  mkdir -p "$folder/unpacked to"
  refused "$1" "$root/install.sh" --prefix "$folder/unpacked to" --from "$folder/$name.tar.gz" --sha256 "$sum" &&
    [ -z "$(ls -A "$folder/unpacked to")" ] && [ -z "$(ls -A "$folder/tmp")" ]
}

refuses_links_in_archives() {
  for where in program/ssh_config program/cli.mjs version program; do
    begin_archive
    rm -rf "${folder:?}/x/$name/$where"
    ln -s "$secret" "$folder/x/$name/$where" && pack && refuses_archive "it has something else in it than files" || return 1
  done
  begin_archive
  rm "$folder/x/$name/program/LICENSE"
  ln "$folder/x/$name/program/cli.mjs" "$folder/x/$name/program/LICENSE" && pack &&
    refuses_archive "it has something else in it than files" || return 1
  begin_archive
  rm "$folder/x/$name/program/LICENSE"
  mkfifo "$folder/x/$name/program/LICENSE" && pack && refuses_archive "it has something else in it than files"
}

refuses_other_files_in_archives() {
  begin_archive
  echo x >"$folder/x/$name/program/evil" && pack && refuses_archive "it has files in it that no release has: program/evil" || return 1
  begin_archive
  for path in ../escaped "$folder/escaped" ../../escaped; do
    pack --transform "s|^$name/version\$|$path|"
    refuses_archive "install.sh: $folder/$name.tar.gz: it" && [ ! -e "$folder/escaped" ] || return 1
  done
  begin_archive
  echo "../../../escaped" >"$folder/x/$name/version" && pack && refuses_archive "it has no version"
}

takes_an_archive() {
  begin_archive
  pack
  ran "$root/install.sh" --prefix "$folder/good" --from "$folder/$name.tar.gz" --sha256 "$sum"
  [ "$code" = 0 ] && "$folder/good/bin/deno-ssh-proxy" --version
}

refuses_links_beside_it() {
  for where in ssh_config cli.mjs; do
    begin_archive
    ln -sf "$secret" "$folder/x/$name/program/$where"
    refused "./$where is no file" "$folder/x/$name/install.sh" --prefix "$folder/beside" && [ ! -e "$folder/beside" ] || return 1
  done
}

check "an archive with a link, a hard link or a pipe in it is refused before it is unpacked" refuses_links_in_archives
check "so is one with any other file than a release has, or with a path that leads out of it" refuses_other_files_in_archives
check "one without is installed" takes_an_archive
check "a link beside the installer of an unpacked archive is not followed" refuses_links_beside_it

leaves_nothing() {
  [ -z "$(ls -A "$folder/tmp")" ] || { ls -lA "$folder/tmp"; return 1; }
}
check "nothing is left in TMPDIR" leaves_nothing

count
