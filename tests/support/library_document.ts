/**
 * What docs/library.md shows: a program, and the command line that starts it.
 *
 * @module
 */

import { CHECKOUT } from "../../tools/checkout.ts";

const text = Deno.readTextFileSync(`${CHECKOUT}/docs/library.md`);

/** The program. */
export const PROGRAM: string = shown(/\n```ts\n([^]*?\n)```\n/);

/** The command line. */
export const COMMAND: string = shown(/\n {4}\$ (deno run .*)\n/);

/** Where the native library is in both. */
export const LIBRARY: string = shown(/\nconst library = "(.*)";\n/);

/** `text` with what it says of these places replaced: each is to be there. */
export function replaced(text: string, places: readonly (readonly [from: string, to: string])[]): string {
  for (const [from, to] of places) {
    if (!text.includes(from)) throw new Error(`docs/library.md does not say '${from}'`);
    text = text.replaceAll(from, () => to);
  }
  return text;
}

function shown(pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`docs/library.md has nothing that is ${pattern}`);
  return found;
}
