/**
 * Command lines, and the script that each needs: the one table for everything that tells addresses from commands. That is the
 * starter (rust/starter/src/invocation.rs), `isProxyInvocation` for a program that runs without it, release/standalone.js, and
 * the completions.
 *
 * @module
 */

/** What `wait` waits for, and whether it needs permission to ask `ssh` for the address. */
export const WAITS_FOR: readonly (readonly [word: string, asksSsh: boolean])[] = [
  ["unix/s", false],
  ["somebody@unix/s", false],
  ["some@body@unix/s", false],
  ["unix/run/a@b.sock", false],
  ["somebody@unix/run/a@b.sock", false],
  ["vsock%42", false],
  [".host", false],
  ["somebody@.HOST", false],
  ["db.host", true],
  ["db.hosted", true],
  [".hosted", true],
  ["somebody@db", true],
  ["machine", true],
  ["wait", true],
];

/** The scripts of the program. */
export type Script = "proxy" | "cli";

export const COMMAND_LINES: readonly (readonly [words: readonly string[], script: Script])[] = [
  [["unix/s", "22"], "proxy"],
  [["unix/s", "22", "--as-typed", "unix/S"], "proxy"],
  [["unix/s", "22", "--relay"], "proxy"],
  [["Unix%s", "22"], "proxy"],
  [["vsock%42", "22", "--as-typed", "vsock%42"], "proxy"],
  [["VSOCK%42", "22"], "proxy"],
  [["vsock/42", "22", "--timeout", "1"], "proxy"],
  [["vsock-mux%s", "22"], "proxy"],
  [[".host", "22"], "proxy"],
  [[".HOST", "22"], "proxy"],
  [["telnet/x", "22"], "proxy"],
  [["machinery/x", "22"], "proxy"],
  [["/", "22"], "proxy"],
  [["unix/s", "22", "--wait"], "proxy"],
  [["vsock-mux/s", "22", "--wait=5"], "proxy"],
  [[".host", "22", "--wait=5"], "proxy"],
  [["machine/m", "22"], "proxy"],
  [["machine%m", "22"], "proxy"],
  [["Machine%m", "22"], "proxy"],
  [["machine/.host", "22"], "proxy"],
  [["--wait", "unix/s", "22"], "proxy"],
  [["--relay", "unix/s", "22"], "proxy"],
  [["--relay=unix/s", "22"], "proxy"],
  [["--timeout", "5", "unix/s", "22"], "proxy"],
  [["--as-typed=unix/S", "unix/s", "22"], "proxy"],
  [["--as-typed"], "proxy"],
  [["machine", "22"], "cli"],
  [["db.hosted"], "cli"],
  [["host"], "cli"],
  [["config"], "cli"],
  [["check", "unix/s"], "cli"],
  [["wait", "unix/s"], "cli"],
  [["wait", "db.hosted"], "cli"],
  [["--version"], "cli"],
  [["--help"], "cli"],
  [["-V"], "cli"],
  [["--no-such-option"], "cli"],
  [[""], "cli"],
  [[], "cli"],
];
