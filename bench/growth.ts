/**
 * What a connection costs as they become more, one after the other.
 *
 * @module
 */

import { inTurn, type Row } from "./measure.ts";
import { EMPTY, type Peers } from "./peers.ts";
import { launch } from "./run.ts";
import type { Table } from "./table.ts";

/** How many in a row, and how often that is measured. */
const STEPS = [[1, 30], [10, 10], [100, 3], [1000, 1]] as const;
const QUICK_STEPS = [[1, 5], [10, 2], [100, 1]] as const;

/** File descriptors passed from a unix socket. */
export async function growth({ ours, systemd, empty }: Peers, quick: boolean): Promise<Table[]> {
  const steps = quick ? QUICK_STEPS : STEPS;
  const rows = new Map<string, Row>();
  for (const [count, rounds] of steps) {
    const contenders = [
      { name: EMPTY, run: (times: number) => launch("nothing", () => empty, { rounds: times }) },
      ...[ours, ...systemd ? [systemd] : []].map(({ name, words }) => ({
        name,
        run: (times: number) => launch("fd", (path) => words(`unix${path}`), { rounds: times }),
      })),
    ].map(({ name, run }) => ({
      name,
      run: async (warming: boolean) => {
        const { wall } = await run(warming ? 1 : count);
        return { [`each of ${count}`]: wall! / count, [`all ${count}`]: wall! };
      },
    }));
    for (const { name, figures } of await inTurn(contenders, rounds)) {
      rows.set(name, { name, figures: { ...rows.get(name)?.figures, ...figures } });
    }
  }
  return [{
    title: "One after the other",
    // The totals are in the JSON.
    measures: steps.map(([count]) => ({
      key: `each of ${count}`,
      title: count === 1 ? "1 alone, ms" : `each of ${count}, ms`,
      digits: 1,
      better: "less",
    })),
    rows: [...rows.values()],
    reference: { names: [EMPTY], title: `the ${EMPTY}` },
  }];
}
