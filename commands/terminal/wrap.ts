/**
 * Breaking text into the lines of a terminal.
 *
 * @module
 */

import { widthOf } from "./width.ts";

/**
 * Breaks `text` at its spaces into lines of at most `width` characters. A longer word, or a command, has a line of its own, so
 * that it can be copied whole. `last` follows as one more word, which keeps the spaces in it.
 */
export function wrap(text: string, width: number, last?: string): string[] {
  return wrapWords([...wordsOf(text), ...(last === undefined ? [] : [last])], width);
}

/**
 * What is copied whole although there are spaces in it: a line for ssh_config in quotation marks, and a command with its
 * arguments, which are a subcommand or module, options, numbers, paths, and names in capitals.
 */
const COPIED = new RegExp(
  [
    /'Include [^']*'/,
    /(?<![^ (])(?:systemctl [a-z]+|deno-ssh-proxy|chmod|modprobe|apt-get) [a-z][\w+-]+(?: (?:-\S+|(?=\S*[/='])(?:'[^']*'|\\.|[^\s'\\])+|[A-Z]{2,}\S*|[0-9]+(?![^ ])))*/,
    /(?<![^ (])(?:ssh|ls|ssh-keygen)(?: -\S+)(?: (?:-\S+|\S*[/=]\S*|[0-9]+(?![^ ])))*/,
  ].map(({ source }) => source).join("|"),
  "g",
);

/** Splits `text` at its spaces, but for those in what is to be copied whole. */
function wordsOf(text: string): string[] {
  const copied = [...text.matchAll(COPIED)].map(({ index, 0: part }) => [index, index + part.length] as const);
  const words: string[] = [];
  let start = 0;
  for (const { index } of text.matchAll(/ /g)) {
    if (copied.some(([from, to]) => from < index && index < to)) continue;
    words.push(text.slice(start, index));
    start = index + 1;
  }
  return [...words, text.slice(start)];
}

/** How far the next lines of a message are moved in: its hint is by less. */
const MESSAGE_HANGING = 4;

/** Breaks those lines of a message that are longer than `width`, as {@linkcode wrap} does. */
export function foldMessage(text: string, width: number): string {
  return text.split("\n").map((line) => {
    if (widthOf(line) <= width) return line;
    const indent = /^ */.exec(line)![0];
    const hanging = " ".repeat(MESSAGE_HANGING);
    const [first, ...rest] = wrap(line.trimStart(), Math.max(width - MESSAGE_HANGING, 1));
    return [indent + first, ...rest.map((part) => hanging + part)].join("\n");
  }).join("\n");
}

function wrapWords(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (widthOf(longer) <= width || line === "") {
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
