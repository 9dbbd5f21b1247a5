#!/bin/sh
# Prints the install.sh of a release, which is one file: that of this checkout, with each part of install/ in the place of the
# line that reads it.
set -eu
root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd)
export root
awk '
  function fail(what) {
    print "release/installer.sh: " what >"/dev/stderr"
    failed = 1
    exit 1
  }
  function put_part(file, line, whole) {
    while ((getline line <file) > 0) {
      whole = line == "# End of this part."
      if (!whole && line !~ /^# shellcheck shell=/) print line
    }
    if (!whole) fail(file ": it is missing or cut off")
    close(file)
  }
  /^# --- Only in a checkout/ { only_in_checkout = 1 }
  only_in_checkout { if (/^# --- To here/) only_in_checkout = 0; next }
  /^\. / {
    sub(/^\. "\$root/, "")
    sub(/"$/, "")
    put_part(ENVIRON["root"] $0)
    next
  }
  { print }
  END { if (!failed && only_in_checkout) fail("install.sh: it is cut off"); exit failed }
' "$root/install.sh"
