/**
 * Destinations as people type them: an address with or without a user, or an alias that `ssh` knows.
 *
 * @module
 */

import { parsePort } from "../../addresses/target.ts";
import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { isProxyInvocation } from "../../proxy/invocation.ts";
import type { Argument } from "../command.ts";
import { hintForWords } from "./hint.ts";
import { type EffectiveConfig, effectiveConfig, isOurs, ownCommand } from "./effective_config.ts";

/** An address and its port. */
export interface Destination {
  readonly address: string;
  readonly port: string;
}

/** The arguments of a command about one address. */
export const ADDRESS_AND_PORT: readonly Argument[] = [
  { name: "ADDRESS", brief: "what ssh would be given as its host, or an alias of it", example: "vsock/42" },
  { name: "PORT", brief: "the vsock port (default 22, or that of the alias)", optional: true },
];

/** Returns the destination of an address. */
export function addressDestination(address: string, port = "22"): Destination {
  return { address, port };
}

/** Removes the user from `typed`, as `ssh` does: all before the last `@`, unless that is in a path. */
export function withoutUser(typed: string): string {
  const [, rest] = /^(?:[^/%@]+@)+(.+)$/s.exec(typed) ?? [];
  return rest ?? typed;
}

/**
 * Returns whether `typed` can be an alias: it has no separator, is not `.host`, and does not begin with a dash.
 */
export function isAliasName(typed: string): boolean {
  return !isProxyInvocation([typed]) && /^[\w.][\w.-]*$/.test(typed);
}

/**
 * Asks `ssh` for the address and the port of an alias. `config --alias` has the address in the ProxyCommand, and a `HostName`
 * of the user's can be one.
 *
 * @throws {ProxyError} of kind `usage` if the name is not an alias of an address
 */
export async function resolveAlias(name: string, port: string | undefined): Promise<Destination> {
  if (port !== undefined) parsePort(port, name);
  const effective = await effectiveConfig(name, port);
  const destination = destinationIn(effective);
  if (isProxyInvocation([destination.address])) return destination;
  throw new ProxyError("usage", `'${escapeForTerminal(name)}': neither an address nor a name that ssh has for one`, {
    hint: hintForWords([name]) ?? "deno-ssh-proxy list shows addresses, and config --install --alias gives one a name",
  });
}

/** Returns the destination in a ProxyCommand of this program, or else the host name and its port. */
export function destinationIn(
  { proxyCommand = "", options }: Pick<EffectiveConfig, "proxyCommand" | "options">,
): Destination {
  const byName = { address: options.get("hostname") ?? "", port: options.get("port") ?? "22" };
  if (!isOurs(proxyCommand)) return byName;
  const rest = proxyCommand.slice(ownCommand().length + 1);
  // Two words as quoteForConfig() writes them.
  const [, address = "", port = ""] = /^((?:'[^']*'|\\.|[^'\\ ])+) (\S+)/s.exec(rest) ?? [];
  return {
    address: unquoted(address) === "%h" ? byName.address : unquoted(address).replaceAll("%%", "%"),
    port: unquoted(port) === "%p" ? byName.port : port,
  };
}

function unquoted(word: string): string {
  return word.replace(/'([^']*)'|\\(.)/gs, "$1$2");
}
