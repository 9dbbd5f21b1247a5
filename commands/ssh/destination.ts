/**
 * What a person types where an address is meant: one with a user before it, or a name that `ssh` knows.
 *
 * @module
 */

import { parsePort } from "../../addresses/target.ts";
import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { isProxyInvocation } from "../../proxy/invocation.ts";
import type { Argument } from "../command.ts";
import { hintForWords } from "../help.ts";
import { type EffectiveConfig, effectiveConfig, isOurs, ownCommand } from "./effective_config.ts";

/** An address and the port to ask it for. */
export interface Destination {
  readonly address: string;
  readonly port: string;
}

/** What a command takes that is about one address. */
export const ADDRESS_AND_PORT: readonly Argument[] = [
  { name: "ADDRESS", brief: "what ssh would be given as its host, or an alias of it", example: "vsock/42" },
  { name: "PORT", brief: "the vsock port (default 22, or that of the alias)", optional: true },
];

/** The place that an address itself is. */
export function addressDestination(address: string, port = "22"): Destination {
  return { address, port };
}

/** `typed` without the user that `ssh` takes before the last `@`. In a path there may be one too. */
export function withoutUser(typed: string): string {
  const [, rest] = /^(?:[^/%@]+@)+(.+)$/s.exec(typed) ?? [];
  return rest ?? typed;
}

/**
 * Whether `typed` can only be a name of the user's own: no address is without a separator, but for `.host`, and no name
 * begins with a dash.
 */
export function isAliasName(typed: string): boolean {
  return !isProxyInvocation([typed]) && /^[\w.][\w.-]*$/.test(typed);
}

/**
 * What `ssh` has the name stand for, and which port it would ask for: `config --alias` has the address in the ProxyCommand,
 * and a `HostName` of the user's own may be one.
 *
 * @throws {ProxyError} of kind `usage` where it is no name for an address
 */
export async function resolveAlias(name: string, port: string | undefined): Promise<Destination> {
  if (port !== undefined) parsePort(port, name);
  const effective = await effectiveConfig(name, port);
  const place = destinationIn(effective);
  if (isProxyInvocation([place.address])) return place;
  throw new ProxyError("usage", `'${escapeForTerminal(name)}': neither an address nor a name that ssh has for one`, {
    hint: hintForWords([name]) ?? "deno-ssh-proxy list shows addresses, and config --install --alias gives one a name",
  });
}

/** The place that a ProxyCommand of this program, or else the host name, has in it. */
export function destinationIn(
  { proxyCommand = "", options }: Pick<EffectiveConfig, "proxyCommand" | "options">,
): Destination {
  const byName = { address: options.get("hostname") ?? "", port: options.get("port") ?? "22" };
  if (!isOurs(proxyCommand)) return byName;
  const rest = proxyCommand.slice(ownCommand().length + 1);
  // Two words as drop_in.ts quotes them.
  const [, address = "", port = ""] = /^((?:'[^']*'|\\.|[^'\\ ])+) (\S+)/s.exec(rest) ?? [];
  return {
    address: unquoted(address) === "%h" ? byName.address : unquoted(address).replaceAll("%%", "%"),
    port: unquoted(port) === "%p" ? byName.port : port,
  };
}

function unquoted(word: string): string {
  return word.replace(/'([^']*)'|\\(.)/gs, "$1$2");
}
