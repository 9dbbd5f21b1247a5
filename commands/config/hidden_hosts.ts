/**
 * Finds new aliases that hide a host of the same name: ssh reached it until now, and connects to the alias's address from
 * now on.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { decodeLatin1, escapeForTerminal } from "../../core/text.ts";
import { isProxyInvocation } from "../../proxy/invocation.ts";
import type { Alias } from "../ssh/alias.ts";
import { destinationIn } from "../ssh/destination.ts";
import { type EffectiveConfig, effectiveConfig, isResolved } from "../ssh/effective_config.ts";
import { configBlocks, shortened } from "./bare_host_names.ts";
import { isKnownHost } from "./known_hosts.ts";
import { type ConfigLocation, dropInPath } from "./location.ts";

/** A message for a person, and what to do about it. */
export interface Warning {
  readonly message: string;
  readonly hint: string;
}

/** A name that nobody has: what ssh would do for it, it does for every host. */
const UNUSED_NAME = "deno-ssh-proxy-unused-name";

/** Returns a warning for each alias that is to be printed and whose name is this machine's or an IP address. */
export function reservedNameWarnings(aliases: readonly Alias[]): Warning[] {
  return aliases.flatMap((alias) => warningFor(alias, reserved(alias.name), ""));
}

/** What ssh and the resolver of this system know of names, each with how. */
export type KnownNames = ReadonlyMap<string, string>;

/** Asks ssh and the resolver of this system for the names of `aliases`, which must not be installed yet. */
export async function findKnownNames(aliases: readonly Alias[]): Promise<KnownNames> {
  const all = aliases.map(async (alias) => [alias.name, await asSshHas(alias)] as const);
  return new Map((await Promise.all(all)).flatMap(([name, reason]) => reason === undefined ? [] : [[name, reason]]));
}

/** Returns a warning for each alias that hides a host of the files in `location`, or one of `known`. */
export async function hiddenHostWarnings(
  aliases: readonly Alias[],
  location: ConfigLocation,
  known: KnownNames = new Map(),
): Promise<Warning[]> {
  const all = aliases.map(async (alias) => {
    const { name } = alias;
    const reason = reserved(name) ?? hostBlock(alias, location) ?? await knownHost(name, location) ?? known.get(name);
    return warningFor(alias, reason);
  });
  return (await Promise.all(all)).flat();
}

function warningFor(
  alias: Alias,
  reason: string | undefined,
  undo = `; to undo: deno-ssh-proxy config --uninstall --alias ${alias.name}`,
): Warning[] {
  if (reason === undefined) return [];
  const { name, address } = alias;
  return [{
    message: `warning: alias ${name}: it hides a host of that name: ${reason}`,
    hint: `ssh ${name} connects to ${escapeForTerminal(address)} instead${undo}`,
  }];
}

function reserved(name: string): string | undefined {
  if (/^(?:.*\.)?localhost\.?$/i.test(name)) return "it is this machine's";
  return /^[0-9]+(?:\.[0-9]+){0,3}$/.test(name) ? "it is an IP address" : undefined;
}

/** Tells of a `Host` line with the name itself, unless its `HostName` is the address of an alias to be made of it. */
function hostBlock({ name }: Alias, location: ConfigLocation): string | undefined {
  const block = configBlocks(location).find(({ patterns, hostName, file }) =>
    patterns.includes(name) && file !== dropInPath(location) && !isProxyInvocation([hostName?.value ?? ""])
  );
  return block?.file &&
    `${escapeForTerminal(shortened(block.file, location.home), Infinity)} line ${block.line} is for it`;
}

async function knownHost(name: string, { directory, home }: ConfigLocation): Promise<string | undefined> {
  if (home === undefined) return undefined;
  for (const file of ["known_hosts", "known_hosts2"]) {
    let text: string;
    try {
      // A pipe would be waited for.
      if (!Deno.statSync(`${directory}/${file}`).isFile) continue;
      text = decodeLatin1(Deno.readFileSync(`${directory}/${file}`));
    } catch {
      continue;
    }
    if (await isKnownHost(text, name)) return `~/.ssh/${file} has its host key`;
  }
  return undefined;
}

/** Tells of what ssh would do for the name and for no other, and of what the system's resolver knows of it. */
async function asSshHas(alias: Alias): Promise<string | undefined> {
  const { name } = alias;
  try {
    const [one, other] = await Promise.all([effectiveConfig(name), effectiveConfig(UNUSED_NAME)]);
    const reason = ofItsOwn(one, other, alias);
    return reason ?? (await isResolved(name) ? "this system resolves it" : undefined);
  } catch (thrown) {
    if (thrown instanceof ProxyError) return undefined;
    throw thrown;
  }
}

function ofItsOwn(one: EffectiveConfig, other: EffectiveConfig, { name, address }: Alias): string | undefined {
  const hostName = one.options.get("hostname") ?? name;
  const isAll = other.options.get("hostname") !== other.host;
  if (hostName !== name.toLowerCase() && hostName !== name && !isAll && !isProxyInvocation([hostName])) {
    return `ssh has HostName ${escapeForTerminal(hostName)} for it`;
  }
  for (const [option, spelling] of [["proxyjump", "ProxyJump"], ["proxycommand", "ProxyCommand"]] as const) {
    const value = one.options.get(option);
    if (value === undefined || value === other.options.get(option) || destinationIn(one).address === address) continue;
    return `ssh has ${spelling} ${escapeForTerminal(value)} for it`;
  }
  return undefined;
}
