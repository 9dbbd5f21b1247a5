/**
 * What a connection pays before `ssh` can speak: from the start of a ProxyCommand until the connection is handed over and the
 * process is gone.
 *
 * @module
 */

import { inTurn } from "./measure.ts";
import { COMMON_RELAYS, EMPTY, type Peers } from "./peers.ts";
import { launch } from "./run.ts";
import type { Measure, Table } from "./table.ts";

const MEASURES: Measure[] = [
  { key: "wall", title: "wall, ms", digits: 1, better: "less" },
  { key: "cpu", title: "CPU, ms", digits: 1, better: "less" },
  { key: "peak", title: "peak, KiB", digits: 0, better: "less" },
];

/** Passing the file descriptor, and the first bytes of those that relay. */
export async function startup({ ours, systemd, empty, relays }: Peers, quick: boolean): Promise<Table[]> {
  const rounds = quick ? 10 : 150;
  const passing = [ours, ...systemd ? [systemd] : []].flatMap(({ name, words }) => [
    { name: `${name}, unix`, run: () => launch("fd", (path) => words(`unix${path}`)) },
    { name: `${name}, vsock-mux`, run: () => launch("multiplexer", (path) => words(`vsock-mux${path}`)) },
  ]);
  const floor = { name: EMPTY, run: () => launch("nothing", () => empty) };
  const relaying = relays.filter(({ listens }) => !listens).map(({ name, words }) => ({
    name,
    run: () => launch("stream", (path) => words(path, "")),
  }));
  return [
    {
      title: "Hand-over: start, file descriptor passed, process gone",
      measures: MEASURES,
      rows: await inTurn([floor, ...passing], rounds),
      reference: { names: [EMPTY], title: `the ${EMPTY}` },
    },
    {
      title: "Relay: start, banner through, process gone",
      measures: MEASURES,
      rows: await inTurn(relaying, rounds),
      reference: COMMON_RELAYS,
    },
  ];
}
