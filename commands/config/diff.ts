/**
 * What would change in a file, as `diff -u` shows it.
 *
 * @module
 */

/** How many lines are shown around a change. */
const CONTEXT = 3;

/** A line of either version or both. */
interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/**
 * The difference between two versions of a file, each with its path and its text, or nothing where there is no such
 * version. Empty where they are the same.
 */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  const lines = compare(linesOf(before), linesOf(after));
  if (before === after) return "";
  const head = `--- ${before === undefined ? "/dev/null" : path}\n+++ ${after === undefined ? "/dev/null" : path}\n`;
  return head + hunks(lines).join("");
}

function linesOf(text = ""): string[] {
  return text === "" ? [] : text.split(/(?<=\n)/);
}

/** The lines of both, those that both have once: as few of the others as can be. */
function compare(old: string[], now: string[]): Line[] {
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let [oldEnd, nowEnd] = [old.length, now.length];
  while (oldEnd > start && nowEnd > start && old[oldEnd - 1] === now[nowEnd - 1]) oldEnd--, nowEnd--;
  const same = (lines: string[]) => lines.map((text): Line => ({ mark: " ", text }));
  return [
    ...same(old.slice(0, start)),
    ...compareMiddle(old.slice(start, oldEnd), now.slice(start, nowEnd)),
    ...same(old.slice(oldEnd)),
  ];
}

/** By the longest common subsequence. */
function compareMiddle(old: string[], now: string[]): Line[] {
  const width = now.length + 1;
  // For each place in both, how many lines the rests have in common.
  const common = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: Line[] = [];
  for (let i = 0, j = 0; i < old.length || j < now.length;) {
    const [was, is] = [old[i], now[j]];
    if (was !== undefined && was === is) lines.push({ mark: " ", text: was }), i++, j++;
    else if (was !== undefined && (is === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: "-", text: was }), i++;
    } else lines.push({ mark: "+", text: is ?? "" }), j++;
  }
  return lines;
}

function hunks(lines: Line[]): string[] {
  const shown = lines.map((_, at) => lines.slice(Math.max(at - CONTEXT, 0), at + CONTEXT + 1).some(isChange));
  const texts: string[] = [];
  let [old, now] = [1, 1];
  for (let at = 0; at < lines.length;) {
    const end = shown.findIndex((is, index) => index >= at && is !== shown[at]);
    const part = lines.slice(at, end === -1 ? lines.length : end);
    const [had, has] = [part.filter(({ mark }) => mark !== "+").length, part.filter(({ mark }) => mark !== "-").length];
    if (shown[at]) texts.push(`@@ -${range(old, had)} +${range(now, has)} @@\n${part.map(show).join("")}`);
    old += had;
    now += has;
    at += part.length;
  }
  return texts;
}

function isChange({ mark }: Line): boolean {
  return mark !== " ";
}

/** Where none of a version's lines is in a hunk, the line before it counts. */
function range(start: number, count: number): string {
  return count === 1 ? `${start}` : `${count === 0 ? start - 1 : start},${count}`;
}

function show({ mark, text }: Line): string {
  return text.endsWith("\n") ? mark + text : `${mark}${text}\n\\ No newline at end of file\n`;
}
