#!/bin/sh
# The installer in a throw-away prefix with a space and a quote in its name: installs twice, proves that it works or says
# why it cannot, runs, is refused where it must be, and leaves nothing behind. Then the same with no installer: the demo,
# and deno install -g. Prints one line a check, and how many there were.
set -u
# shellcheck source=tests/install_checks.sh
. "$(dirname "$0")/install_checks.sh"
prefix="$folder/it's a prefix"

exits() { # exits CODE COMMAND ARGUMENT…
  expected=$1
  shift
  "$@"
  code=$?
  [ "$code" = "$expected" ] || { echo "exit code $code, not $expected"; return 1; }
}

refuses_commas() {
  ! "$root/install.sh" --prefix "$folder/a,b" && [ ! -e "$folder/a,b" ]
}

refuses_control_characters() {
  for character in '\033' '\n' '\302\233' '\342\200\256' '\342\201\246'; do
    # shellcheck disable=SC2059 # it is one of these
    place=$folder/$(printf "a${character}b")
    prints "install.sh: the prefix has a control character in it" exits 1 "$root/install.sh" --prefix "$place" &&
      [ ! -e "$place" ] || return 1
  done
}

# The installer says why it refuses, and leaves all as it is.
refuses() { # refuses TEXT FOLDER ARGUMENT…: FOLDER is what stays
  text=$1 stays=$2
  shift 2
  before=$(state_of "$stays")
  prints "$text" exits 1 "$root/install.sh" --no-proof "$@" && [ "$(state_of "$stays")" = "$before" ]
}

is_safe_with_any_umask() {
  (umask 000 && "$root/install.sh" --no-proof --prefix "$folder/umask") >"$folder/printed" 2>&1 || return 1
  cat "$folder/printed"
  [ -z "$(find "$folder/umask" ! -type l \( -perm -002 -o -perm -020 \))" ] &&
    ! grep warning "$folder/printed" && "$folder/umask/bin/deno-ssh-proxy" --version
}

refuses_open_folders() {
  for place in "$folder/umask" "$folder/umask/lib" "$folder/umask/lib/deno-ssh-proxy" "$folder/umask/bin" \
    "$folder/umask/share"; do
    chmod o+w "$place"
    refuses "$place: everybody may write to it" "$folder/umask" --prefix "$folder/umask" || return 1
    grep -F "chmod o-w '$place'" "$folder/printed" || return 1
    chmod o-w "$place"
  done
  "$folder/umask/bin/deno-ssh-proxy" --version
}

refuses_open_folders_behind_links() {
  mkdir -p "$folder/open/closed" "$folder/links" || return 1
  chmod o+w "$folder/open"
  ln -s ../open/closed "$folder/links/one"
  ln -s "$folder/links/one" "$folder/links/two"
  ln -s three "$folder/links/three"
  refuses "$folder/open: everybody may write to it" "$folder/open" --prefix "$folder/links/two" &&
    refuses "it is a link that leads to itself" "$folder/links" --prefix "$folder/links/three"
}

uses_no_open_deno() {
  mkdir "$folder/deno" || return 1
  real=$(deno eval 'console.log(Deno.execPath())')
  cp "$real" "$folder/deno/deno"
  mkdir "$folder/denied"
  # There is no other one.
  without deno npm
  for place in "$folder/deno/deno" "$folder/deno"; do
    chmod o+w "$place"
    text="$place: everybody may write to it"
    # Root leaves out the whole directory.
    [ "$(id -u)" != 0 ] || [ "$place" = "$folder/deno/deno" ] || text="$place (open to everybody)"
    PATH=$folder/deno:$folder/without refuses "$text" "$folder/denied" --prefix "$folder/denied" || return 1
    grep -F "Deno 2.9 or later, or npm to install it with" "$folder/printed" || return 1
    chmod o-w "$place"
  done
  rm -r "$folder/deno"
}

takes_sticky_folders() {
  mkdir "$folder/sticky" && chmod 1777 "$folder/sticky" &&
    "$root/install.sh" --no-proof --prefix "$folder/sticky/own" >"$folder/printed" 2>&1 &&
    ! grep warning "$folder/printed" && "$folder/sticky/own/bin/deno-ssh-proxy" --version
}

writes_through_no_links() {
  echo mine >"$folder/victim"
  ln -s "$folder/victim" "$folder/umask/bin/deno-ssh-proxy.new"
  ln -s "$folder" "$folder/umask/lib/deno-ssh-proxy/current.new"
  rm "$folder/umask/bin/deno-ssh-proxy" "$folder/umask/lib/deno-ssh-proxy/current"
  "$root/install.sh" --no-proof --prefix "$folder/umask" && [ "$(cat "$folder/victim")" = mine ] &&
    "$folder/umask/bin/deno-ssh-proxy" --version && [ -z "$(find "$folder/umask" -name '*.new*')" ]
}

