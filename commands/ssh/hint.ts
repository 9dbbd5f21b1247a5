/**
 * Hints for words that are neither a command nor an address.
 *
 * @module
 */

import { suggestAddress } from "../../addresses/suggest.ts";
import { isAddress } from "../../addresses/target.ts";

/** Returns a hint for a first word that is neither a command nor an address; undefined if there is none. */
export function hintForWords([first = "", second]: readonly string[]): string | undefined {
  if (first === "install" || first === "uninstall") return `did you mean config --${first}?`;
  return suggestAddress(first, isAddress) ??
    (second === undefined ? undefined : suggestAddress(`${first}:${second}`, isAddress));
}
