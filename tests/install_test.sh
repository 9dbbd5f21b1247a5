#!/bin/sh
# The installer in a throw-away prefix with a space and a quote in its name: installs twice, proves that it works or says
# why it cannot, runs, is refused where it must be, and leaves nothing behind. Then the same with no installer: the demo,
# and deno install -g. Prints one line a check, and how many there were.
set -u
root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
folder=$(mktemp -d) || exit 1
child=
clean_up() {
  [ -z "$child" ] || { kill "$child" && wait "$child"; } 2>/dev/null
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
# What is begun here and not cleaned up is left in here, or names it in its arguments.
mkdir "$folder/tmp" || exit 1
export TMPDIR="$folder/tmp"
prefix="$folder/it's a prefix"
log=$folder/log
passed=0
failed=0
skipped=0

skip() { # skip SENTENCE REASON
  skipped=$((skipped + 1))
  echo "skipped: $1: $2"
}

check() { # check SENTENCE COMMAND ARGUMENT…
  sentence=$1
  shift
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok: $sentence"
  else
    failed=$((failed + 1))
    echo "FAILED: $sentence"
    cat "$log"
  fi
}

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

# What is there, and whose, to compare.
state_of() { # state_of FOLDER
  (cd "$1" && find . -exec ls -ldn {} + | sort)
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

refuses_open_deno() {
  mkdir "$folder/deno" || return 1
  real=$(deno eval 'console.log(Deno.execPath())')
  cp "$real" "$folder/deno/deno"
  mkdir "$folder/denied"
  for place in "$folder/deno/deno" "$folder/deno"; do
    chmod o+w "$place"
    PATH=$folder/deno:$PATH refuses "$place: everybody may write to it" "$folder/denied" --prefix "$folder/denied" ||
      return 1
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
  cat >"$folder/groups/getent" <<'END'
#!/bin/sh
[ "$*" != "group 54321" ] || echo "ours:x:54321:$MEMBERS"
END
  chmod +x "$folder/groups/getent"
  for members in '' root; do
    PATH=$folder/groups:$PATH MEMBERS=$members "$root/install.sh" --no-proof --prefix "$folder/umask" \
      >"$folder/empty" 2>&1 && ! grep warning "$folder/empty" || return 1
  done
  PATH=$folder/groups:$PATH MEMBERS=root,daemon prints "warning" "$root/install.sh" --no-proof --prefix "$folder/umask" ||
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
    [ "$(grep -c "    $hello .* ([0-9]* ms)\$" "$folder/printed")" = 2 ]
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

# Every program that is on PATH but for one.
without() { # without PROGRAM
  mkdir "$folder/without"
  # What is there already stays: the first on PATH wins here too.
  (IFS=: && for place in $PATH; do ln -s "$place"/* "$folder/without/"; done) 2>/dev/null
  rm -f "$folder/without/$1"
}

says_that_ssh_is_missing() {
  without ssh
  prints "The proof was skipped: there is no ssh" env PATH="$folder/without" "$root/install.sh" --prefix "$prefix" &&
    grep -F openssh-client "$folder/printed"
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
  [ $? = 1 ] && cat "$folder/printed" && grep -F "release/payload.sh: the program cannot be bundled" "$folder/printed" &&
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

ends_when_interrupted() {
  (
    install_with ssh <<END
#!/bin/sh
touch "$folder/started"
exec tail -f "\$0"
END
  ) &
  child=$!
  until [ -e "$folder/started" ]; do
    kill -0 "$child" && sleep 0.1 || return 1
  done
  kill -TERM "$child"
  exits 1 wait "$child"
  status=$?
  child=
  return $status
}

installs_without_npm() {
  real=$(command -v deno)
  (
    install_with deno <<END
#!/bin/sh
case \$1 in
eval) echo "\$0" ;;
install) printf 'error: \033tcp connect error\n' >&2; exit 1 ;;
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
check "installing again is harmless, and --no-proof proves nothing" proves_nothing
check "the manual page and what shells complete with are where they are looked for, for everybody" is_looked_for
check "the installed program runs with no environment" env -i "$prefix/bin/deno-ssh-proxy" --version
check "no arguments are a usage error" exits 64 "$prefix/bin/deno-ssh-proxy"
check "an unknown form of address is a usage error" exits 64 "$prefix/bin/deno-ssh-proxy" telnet/host 22
check "a path where nothing is has an exit code of its own" exits 66 "$prefix/bin/deno-ssh-proxy" unix/no/such/socket 22
check "ssh understands the fragment" ssh -G -F "$prefix/share/deno-ssh-proxy/ssh_config" unix/run/x.sock
check "where npm cannot be reached, it says what it is needed for" says_what_bundling_needs
check "a prefix with a comma in it is refused, and nothing is made" refuses_commas
check "a prefix with a control character in it is refused, and nothing is made" refuses_control_characters
check "an unknown option is a usage error" exits 64 "$root/install.sh" --no-such-option
check "whatever the umask is, nobody else may write to what is installed" is_safe_with_any_umask
check "a folder that everybody may write to is refused, and what was there stays" refuses_open_folders
check "so it is where a link leads through one" refuses_open_folders_behind_links
check "so is a Deno that everybody may write to, and a folder that it is in" refuses_open_deno
check "in a folder like /tmp what is one's own is fine" takes_sticky_folders
check "a link under the name that a new one has for a moment is not followed" writes_through_no_links
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
check "it uninstalls" "$root/install.sh" --prefix "$prefix" --uninstall
check "nothing is left behind" test ! -e "$prefix"
check "uninstalling again is harmless" "$root/install.sh" --prefix "$prefix" --uninstall

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

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
