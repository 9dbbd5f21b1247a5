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
  not_run && says "root uses no program there: $folder/theirs: it belongs to another user ($other)" || return 1
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
  for entry in "u:$other:rwx" o::rwx; do
    rm -rf "$folder/default"
    mkdir "$folder/default" && setfacl -d -m "$entry" "$folder/default" || return 1
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
    PATH=$folder/bin refused "$folder/unread: its ACL lets others write to it" "$payload/install.sh" --prefix "$folder/unread" &&
    chmod g-w "$folder/unread" &&
    PATH=$folder/bin refused "$folder/unread: it has an ACL that cannot be read" "$payload/install.sh" --prefix "$folder/unread"
}

if command -v setfacl >/dev/null && mkdir "$folder/try" && setfacl -m "u:$other:rwx" "$folder/try" 2>/dev/null; then
  check "a directory that an ACL lets another user write to is refused, and what mends it is said" refuses_acls
  check "so is one whose default ACL lets others write to new files" refuses_default_acls
  check "an ACL that lets nobody else write is fine" takes_harmless_acls
  check "where there is no getfacl, an ACL that may let others write is refused" refuses_acls_that_it_cannot_read
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
  refused "cli.mjs: another user may write to it" "$root/install.sh" --prefix "$folder/theirs" --uninstall
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
