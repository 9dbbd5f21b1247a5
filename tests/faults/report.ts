/**
 * The fault table in Markdown, for docs/reliability.md.
 *
 * @module
 */

import type { Ending } from "./conversation.ts";
import type { Row } from "./row.ts";

/** A row of which every run ended as it was to end, and how many there were. */
export interface Result {
  row: Row;
  runs: number;
}

/** How a run ends, as a person reads it. */
export function shown(ending: Ending): string {
  if (typeof ending === "string") return ending;
  return "signal" in ending ? ending.signal : `${ending.code}: ${ending.says}`;
}

/** A table for each step, and how many runs there were in all. */
export function tables(results: ReadonlyMap<string, Result[]>): string {
  const parts = [...results].filter(([, rows]) => rows.length > 0).map(([step, rows]) => {
    const cells = rows.map(({ row: { fault, from, ending }, runs }) => [fault, from, shown(ending), `${runs}`]);
    return `### ${step}\n\n| fault | from | ends with | runs |\n| --- | --- | --- | ---: |\n${
      cells.map((line) => `| ${line.map(escaped).join(" | ")} |`).join("\n")
    }\n`;
  });
  const all = [...results.values()].flat();
  const runs = all.reduce((sum, result) => sum + result.runs, 0);
  return `${all.length} rows, ${runs} runs.\n\n${parts.join("\n")}`;
}

/** A cell may have no bar in it, and nothing that Markdown takes for its own. */
function escaped(cell: string): string {
  return cell.replace(/[|*_]/g, "\\$&");
}

/** The lines of a table, however it is spaced, but for how often each was run. */
export function lines(text: string): string[] {
  return text.split("\n").filter((line) => /^\| [^-]/.test(line)).map((line) =>
    line.split("|").slice(1, 4).map((cell) => cell.trim().replaceAll("\\", "")).join(" | ")
  );
}
