/**
 * Compares the start-up of two installed programs, such as this checkout's and that of the commit before:
 *
 *     deno task bench:pairs BEFORE_PREFIX AFTER_PREFIX [ROUNDS]
 *
 * In each round both hand over one connection, in random order, as `ssh` starts them. Prints the median of the ratios of all
 * rounds (200 unless ROUNDS says otherwise), for the wall time and the CPU time, with their quartiles.
 *
 * @module
 */

import type { Figures } from "./measure.ts";
import { build, launch } from "./run.ts";

const [before, after, given = "200"] = Deno.args;
const rounds = Number(given);
if (before === undefined || after === undefined || !Number.isInteger(rounds) || rounds < 1) {
  console.error("usage: deno task bench:pairs BEFORE_PREFIX AFTER_PREFIX [ROUNDS]");
  Deno.exit(64);
}

await build();

function handOver(prefix: string): Promise<Figures> {
  return launch("fd", (path) => [`${prefix}/bin/deno-ssh-proxy`, `unix${path}`, "22"]);
}

/** The values at a fourth, at half and at three fourths of `values` in order. */
function quartiles(values: number[]): string[] {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((share) => sorted[Math.round((sorted.length - 1) * share)]!.toFixed(3));
}

const figures: { before: Figures; after: Figures }[] = [];
for (let round = 0; round <= rounds; round++) {
  const isBeforeFirst = Math.random() < 0.5;
  const first = await handOver(isBeforeFirst ? before : after);
  const second = await handOver(isBeforeFirst ? after : before);
  // The first round fills the kernel's caches.
  if (round > 0) figures.push(isBeforeFirst ? { before: first, after: second } : { before: second, after: first });
}
for (const key of ["wall", "cpu"]) {
  const [low, median, high] = quartiles(figures.map((pair) => pair.after[key]! / pair.before[key]!));
  const [, was] = quartiles(figures.map((pair) => pair.before[key]!));
  console.log(`${key}: ${median} (quartiles ${low} to ${high}) of ${was} ms, ${rounds} pairs`);
}
