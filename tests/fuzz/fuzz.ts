/**
 * Properties that are tried on very many inputs. `deno task fuzz` tries all of them, and CI one in a hundred.
 *
 * @module
 */

import { assert } from "@std/assert";
import fc from "fast-check";

/** Whether all is to be tried that there is: the one place where the length is chosen. */
const FULL = Deno.args.includes("--full");

/** What all inputs come from. `--seed=NUMBER` has the same ones again. */
export const SEED: number = Number(/--seed=([0-9]+)/.exec(Deno.args.join(" "))?.[1] ?? Date.now() % 2 ** 31);

/** How many of `full` are tried in this run. */
export function length(full: number, short: number = Math.ceil(full / 100)): number {
  return FULL ? full : short;
}

const began = performance.now();
let tried = 0;

/** Counts what was tried, and tells it. */
export function tell(target: string, count: number, since: number): void {
  tried += count;
  console.log(`${target}: ${count} inputs in ${((performance.now() - since) / 1000).toFixed(1)} s, seed ${SEED}`);
}

/** A property, and the inputs that it is tried on: first those that once were too much for the program, then others. */
export interface Property<Input> {
  readonly full: number;
  readonly found?: readonly NoInfer<Input>[];
  readonly inputs: fc.Arbitrary<Input>;
  readonly holds: (input: Input) => void | Promise<void>;
  /** The kinds of outcomes that `holds` must have seen, each often enough to say something. */
  readonly seen?: Record<string, number>;
}

/** A test that `holds` throws for none of the inputs. */
export function fuzz<Input>(sentence: string, { full, found = [], inputs, holds, seen }: Property<Input>): void {
  Deno.test(sentence, async () => {
    const [started, numRuns] = [performance.now(), length(full)];
    const examples = found.map((input): [Input] => [input]);
    const property = fc.asyncProperty(inputs, async (input) => await holds(input));
    await fc.assert(property, { numRuns: numRuns + examples.length, examples, seed: SEED });
    tell(sentence, numRuns + examples.length, started);
    // A generator that only makes inputs of one kind proves little. Of few inputs, chance may have it that none is.
    for (const [kind, count] of Object.entries(FULL && seen || {})) {
      assert(count >= numRuns / 500, `of ${kind} there were ${count} only: ${JSON.stringify(seen)}`);
    }
  });
}

/** The last test of a file: as many inputs as this were tried, in all of its tests. */
export function triedAtLeast(full: number): void {
  Deno.test("the inputs were as many as promised", () => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(`${tried} inputs in all, in ${seconds} s, seed ${SEED}`);
    assert(tried >= length(full));
  });
}

/**
 * Texts that are nearly one of `good`, a character a byte: with some of it cut out, and with `tokens` or any bytes put in.
 */
export function nearly(good: readonly string[], tokens: readonly string[]): fc.Arbitrary<string> {
  const put = fc.oneof(
    fc.constantFrom("", ...tokens),
    fc.uint8Array({ maxLength: 4 }).map((bytes) => String.fromCharCode(...bytes)),
  );
  const edit = fc.tuple(fc.nat(4095), fc.constantFrom(0, 0, 1, 1, 2, 5, 1000), put);
  return fc.tuple(fc.constantFrom(...good), fc.array(edit, { maxLength: 4 })).map(([text, edits]) =>
    edits.reduce((text, [place, length, put]) => {
      const at = place % (text.length + 1);
      return text.slice(0, at) + put + text.slice(at + length);
    }, text)
  );
}
