/**
 * The handshake with a hybrid-vsock multiplexer.
 *
 * The protocol is Firecracker's (its docs/vsock.md, "Host-Initiated Connections"), which Cloud Hypervisor and
 * vhost-device-vsock share: `CONNECT PORT\n`, answered with `OK NUMBER\n` and then the stream, or with the end of the
 * connection.
 *
 * @module
 */

import type { Deadline } from "../core/deadline.ts";
import { SystemError } from "../ffi/errno.ts";
import type { Socket } from "../ffi/socket.ts";
import type { PortOfSocket } from "./socket_path.ts";

/** Returns the request for `port`. Send it in one piece: Firecracker drops a request that arrives in two. */
export function connectRequest(port: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`CONNECT ${port}\n`);
}

/**
 * The meaning of the first bytes of an answer.
 *
 * - `connected`: the first `length` bytes are the whole OK line; all after them is the server's.
 * - `partial`: the beginning of an OK line, and nothing else.
 * - `speaks`: the server's own banner, with no OK line before it: nothing of it is the multiplexer's.
 * - `undecided`: too few bytes to tell whether it is that banner.
 * - `foreign`: neither, whatever may follow.
 */
export type Reply =
  | { readonly is: "connected"; readonly length: number }
  | { readonly is: "partial" | "speaks" | "undecided" | "foreign" };

/** The length of the longest OK line. Its number is a port of the multiplexer's or of the guest's; any 64-bit number is taken. */
export const LONGEST_OK_LINE = "OK 18446744073709551615\n".length;

/** The beginning of an SSH server's identification string (RFC 4253, section 4.2). */
export const BANNER = "SSH-";

/** Reads `answer`, all bytes that have come so far. */
export function readReply(answer: Uint8Array): Reply {
  const text = String.fromCharCode(...answer.subarray(0, LONGEST_OK_LINE));
  if (text.startsWith(BANNER)) return { is: "speaks" };
  if (BANNER.startsWith(text)) return { is: "undecided" };
  const line = /^OK [0-9]{1,20}\n/.exec(text);
  if (line) return { is: "connected", length: line[0].length };
  return { is: /^(?:O|OK|OK [0-9]{0,20})$/.test(text) ? "partial" : "foreign" };
}

/**
 * Asks the multiplexer behind `socket` for the target's port, and takes the OK line out of the socket, and not one byte
 * more: the bytes after it are the server's. A server that speaks before an OK line is accepted, unless it hangs up.
 *
 * @throws {ProxyError} of kind `unreachable`, `timeout`, `protocol` or `resource`
 */
export async function requestPort(
  socket: Pick<Socket, "send" | "receive">,
  target: PortOfSocket,
  deadline: Deadline,
): Promise<void> {
  let outcome: Outcome;
  try {
    await sendRequest(socket, target.port, deadline);
    outcome = await takeReply(socket, deadline);
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    const { handshakeError } = await import("./multiplexer_errors.ts");
    throw handshakeError(target, thrown, deadline);
  }
  if (outcome.is === "connected") return;
  const errors = await import("./multiplexer_errors.ts");
  switch (outcome.is) {
    case "closed":
      throw errors.closedByMultiplexerError(target);
    case "SSH server":
      throw errors.sshServerError(target);
    case "foreign":
      throw errors.protocolError(target, outcome.answer, outcome.ended);
    default:
      outcome satisfies never;
  }
}

/** The end of a handshake. */
type Outcome =
  | { readonly is: "connected" }
  | { readonly is: "closed" }
  | { readonly is: "SSH server" }
  | { readonly is: "foreign"; readonly answer: Uint8Array; readonly ended: boolean };

async function sendRequest(socket: Pick<Socket, "send">, port: number, deadline: Deadline): Promise<void> {
  try {
    await socket.send(connectRequest(port), { timeout: deadline.leftForCall });
  } catch (thrown) {
    // A multiplexer that closed without reading can have answered before that. The answer can still be received.
    if (!(thrown instanceof SystemError && thrown.code === "EPIPE")) throw thrown;
  }
}

async function takeReply(socket: Pick<Socket, "receive">, deadline: Deadline): Promise<Outcome> {
  const buffer = new Uint8Array(LONGEST_OK_LINE);
  /** How many bytes of the answer, at the beginning of the buffer, were taken out of the socket. */
  let taken = 0;
  for (;;) {
    const rest = buffer.subarray(taken);
    const seen = await socket.receive(rest, { peek: "some", timeout: deadline.leftForCall });
    const answer = buffer.subarray(0, taken + seen);
    if (seen === 0) return taken === 0 ? { is: "closed" } : { is: "foreign", answer, ended: true };
    const reply = readReply(answer);
    switch (reply.is) {
      case "speaks":
        return await hangsUp(socket, deadline) ? { is: "SSH server" } : { is: "connected" };
      case "connected":
        return await take(reply.length - taken) ? { is: "connected" } : { is: "closed" };
      case "partial":
        if (!await take(seen)) return { is: "closed" };
        break;
      case "undecided": {
        // One byte more decides, or the next one does.
        const more = rest.subarray(0, seen + 1);
        if (await socket.receive(more, { peek: "whole", timeout: deadline.leftForCall }) === seen) {
          return { is: "foreign", answer, ended: true };
        }
        break;
      }
      case "foreign":
        return { is: "foreign", answer, ended: false };
      default:
        reply satisfies never;
    }
  }

  /** Takes `count` bytes that were peeked at. Returns whether the connection has not ended. */
  async function take(count: number): Promise<boolean> {
    for (const end = taken + count; taken < end;) {
      const got = await socket.receive(buffer.subarray(taken, end), { timeout: deadline.leftForCall });
      if (got === 0) return false;
      taken += got;
    }
    return true;
  }
}

/** How long a server that speaks before an OK line has to hang up, in milliseconds. An sshd does so in one. */
const HANG_UP_TIMEOUT_MS = 1_000;

/** More bytes than a server sends before it hangs up: its banner and a reason. */
const LONGEST_FAREWELL = 1024;

/**
 * Waits for a server that spoke before an OK line to hang up. An SSH server does: it takes the request for its client's
 * banner, says "Invalid SSH identification string." and closes. A server that took the request waits for `ssh` instead.
 */
async function hangsUp(socket: Pick<Socket, "receive">, deadline: Deadline): Promise<boolean> {
  const received = new Uint8Array(LONGEST_FAREWELL);
  const timeout = Math.min(HANG_UP_TIMEOUT_MS, deadline.leftForCall / 2);
  try {
    return await socket.receive(received, { peek: "whole", timeout }) < received.length;
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    return thrown.code === "ECONNRESET" || thrown.code === "EPIPE";
  }
}
