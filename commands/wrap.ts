/**
 * Breaking text into the lines of a terminal.
 *
 * @module
 */

/**
 * Breaks `text` at its spaces into lines of at most `width` characters. A longer word has a line of its own, so that it can
 * be copied whole. `last` follows as one more word, which keeps the spaces in it.
 */
export function wrap(text: string, width: number, last?: string): string[] {
  return wrapWords([...text.split(" "), ...(last === undefined ? [] : [last])], width);
}

function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? word : `${line} ${word}`;
    if ([...longer].length <= width || line === "") {
      line = longer;
      continue;
    }
    lines.push(line);
    line = word;
  }
  return [...lines, line];
}

/** How far the next lines of a line are moved in, where nothing else tells. */
const HANGING = 2;

/**
 * Breaks the lines of a help text that are longer than `width`: after a column of names below the next one, else a little to
 * the right. Lines of prose are filled anew. What brackets are around stays together.
 */
export function foldHelp(text: string, width: number): string {
  const lines = text.split("\n");
  if (lines.every((line) => line.length <= width)) return text;
  return paragraphs(lines).flatMap((line) => foldLine(line, width)).join("\n");
}

/** Joins lines that begin at the left and follow each other: those of one paragraph. */
function paragraphs(lines: readonly string[]): string[] {
  const joined: string[] = [];
  let isOpen = false;
  for (const line of lines) {
    const isProse = /^\S.* /.test(line) && !/\S {2,}\S/.test(line);
    if (isProse && isOpen) joined.push(`${joined.pop()} ${line}`);
    else joined.push(line);
    isOpen = isProse;
  }
  return joined;
}

function foldLine(line: string, width: number): string[] {
  if (line.length <= width) return [line];
  const indent = /^ */.exec(line)![0].length;
  const column = /^(.*\S {2,})\S/.exec(line)?.[1]?.length ?? 0;
  const isTable = column > 0 && column <= width / 2;
  const hanging = isTable ? column : /^ /.test(line) ? indent + HANGING : 0;
  // A column of names that leaves too little room beside it has a line of its own.
  const heads = column > 0 && !isTable ? [line.slice(0, column).trimEnd()] : [];
  const first = isTable ? line.slice(0, column) : " ".repeat(heads.length > 0 ? hanging : indent);
  const words = line.slice(column || indent).match(/(?:\[[^\]]*\]\S*|<[^>]*>|\S)+/g) ?? [];
  return [
    ...heads,
    ...wrapWords(words, width - hanging).map((rest, at) => `${at === 0 ? first : " ".repeat(hanging)}${rest}`),
  ];
}
