/**
 * How long a keystroke takes through a relay and back.
 *
 * @module
 */

import { inTurn } from "./measure.ts";
import { COMMON_RELAYS, type Peers } from "./peers.ts";
import { carry } from "./run.ts";
import type { Table } from "./table.ts";

/** One byte at a time. */
export async function latency({ relays }: Peers, quick: boolean): Promise<Table[]> {
  const trips = quick ? 2_000 : 20_000;
  const contenders = relays.map((relay) => ({
    name: relay.name,
    run: async () => {
      const { p50, p99, cpu } = await carry("echo", trips, relay);
      return { p50: p50!, p99: p99!, cpu: cpu! * 1e3 / trips };
    },
  }));
  return [{
    title: `Relay: 1 byte there and back, ${trips} times`,
    measures: [
      { key: "p50", title: "p50, µs", digits: 1, better: "less" },
      { key: "p99", title: "p99, µs", digits: 1, better: "less" },
      { key: "cpu", title: "CPU, µs", digits: 1, better: "less" },
    ],
    rows: await inTurn(contenders, quick ? 2 : 7),
    reference: COMMON_RELAYS,
  }];
}