takes_own_group() {
  # Root's is one, and so is that of a user on systems which give each their own.
  [ "$(id -u)" = 0 ] || [ "$(id -gn)" = "$(id -un)" ] || return 0
  chgrp "$(id -g)" "$folder/umask" "$folder/umask/lib" && chmod g+w "$folder/umask" "$folder/umask/lib" &&
    "$root/install.sh" --no-proof --prefix "$folder/umask" >"$folder/printed" 2>&1 && ! grep warning "$folder/printed"
}

refuses_folders_of_others() {
  mkdir -p "$folder/theirs/lib" && chown 54321 "$folder/theirs/lib" &&
    refuses "$folder/theirs/lib: it belongs to another user (54321)" "$folder/theirs" --prefix "$folder/theirs" ||
    return 1
  mkdir "$folder/sticky/theirs" && chown 54321 "$folder/sticky/theirs" &&
    refuses "$folder/sticky/theirs: it belongs to another user" "$folder/sticky/theirs" --prefix "$folder/sticky/theirs" ||
    return 1
  mkdir "$folder/mine" && ln -s "$folder/mine" "$folder/sticky/link" && chown -h 54321 "$folder/sticky/link" &&
    refuses "$folder/sticky/link: it belongs to another user" "$folder/mine" --prefix "$folder/sticky/link"
}

warns_of_groups() {
  # A group that nobody knows may have anybody in it; one that is known and empty has nobody.
  chgrp 54321 "$folder/umask/lib" "$folder/umask/bin" && chmod g+w "$folder/umask/lib" "$folder/umask/bin" || return 1
  prints "warning: a group may write there" "$root/install.sh" --no-proof --prefix "$folder/umask" || return 1
  [ "$(grep -c warning "$folder/printed")" = 1 ] || return 1
  mkdir "$folder/groups"
  cat >"$folder/groups/getent" <<END
#!/bin/sh
[ "\$*" != "group 54321" ] || echo "ours:x:54321:\$(cat "$folder/groups/members")"
END
  chmod +x "$folder/groups/getent"
  for members in '' root; do
    echo $members >"$folder/groups/members"
    PATH=$folder/groups:$PATH "$root/install.sh" --no-proof --prefix "$folder/umask" \
      >"$folder/empty" 2>&1 && ! grep warning "$folder/empty" || return 1
  done
  echo root,daemon >"$folder/groups/members"
  PATH=$folder/groups:$PATH prints "warning" "$root/install.sh" --no-proof --prefix "$folder/umask" ||
    return 1
  # What it says is what mends it.
  eval "$(sed -n 's/.*: \(chmod g-w .*\)/\1/p' "$folder/printed")" &&
    "$root/install.sh" --no-proof --prefix "$folder/umask" >"$folder/printed" 2>&1 && ! grep warning "$folder/printed"
}

leaves_nothing() {
  [ -z "$(ls -A "$folder/tmp")" ] || { ls -lA "$folder/tmp"; return 1; }
  # Not grep itself, which has a bracket there.
  ! grep -l "$folder/[a-z]" /proc/[0-9]*/cmdline 2>/dev/null
}

prints() { # prints TEXT COMMAND ARGUMENT…, of which the exit code counts too
  text=$1
  shift
  "$@" >"$folder/printed" 2>&1
  code=$?
  cat "$folder/printed"
  grep -qF "$text" "$folder/printed" || { echo "it does not print '$text'"; return 1; }
  return $code
}

hello="hello from the demo server: you reached"

proves_both() {
  prints "    $hello unix$folder/tmp/" "$root/install.sh" --prefix "$prefix" &&
    grep -F "    $hello vsock-mux$folder/tmp/" "$folder/printed" &&
    [ "$(grep -c "    $hello [^ ]* ([0-9]* ms)\$" "$folder/printed")" = 2 ] &&
    grep -Fx "All is well: ssh reaches both through what is installed." "$folder/printed"
}

proves_nothing() {
  "$root/install.sh" --prefix "$prefix" --no-proof >"$folder/printed" 2>&1 &&
    ! grep -E 'proof|proving|demo' "$folder/printed"
}

is_looked_for() {
  share=$prefix/share
  cmp "$root/docs/deno-ssh-proxy.1" "$share/man/man1/deno-ssh-proxy.1" &&
    grep -q '^complete -F ' "$share/bash-completion/completions/deno-ssh-proxy" &&
    grep -q '^#compdef deno-ssh-proxy$' "$share/zsh/site-functions/_deno-ssh-proxy" &&
    grep -q '^complete -c deno-ssh-proxy ' "$share/fish/vendor_completions.d/deno-ssh-proxy.fish" &&
    [ -z "$(find -L "$share" -type f ! -perm 644)" ] && [ "$(find -L "$share" -type f | wc -l)" = 5 ]
}

