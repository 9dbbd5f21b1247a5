/**
 * Suggests an address for a mistyped one.
 *
 * @module
 */

import { editDistance } from "../core/edit_distance.ts";
import { escapeForTerminal } from "../core/text.ts";
import { formNamed, FORMS } from "./forms.ts";
import { formatSuggestion, portInPathHint, splitPort } from "./port_hint.ts";

/**
 * Returns a hint with the address that `typed`, which is not one, most likely stands for; undefined if there is none.
 * `isAddress` returns whether a text is an address.
 */
export function suggestAddress(typed: string, isAddress: (text: string) => boolean): string | undefined {
  const [, user, rest = ""] = /^(?:ssh:\/\/)?(?:([^/%@]+)@)?(.*)$/is.exec(typed) ?? [];
  const { start, port } = splitPort(rest);
  for (const [text, itsPort] of [[start, port], [rest, undefined]] as const) {
    const address = [text, ...corrections(text)].find((one) => one !== typed && isAddress(one));
    if (address === undefined) continue;
    const hint = formatSuggestion({ address, takesPort: takesPort(address), user, port: itsPort });
    return text.startsWith("/") ? `${hint} Or vsock-mux${escapeForTerminal(text)}, behind a multiplexer` : hint;
  }
  return undefined;
}

/** Returns a hint about the port at the end of an address; undefined if there is none. */
export function suggestWithoutPort(address: string): string | undefined {
  return portInPathHint(address, takesPort(address));
}

/** Returns whether an address has a port. `.host` has none. */
function takesPort(address: string): boolean {
  return formNamed(/^[^/%]*/.exec(address)![0])?.takesPort ?? false;
}

/** A word that can be a mistyped name of a form, a separator or a colon, and the rest. */
const MISTYPED = new RegExp(
  `^([a-z0-9_-]{2,${Math.max(...FORMS.map(({ name }) => name.length)) + 3}})[:/%]/*(.+)$`,
  "is",
);

/** Returns the addresses that `text` can stand for, the likeliest first. */
function corrections(text: string): string[] {
  const guesses = FORMS.flatMap((form) => form.guess?.(text) ?? []);
  if (guesses.length > 0) return guesses;
  const [, word, rest] = MISTYPED.exec(text) ?? [];
  if (word === undefined) return [];
  const near = FORMS.map(({ name }) => ({ name, far: editDistance(word.toLowerCase(), name) }))
    .filter(({ name, far }) => far <= (name.length > 4 ? 2 : 1))
    .sort((one, other) => one.far - other.far);
  return near.map(({ name }) => `${name}/${rest}`);
}
