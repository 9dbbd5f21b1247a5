/**
 * The edit distance of two names, for hints about mistyped ones.
 *
 * @module
 */

/** The longest names that are compared, in characters. */
const LONGEST = 120;

/**
 * Returns the Damerau-Levenshtein distance: how many letters are inserted, deleted, replaced, or exchanged with the next one.
 * Returns Infinity if either name is too long.
 */
export function editDistance(one: string, other: string): number {
  const [a, b] = [[...one], [...other]];
  if (a.length > LONGEST || b.length > LONGEST) return Infinity;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, replaced);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] && i > 1 && j > 1) {
        next[j] = Math.min(next[j]!, before[j - 2]! + 1);
      }
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
