/**
 * Waits for a server to be up: retries until the server behind a target sends its SSH banner.
 *
 * @module
 */

import { dial } from "../addresses/dial.ts";
import type { DialContext } from "../addresses/form.ts";
import type { Target } from "../addresses/forms.ts";
import { targetLabel } from "../addresses/target.ts";
import { Deadline, formatSeconds } from "../core/deadline.ts";
import { ProxyError } from "../core/errors.ts";
import { formatError, writeStderr } from "../core/report.ts";
import { type ErrorName, SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { type Socket, waitForHangUp } from "../ffi/socket.ts";
import { awaitBanner } from "./banner.ts";
import { CHANNEL } from "./handover.ts";
import { handoverError } from "./handover_errors.ts";

/** The pauses between two tries, in milliseconds: each is twice as long as the one before. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** The time in milliseconds after which a terminal is told the reason for waiting. */
const REPORT_AFTER_MS = 2_000;

/** A server that is up. */
export interface Answer {
  /** The connected socket, with all bytes that the server has sent still in it. */
  readonly socket: Socket;
  /** The server's banner; undefined if the server sends more lines before it than the socket holds. */
  readonly banner: string | undefined;
}

/** The times of `--wait` and `--timeout`, in milliseconds. */
export interface WaitTimes {
  readonly wait: number;
  readonly timeout: number;
}

/**
 * Connects to `target` once a server there is up. Retries for `wait` milliseconds, with tries of at most `timeout`
 * milliseconds. Tells a terminal the reason for waiting, once it takes a while.
 *
 * @throws {ProxyError} as {@linkcode waitFor} does, and of kind `handover` if ssh has hung up
 */
export async function dialWhenUp(target: Target, library: Library, { wait, timeout }: WaitTimes): Promise<Socket> {
  const end = new Deadline(wait);
  let message = `${targetLabel(target)}: no answer yet`;
  const hint = `trying again, for ${formatSeconds(end)} in all; Ctrl-C ends that`;
  let reported: string | undefined;
  const report = () => writeStderr(formatError({ message: reported = message, hint }));
  const timer = Deno.stderr.isTerminal() ? setTimeout(report, REPORT_AFTER_MS) : undefined;
  const pause = (milliseconds: number) => pauseWhileConnected(library, milliseconds);
  try {
    return (await waitFor(target, library, { end, timeout, failed: (error) => message = error.message, pause })).socket;
  } catch (thrown) {
    throw withoutKnownReason(thrown, target, end, reported);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Pauses, and ends early if ssh hangs up, because nothing else would end this program then.
 *
 * @throws {ProxyError} of kind `handover` if ssh has hung up
 */
async function pauseWhileConnected(library: Library, milliseconds: number): Promise<void> {
  if (await waitForHangUp(library, CHANNEL, milliseconds)) throw handoverError(CHANNEL, SystemError.named("EPIPE"));
}

/** How to wait. */
export interface Waiting {
  /** When to give up. */
  readonly end: Deadline;
  /** The longest time for each try, in milliseconds. */
  readonly timeout: number;
  /** Is called with the error of each try that is followed by another. */
  readonly failed: (error: ProxyError) => void;
  /** Waits between two tries, for so many milliseconds. */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/**
 * Tries to reach a server at `target` until it is up.
 *
 * @throws {ProxyError} of kind `timeout` if it was not up in time; another error that cannot resolve by itself at once
 */
export async function waitFor(target: Target, library: Library, waiting: Waiting): Promise<Answer> {
  const { end, timeout, failed, pause: pass = sleep } = waiting;
  let last: ProxyError | undefined;
  for (let pause = FIRST_PAUSE_MS;; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    // Whole milliseconds, so that a message can have them.
    const time = Math.max(Math.min(timeout, Math.ceil(end.left)), 1);
    try {
      return await tryOnce(target, { library, deadline: new Deadline(time) });
    } catch (thrown) {
      if (!(thrown instanceof ProxyError && isRetryable(thrown))) throw thrown;
      // A try with hardly any time says less than the one before it.
      const hadTime = time >= Math.min(timeout, LONGEST_PAUSE_MS);
      if (last === undefined || hadTime || thrown.kind !== "timeout") last = thrown;
      if (end.left === 0) throw waitTimeoutError(last, end);
      failed(last);
    }
    await pass(Math.min(pause, end.left));
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function tryOnce(target: Target, context: DialContext): Promise<Answer> {
  const socket = await dial(target, context);
  try {
    return { socket, banner: await awaitBanner(socket, target, context.deadline) };
  } catch (thrown) {
    socket.close();
    throw thrown;
  }
}

/**
 * Returns whether a failure can resolve by itself, because the server is not up yet. A failure that a person has to fix is
 * not retried.
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

/** The errors of a socket of another type, of a directory, and of symbolic links that lead round in a circle. */
const LASTING: readonly (ErrorName | undefined)[] = ["EPROTOTYPE", "ENOTSOCK", "ELOOP"];

/** Returns the error for a server that was not up in time; `last` is the error of the last try. */
function waitTimeoutError(last: ProxyError, end: Deadline): ProxyError {
  return new ProxyError("timeout", `${last.message} (waited ${formatSeconds(end)})`, { cause: last, hint: last.hint });
}

/** Returns the error of {@linkcode waitFor}, without its reason if that was `reported` to the person before. */
export function withoutKnownReason(
  thrown: unknown,
  target: Target,
  end: Deadline,
  reported: string | undefined,
): unknown {
  const cause = thrown instanceof ProxyError ? thrown.cause : undefined;
  if (!(cause instanceof ProxyError && cause.message === reported)) return thrown;
  const message = `${targetLabel(target)}: gave up after ${formatSeconds(end)}`;
  return new ProxyError("timeout", message, { cause, hint: cause.hint });
}
