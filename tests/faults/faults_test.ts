import { assertEquals } from "@std/assert";
import { CHECKOUT } from "../../tools/checkout.ts";
import { works } from "../../tools/programs.ts";
import { always, naming } from "./all_steps.ts";
import { cleanUp } from "./compiled.ts";
import { installed } from "./conversation.ts";
import { dialling } from "./dialling.ts";
import { handshaking } from "./handshaking.ts";
import { choosing, passing } from "./passing.ts";
import { relaying } from "./relaying.ts";
import { lines, type Result, shown, tables } from "./report.ts";
import type { Row } from "./row.ts";
import { starting } from "./starting.ts";

/** The steps of a connection, in their order. */
const STEPS: [step: string, rows: Row[]][] = [
  ["Starting", starting],
  ["Choosing how to hand over", choosing],
  ["Finding a machine by its name", naming],
  ["Connecting", dialling],
  ["Asking the multiplexer", handshaking],
  ["Passing the connection", passing],
  ["Relaying", relaying],
  ["From the start to the end", always],
];

/** As many runs as this at a time. */
const AT_ONCE = 3;

const DOCUMENT = `${CHECKOUT}/docs/reliability.md`;
const MADE = /(?<=<!-- faults: begin -->\n).*(?=<!-- faults: end -->\n)/s;

/** What came of each step. */
const results = new Map<string, Result[]>(STEPS.map(([step]) => [step, []]));

Deno.test.afterAll(() => {
  cleanUp();
  installed[Symbol.dispose]();
});

/** Each of `runs`, some of them at the same time. */
async function runAll(runs: [name: string, run: () => Promise<void>][]): Promise<void> {
  const failures: string[] = [];
  const left = [...runs];
  const work = async () => {
    // The others would fail in the same way, and some of them take long.
    for (let next; failures.length < AT_ONCE && (next = left.shift()) !== undefined;) {
      const [name, run] = next;
      await run().catch((thrown) => failures.push(`${name}: ${thrown}`));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (failures.length > 0) throw new Error(failures.join("\n\n"));
}

for (const [step, rows] of STEPS) {
  for (const row of rows) {
    const name = `${step}: ${row.fault} (${row.from}) ends with ${shown(row.ending)}`;
    Deno.test({
      name: row.leftOut === undefined ? name : `${name} (left out: ${row.leftOut})`,
      ignore: row.leftOut !== undefined,
      fn: async () => {
        const runs = [...await row.runs()];
        if (runs.length === 0) throw new Error("nothing meets with it");
        await runAll(runs);
        results.get(step)!.push({ row, runs: runs.length });
      },
    });
  }
}

Deno.test("no process of the program is left of all that", () => {
  assertEquals(works("pgrep", ["-f", `${installed.prefix}/`]), false);
});

Deno.test("docs/reliability.md has the table that was made here, but for how often", () => {
  const document = Deno.readTextFileSync(DOCUMENT);
  if (Deno.args.includes("--update-docs")) {
    Deno.writeTextFileSync(DOCUMENT, document.replace(MADE, () => `\n${tables(results)}\n`));
    return;
  }
  const written = new Set(lines(MADE.exec(document)![0]));
  // What was left out here, or not chosen, can only be missing from what was made.
  const made = lines(tables(results));
  assertEquals(made.filter((line) => !written.has(line)), []);
  const all = STEPS.map(([step, rows]) => [step, rows.map((row) => ({ row, runs: 1 }))] as const);
  const known = new Set(lines(tables(new Map(all))));
  assertEquals([...written].filter((line) => !known.has(line)), []);
});
