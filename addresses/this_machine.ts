/**
 * `.host`: this machine's own sshd. It is the one address without a separator.
 *
 * @module
 */

import { lowerAscii } from "../core/text.ts";
import type { UnixTarget } from "./unix.ts";

/** The address, and its description for `--help`. */
export const THIS_MACHINE = { address: ".host", brief: "this machine's own sshd (systemd 256 and later)" };

/** The socket on which systemd-ssh-generator (systemd 256 and later) has this machine's sshd listen. */
export const THIS_MACHINE_TARGET: UnixTarget = { kind: "unix", path: "/run/ssh-unix-local/socket" };

/** Returns whether `name` is `.host`, in any case. */
export function isThisMachine(name: string): boolean {
  return name.length === THIS_MACHINE.address.length && lowerAscii(name) === THIS_MACHINE.address;
}
