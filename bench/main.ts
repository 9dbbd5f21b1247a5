/**
 * Measures this program beside what people use instead, and prints tables:
 *
 *     deno task bench [--quick] [--only NAME,…] [--prefix DIR] [--json FILE] [--update-docs]
 *
 * - `--quick`: fewer and smaller runs, in about a minute
 * - `--only`: some of startup, ssh, throughput, latency, at_once, growth, trace
 * - `--prefix`: measures what is installed there; otherwise this checkout is built and installed under build/
 * - `--json`: where to write all figures; build/bench/result.json otherwise
 * - `--update-docs`: puts the tables into docs/performance.md
 *
 * @module
 */

import { CHECKOUT, Folder } from "../tools/checkout.ts";
import { outputLater } from "../tools/programs.ts";
import { atOnce } from "./at_once.ts";
import { growth } from "./growth.ts";
import { latency } from "./latency.ts";
import { describe, lookAtMachine } from "./machine.ts";
import { findPeers, type Peers } from "./peers.ts";
import { build } from "./run.ts";
import { ssh } from "./ssh.ts";
import { startup } from "./startup.ts";
import { ratio, type Table, toMarkdown } from "./table.ts";
import { throughput } from "./throughput.ts";
import { trace } from "./trace.ts";

type Measurement = (peers: Peers, quick: boolean) => Promise<Table[]>;

/** By the names of their modules, in the order of the tables. */
const MEASUREMENTS: Record<string, Measurement> = {
  startup,
  trace,
  ssh,
  throughput,
  latency,
  at_once: atOnce,
  growth,
};

const BUILD = `${CHECKOUT}/build/bench`;
const PREFIX = `${CHECKOUT}/build/prefix`;
const DOCUMENT = `${CHECKOUT}/docs/performance.md`;
const MEASURED = /(?<=<!-- measured: begin -->\n).*(?=<!-- measured: end -->\n)/s;

interface Asked {
  quick: boolean;
  only: string[];
  prefix: string | undefined;
  json: string;
  updateDocs: boolean;
}

function parse(args: string[]): Asked {
  const asked: Asked = {
    quick: false,
    only: Object.keys(MEASUREMENTS),
    prefix: undefined,
    json: `${BUILD}/result.json`,
    updateDocs: false,
  };
  const rest = [...args];
  const value = (option: string) => rest.shift() ?? usage(`${option} needs a value`);
  for (let option; (option = rest.shift()) !== undefined;) {
    if (option === "--quick") asked.quick = true;
    else if (option === "--only") asked.only = value(option).split(",");
    else if (option === "--prefix") asked.prefix = value(option);
    else if (option === "--json") asked.json = value(option);
    else if (option === "--update-docs") asked.updateDocs = true;
    else usage(`${option}: no such option`);
  }
  for (const name of asked.only) {
    if (!Object.hasOwn(MEASUREMENTS, name)) usage(`${name}: not one of ${Object.keys(MEASUREMENTS).join(", ")}`);
  }
  return asked;
}

function usage(text: string): never {
  console.error(`deno task bench: ${text}`);
  Deno.exit(64);
}

/** Says on standard error what is done meanwhile: the tables are on standard output. */
async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  console.error(`${what} …`);
  const done = await work();
  console.error(`  took ${((performance.now() - start) / 1e3).toFixed(0)} s`);
  return done;
}

const asked = parse(Deno.args);
Deno.mkdirSync(BUILD, { recursive: true });
await step("building", async () => {
  await build();
  if (asked.prefix === undefined) await outputLater(`${CHECKOUT}/install.sh`, "--no-proof", "--prefix", PREFIX);
});
await step("getting the others", async () => {
  // What it could not get is left out.
  await outputLater(`${CHECKOUT}/bench/peers.sh`).catch(({ message }: Error) => console.error(message));
});

// In a folder of its own: in this one, Deno would read deno.json for it.
using folder = new Folder();
const peers = findPeers(Deno.realPathSync(asked.prefix ?? PREFIX), folder.file("empty.js", ""));
const machine = await lookAtMachine(peers);
const measured: Record<string, Table[]> = {};
let broken = false;
for (const name of asked.only) {
  try {
    measured[name] = await step(name, () => MEASUREMENTS[name]!(peers, asked.quick));
  } catch (thrown) {
    // The others took a while, and are not in vain.
    console.error(thrown);
    broken = true;
  }
}

const tables = Object.values(measured).flat();
const missing = peers.missing.length === 0 ? "" : `\nLeft out, because it is not there: ${peers.missing.join(", ")}.\n`;
const text = `${describe(machine)}${missing}\n${tables.map(toMarkdown).join("\n")}`;
console.log(text);

const withRatios = (table: Table) => ({
  ...table,
  rows: table.rows.map((row) => ({
    ...row,
    ratios: Object.fromEntries(table.measures.map((measure) => [measure.key, ratio(table, row, measure)])),
  })),
});
const measurements = Object.fromEntries(Object.entries(measured).map(([name, all]) => [name, all.map(withRatios)]));
Deno.writeTextFileSync(asked.json, `${JSON.stringify({ machine, missing: peers.missing, measurements }, null, 2)}\n`);

if (broken) Deno.exitCode = 1;
else if (asked.updateDocs) {
  const before = Deno.readTextFileSync(DOCUMENT);
  if (!MEASURED.test(before)) throw new Error(`${DOCUMENT} has no place for what was measured`);
  Deno.writeTextFileSync(DOCUMENT, before.replace(MEASURED, () => `\n${text}\n`));
  await outputLater(Deno.execPath(), "fmt", "--quiet", DOCUMENT);
}
