/**
 * Addresses and targets: parses a host name and a port of an ssh command line, and formats a target as an address.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import { parseUint32 } from "../core/numbers.ts";
import { escapeForTerminal } from "../core/text.ts";
import type { AnyTarget } from "./form.ts";
import { formNamed, formOf, isSocketTarget, type Target } from "./forms.ts";
import { parseAddress, splitAddress, tryParseAddress } from "./parse.ts";
import { suggestAddress } from "./suggest.ts";

/**
 * Parses a host name and a port as they stand on an `ssh` command line.
 *
 * The first `/` of `host` can be a `%` instead, for `scp` and `rsync`, which take a name with a `/` for a path. The words
 * of an address can be in any case, because `ssh` lower-cases a name only if it has no `%`. The port of an AF_UNIX socket
 * has no meaning, but must be a port.
 *
 * @throws {ProxyError} of kind `usage` if `host` is not an address or `port` is not a port
 */
export function parseTarget(host: string, port: string): Target {
  for (const [what, text] of [["host", host], ["port", port]] as const) {
    if (typeof text !== "string") {
      throw new ProxyError("usage", `${what} ${escapeForTerminal(Deno.inspect(text))}: not text`, {
        hint: "it must be a string",
      });
    }
  }
  const number = parsePort(port, host);
  try {
    return parseAddress(host, number);
  } catch (thrown) {
    const hint = thrown instanceof ProxyError
      ? suggestAddress(host, isAddress) ?? cidAsPortHint(host, port)
      : undefined;
    throw hint === undefined ? thrown : new ProxyError("usage", (thrown as ProxyError).message, { hint });
  }
}

/**
 * Parses the port for the address `host`, or for an alias of one.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function parsePort(port: string, host: string): number {
  const number = parseUint32(port);
  if (number !== undefined) return number;
  const { highestPort = 2 ** 32 - 1 } = formNamed(splitAddress(host).form) ?? {};
  throw new ProxyError("usage", `port '${escapeForTerminal(port)}': not a port`, {
    hint: `a port is a decimal number from 0 to ${highestPort}`,
  });
}

/** Returns a hint for `vsock:42`, which some programs split into a host and a port; undefined for all else. */
function cidAsPortHint(host: string, port: string): string | undefined {
  // ssh passes this port where none was given.
  if (port === "22") return undefined;
  const hint = suggestAddress(`${host}:${port}`, isAddress);
  return hint?.startsWith(`did you mean vsock/${port}?`) ? hint : undefined;
}

/** Returns whether `text` is an address. */
export function isAddress(text: string): boolean {
  return tryParseAddress(text, 0) !== undefined;
}

/** Returns whether `text` is the address of a socket, and not a name for one. */
export function isSocketAddress(text: string): boolean {
  const target = tryParseAddress(text, 0);
  return target !== undefined && isSocketTarget(target);
}

/**
 * Formats `target` as an address: with the target's port, {@linkcode parseTarget} returns the same target.
 */
export function formatTarget(target: Target): string {
  return `${target.kind}/${formOf(target).format(target)}`;
}

/** Formats `target` with its port for a message. */
export function targetLabel(target: Target): string {
  const address = escapeForTerminal(formatTarget(target));
  return formOf(target).takesPort ? `${address} port ${(target as AnyTarget).port}` : address;
}
