/**
 * Waiting until something is up: trying again until the server behind a target has said its banner.
 *
 * @module
 */

import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { type Socket, waitForHangUp } from "../ffi/socket.ts";
import { awaitBanner } from "./banner.ts";
import { CHANNEL } from "./handover.ts";
import { dial } from "../addresses/dial.ts";
import { formatError, ProxyError, writeStderr } from "../core/errors.ts";
import { formatSeconds, handoverError, targetLabel, waitTimeoutError, withoutReason } from "../addresses/explain.ts";
import { Deadline, FIRST_PAUSE_MS, isRetryable, LONGEST_PAUSE_MS } from "../core/deadline.ts";
import type { Target } from "../addresses/target.ts";

/** After this many milliseconds, whoever sees nothing happen is told why. */
const SAYS_AFTER = 2_000;

/** A server that is up. */
export interface Answer {
  /** Connected to it; all that it says is still in there. */
  readonly socket: Socket;
  /** Its banner, as it came; undefined where it says more lines before it than the socket holds. */
  readonly banner: string | undefined;
}

/**
 * Waits at most `wait` milliseconds for a server at `target`, with tries of at most `timeout` milliseconds. On a terminal
 * it says what it waits for, once that takes a while.
 *
 * @throws {ProxyError} as {@linkcode waitFor} does
 */
export async function dialWhenUp(target: Target, library: Library, wait: number, timeout: number): Promise<Socket> {
  const end = new Deadline(wait);
  let message = `${targetLabel(target)}: no answer yet`;
  const hint = `trying again, for ${formatSeconds(end)} in all; Ctrl-C ends that`;
  let told: string | undefined;
  const tell = () => writeStderr(formatError({ message: told = message, hint }));
  const timer = Deno.stderr.isTerminal() ? setTimeout(tell, SAYS_AFTER) : undefined;
  const pause = (milliseconds: number) => pauseWhileConnected(library, milliseconds);
  try {
    return (await waitFor(target, library, { end, timeout, failed: (error) => message = error.message, pause })).socket;
  } catch (thrown) {
    throw withoutReason(thrown, target, end, told);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Pauses, and ends early if ssh hangs up meanwhile: nobody else ends this program then.
 *
 * @throws {ProxyError} of kind `handover` if ssh has hung up
 */
async function pauseWhileConnected(library: Library, milliseconds: number): Promise<void> {
  if (await waitForHangUp(library, CHANNEL, milliseconds)) throw handoverError(CHANNEL, SystemError.named("EPIPE"));
}

/** How long to wait, and what happens meanwhile. */
export interface Waiting {
  /** When to give up. */
  readonly end: Deadline;
  /** How long each try may take at most, in milliseconds. */
  readonly timeout: number;
  /** Is told of every try that fails and is worth another one. */
  readonly failed: (error: ProxyError) => void;
  /** Passes the time between two tries, in milliseconds. */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/**
 * Tries to reach a server at `target` until it is up.
 *
 * @throws {ProxyError} of kind `timeout` where it was not up by then; whatever else a try fails with at once
 */
export async function waitFor(target: Target, library: Library, waiting: Waiting): Promise<Answer> {
  const { end, timeout, failed, pause: pass = sleep } = waiting;
  let last: ProxyError | undefined;
  for (let pause = FIRST_PAUSE_MS;; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    // Whole milliseconds, which a message can say.
    const time = Math.max(Math.min(timeout, Math.ceil(end.left)), 1);
    try {
      return await tryOnce(target, library, new Deadline(time));
    } catch (thrown) {
      if (!(thrown instanceof ProxyError && isRetryable(thrown))) throw thrown;
      // A try that had hardly any time tells less than the one before it.
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

async function tryOnce(target: Target, library: Library, deadline: Deadline): Promise<Answer> {
  const socket = await dial(target, library, deadline);
  try {
    return { socket, banner: await awaitBanner(socket, target, deadline) };
  } catch (thrown) {
    socket.close();
    throw thrown;
  }
}
