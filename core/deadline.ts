/**
 * How long things may take, and what is worth another try.
 *
 * @module
 */

import { type ErrorName, SystemError } from "../ffi/errno.ts";
import { escapeForTerminal } from "./text.ts";
import { ProxyError } from "./errors.ts";

/** For connecting and the multiplexer's handshake together, in milliseconds, where nothing else is asked for. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** How long `--wait` goes on where it does not say, in milliseconds. */
export const DEFAULT_WAIT_MS = 60_000;

/** Between two tries, in milliseconds: the first time, and after each has taken twice as long as the one before. */
export const FIRST_PAUSE_MS = 50;
export const LONGEST_PAUSE_MS = 1_000;

/** The longest time in milliseconds: what the library's `uint32_t` holds, 49 days. */
export const LONGEST_TIMEOUT_MS = 2 ** 32 - 1;

/** The moment at which a connection must be made, or has failed. */
export class Deadline {
  readonly #end: number;
  /** The whole time that was given, in milliseconds. */
  readonly timeout: number;

  /** A deadline `timeout` milliseconds from now; at most 2^32 − 1. */
  constructor(timeout: number) {
    this.timeout = requireTimeout(timeout);
    this.#end = performance.now() + timeout;
  }

  /** Milliseconds left; 0 where it has passed. */
  get left(): number {
    return Math.max(this.#end - performance.now(), 0);
  }

  /** Milliseconds left for a call, which takes none of 0: where the time has passed, it tries once. */
  get leftForCall(): number {
    return Math.max(this.left, 1);
  }
}

/**
 * Returns `timeout`, where it is a number of milliseconds that the library can wait for. Plain JavaScript can give anything.
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
 * The value of `option` in milliseconds: seconds as a decimal number, over 0.
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

/**
 * Whether what failed with `error` may succeed later by itself: because what is to answer is not up yet. What a person has
 * to mend is not worth another try.
 */
export function isRetryable({ kind, cause }: ProxyError): boolean {
  switch (kind) {
    case "missing":
    case "timeout":
    case "unreachable":
      return !(cause instanceof SystemError && LASTING.includes(cause.code));
    default:
      return false;
  }
}

/** A socket of another type stays one, and so do a directory and links that lead round in a circle. */
const LASTING: readonly (ErrorName | undefined)[] = ["EPROTOTYPE", "ENOTSOCK", "ELOOP"];
