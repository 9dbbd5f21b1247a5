/**
 * The scripts in docs/permissions.md that keep the whole program in.
 *
 * @module
 */

import { CHECKOUT } from "../../tools/checkout.ts";

/** The script below `heading`, with what it says of these places replaced: each is to be there. */
export function script(heading: string, places: readonly (readonly [from: string, to: string])[]): string {
  const text = Deno.readTextFileSync(`${CHECKOUT}/docs/permissions.md`);
  const below = text.split(`\n### ${heading}\n`)[1]?.split(/\n##/)[0];
  let block = below?.split("\n```sh\n")[1]?.split("\n```\n")[0];
  if (block === undefined) throw new Error(`docs/permissions.md has no script for '${heading}'`);
  for (const [from, to] of places) {
    if (!block.includes(from)) throw new Error(`'${from}' does not stand in the script for '${heading}'`);
    block = block.replace(from, () => to);
  }
  return `${block}\n`;
}
