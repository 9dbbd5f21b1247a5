/**
 * How long things may take.
 *
 * @module
 */

import { printable, ProxyError } from "./errors.ts";

/** For connecting and the multiplexer's handshake together, in milliseconds, where nothing else is asked for. */
export const DEFAULT_TIMEOUT = 10_000;

/** The longest time in milliseconds: what the library's `uint32_t` holds, 49 days. */
export const LONGEST_TIMEOUT = 2 ** 32 - 1;

/** The moment at which a connection must be made, or has failed. */
export class Deadline {
  readonly #end: number;
  /** The whole time that was given, in milliseconds. */
  readonly timeout: number;

  /** A deadline `timeout` milliseconds from now; at most 2^32 − 1. */
  constructor(timeout: number) {
    if (!(timeout > 0 && timeout <= LONGEST_TIMEOUT)) {
      throw new ProxyError("usage", `timeout ${timeout} ms: not a time`, {
        hint: `it must be over 0 and at most ${LONGEST_TIMEOUT} milliseconds`,
      });
    }
    this.timeout = timeout;
    this.#end = performance.now() + timeout;
  }

  /** Milliseconds left; 0 where it has passed. */
  get left(): number {
    return Math.max(this.#end - performance.now(), 0);
  }
}

/**
 * The value of a `--timeout` option in milliseconds: seconds as a decimal number, over 0.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function parseTimeout(seconds: string): number {
  const decimal = [...seconds].every((character) => character === "." || character >= "0" && character <= "9");
  const timeout = decimal ? Math.round(Number(seconds) * 1000) : 0;
  if (timeout > 0 && timeout <= LONGEST_TIMEOUT) return timeout;
  throw new ProxyError("usage", `--timeout '${printable(seconds)}': not a time`, {
    hint: `it is a number of seconds over 0 and up to ${Math.floor(LONGEST_TIMEOUT / 1000)}, such as 10 or 0.5`,
  });
}
