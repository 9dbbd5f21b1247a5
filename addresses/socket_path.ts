/**
 * The path of an AF_UNIX socket in an address.
 *
 * @module
 */

import { type AddressText, invalidAddress } from "./form.ts";

/** A port behind the socket at a path, in an address of the form `kind`. */
export interface PortOfSocket {
  readonly kind: string;
  readonly path: string;
  readonly port: number;
}

/**
 * Parses the rest of an address as a path. One that begins with neither `/` nor `./` gets a `/` before it.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function parsePath({ address, rest }: AddressText): string {
  if (rest === "") throw invalidAddress(address, "it has no path", "write the socket's path after the first '/'");
  // Deno replaces argument bytes that are not UTF-8 with U+FFFD, so a path with one is not the path that was typed.
  if (!rest.isWellFormed() || rest.includes("\0") || rest.includes("\uFFFD")) {
    throw invalidAddress(address, "its path cannot be used", "a path may hold any UTF-8 text but a NUL");
  }
  return isWhole(rest) ? rest : `/${rest}`;
}

/** Returns the shortest text that {@linkcode parsePath} parses as `path`. */
export function shortPath(path: string): string {
  return path.startsWith("/") && path.length > 1 && !isWhole(path.slice(1)) ? path.slice(1) : path;
}

/** Returns whether a path is taken as it is. */
function isWhole(path: string): boolean {
  return path.startsWith("/") || path.startsWith("./");
}
