/**
 * Formats the change of a file as `diff -u` does.
 *
 * @module
 */

import { structuredPatch, type StructuredPatchHunk } from "diff";

/** The unchanged lines around a change. */
const CONTEXT = 3;

/**
 * Formats the difference between two versions of the file at `path`; undefined is a version without the file. Returns an
 * empty text if the two are equal.
 */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return "";
  const { hunks } = structuredPatch(path, path, before ?? "", after ?? "", undefined, undefined, { context: CONTEXT });
  const head = `--- ${before === undefined ? "/dev/null" : path}\n+++ ${after === undefined ? "/dev/null" : path}\n`;
  return head + hunks.map(format).join("");
}

/** Formats a hunk. In a version of which it has no line, the line before it counts. */
function format({ oldStart, oldLines, newStart, newLines, lines }: StructuredPatchHunk): string {
  const range = (start: number, count: number) =>
    count === 1 ? `${start}` : `${count === 0 ? start - 1 : start},${count}`;
  return `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@\n${lines.join("\n")}\n`;
}
