/**
 * Hands a connection over to the program that started this one: passes its file descriptor, or relays its bytes.
 *
 * @module
 */

import type { DialContext } from "../addresses/form.ts";
import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { fdKind, relay, type Socket } from "../ffi/socket.ts";

/** The standard input of a ProxyCommand, to which a client that is relayed writes. */
const FROM_CLIENT = 0;

/** The standard output of a ProxyCommand, on which `ssh` waits for the connection, or a client for its bytes. */
export const CHANNEL = 1;

/** How a connection is handed over. */
export type HandoverMode = "pass" | "relay";

/**
 * Chooses how to hand over, before a connection is made. On a socket at fd 1, `ssh` waits for a file descriptor, unless
 * `relayed` says that the client expects bytes. A pipe, a terminal or a file gets the bytes.
 *
 * @throws {ProxyError} of kind `handover` if fd 1 can take neither
 */
export async function chooseHandoverMode(library: Library, relayed: boolean): Promise<HandoverMode> {
  let kind;
  try {
    kind = await fdKind(library, CHANNEL);
  } catch (thrown) {
    if (!(thrown instanceof SystemError && thrown.code === "EBADF")) throw await notPassed(thrown);
    kind = "null device" as const;
  }
  switch (kind) {
    case "unix socket":
      return relayed ? "relay" : "pass";
    case "null device":
      throw await unusable("closed, or /dev/null");
    case "something else":
      throw await unusable("neither a socket, a pipe, a terminal nor a file");
    default:
      return "relay";
  }
}

/**
 * Passes the connection on, or relays until both sides have ended. The caller has to exit at once after this: `ssh` waits
 * for the end of the process.
 *
 * @throws {ProxyError} of kind `handover` or `resource`
 */
export async function handOver(socket: Socket, mode: HandoverMode, { library, deadline }: DialContext): Promise<void> {
  try {
    if (mode === "pass") await socket.passTo(CHANNEL, { timeout: deadline.leftForCall });
    else relay(library, FROM_CLIENT, CHANNEL, socket);
  } catch (thrown) {
    if (mode === "pass") throw await notPassed(thrown);
    if (!(thrown instanceof SystemError)) throw thrown;
    throw (await import("./handover_errors.ts")).relayError(thrown);
  }
}

async function unusable(description: string): Promise<Error> {
  return (await import("./handover_errors.ts")).unusableFdError(CHANNEL, description);
}

async function notPassed(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof SystemError)) return thrown;
  return (await import("./handover_errors.ts")).handoverError(CHANNEL, thrown);
}
