#!/bin/sh
# Gets what bench/ measures beside this program, where it is not there yet and this may: socat, ncat and nc as packages of
# this system, and systemd-ssh-proxy out of a newer Debian, into build/bench/systemd. What is missing afterwards is left
# out by the benchmarks, which say so.
set -eu

root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
folder=$root/build/bench/systemd
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0

missing=
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null || missing="$missing $2"
}
need socat socat
need ncat ncat
need nc.openbsd netcat-openbsd
need sshd openssh-server
[ -e "$folder" ] || need mmdebstrap mmdebstrap
if [ -n "$missing" ]; then
  apt-get update -qq
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi
[ ! -e "$folder" ] || exit 0

mkdir -p "${folder%/*}"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' HUP INT TERM
# mmdebstrap mounts /proc, /sys and devices in what it makes. Where that can be hidden, nobody else sees it, least of all
# rm; in a chroot it cannot.
apart=
if unshare --mount true 2>/dev/null; then apart='unshare --mount'; fi
# With the libraries that it needs. What has been testing's index for a while reads as expired.
$apart mmdebstrap --quiet --variant=extract --include=systemd --aptopt='Acquire::Check-Valid-Until "false"' forky "$work"
chmod 755 "$work"
mv "$work" "$folder"
