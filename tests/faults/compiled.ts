/**
 * What the faults have in C, each compiled once.
 *
 * @module
 */

import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf, works } from "../../tools/programs.ts";

export const NO_COMPILER = works("cc", ["--version"]) ? undefined : "there is no cc here";

let built: Folder | undefined;

/** The path of the program, or with more `flags` of the library, that tests/faults/NAME.c is. */
export function compiled(name: string, ...flags: string[]): string {
  if (built === undefined) {
    built = new Folder();
    Deno.chmodSync(built.path, 0o755);
  }
  const path = built.at(name);
  try {
    Deno.statSync(path);
  } catch {
    const source = `${CHECKOUT}/tests/faults/${name}.c`;
    outputOf("cc", "-std=c11", "-Wall", "-Wextra", ...flags, "-o", path, source);
  }
  return path;
}

/** Forgets what was compiled. */
export function cleanUp(): void {
  built?.[Symbol.dispose]();
}
