/**
 * The list in docs/permissions.md of what a connection opens.
 *
 * @module
 */

import { CHECKOUT } from "../../tools/checkout.ts";

/** What the list has capital letters for. */
export type Places = Readonly<Record<"PREFIX" | "PROGRAM" | "DENO", string>>;

/** A line of the list. */
export interface Listed {
  /** The path as it stands there. */
  readonly path: string;
  /** When the file is opened: `always`, `sometimes`, on `some systems`, or a condition that some run fulfils. */
  readonly when: string;
}

/** The lines of the list. */
export function listedFiles(): Listed[] {
  const text = Deno.readTextFileSync(`${CHECKOUT}/docs/permissions.md`);
  const section = text.split("\n## What a connection opens\n")[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `")).map((line) => line.split("|"));
  return rows.map(([, path = "", when = ""]) => ({ path: path.trim().replaceAll("`", ""), when: when.trim() }));
}

/** Whether the line is about the file `path`. */
export function isFor({ path: listed }: Listed, path: string, places: Places): boolean {
  return pattern(listed, places).test(path);
}

/** Whether the file that the line is about may be in the folder `path`, at any depth. */
export function isUnder({ path: listed }: Listed, path: string, places: Places): boolean {
  const names = listed.split("/");
  return names.some((_, at) => at > 0 && pattern(names.slice(0, at).join("/") || "/", places).test(path)) ||
    Object.entries(places).some(([name, place]) => listed.startsWith(name) && `${place}/`.startsWith(`${path}/`));
}

function pattern(listed: string, places: Places): RegExp {
  const parts = listed.split(/(\*+|\b(?:PREFIX|PROGRAM|DENO)\b)/);
  const source = parts.map((part) =>
    part === "**" ? ".*" : part === "*" ? "[^/]*" : RegExp.escape(places[part as keyof Places] ?? part)
  );
  return new RegExp(`^${source.join("")}$`, "s");
}
