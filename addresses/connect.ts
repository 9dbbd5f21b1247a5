/**
 * Connects the socket of a target, and performs the handshake of its form.
 *
 * @module
 */

import type { Deadline } from "../core/deadline.ts";
import { SystemError } from "../ffi/errno.ts";
import { Socket } from "../ffi/socket.ts";
import type { DialContext } from "./form.ts";
import { formOf, type SocketTarget } from "./forms.ts";

/**
 * Connects to `target` and performs its handshake. The next byte that the socket receives is the server's first.
 *
 * @throws {ProxyError}
 */
export async function connectTarget(target: SocketTarget, context: DialContext): Promise<Socket> {
  const socket = await connectSocket(target, context);
  if (formOf(target).handshake === undefined) return socket;
  try {
    await performHandshake(target, socket, context.deadline);
    return socket;
  } catch (thrown) {
    socket.close();
    throw thrown;
  }
}

/**
 * Performs the handshake of `target`'s form, if it has one.
 *
 * @throws {ProxyError}
 */
export async function performHandshake(
  target: SocketTarget,
  socket: Pick<Socket, "send" | "receive">,
  deadline: Deadline,
): Promise<void> {
  try {
    await formOf(target).handshake?.perform(socket, target, deadline);
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    const { handshakeError } = await import("./failure.ts");
    throw handshakeError(target, thrown, deadline);
  }
}

/**
 * Connects the socket of `target`, without a handshake.
 *
 * @throws {ProxyError}
 */
export async function connectSocket(target: SocketTarget, { library, deadline }: DialContext): Promise<Socket> {
  const endpoint = formOf(target).endpoint(target);
  try {
    const timeout = deadline.leftForCall;
    return endpoint.family === "vsock"
      ? await Socket.connectVsock(library, endpoint.cid, endpoint.port, { timeout })
      : await Socket.connectUnix(library, endpoint.path, { timeout });
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    const { connectError, findObstacle } = await import("./failure.ts");
    const obstacle = endpoint.family === "unix" ? findObstacle(library, endpoint.path, thrown) : undefined;
    throw connectError(target, thrown, deadline, obstacle);
  }
}
