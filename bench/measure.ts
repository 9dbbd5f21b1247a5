/**
 * Measuring several things side by side: in turn, so that whatever else the machine does meanwhile hits all of them.
 *
 * @module
 */

/** What was measured of one thing, many times. */
export interface Summary {
  median: number;
  min: number;
  max: number;
  count: number;
}

/** What one run of something gave: a number for each key. */
export type Figures = Record<string, number>;

/** One of the things that are measured side by side. */
export interface Contender {
  name: string;
  /** Runs it once. Where `warming`, the figures do not count, and a run may be shorter than others. */
  run(warming: boolean): Promise<Figures>;
}

/** A contender's figures, summarized. */
export interface Row {
  name: string;
  figures: Record<string, Summary>;
}

/**
 * Runs each of `contenders` once, which fills caches and does not count, and then `rounds` times in turn. Every other
 * round goes backwards: what one run leaves behind for the next (a warm core, a busy disk) is not always for the same one.
 */
export async function inTurn(contenders: readonly Contender[], rounds: number): Promise<Row[]> {
  const runs = contenders.map((contender) => ({ contender, figures: [] as Figures[] }));
  for (let round = 0; round <= rounds; round++) {
    for (const { contender, figures } of round % 2 === 0 ? runs : runs.toReversed()) {
      const measured = await contender.run(round === 0);
      if (round > 0) figures.push(measured);
    }
  }
  return runs.map(({ contender: { name }, figures }) => {
    const keys = Object.keys(figures[0] ?? {});
    return { name, figures: Object.fromEntries(keys.map((key) => [key, summarize(figures.map((one) => one[key]!))])) };
  });
}

function summarize(values: number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[Math.floor(index)]!;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(middle) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
    count: sorted.length,
  };
}
