/**
 * Modes and owners as ls(1) shows them.
 *
 * @module
 */

import { escapeForTerminal } from "../../core/text.ts";

/** Types of files by their bits in a mode (inode(7)). */
const TYPES: Readonly<Record<number, string>> = {
  0o010000: "p",
  0o020000: "c",
  0o040000: "d",
  0o060000: "b",
  0o100000: "-",
  0o120000: "l",
  0o140000: "s",
};

/** A mode as text: `srw-rw----`. */
export function modeText(mode: number): string {
  let text = TYPES[mode & 0o170000] ?? "?";
  // For the owner, the group and all others; each has a special bit, which is shown in the place of the x.
  for (const [shift, special, letter] of [[6, 0o4000, "s"], [3, 0o2000, "s"], [0, 0o1000, "t"]] as const) {
    const bits = mode >> shift;
    const x = (bits & 1) !== 0;
    text += `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}`;
    text += mode & special ? (x ? letter : letter.toUpperCase()) : (x ? "x" : "-");
  }
  return text;
}

/** `user:group`, by name where this machine's own files have one. */
export function ownerText(uid: number, gid: number): string {
  return `${nameOf("/etc/passwd", uid)}:${nameOf("/etc/group", gid)}`;
}

/** The name that `file` (passwd(5), group(5)) has for a number; the number itself where it has none. */
function nameOf(file: "/etc/passwd" | "/etc/group", id: number): string {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch {
    // It is not there, or Deno may not read it.
    return String(id);
  }
  const fields = text.split("\n").map((line) => line.split(":"));
  return escapeForTerminal(fields.find(([, , number]) => number === String(id))?.[0] ?? String(id), 32);
}
