/**
 * The width of text on a terminal: CJK characters and emoji take two columns, and combining characters none.
 *
 * @module
 */

import stringWidth from "string-width";

/** Returns the number of columns that `text`, which has no control characters, takes. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** Appends spaces to `text`, up to `width` columns. */
export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(width - widthOf(text), 0));
}

const ELLIPSIS = "...";

/** Cuts `text` in the middle, to at most `width` columns. A message has its subject at its beginning and the reason at its end. */
export function cutMiddle(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const characters = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
  const half = Math.max(width - ELLIPSIS.length, 0) / 2;
  const begin = takeColumns(characters, Math.floor(half));
  const end = takeColumns(characters.toReversed(), Math.ceil(half)).toReversed();
  return [...begin, ELLIPSIS, ...end].join("");
}

/** Returns the first characters, of at most `width` columns together. */
function takeColumns(characters: readonly string[], width: number): string[] {
  let left = width;
  const end = characters.findIndex((character) => (left -= widthOf(character)) < 0);
  return end === -1 ? [...characters] : characters.slice(0, end);
}
