/**
 * What a connection pays before `ssh` can speak: the installed program, shim included, from its start to its end with the
 * connection handed over, against `deno run` of an empty script, in turn.
 *
 *     deno task bench:startup [--pairs N] [PROGRAM…]
 *
 * PROGRAM is a command line to measure in the place of the one that the task has installed under build/.
 *
 * @module
 */

interface Cost {
  wall: number;
  cpu: number;
  peak: number;
  fds: number;
  code: number;
}

const root = `${import.meta.dirname}/..`;
const launcher = `${root}/rust/target/release/examples/launch`;

async function launch(words: string[], fds: number): Promise<Cost> {
  const { stdout, stderr, success } = await new Deno.Command(launcher, { args: words }).output();
  const cost = success ? JSON.parse(new TextDecoder().decode(stdout)) as Cost : undefined;
  if (cost?.code !== 0 || cost.fds !== fds) {
    throw new Error(`${words.join(" ")}: ${new TextDecoder().decode(stderr)}${JSON.stringify(cost)}`);
  }
  return cost;
}

function summary(values: number[]): { median: number; min: number; max: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[Math.floor(index)]!;
  const middle = (sorted.length - 1) / 2;
  return { median: (at(middle) + at(Math.ceil(middle))) / 2, min: at(0), max: at(sorted.length - 1) };
}

const args = [...Deno.args];
const pairs = args[0] === "--pairs" ? Number(args.splice(0, 2)[1]) : 150;
const program = args.length > 0 ? args : [`${root}/build/prefix/bin/deno-ssh-proxy`];

const folder = await Deno.makeTempDir();
const empty = `${folder}/empty.js`;
await Deno.writeTextFile(empty, "");
const path = `${folder}/server.sock`;
const listener = Deno.listen({ transport: "unix", path });

const ours = [...program, `unix${path}`, "22"];
const floor = [Deno.execPath(), "run", empty];
const costs: Record<"floor" | "ours", Cost[]> = { floor: [], ours: [] };
try {
  // The first of each fills caches and is not counted. Then in turn, and each first half of the time: what one run leaves
  // behind for the next (a warm core, a busy disk) is the same for both.
  for (let pair = -1; pair < pairs; pair++) {
    const turn = [["floor", floor, 0], ["ours", ours, 1]] as const;
    for (const [name, words, fds] of pair % 2 === 0 ? turn : turn.toReversed()) {
      const cost = await launch([...words], fds);
      // Not before: a server that wakes up meanwhile would take a core from what is measured.
      if (fds > 0) (await listener.accept()).close();
      if (pair >= 0) costs[name].push(cost);
    }
  }
} finally {
  listener.close();
  await Deno.remove(folder, { recursive: true });
}

console.log(`${pairs} pairs: ${program.join(" ")} against deno ${Deno.version.deno} run of an empty .js`);
console.log("             empty: median (min to max)      ours: median (min to max)       ratio of medians");
for (const [measure, unit, digits] of [["wall", "ms", 2], ["cpu", "ms", 2], ["peak", "KiB", 0]] as const) {
  const [a, b] = [summary(costs.floor.map((cost) => cost[measure])), summary(costs.ours.map((cost) => cost[measure]))];
  const show = ({ median, min, max }: typeof a) =>
    `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)}) ${unit}`.padEnd(32);
  const difference = measure === "peak" ? `  (${((b.median - a.median) / 1024).toFixed(1)} MiB more)` : "";
  console.log(`${measure.padEnd(12)} ${show(a)}${show(b)}${(b.median / a.median).toFixed(3)}${difference}`);
}
