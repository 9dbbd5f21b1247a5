/**
 * What a mistyped address was meant to be. Only failures need this.
 *
 * @module
 */

import { escapeForTerminal } from "../core/text.ts";
import { editDistance } from "../core/edit_distance.ts";

const FORMS = ["unix", "vsock", "vsock-mux", "machine"];

/** An address, and what was typed with it. */
interface Meant {
  readonly address: string;
  readonly user?: string | undefined;
  readonly port?: string | undefined;
}

/**
 * Returns a hint with the address that `typed`, which is none, was most likely meant to be; undefined if there is none.
 * `isAddress` tells whether a text is one.
 */
export function suggestAddress(typed: string, isAddress: (text: string) => boolean): string | undefined {
  const [, user, rest = ""] = /^(?:ssh:\/\/)?(?:([^/%@]+)@)?(.*)$/is.exec(typed) ?? [];
  const [, start = "", port] = withoutPort(rest);
  for (const [text, itsPort] of [[start, port], [rest, undefined]] as const) {
    const address = [text, ...corrections(text)].find((one) => one !== typed && isAddress(one));
    if (address === undefined) continue;
    const hint = hintFor({ address, user, port: itsPort });
    return text.startsWith("/") ? `${hint} Or vsock-mux${escapeForTerminal(text)}, behind a multiplexer` : hint;
  }
  return undefined;
}

/** Returns a hint about the port at the end of the path in `address`; undefined if there is none. */
export function suggestWithoutPort(address: string): string | undefined {
  const [, start, port] = withoutPort(address);
  return start === undefined || start.endsWith("/") ? undefined : hintFor({ address: start, port });
}

/** Splits `text` at a last colon that a number follows. */
function withoutPort(text: string): RegExpExecArray | [] {
  return /^(.+):([0-9]{1,10})$/s.exec(text) ?? [];
}

/** The addresses that `text` may have been, the likeliest first. */
function corrections(text: string): string[] {
  if (/^[0-9]+$/.test(text)) return [`vsock/${text}`];
  if (text.startsWith("/")) return [`unix${text}`];
  if (/^\.\.?\//.test(text)) return [`unix/${text.startsWith("./") ? "" : "./"}${text}`];
  const [, word, rest] = /^([a-z_-]{2,12})[:/%]\/*(.+)$/is.exec(text) ?? [];
  if (word === undefined) return [];
  const near = FORMS.map((form) => ({ form, far: editDistance(word.toLowerCase(), form) }))
    .filter(({ form, far }) => far <= (form.length > 4 ? 2 : 1))
    .sort((one, other) => one.far - other.far);
  return near.map(({ form }) => `${form}/${rest}`);
}

function hintFor({ address, user, port }: Meant): string {
  const shown = escapeForTerminal(address);
  const takesPort = !/^(?:unix[/%]|\.host$)/i.test(address);
  const words = port !== undefined && takesPort ? `${shown} ${port}` : shown;
  const meant = `did you mean ${words}?`;
  if (user === undefined && port === undefined) return meant;
  if (user === undefined && !takesPort) return `${meant} It has no port`;
  const flags = port !== undefined && takesPort ? `-p ${port} ` : "";
  return `${meant} With ssh: ssh ${flags}${user === undefined ? "" : `${escapeForTerminal(user)}@`}${shown}`;
}
