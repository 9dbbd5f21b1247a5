/**
 * Names for copies of files that somebody can have edited. No copy is ever overwritten.
 *
 * @module
 */

import { directoryOf, equal, readSnapshot } from "./replace.ts";

/** A name for a copy of some bytes. */
export interface CopyName {
  readonly path: string;
  /** Whether a copy with these bytes has this name. */
  readonly isTaken: boolean;
}

/**
 * Returns the name for a copy of `bytes`: the first of `path`, `path.1`, `path.2` and so on that is free or has these bytes.
 *
 * @param first The first number: 0 is `path` itself.
 * @throws {ProxyError} if a copy cannot be read
 */
export function nameForCopy(path: string, bytes: Uint8Array, first = 0): CopyName {
  for (let number = first;; number++) {
    const name = number === 0 ? path : `${path}.${number}`;
    const there = readSnapshot(name)?.bytes;
    if (there === undefined || equal(there, bytes)) return { path: name, isTaken: there !== undefined };
  }
}

/** Returns the paths of the copies that {@linkcode nameForCopy} named for `path`, sorted. */
export function copiesOf(path: string): string[] {
  const directory = directoryOf(path);
  return [...Deno.readDirSync(directory)]
    .map(({ name }) => `${directory}/${name}`)
    .filter((name) => name === path || name.startsWith(`${path}.`) && /^[0-9]+$/.test(name.slice(path.length + 1)))
    .sort();
}
