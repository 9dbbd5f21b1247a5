/**
 * Tables of what was measured: for a person, in Markdown.
 *
 * @module
 */

import type { Row } from "./measure.ts";

/** A column: one of the figures of every row. */
export interface Measure {
  /** The key of the figures. */
  key: string;
  /** What it is, with its unit. */
  title: string;
  digits: number;
  /** Which of two is the better one. */
  better: "less" | "more";
}

/** What was measured side by side. */
export interface Table {
  title: string;
  measures: Measure[];
  rows: Row[];
  /** What the others are compared with: the best of those rows that there are, measure by measure. */
  reference?: { names: string[]; title: string };
}

/** `row`'s median of `measure` as a multiple of the table's reference, where there are both. */
export function ratio({ rows, reference }: Table, row: Row, { key, better }: Measure): number | undefined {
  const medians = rows.filter(({ name }) => reference?.names.includes(name))
    .flatMap(({ figures }) => figures[key]?.median ?? []);
  const own = row.figures[key]?.median;
  if (own === undefined || medians.length === 0) return undefined;
  const best = better === "less" ? Math.min(...medians) : Math.max(...medians);
  return best === 0 ? undefined : own / best;
}

/** `table` in Markdown. A cell has the median, and in brackets the least and the most. */
export function toMarkdown(table: Table): string {
  const { title, measures, rows, reference } = table;
  const compared = (measure: Measure) => rows.some((row) => ratio(table, row, measure) !== undefined);
  const header = ["", ...measures.flatMap((measure) => [measure.title, ...compared(measure) ? ["×"] : []])];
  const lines = rows.map((row) => [
    row.name,
    ...measures.flatMap((measure) => {
      const { key, digits } = measure;
      const figure = row.figures[key];
      const [median, min, max] = [figure?.median, figure?.min, figure?.max].map((value) => value?.toFixed(digits));
      const cell = figure === undefined
        ? "–"
        : figure.count === 1 || min === max
        ? median!
        : `${median} (${min}–${max})`;
      return [cell, ...compared(measure) ? [ratio(table, row, measure)?.toFixed(2) ?? "–"] : []];
    }),
  ]);
  const counts = rows.flatMap(({ figures }) => Object.values(figures).map(({ count }) => count));
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const runs = fewest === most ? `${most}` : `${fewest} to ${most}`;
  const about = reference === undefined ? "" : `; × is a multiple of ${reference.title}`;
  return `### ${title}\n\nMedians of ${runs} (least–most)${about}.\n\n${toLines([header, ...lines]).join("\n")}\n`;
}

/** The cells of each line padded to the widest of their column. The first column has words, the others numbers. */
function toLines(cells: string[][]): string[] {
  const widths = cells[0]!.map((_, column) => Math.max(4, ...cells.map((line) => line[column]!.length)));
  const pad = (line: string[]) =>
    `| ${line.map((cell, at) => at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)).join(" | ")} |`;
  const rule = `| ${
    widths.map((width, at) => at === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`).join(" | ")
  } |`;
  const [header, ...rest] = cells.map(pad);
  return [header!, rule, ...rest];
}
