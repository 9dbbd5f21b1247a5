/**
 * Recognises addresses that `ssh` does not take as a host name.
 *
 * @module
 */

import { aliasCommand } from "./alias.ts";

/**
 * Returns whether `ssh` refuses `address` as a host name, or takes it for something else: it has a character that OpenSSH 9.6 and
 * later refuse (the comma since 10.0), an `@`, which ends a user's name, or a `!`, which the drop-in leaves out. For those of
 * {@linkcode hasPattern}, it refuses the server's host key.
 */
export function needsAlias(address: string): boolean {
  // deno-lint-ignore no-control-regex
  return /['"`$\\;&<>|(){},@!\s\x00-\x1f\x7f\uFFFD]/.test(address) || hasPattern(address);
}

/** Returns whether `address` has a character of known_hosts patterns, for which `ssh` takes no key (sshconnect.c, check_host_key). */
export function hasPattern(address: string): boolean {
  return /[?*#[\]]/.test(address);
}

/** Returns a hint with the command that makes an alias of `address`; undefined if it needs or can have none. */
export function aliasHint(address: string, port = "22"): string | undefined {
  if (!needsAlias(address)) return undefined;
  const command = aliasCommand("NAME", address, port);
  return command && `ssh does not take this address as a host name; give it a name: ${command}`;
}
