/**
 * Parses addresses. The errors have no suggestions for mistyped addresses: those are in target.ts, which only failures need.
 *
 * @module
 */

import { lowerAscii } from "../core/text.ts";
import { invalidAddress } from "./form.ts";
import { formNamed, FORMS, type Target } from "./forms.ts";
import { isThisMachine, THIS_MACHINE, THIS_MACHINE_TARGET } from "./this_machine.ts";

/**
 * Parses an address for a port from 0 to 2^32 − 1.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function parseAddress(address: string, port: number): Target {
  if (isThisMachine(address)) return THIS_MACHINE_TARGET;
  const { form: name, separator, rest } = splitAddress(address);
  const form = separator === "" ? undefined : formNamed(name);
  if (form === undefined) throw invalidAddress(address, "not an address", `an address is ${usages()}`);
  if (form.hasThisMachine && isThisMachine(rest)) return THIS_MACHINE_TARGET;
  return form.parse({ address, rest, port }) as Target;
}

/** Returns the target of an address; undefined for a text that is not one. */
export function tryParseAddress(text: string, port: number): Target | undefined {
  try {
    return parseAddress(text, port);
  } catch {
    return undefined;
  }
}

/** Lists the forms of addresses for a hint. */
function usages(): string {
  const forms = FORMS.map(({ name, argument }) => `${name}/${argument}`);
  return `${forms.join(", ")} or ${THIS_MACHINE.address}`;
}

/**
 * Returns `host` with the case in which it was typed. `ssh` gives a ProxyCommand `%h` in lower case, and `%n` (since
 * OpenSSH 8.1) as it was typed. If the two differ in more than case, `%n` is an alias and `%h` counts.
 */
export function restoreCase(host: string, typed: string | undefined): string {
  if (typed === undefined || typed === host || lowerAscii(typed) !== lowerAscii(host)) return host;
  const { form: name, separator, rest } = splitAddress(host);
  const form = formNamed(name);
  if (!form?.keepsCase || form.hasThisMachine && isThisMachine(rest)) return host;
  return name + separator + typed.slice(name.length + separator.length);
}

/** Splits an address at its first `/` or `%`. Searches by hand, because a RegExp costs start-up time. */
export function splitAddress(address: string): { form: string; separator: string; rest: string } {
  const [slash, percent] = [address.indexOf("/"), address.indexOf("%")];
  const at = slash === -1 || percent !== -1 && percent < slash ? percent : slash;
  if (at === -1) return { form: "", separator: "", rest: address };
  return { form: address.slice(0, at), separator: address.charAt(at), rest: address.slice(at + 1) };
}
