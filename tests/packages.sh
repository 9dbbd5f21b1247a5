#!/bin/sh
# Installs the packages of Debian that the tests need and this machine lacks, if root runs it. Says before it begins which
# ones, and how much they are. Starts no service, and leaves none enabled that was not.
set -eu

missing=
# need PACKAGE COMMAND [ARGUMENT]…: the package is there if the command succeeds.
need() {
  package=$1
  shift
  "$@" >/dev/null 2>&1 || missing="$missing $package"
}
has() { # has COMMAND
  command -v "$1"
}

PATH=$PATH:/usr/sbin
need shellcheck has shellcheck
need busybox-static has busybox
need acl has setfacl
# Debian's, which are of the same version as its cargo. There is no clippy for cargo-web.
if [ "$(readlink -f "$(command -v cargo)")" != /usr/bin/cargo ]; then :
elif dpkg-query -W cargo-web; then need rustfmt-web has cargo-fmt
else
  need rustfmt has cargo-fmt
  need rust-clippy has cargo-clippy
fi >/dev/null 2>&1
need gcc has cc
need binutils has nm
need openssh-client has ssh
need openssh-server has sshd
need socat has socat
need rsync has rsync
need dropbear-bin has dbclient
need putty-tools has plink
# Debian's Python, which another one may be before on PATH.
need python3-paramiko /usr/bin/python3 -c 'import paramiko'
need python3-asyncssh /usr/bin/python3 -c 'import asyncssh'
# Makes the directory in which tests/ssh_config has packages of PyPI.
need python3-venv /usr/bin/python3 -c 'import ensurepip'
need libssh-dev cc -E -include libssh/libssh.h -x c /dev/null
need ruby-net-ssh ruby -e 'require "net/ssh"'
need golang-go has go
need golang-github-kevinburke-ssh-config-dev test -d /usr/share/gocode/src/github.com/kevinburke/ssh_config
need strace has strace
need bubblewrap has bwrap
need valgrind has valgrind
need mandoc has mandoc
need zsh has zsh
need fish has fish
need patch has patch
need tmux has tmux
need lintian has lintian
need mmdebstrap has mmdebstrap
if [ "$(uname -m)" = x86_64 ]; then
  need qemu-system-x86 has qemu-system-x86_64
  need e2fsprogs has mke2fs
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "Tests that need these packages are skipped; only root, on Debian, can have them installed:$missing"
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
work=$(mktemp -d)
policy=/usr/sbin/policy-rc.d
clean_up() {
  rm -rf "$work"
  [ -z "$own_policy" ] || rm -f "$policy"
}
own_policy=
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# The links that start something with the system.
enabled() {
  find /etc/systemd/system /etc/systemd/user /etc/rc[0-9S].d -type l ! -name 'K*' 2>/dev/null | sort
}

set -- apt-get install --no-install-recommends
echo "The tests need packages of Debian that this machine lacks (./tests/run.sh quick needs none of them):"
apt-get update -qq >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
# shellcheck disable=SC2086 # a list of words
"$@" --assume-no $missing >"$work/plan" 2>&1 || true
# Versions of apt-get have different words.
grep -E '^[0-9]+ upgraded|^Need to get|^After this operation|[Ii]nstalling: [0-9]|Download size|Space needed' "$work/plan" |
  sed 's/^ */  /' || { cat "$work/plan"; exit 1; }
printf ' %s' "$missing" | fold -s -w 100 | sed 's/^ */  /'
echo

# Starts none of their services, such as sshd on the network.
if [ ! -e "$policy" ]; then
  own_policy=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
enabled >"$work/before"
if [ -t 0 ] && [ -t 1 ]; then
  # apt-get asks.
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=readline "$@" $missing || echo "Tests that need them are skipped."
else
  # shellcheck disable=SC2086
  "$@" --yes -qq -o Dpkg::Use-Pty=0 $missing >"$work/log" 2>&1 || { tail -n 5 "$work/log"; exit 1; }
fi
enabled | comm -13 "$work/before" - | while IFS= read -r link; do rm -f "$link"; done
echo "apt-get purge --autoremove takes them away again, with those names; no service of theirs was started or enabled."
