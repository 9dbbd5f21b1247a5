/**
 * From a target to a connected socket: connect, and where there is a multiplexer, shake hands with it.
 *
 * @module
 */

import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { Socket } from "../ffi/socket.ts";
import { closedByMultiplexerError, connectError, handshakeError, protocolError, sshServerError } from "./explain.ts";
import { connectRequest, LONGEST_OK_LINE, readReply } from "./handshake.ts";
import { findObstacle } from "./obstacle.ts";
import type { Deadline } from "../core/deadline.ts";
import type { SocketTarget, VsockMuxTarget } from "./target.ts";

/**
 * Connects to `target` until `deadline`. The next byte that the socket gives is the server's first.
 *
 * @throws {ProxyError}
 */
export async function connectTarget(target: SocketTarget, library: Library, deadline: Deadline): Promise<Socket> {
  const socket = await connect(target, library, deadline);
  if (target.kind !== "vsock-mux") return socket;
  try {
    await requestPort(socket, target, deadline);
    return socket;
  } catch (thrown) {
    socket.close();
    throw thrown instanceof SystemError ? handshakeError(target, thrown, deadline) : thrown;
  }
}

/** The first half of {@linkcode connectTarget}: the socket, before any handshake. */
export async function connect(target: SocketTarget, library: Library, deadline: Deadline): Promise<Socket> {
  try {
    return target.kind === "vsock"
      ? await Socket.connectVsock(library, target.cid, target.port, { timeout: deadline.leftForCall })
      : await Socket.connectUnix(library, target.path, { timeout: deadline.leftForCall });
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    const obstacle = target.kind === "vsock" ? undefined : findObstacle(library, target.path, thrown);
    throw connectError(target, thrown, deadline, obstacle);
  }
}

/** How long a server that speaks with no OK line has to hang up, in milliseconds. An sshd does so in one. */
const HANGS_UP_WITHIN = 1_000;

/** More than a server says before it hangs up: its banner, and why. */
const LONGEST_FAREWELL = 1024;

/**
 * Waits whether a server that spoke with no OK line hangs up. An SSH server itself does: it takes the request for its
 * client's banner, says "Invalid SSH identification string." and closes. Whatever took the request waits for `ssh` instead.
 */
async function hangsUp(socket: Pick<Socket, "receive">, deadline: Deadline): Promise<boolean> {
  const said = new Uint8Array(LONGEST_FAREWELL);
  const timeout = Math.min(HANGS_UP_WITHIN, deadline.leftForCall / 2);
  try {
    return await socket.receive(said, { peek: "whole", timeout }) < said.length;
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    return thrown.code === "ECONNRESET" || thrown.code === "EPIPE";
  }
}

/**
 * Asks the multiplexer behind `socket` for the target's port, and takes its answer: the OK line, and not one byte more,
 * because what follows is the server's. A server that speaks with no OK line before it is taken as it is, unless it hangs up.
 */
export async function requestPort(
  socket: Pick<Socket, "send" | "receive">,
  target: VsockMuxTarget,
  deadline: Deadline,
): Promise<void> {
  try {
    await socket.send(connectRequest(target.port), { timeout: deadline.leftForCall });
  } catch (thrown) {
    // It closed without reading; what it answered before that, if it did, is still there to be read.
    if (!(thrown instanceof SystemError && thrown.code === "EPIPE")) throw thrown;
  }
  const buffer = new Uint8Array(LONGEST_OK_LINE);
  /** How many bytes of the buffer are the answer so far, and already taken out of the socket. */
  let taken = 0;
  for (;;) {
    const rest = buffer.subarray(taken);
    const seen = await socket.receive(rest, { peek: "some", timeout: deadline.leftForCall });
    const answer = buffer.subarray(0, taken + seen);
    if (seen === 0) throw taken === 0 ? closedByMultiplexerError(target) : protocolError(target, answer, true);
    const reply = readReply(answer);
    switch (reply.is) {
      case "speaks":
        if (await hangsUp(socket, deadline)) throw sshServerError(target);
        return;
      case "connected":
        await take(reply.length - taken);
        return;
      case "partial":
        await take(seen);
        break;
      case "undecided":
        // One byte more decides, or the next one does.
        if (
          await socket.receive(rest.subarray(0, seen + 1), { peek: "whole", timeout: deadline.leftForCall }) === seen
        ) {
          throw protocolError(target, answer, true);
        }
        break;
      case "foreign":
        throw protocolError(target, answer, false);
    }
  }

  /** Takes `count` bytes that were peeked at: they are there. */
  async function take(count: number): Promise<void> {
    for (const end = taken + count; taken < end;) {
      const got = await socket.receive(buffer.subarray(taken, end), { timeout: deadline.leftForCall });
      if (got === 0) throw closedByMultiplexerError(target);
      taken += got;
    }
  }
}
