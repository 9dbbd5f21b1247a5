/**
 * Hints for addresses with a port behind a colon, which an address does not have.
 *
 * @module
 */

import { escapeForTerminal } from "../core/text.ts";

/** An address, and what was typed with it. */
export interface Suggestion {
  readonly address: string;
  /** Whether the address's form has a port. */
  readonly takesPort: boolean;
  readonly user?: string | undefined;
  readonly port?: string | undefined;
}

/** Returns a hint that names the address, with the command lines that take its user and port. */
export function formatSuggestion({ address, takesPort, user, port }: Suggestion): string {
  const shown = escapeForTerminal(address);
  const words = port !== undefined && takesPort ? `${shown} ${port}` : shown;
  const meant = `did you mean ${words}?`;
  if (user === undefined && port === undefined) return meant;
  if (user === undefined && !takesPort) return `${meant} It has no port`;
  const flags = port !== undefined && takesPort ? `-p ${port} ` : "";
  return `${meant} With ssh: ssh ${flags}${user === undefined ? "" : `${escapeForTerminal(user)}@`}${shown}`;
}

/** Returns a hint about the port at the end of the path in `address`; undefined if there is none. */
export function portInPathHint(address: string, takesPort: boolean): string | undefined {
  const { start, port } = splitPort(address);
  return port === undefined || start.endsWith("/") ? undefined : formatSuggestion({ address: start, takesPort, port });
}

/** Splits `text` at its last colon, if a number follows. */
export function splitPort(text: string): { start: string; port: string | undefined } {
  const [, start, port] = /^(.+):([0-9]{1,10})$/s.exec(text) ?? [];
  return start === undefined ? { start: "", port: undefined } : { start, port };
}
