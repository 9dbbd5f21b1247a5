/**
 * Addresses that `ssh` does not take as a host name.
 *
 * @module
 */

import { aliasCommand } from "./alias.ts";

/**
 * Whether `ssh` refuses `address` as a host name, or takes it for something else: what its valid_hostname() has (OpenSSH
 * 9.6, and the comma 10.0), an `@`, before which it looks for a user, and a `!`, which the drop-in leaves out. With those of
 * {@linkcode hasPattern} it refuses the server's host key.
 */
export function needsAlias(address: string): boolean {
  // deno-lint-ignore no-control-regex
  return /['"`$\\;&<>|(){},@!\s\x00-\x1f\x7f\uFFFD]/.test(address) || hasPattern(address);
}

/** Whether `address` has a character of known_hosts patterns, under which `ssh` takes no key (sshconnect.c, check_host_key). */
export function hasPattern(address: string): boolean {
  return /[?*#[\]]/.test(address);
}

/** Returns a hint with the command that gives `address` a name; undefined if it needs none, or can have none. */
export function aliasHint(address: string, port = "22"): string | undefined {
  if (!needsAlias(address)) return undefined;
  const command = aliasCommand("NAME", address, port);
  return command && `ssh does not take this address as a host name; give it a name: ${command}`;
}
