/**
 * Handing a connection to whoever started this program: passing its file descriptor.
 *
 * @module
 */

import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { fdKind, type Socket } from "../ffi/socket.ts";
import { channelError, deliverError } from "./explain.ts";
import type { Deadline } from "./patience.ts";

/** Where `ssh` waits for the connection: the standard output of its ProxyCommand. */
export const CHANNEL = 1;

/** What an fd is called that cannot take a connection. */
const KIND_NAMES = {
  "something else": "not a socket",
  "other socket": "no AF_UNIX socket",
  "pipe": "a pipe",
  "terminal": "a terminal",
  "regular file": "a file",
  "null device": "closed, or /dev/null",
};

/**
 * Makes sure that a connection could be handed over, before one is made.
 *
 * @throws {ProxyError} of kind `handover`
 */
export async function requireChannel(library: Library): Promise<void> {
  let kind;
  try {
    kind = await fdKind(library, CHANNEL);
  } catch {
    kind = "null device" as const;
  }
  if (kind !== "unix socket") throw channelError(CHANNEL, KIND_NAMES[kind]);
}

/**
 * Passes the connection on. The caller ends at once after this: `ssh` waits for it.
 *
 * @throws {ProxyError} of kind `handover`
 */
export async function deliver(socket: Socket, deadline: Deadline): Promise<void> {
  try {
    await socket.passTo(CHANNEL, { timeout: deadline.left });
  } catch (thrown) {
    throw thrown instanceof SystemError ? deliverError(CHANNEL, thrown) : thrown;
  }
}
