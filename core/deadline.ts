/**
 * Deadlines and the default timeouts.
 *
 * @module
 */

import { ProxyError } from "./errors.ts";
import { escapeForTerminal } from "./text.ts";

/** The default timeout for connecting and the multiplexer's handshake together, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** The default time for which `--wait` retries, in milliseconds. */
export const DEFAULT_WAIT_MS = 60_000;

/** The longest timeout in milliseconds, 49 days: the library has it in a `uint32_t`. */
export const LONGEST_TIMEOUT_MS = 2 ** 32 - 1;

/** The moment by which a connection must be made. */
export class Deadline {
  readonly #end: number;
  /** The whole time, in milliseconds. */
  readonly timeout: number;

  /** Sets a deadline `timeout` milliseconds from now: over 0, at most 2^32 − 1. */
  constructor(timeout: number) {
    this.timeout = requireTimeout(timeout);
    this.#end = performance.now() + timeout;
  }

  /** The milliseconds that are left; 0 after the deadline. */
  get left(): number {
    return Math.max(this.#end - performance.now(), 0);
  }

  /** The timeout for a system call, in milliseconds: at least 1, so that a call after the deadline tries once. */
  get leftForCall(): number {
    return Math.max(this.left, 1);
  }
}

/**
 * Returns `timeout` if the library can wait for so many milliseconds. Plain JavaScript can pass any value.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function requireTimeout(timeout: number): number {
  if (typeof timeout === "number" && timeout > 0 && timeout <= LONGEST_TIMEOUT_MS) return timeout;
  throw new ProxyError("usage", `timeout ${escapeForTerminal(Deno.inspect(timeout))} ms: not a time`, {
    hint: `it must be a number over 0 and at most ${LONGEST_TIMEOUT_MS} milliseconds`,
  });
}

/**
 * Parses the value of `option`, a decimal number of seconds over 0. Returns milliseconds.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function parseSeconds(option: string, seconds: string): number {
  const decimal = [...seconds].every((character) => character === "." || character >= "0" && character <= "9");
  const time = decimal ? Math.round(Number(seconds) * 1000) : 0;
  if (time > 0 && time <= LONGEST_TIMEOUT_MS) return time;
  throw new ProxyError("usage", `${option} '${escapeForTerminal(seconds)}': not a time`, {
    hint: `it is a number of seconds over 0 and up to ${Math.floor(LONGEST_TIMEOUT_MS / 1000)}, such as 10 or 0.5`,
  });
}

/** Formats the whole time of a deadline for a message. */
export function formatSeconds({ timeout }: Deadline): string {
  return `${timeout / 1000} s`;
}
