/**
 * Command lines, and the script that each needs: the one table for everything that tells addresses from commands. That is the
 * starter (rust/starter/src/invocation.rs), `isProxyForm` for a program that runs without it, and release/standalone.js.
 *
 * @module
 */

/** The scripts of the program. */
export type Script = "direct" | "proxy" | "cli";

export const COMMAND_LINES: readonly (readonly [words: readonly string[], script: Script])[] = [
  [["unix/s", "22"], "direct"],
  [["unix/s", "22", "--as-typed", "unix/S"], "direct"],
  [["unix/s", "22", "--relay"], "direct"],
  [["Unix%s", "22"], "direct"],
  [["vsock%42", "22", "--as-typed", "vsock%42"], "direct"],
  [["VSOCK%42", "22"], "direct"],
  [["vsock/42", "22", "--timeout", "1"], "direct"],
  [["vsock-mux%s", "22"], "direct"],
  [[".host", "22"], "direct"],
  [[".HOST", "22"], "direct"],
  [["telnet/x", "22"], "direct"],
  [["machinery/x", "22"], "direct"],
  [["/", "22"], "direct"],
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
