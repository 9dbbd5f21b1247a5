/**
 * What becomes of many connections that are all made at once: until the last one is handed over, and how much memory it
 * takes.
 *
 * @module
 */

import { exists } from "../tools/programs.ts";
import { type Figures, inTurn } from "./measure.ts";
import { type Peers, SYSTEMD } from "./peers.ts";
import { type Kind, launch } from "./run.ts";
import type { Table } from "./table.ts";

const MANY = 200;

/** Passing file descriptors, and beside that socat, which relays. */
export async function atOnce({ ours, systemd, relays }: Peers, quick: boolean): Promise<Table[]> {
  const socat = relays.find(({ name }) => name === "socat");
  const contender = (name: string, kind: Kind, words: (path: string) => string[]) => ({
    name,
    run: () => counted((enter) => launch(kind, words, { atOnce: MANY, ...enter })),
  });
  const contenders = [
    ...[ours, ...systemd ? [systemd] : []].map(({ name, words }) =>
      contender(name, "fd", (path) => words(`unix${path}`))
    ),
    ...socat ? [contender("socat, relay", "stream", (path) => socat.words(path, ""))] : [],
  ];
  return [{
    title: `${MANY} at once`,
    measures: [
      { key: "wall", title: "until all are gone, ms", digits: 0, better: "less" },
      { key: "cpu", title: "CPU, ms", digits: 0, better: "less" },
      { key: "memory", title: "peak of all, MiB", digits: 1, better: "less" },
      { key: "failures", title: "failures", digits: 0, better: "less" },
    ],
    rows: await inTurn(contenders, quick ? 1 : 10),
    reference: { names: [SYSTEMD], title: SYSTEMD },
  }];
}

/** Where a control group can be made, with the file that has the most memory that it has taken: version 2, and 1. */
const CONTROL_GROUPS = [
  { folder: "/sys/fs/cgroup", peak: "memory.peak" },
  { folder: "/sys/fs/cgroup/memory", peak: "memory.max_usage_in_bytes" },
];

/** What `run` gives, and the most memory that it took in MiB, where the kernel counts it for this user. */
async function counted(run: (enter: { enter?: string }) => Promise<Figures>): Promise<Figures> {
  const group = makeControlGroup();
  if (group === undefined) return await run({});
  try {
    const figures = await run({ enter: `${group.folder}/cgroup.procs` });
    return { ...figures, memory: Number(Deno.readTextFileSync(group.peak)) / 2 ** 20 };
  } finally {
    Deno.removeSync(group.folder);
  }
}

function makeControlGroup(): { folder: string; peak: string } | undefined {
  for (const { folder, peak } of CONTROL_GROUPS) {
    const group = `${folder}/deno-ssh-proxy-bench-${Deno.pid}`;
    try {
      Deno.mkdirSync(group);
    } catch {
      continue;
    }
    const file = `${group}/${peak}`;
    if (exists(file)) return { folder: group, peak: file };
    Deno.removeSync(group);
  }
  return undefined;
}
