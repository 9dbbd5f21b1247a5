/**
 * Finds out whether the socket of a silent server is that of a hybrid-vsock multiplexer, which waits for a request.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import { decodeLatin1 } from "../core/text.ts";
import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { Socket } from "../ffi/socket.ts";
import { connectRequest, LONGEST_OK_LINE, readReply } from "./handshake.ts";
import { multiplexerError } from "./multiplexer_errors.ts";

/** The port that ssh asks for by default. */
const SSH_PORT = 22;

/** How long connecting, sending and the answer can take, each in milliseconds. */
const ANSWER_TIMEOUT_MS = 500;

/** Asks for a port on a new connection. Returns the error that says so, if a multiplexer answers. */
export async function findMultiplexer(
  target: { readonly path: string },
  library: Library,
): Promise<ProxyError | undefined> {
  const timeout = ANSWER_TIMEOUT_MS;
  const answer = new Uint8Array(LONGEST_OK_LINE);
  try {
    using socket = await Socket.connectUnix(library, target.path, { timeout });
    await socket.send(connectRequest(SSH_PORT), { timeout });
    const count = await socket.receive(answer, { timeout });
    const reply = readReply(answer.subarray(0, count));
    if (reply.is !== "connected") return undefined;
    return multiplexerError(target, decodeLatin1(answer.subarray(0, reply.length)).trimEnd());
  } catch (thrown) {
    if (thrown instanceof SystemError || thrown instanceof ProxyError) return undefined;
    throw thrown;
  }
}
