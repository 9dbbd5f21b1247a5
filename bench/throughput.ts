/**
 * How fast bytes go through a relay, and what that costs.
 *
 * @module
 */

import { inTurn } from "./measure.ts";
import { COMMON_RELAYS, type NamedRelay, type Peers } from "./peers.ts";
import { carry } from "./run.ts";
import type { Table } from "./table.ts";

const GIB = 2 ** 30;

const WAYS = [
  { way: "towards", title: "towards ssh", directions: 1 },
  { way: "from", title: "from ssh", directions: 1 },
  { way: "both", title: "both ways at once", directions: 2 },
] as const;

/** What the two ends do by themselves: no relay can be faster than they are. */
const NO_RELAY: NamedRelay = { name: "no relay, one socket", words: () => [] };

/** Towards ssh, from it, and both at once. */
export async function throughput({ relays }: Peers, quick: boolean): Promise<Table[]> {
  const amount = quick ? GIB / 4 : 4 * GIB;
  const tables: Table[] = [];
  for (const { way, title, directions } of WAYS) {
    const contenders = [...relays, NO_RELAY].map((relay) => ({
      name: relay.name,
      run: async (warming: boolean) => {
        // The run that does not count is the one that compares all bytes.
        const figures = await carry(warming ? `checked-${way}` : way, warming ? GIB / 16 : amount, relay);
        const gib = amount * directions / GIB;
        const rate = gib / (figures.wall! / 1e3);
        return relay === NO_RELAY ? { rate } : { rate, cpu: figures.cpu! / 1e3 / gib, peak: figures.peak! };
      },
    }));
    tables.push({
      title: `Relay: ${amount / GIB} GiB ${title}`,
      measures: [
        { key: "rate", title: "GiB/s", digits: 2, better: "more" },
        { key: "cpu", title: "CPU s/GiB", digits: 3, better: "less" },
        { key: "peak", title: "peak, KiB", digits: 0, better: "less" },
      ],
      rows: await inTurn(contenders, quick ? 2 : 5),
      reference: COMMON_RELAYS,
    });
  }
  return tables;
}