# Every program that is on PATH but for some.
without() { # without PROGRAM…
  rm -rf "$folder/without"
  mkdir "$folder/without"
  # What is there already stays: the first on PATH wins here too.
  (IFS=: && for place in $PATH; do ln -s "$place"/* "$folder/without/"; done) 2>/dev/null
  (cd "$folder/without" && rm -f "$@")
}

says_that_ssh_is_missing() {
  without ssh
  prints "The proof was skipped: there is no ssh" env PATH="$folder/without" "$root/install.sh" --prefix "$prefix" &&
    grep -F openssh-client "$folder/printed"
}

says_all_that_is_missing() {
  without ssh cargo rustc cc deno npm
  prints "install.sh: missing:" exits 1 env PATH="$folder/without" "$root/install.sh" --prefix "$folder/missing" &&
    [ "$(sed -n 2,5p "$folder/printed")" = "    cargo (Rust 1.65 or later)
    a C linker (cc)
    Deno 2.9 or later, or npm to install it with
    ssh" ] && grep -F "gcc libc6-dev npm openssh-client" "$folder/printed" && [ ! -e "$folder/missing" ]
}

says_which_word_is_wrong() { # says_which_word_is_wrong TEXT ARGUMENT…
  text=$1
  shift
  prints "install.sh: $text" exits 64 "$root/install.sh" "$@" &&
    [ "$(wc -l <"$folder/printed")" = 2 ] && grep -Fx "  ./install.sh --help tells what it takes" "$folder/printed"
}

says_which_words_are_wrong() {
  for option in --prefix --from --sha256; do
    case $option in
      --prefix) needs="a directory" ;;
      --from) needs="an archive" ;;
      *) needs="a sum" ;;
    esac
    says_which_word_is_wrong "$option needs $needs" "$option" &&
      says_which_word_is_wrong "$option needs $needs" "$option=" &&
      says_which_word_is_wrong "$option needs $needs" "$option" --uninstall || return 1
  done
  says_which_word_is_wrong "--nope: no such option" --nope && says_which_word_is_wrong "-x: no such option" -x &&
    says_which_word_is_wrong "word: one argument too many" --uninstall word &&
    says_which_word_is_wrong "--a[2Jb: no such option" "$(printf -- '--a\033[2Jb')" &&
    says_which_word_is_wrong "--sha256 goes with --from" --sha256 1
}

fits_80_columns() {
  "$root/install.sh" --help | awk 'length > 80 { print; long = 1 } END { exit long }'
}

# A script in the place of a program that is on PATH.
instead() { # instead PROGRAM
  mkdir -p "$folder/replaced"
  rm -f "$folder/replaced/$1"
  cat >"$folder/replaced/$1"
  chmod +x "$folder/replaced/$1"
}

says_that_rust_is_too_old() {
  rm -rf "$folder/replaced"
  echo 'echo "rustc 1.63.0 (4b91a6ea7 2022-08-08)"' | instead rustc
  # Where there is no Deno either, none is fetched first.
  without deno
  printf '#!/bin/sh\ntouch "%s"\nexit 1\n' "$folder/fetched" | instead npm
  prints "missing: Rust 1.65 or later (this is rustc 1.63)" exits 1 env PATH="$folder/replaced:$folder/without" \
    "$root/install.sh" --prefix "$folder/missing" && [ ! -e "$folder/fetched" ] && [ ! -e "$folder/missing" ]
}

says_that_nothing_links() {
  rm -rf "$folder/replaced"
  printf '#!/bin/sh\nexit 1\n' | instead cc
  prints "cc cannot link a program" exits 1 env PATH="$folder/replaced:$PATH" "$root/install.sh" --prefix "$folder/missing"
}

takes_back_its_folders() {
  rm -rf "$folder/replaced"
  without deno
  printf '#!/bin/sh\nexit 1\n' | instead npm
  prints "install.sh: npm could not fetch @deno/" exits 1 env PATH="$folder/replaced:$folder/without" \
    "$root/install.sh" --prefix "$folder/missing" && [ ! -e "$folder/missing" ]
}

# Has npm fetch a package of which nothing runs.
with_package_of_garbage() {
  rm -rf "$folder/replaced" "$folder/package"
  without deno
  mkdir "$folder/package"
  echo garbage >"$folder/package/deno"
  tar -czf "$folder/package.tgz" -C "$folder" package/deno
  instead npm <<END
#!/bin/sh
for word; do :; done
name=\${word#@deno/}
cp "$folder/package.tgz" "deno-\${name%@*}-\${name##*@}.tgz"
END
}

refuses_another_package() {
  with_package_of_garbage
  prints "it is not the package that this checksum is of" exits 1 \
    env PATH="$folder/replaced:$folder/without" "$root/install.sh" --prefix "$folder/missing" && [ ! -e "$folder/missing" ]
}

refuses_a_deno_that_does_not_run() {
  with_package_of_garbage
  rm -rf "$folder/edited"
  mkdir "$folder/edited"
  ln -s "$root/rust" "$folder/edited"
  sum=$(if command -v sha512sum >/dev/null; then sha512sum; else shasum -a 512; fi <"$folder/package.tgz" | cut -d ' ' -f 1)
  cp -R "$root/install.sh" "$root/install" "$folder/edited"
  sed "s/sha512=[0-9a-f]* /sha512=$sum /" "$root/install/deno.sh" >"$folder/edited/install/deno.sh"
  prints "install.sh: the Deno that npm has does not run on this system" exits 1 \
    env PATH="$folder/replaced:$folder/without" sh "$folder/edited/install.sh" --prefix "$folder/missing" &&
    [ ! -e "$folder/missing" ]
}

# A system whose C library is another one: busybox is all that runs there.
begin_without_glibc() {
  mkdir -p "$folder/musl/bin" "$folder/musl/etc" "$folder/musl/tmp" "$folder/musl/dev" "$folder/musl/x/rust" || return 1
  cp "$1" "$folder/musl/bin/busybox" && cp -R "$root/install.sh" "$root/install" "$folder/musl/x" && cp "$root/rust/Cargo.toml" "$folder/musl/x/rust"
  chroot "$folder/musl" /bin/busybox --install -s /bin
  : >"$folder/musl/dev/null"
  echo 'ID=alpine' >"$folder/musl/etc/os-release"
  for program in cargo cc npm; do printf '#!/bin/sh\n: >/called-%s\n' $program >"$folder/musl/bin/$program"; done
  printf '#!/bin/sh\necho rustc 1.90.0\n' >"$folder/musl/bin/rustc"
  chmod +x "$folder/musl/bin/cargo" "$folder/musl/bin/cc" "$folder/musl/bin/npm" "$folder/musl/bin/rustc"
}

says_that_glibc_is_missing() {
  begin_without_glibc "$1" || return 1
  prints "    Deno 2.9 or later (npm's is for glibc, and there is no /lib" \
    exits 1 env TMPDIR=/tmp chroot "$folder/musl" /x/install.sh --prefix /prefix &&
    grep -F "on Alpine: apk add deno cargo" "$folder/printed" && [ ! -e "$folder/musl/called-npm" ] &&
    [ ! -e "$folder/musl/prefix" ] && rm -r "$folder/musl"
}

is_open_to_all() { # is_open_to_all FOLDER
  place=$1
  while [ "$place" != "" ]; do
    case $(ls -ld "$place/") in d????????[xt]*) ;; *) return 1 ;; esac
    place=${place%/*}
  done
}

copies_a_deno_that_others_cannot_start() {
  mkdir -m 700 "$folder/closed" || return 1
  cp "$(deno eval 'console.log(Deno.execPath())')" "$folder/closed/deno"
  PATH=$folder/closed:$PATH prints "copying $folder/closed/deno into $folder/shared/lib/deno-ssh-proxy: $folder/closed is closed" \
    "$root/install.sh" --no-proof --prefix "$folder/shared" && [ -x "$folder/shared/lib/deno-ssh-proxy/deno" ] &&
    rm -r "$folder/closed" || return 1
  # Others can.
  setpriv --reuid 54321 --regid 54321 --clear-groups "$folder/shared/bin/deno-ssh-proxy" --version
}

is_for_everybody() {
  # It is root's, and was made with another umask.
  (umask 077 && "$root/install.sh" --no-proof --prefix "$folder/shared/private") || return 1
  setpriv --reuid 54321 --regid 54321 --clear-groups "$folder/shared/private/bin/deno-ssh-proxy" --version
}

# What it says puts the program on PATH: in a home of its own, in a new shell of that kind.
# shellcheck disable=SC2016 # it is printed like this
fpath='  fpath=(~/.local/share/zsh/site-functions $fpath)'
finds_completions() {
  env HOME="$folder/home" ZDOTDIR="$folder/home" zsh -fc "$fpath; autoload -U compinit && compinit -D && echo \$_comps[deno-ssh-proxy]" |
    grep -Fx _deno-ssh-proxy
}

says_how_it_comes_on_path() { # says_how_it_comes_on_path SHELL START COMMAND…
  shell=$1 line=$2
  shift 2
  rm -rf "${folder:?}/home"
  mkdir -p "$folder/home/.config"
  # As Debian's adds it; the line for sh is to be tried without.
  # shellcheck disable=SC2016 # it stands like this in the file
  [ "$shell" != bash ] || echo 'PATH="$HOME/.local/bin:$PATH"' >"$folder/home/.profile"
  prints "is not on PATH. To have it there in each new shell:" env HOME="$folder/home" CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" \
    RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" SHELL="/bin/$shell" ZDOTDIR="$folder/home" \
    "$root/install.sh" --no-proof --prefix "$folder/home/.local" &&
    grep -F "  $line" "$folder/printed" || return 1
  # Each for its own shell alone.
  expected=
  case $shell in bash) expected="Or log in again: ~/.profile adds it." ;; zsh) expected="$fpath" ;; esac
  [ "$(grep -e "fpath=" -e "log in again" "$folder/printed")" = "$expected" ] || return 1
  [ $# = 0 ] || {
    env -u XDG_CONFIG_HOME TMPDIR="$folder/home" HOME="$folder/home" "$1" -c "$(grep -F "  $line" "$folder/printed")" &&
      env -u XDG_CONFIG_HOME -u ZDOTDIR TMPDIR="$folder/home" HOME="$folder/home" "$@"
  }
}

says_nothing_of_path() {
  PATH=$folder/umask/bin:$PATH "$root/install.sh" --no-proof --prefix "$folder/umask" >"$folder/printed" 2>&1 &&
    cat "$folder/printed" && ! grep -F PATH "$folder/printed" | grep -v unix/PATH && grep -Fx "  deno-ssh-proxy config --install" "$folder/printed"
}

leaves_no_cache() {
  rm -rf "${folder:?}/home"
  mkdir -p "$folder/home/.cargo"
  for file in config config.toml; do
    [ ! -f "${CARGO_HOME:-$HOME/.cargo}/$file" ] || cp "${CARGO_HOME:-$HOME/.cargo}/$file" "$folder/home/.cargo"
  done
  before=$(state_of "$folder/home")
  mkdir "$folder/another"
  copy_checkout "$folder/another"
  env -u CARGO_HOME HOME="$folder/home" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" \
    "$folder/another/install.sh" --no-proof --prefix "$folder/another/prefix" &&
    [ "$(state_of "$folder/home")" = "$before" ] && rm -r "$folder/another"
}

# What an installation is built of.
copy_checkout() { # copy_checkout FOLDER
  (cd "$root" && cp -R install.sh install release ./*.ts deno.json deno.lock core ffi addresses proxy commands demo docs LICENSE README.md CHANGELOG.md "$1")
  mkdir "$1/rust" && (cd "$root/rust" && cp -R Cargo.toml Cargo.lock core abi starter "$1/rust") &&
    mkdir "$1/bench" && cp "$root"/bench/*.rs "$1/bench"
}

builds_elsewhere() {
  mkdir "$folder/another"
  copy_checkout "$folder/another" && mkdir "$folder/another/rust/target" && chmod a-w "$folder/another/rust/target" || return 1
  # Somebody else has built there first.
  [ "$(id -u)" != 0 ] || chown -R 54321 "$folder/another/rust/target"
  "$folder/another/install.sh" --no-proof --prefix "$folder/another/prefix" &&
    [ -z "$(ls -A "$folder/another/rust/target")" ] && "$folder/another/prefix/bin/deno-ssh-proxy" --version &&
    rm -r "$folder/another"
}

names_the_other_place() {
  PATH=$prefix/bin:$PATH prints "it is not installed in $folder/none, and nothing was changed" \
    exits 1 "$root/install.sh" --prefix "$folder/none" --uninstall && [ -x "$prefix/bin/deno-ssh-proxy" ]
}

says_what_it_removed() {
  prints "deno-ssh-proxy is no longer in $prefix" "$root/install.sh" --prefix "$prefix" --uninstall &&
    grep -Fx "removed $prefix/bin/deno-ssh-proxy, and its manual page and completions" "$folder/printed" &&
    grep -Fx "removed $prefix/lib/deno-ssh-proxy" "$folder/printed"
}

says_that_it_was_not_there() {
  prints "deno-ssh-proxy is not installed in $prefix: nothing was changed" "$root/install.sh" --prefix "$prefix" --uninstall
}

# The installer with a script, which is read from stdin, instead of a program.
install_with() { # install_with PROGRAM
  rm -rf "$folder/instead"
  mkdir "$folder/instead"
  cat >"$folder/instead/$1"
  chmod +x "$folder/instead/$1"
  PATH=$folder/instead:$PATH exec "$root/install.sh" --prefix "$prefix"
}

says_what_bundling_needs() {
  NPM_CONFIG_REGISTRY=http://127.0.0.1:9/ "$root/install.sh" --prefix "$folder/unbundled" >"$folder/printed" 2>&1
  [ $? = 1 ] && cat "$folder/printed" && grep -F "release/bundle.sh: the program cannot be bundled" "$folder/printed" &&
    grep -F "  Deno fetches esbuild from npm for that; " "$folder/printed"
}

names_what_failed() {
  real=$(command -v ssh)
  (
    install_with ssh <<END
#!/bin/sh
case "\$*" in *vsock-mux/*) echo "no way" >&2; exit 255 ;; esac
exec "$real" "\$@"
END
  ) >"$folder/printed" 2>&1
  [ $? = 1 ] && cat "$folder/printed" && grep -Fx "no way" "$folder/printed" &&
    grep -F "FAILED: ssh did not get through to vsock-mux$folder/tmp/" "$folder/printed" &&
    ! grep -F "FAILED: ssh did not get through to unix" "$folder/printed"
}

stays_installed() { "$prefix/bin/deno-ssh-proxy" --version; }

refuses_files_of_others() {
  other=$folder/others
  mkdir -p "$other/bin" "$other/lib/deno-ssh-proxy" || return 1
  # As a Debian package has it.
  echo theirs >"$other/lib/deno-ssh-proxy/cli.mjs"
  refuses "$other/lib/deno-ssh-proxy: it is there, and this did not install it" "$other" --prefix "$other" || return 1
  rm -r "${other:?}/lib"
  echo theirs >"$other/bin/deno-ssh-proxy"
  refuses "$other/bin/deno-ssh-proxy: it is there, and this did not install it" "$other" --prefix "$other"
}

takes_turns() {
  together=$folder/together
  "$root/install.sh" --no-proof --prefix "$together" >"$folder/one" 2>&1 &
  one=$!
  "$root/install.sh" --no-proof --prefix "$together" >"$folder/printed" 2>&1
  two=$?
  wait "$one"
  one=$?
  cat "$folder/one" "$folder/printed"
  [ "$one-$two" = 0-0 ] && "$together/bin/deno-ssh-proxy" --version
}

# A file system that is full before Deno is whole.
# shellcheck disable=SC2016 # for the sh inside
leaves_no_part_of_deno() {
  mkdir "$folder/small" "$folder/hidden" || return 1
  cp "$(deno eval --no-config 'console.log(Deno.execPath())')" "$folder/hidden/deno"
  # Others cannot start this Deno, and so it is copied.
  chmod 700 "$folder/hidden"
  chmod 711 "$folder"
  unshare --mount sh -c 'mount -t tmpfs -o size=20m none "$1/small" && PATH=$1/hidden:$PATH &&
    "$2/install.sh" --no-proof --prefix "$1/small"; code=$?; ls -A "$1/small"; exit $code' sh "$folder" "$root" \
    >"$folder/printed" 2>&1
  code=$?
  chmod 700 "$folder"
  cat "$folder/printed"
  [ "$code" = 1 ] && grep -F "install.sh: $folder/small/lib/deno-ssh-proxy: Deno cannot be put there" "$folder/printed" &&
    [ "$(tail -n 1 "$folder/printed")" = "  nothing was changed" ]
}

ends_when_interrupted() {
  (
    install_with ssh <<END
#!/bin/sh
touch "$folder/started"
exec tail -f "\$0"
END
  ) 2>"$folder/said" &
  child=$!
  until [ -e "$folder/started" ]; do
    kill -0 "$child" && sleep 0.1 || return 1
  done
  kill -TERM "$child"
  exits 1 wait "$child"
  status=$?
  child=
  grep -F "install.sh: interrupted: what is installed in $prefix stays, and --uninstall takes it away" "$folder/said" || return 1
  return $status
}

installs_without_npm() {
  real=$(command -v deno)
  (
    install_with deno <<END
#!/bin/sh
case \$1 in
eval) echo "\$0" ;;
install)
  case \$* in *demo/*) printf 'error: \033tcp connect error\n' >&2; exit 1 ;; esac
  exec "$real" "\$@" ;;
*) exec "$real" "\$@" ;;
esac
END
  ) >"$folder/printed" 2>&1 && cat "$folder/printed" && grep -F "  error: tcp connect error" "$folder/printed" &&
    grep -F "The proof was skipped: it cannot be fetched" "$folder/printed"
}

if command -v ssh >/dev/null; then
  check "it installs into a prefix with a space and a quote in its name, and proves that both sockets are reached" \
    proves_both
  check "the proof leaves no process and no folder" leaves_nothing
  check "a proof that fails names the socket that is not reached, and says what ssh said" names_what_failed
  check "what is installed stays where the proof fails" stays_installed
  check "a proof that is interrupted ends" ends_when_interrupted
  check "an interrupted proof leaves no process and no folder" leaves_nothing
  check "where the demo cannot be fetched, the proof is skipped with the reason" installs_without_npm
else
  skip "the proof" "ssh is not installed"
fi
check "where there is no ssh, the proof is skipped, and the package is named" says_that_ssh_is_missing
check "all that is missing is said at once, and nothing is made" says_all_that_is_missing
check "a Rust that is too old is named, before anything is fetched" says_that_rust_is_too_old
check "so is a C compiler that cannot link" says_that_nothing_links
check "where Deno cannot be fetched, the folders that were made for it are removed" takes_back_its_folders
check "a Deno with another checksum than the pinned one is not put into place" refuses_another_package
check "a Deno that does not run here is not put into place" refuses_a_deno_that_does_not_run
busybox=$(command -v busybox)
if [ "$(id -u)" != 0 ]; then skip "another C library" "only root can enter a system that has none"
elif [ -z "$busybox" ] || ldd "$busybox" >/dev/null 2>&1; then skip "another C library" "busybox-static is not installed"
else check "with another C library than glibc, no Deno is fetched, and it says what there is" says_that_glibc_is_missing "$busybox"; fi
chmod 711 "$folder"
if [ "$(id -u)" != 0 ]; then skip "a Deno of root's that others cannot start" "only root installs for others"
elif ! is_open_to_all "$folder"; then skip "a Deno of root's that others cannot start" "others may not enter $folder"
else
  check "a Deno of root's that others cannot start is copied" copies_a_deno_that_others_cannot_start
  check "what root installs is for everybody, whatever the umask is" is_for_everybody
fi
chmod 700 "$folder"
check "a build directory of another user is left alone" builds_elsewhere
check "no cache is left in the home" leaves_no_cache
# shellcheck disable=SC2016 # it is printed like this
check "bash is told how the program comes on PATH, and that works" \
  says_how_it_comes_on_path bash "echo 'PATH=\$PATH:~/.local/bin' >>~/.bashrc" bash -ic 'command -v deno-ssh-proxy'
# shellcheck disable=SC2016 # likewise
check "so is sh" \
  says_how_it_comes_on_path dash "echo 'PATH=\$PATH:~/.local/bin' >>~/.profile" sh -c '. ~/.profile && command -v deno-ssh-proxy'
for shell in zsh fish; do
  case $shell in
    zsh) line="echo 'path+=(~/.local/bin)' >>$folder/home/.zshrc" ;;
    fish) line="fish_add_path ~/.local/bin" ;;
  esac
  if command -v $shell >/dev/null; then
    check "so is $shell" says_how_it_comes_on_path $shell "$line" $shell -ic 'command -v deno-ssh-proxy'
  else check "so is $shell (it is not installed, and so not tried)" says_how_it_comes_on_path $shell "$line"; fi
  [ $shell != zsh ] || ! command -v zsh >/dev/null || check "zsh finds the completions by the line for them" finds_completions
done
check "installing again is harmless, and --no-proof proves nothing" proves_nothing
check "the manual page and what shells complete with are where they are looked for, for everybody" is_looked_for
check "the installed program runs with no environment" env -i "$prefix/bin/deno-ssh-proxy" --version
check "no arguments are a usage error" exits 64 "$prefix/bin/deno-ssh-proxy"
check "an unknown form of address is a usage error" exits 64 "$prefix/bin/deno-ssh-proxy" telnet/host 22
check "a path where nothing is has an exit code of its own" exits 66 "$prefix/bin/deno-ssh-proxy" unix/no/such/socket 22
check "ssh understands the fragment" ssh -G -F "$prefix/share/deno-ssh-proxy/ssh_config" unix/run/x.sock
check "where npm cannot be reached, it says what it is needed for" says_what_bundling_needs
check "a prefix with a comma in it is refused, and nothing is made" refuses_commas
check "so is the root of the file system" prints "install.sh: / is no prefix" exits 1 "$root/install.sh" --prefix //
check "what somebody else has put there is not replaced" refuses_files_of_others
check "two installations into one prefix take turns" takes_turns
if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
  check "where there is no room for Deno, no part of it is left" leaves_no_part_of_deno
else skip "where there is no room for Deno, no part of it is left" "only root can mount a file system"; fi
check "a prefix with a control character in it is refused, and nothing is made" refuses_control_characters
check "a word that is wrong is named, and is a usage error" says_which_words_are_wrong
check "its help has no line over 80 columns" fits_80_columns
check "whatever the umask is, nobody else may write to what is installed" is_safe_with_any_umask
check "a folder that everybody may write to is refused, and what was there stays" refuses_open_folders
check "so it is where a link leads through one" refuses_open_folders_behind_links
check "a Deno that everybody may write to is not used, nor one in such a folder" uses_no_open_deno
check "in a folder like /tmp what is one's own is fine" takes_sticky_folders
check "a link under the name that a new one has for a moment is not followed" writes_through_no_links
check "where it is on PATH, nothing is said of that" says_nothing_of_path
check "a folder that one's own group may write to is fine" takes_own_group
if [ "$(id -u)" = 0 ]; then
  check "a folder of another user is refused, and what is such a user's in one like /tmp" refuses_folders_of_others
  check "a folder that others of a group may write to is warned of once, with what mends it" warns_of_groups
else
  skip "folders of other users and groups" "only root can make them"
fi
leaves_folders() {
  mkdir -p "$folder/was/bin" "$folder/was/share/man" && "$root/install.sh" --no-proof --prefix "$folder/was" &&
    touch "$folder/was/share/zsh/mine" && "$root/install.sh" --prefix "$folder/was" --uninstall &&
    [ "$(cd "$folder/was" && find . | sort | tr '\n' ' ')" = ". ./bin ./share ./share/man ./share/zsh ./share/zsh/mine " ]
}
check "uninstalling leaves the folders that were there before, and those that somebody has put something into" leaves_folders
check "uninstalling with another prefix than that of the installation fails, and removes nothing" names_the_other_place
check "it uninstalls, and says what it removed" says_what_it_removed
check "nothing is left behind" test ! -e "$prefix"
if command -v deno-ssh-proxy >/dev/null || [ -e /etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf ] ||
  [ -e "${HOME-}/.ssh/deno-ssh-proxy.conf" ]; then
  skip "uninstalling again is harmless" "deno-ssh-proxy is installed here"
else check "uninstalling again is harmless, and says that nothing was there" says_that_it_was_not_there; fi

begin_demo() {
  mkfifo "$folder/demo"
  (cd "$root" && exec deno task --quiet demo) >"$folder/demo" &
  child=$!
  # It ends with the end of the task.
  while IFS= read -r line; do
    echo "$line"
    case $line in
      "  ssh "*) echo "$line" >>"$folder/commands" ;;
      *"Ctrl-C ends it.") return 0 ;;
    esac
  done <"$folder/demo"
  return 1
}

is_reached_by_its_commands() {
  prints "$hello unix$folder/tmp/" timeout 30 sh -c "$(sed -n 1p "$folder/commands") </dev/null" &&
    prints "$hello vsock-mux$folder/tmp/" timeout 30 sh -c "$(sed -n 2p "$folder/commands") </dev/null"
}

# As the README says it.
installs_by_deno() { # installs_by_deno [--force]
  (
    cd "$root" || exit 1
    deno install --global --root "$folder/by deno" --name deno-ssh-proxy --no-prompt --config deno.json "$@" \
      --allow-ffi="$PWD/rust/target/release/libdeno_ssh_proxy.so" cli.ts
  ) && (cd / && prints "Host unix/*" "$folder/by deno/bin/deno-ssh-proxy" config >"$folder/ssh_config")
}

# Starts the program as that fragment does, which is without the shim of deno install.
reaches_by_fragment() {
  prints "$hello unix$folder/tmp/" timeout 30 ssh -F "$folder/ssh_config" -o BatchMode=yes "$address" hello
}

# Starts the shim, from another folder than that in which it was made.
reaches_by_shim() {
  (cd / && prints "$hello unix$folder/tmp/" timeout 30 ssh -F /dev/null \
    -o ProxyCommand="'$folder/by deno/bin/deno-ssh-proxy' %h %p --as-typed %n" -o ProxyUseFdpass=yes \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes "$address" hello)
}

uninstalls_by_deno() {
  deno uninstall --global --root "$folder/by deno" deno-ssh-proxy && [ ! -e "$folder/by deno/bin/deno-ssh-proxy" ]
}

ends_demo() {
  kill -INT "$child"
  wait "$child"
  child=
}

if command -v ssh >/dev/null; then
  check "deno task demo begins" begin_demo
  check "the commands that it prints reach it" is_reached_by_its_commands
  address=$(sed -n 's/.* \(unix[^ ]*\) .*/\1/p' "$folder/commands")
  check "deno install -g installs the program, which prints its fragment anywhere" installs_by_deno
  check "deno install --force brings it up to date" installs_by_deno --force
  check "ssh reaches the demo through that fragment" reaches_by_fragment
  check "ssh reaches the demo through the shim that deno install made" reaches_by_shim
  check "deno uninstall takes it away" uninstalls_by_deno
  check "deno task demo ends with Ctrl-C" ends_demo
  check "the demo leaves no process and no folder" leaves_nothing
else
  skip "the demo and deno install -g" "ssh is not installed"
fi

count
