/**
 * Handing a connection to whoever started this program: passing its file descriptor, or where that cannot be, carrying its
 * bytes.
 *
 * @module
 */

import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { fdKind, relay, type Socket } from "../ffi/socket.ts";
import { handoverError, relayError, unusableFdError } from "../addresses/explain.ts";
import type { Deadline } from "../core/deadline.ts";

/** Where a client that is to be relayed writes: the standard input of its ProxyCommand. */
const FROM_CLIENT = 0;

/** Where `ssh` waits for the connection, or a client for its bytes: the standard output of its ProxyCommand. */
export const CHANNEL = 1;

/** How a connection is handed over. */
export type HandoverMode = "pass" | "relay";

/**
 * Chooses how, before a connection is made: a socket on fd 1 is taken for one on which `ssh` waits for a file descriptor,
 * unless `relayed` says that bytes are expected; what can take bytes only gets them.
 *
 * @throws {ProxyError} of kind `handover` where neither is possible
 */
export async function chooseHandoverMode(library: Library, relayed: boolean): Promise<HandoverMode> {
  let kind;
  try {
    kind = await fdKind(library, CHANNEL);
  } catch (thrown) {
    if (!(thrown instanceof SystemError && thrown.code === "EBADF")) throw cannotDeliver(thrown);
    kind = "null device" as const;
  }
  switch (kind) {
    case "unix socket":
      return relayed ? "relay" : "pass";
    case "null device":
      throw unusableFdError(CHANNEL, "closed, or /dev/null");
    case "something else":
      throw unusableFdError(CHANNEL, "neither a socket, a pipe, a terminal nor a file");
    default:
      return "relay";
  }
}

/**
 * Passes the connection on, or relays until both sides have ended. The caller ends at once after this: `ssh` waits for it.
 *
 * @throws {ProxyError} of kind `handover`
 */
export async function handOver(socket: Socket, way: HandoverMode, library: Library, deadline: Deadline): Promise<void> {
  try {
    if (way === "pass") await socket.passTo(CHANNEL, { timeout: deadline.leftForCall });
    else relay(library, FROM_CLIENT, CHANNEL, socket);
  } catch (thrown) {
    if (way === "pass") throw cannotDeliver(thrown);
    throw thrown instanceof SystemError ? relayError(thrown) : thrown;
  }
}

function cannotDeliver(thrown: unknown): unknown {
  return thrown instanceof SystemError ? handoverError(CHANNEL, thrown) : thrown;
}
