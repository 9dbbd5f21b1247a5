/**
 * The server's banner: its identification string, which an SSH server sends as soon as it is connected to.
 *
 * @module
 */

import { SystemError } from "../ffi/errno.ts";
import type { Socket } from "../ffi/socket.ts";
import { bannerError, silenceError, strangerError } from "./explain.ts";
import { BANNER } from "./handshake.ts";
import { latin1 } from "./latin1.ts";
import type { Deadline } from "./patience.ts";
import type { Target } from "./target.ts";

/** How long a banner is at most, its end included (RFC 4253, section 4.2). */
export const LONGEST_BANNER = 255;

/** How much a server may say until its banner ends: as much as OpenSSH's client takes for a line (SSH_MAX_BANNER_LEN). */
const LONGEST_GREETING = 8192;

/**
 * Waits for the banner of the server behind `socket`, and leaves it there for `ssh`. Gives the line without its end.
 *
 * @throws {ProxyError} `unreachable` where the server ends before, `timeout` where it says nothing, `protocol` where it says
 * something else
 */
export async function peekBanner(socket: Pick<Socket, "receive">, target: Target, deadline: Deadline): Promise<string> {
  const buffer = new Uint8Array(LONGEST_GREETING);
  let said = buffer.subarray(0, 0);
  try {
    while (said.length < buffer.length) {
      // One byte more than there was, and then all that is there now.
      const more = buffer.subarray(0, said.length + 1);
      if (await socket.receive(more, { peek: "whole", timeout: deadline.left }) < more.length) {
        throw said.length === 0 ? bannerError(target) : strangerError(target, said, true);
      }
      said = buffer.subarray(0, await socket.receive(buffer, { peek: "some", timeout: deadline.left }));
      const banner = readBanner(said);
      if (banner !== undefined) return banner;
    }
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    if (thrown.code !== "ETIMEDOUT") throw bannerError(target, thrown);
    if (mayBecomeBanner(said)) throw silenceError(target, deadline);
  }
  throw strangerError(target, said, false);
}

/**
 * The banner in what a server said so far, where it is whole. Other lines may stand before it (RFC 4253, section 4.2); it
 * ends with a line feed, which OpenSSH and the RFC have a carriage return before.
 */
export function readBanner(said: Uint8Array): string | undefined {
  const text = latin1(said);
  for (let start = 0, end; (end = text.indexOf("\n", start)) !== -1; start = end + 1) {
    if (text.startsWith(BANNER, start)) return text.slice(start, text[end - 1] === "\r" ? end - 1 : end);
  }
  return undefined;
}

/** Whether the beginning of a banner, and nothing else, is all that was said. */
function mayBecomeBanner(said: Uint8Array): boolean {
  const text = latin1(said.subarray(0, BANNER.length));
  return BANNER.startsWith(text);
}
