/**
 * Waits for the server's banner: the identification string that an SSH server sends once it is connected to.
 *
 * @module
 */

import type { Target } from "../addresses/forms.ts";
import { BANNER } from "../addresses/handshake.ts";
import type { Deadline } from "../core/deadline.ts";
import { decodeLatin1 } from "../core/text.ts";
import { SystemError } from "../ffi/errno.ts";
import type { Socket } from "../ffi/socket.ts";
import { bannerTimeoutError, closedBeforeBannerError, hiddenBannerError, notSshError } from "./banner_errors.ts";

/** The longest banner with its line end, in bytes (RFC 4253, section 4.2). */
export const LONGEST_BANNER = 255;

/** OpenSSH's limits for bytes of a line and for lines (ssh.h: SSH_MAX_BANNER_LEN, SSH_MAX_PRE_BANNER_LINES). */
const LONGEST_LINE = 8192;
const MOST_LINES = 1024;

/** The most bytes that OpenSSH reads until the end of the banner: each line with its CR LF. */
const LONGEST_GREETING = MOST_LINES * (LONGEST_LINE + 2);

/** The size of the first buffer in bytes. It doubles when it is full. */
const FIRST_BUFFER = 8192;

/**
 * From this many bytes on, reads are paced by {@linkcode BYTES_A_MILLISECOND}. Each read copies all bytes again, so a server
 * that sends byte by byte would otherwise cause work that grows with their square.
 */
const PACED_FROM = 8 * 1024;
const BYTES_A_MILLISECOND = 8192;

/**
 * A socket that holds this much may be full, and its server blocked. Linux charges an AF_UNIX sender for each write: with
 * the default buffer it blocks after 278 short writes, or some 80 to 240 KB (net.core.wmem_default). A vsock takes 256 KiB.
 */
const FULL_LINES = 256;
const FULL_BYTES = 64 * 1024;

/** How long such a server can send nothing more before it is taken for blocked, in milliseconds. */
const BLOCKED_AFTER_MS = 1_000;

/**
 * Waits for the banner of the server behind `socket`, and leaves it there for `ssh`. Returns the line without its end; or
 * undefined, if so many lines stand before it that the socket is full: nothing more can be seen until `ssh` reads them.
 *
 * @throws {ProxyError} of kind `unreachable` if the server ends before, `timeout` if it sends nothing, `protocol` if it sends
 * something else
 */
export async function awaitBanner(
  socket: Pick<Socket, "receive">,
  target: Target,
  deadline: Deadline,
): Promise<string | undefined> {
  const greeting = new Greeting();
  let buffer = new Uint8Array(FIRST_BUFFER);
  let said = buffer.subarray(0, 0);
  try {
    for (;;) {
      if (said.length === buffer.length) {
        buffer = new Uint8Array(Math.min(2 * buffer.length, LONGEST_GREETING));
        buffer.set(said);
      }
      if (said.length > PACED_FROM) {
        await new Promise((resolve) => setTimeout(resolve, said.length / BYTES_A_MILLISECOND));
      }
      // Waits for one byte more than there was, and then reads all that is there.
      const more = buffer.subarray(0, said.length + 1);
      const timeout = mayBeFull(said, greeting)
        ? Math.min(BLOCKED_AFTER_MS, deadline.leftForCall)
        : deadline.leftForCall;
      if (await socket.receive(more, { peek: "whole", timeout }) < more.length) {
        throw said.length === 0 ? closedBeforeBannerError(target) : notSshError(target, said, true);
      }
      said = buffer.subarray(0, await socket.receive(buffer, { peek: "some", timeout: deadline.leftForCall }));
      const banner = greeting.read(said);
      if (banner !== undefined) return banner;
      if (greeting.isForeign) throw notSshError(target, said, false);
    }
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    if (thrown.code !== "ETIMEDOUT") throw closedBeforeBannerError(target, thrown);
    if (mayBeFull(said, greeting)) return undefined;
    if (mayBecomeBanner(said)) throw bannerTimeoutError(target, deadline);
    throw notSshError(target, said, false);
  }
}

/**
 * Does the same as {@linkcode awaitBanner}, for a caller that needs the banner.
 *
 * @throws {ProxyError} likewise, and of kind `protocol` if the banner cannot be read
 */
export async function peekBanner(socket: Pick<Socket, "receive">, target: Target, deadline: Deadline): Promise<string> {
  const banner = await awaitBanner(socket, target, deadline);
  if (banner === undefined) throw hiddenBannerError(target);
  return banner;
}

const LINE_FEED = "\n".charCodeAt(0);
const CARRIAGE_RETURN = "\r".charCodeAt(0);

/**
 * Reads the lines of a server until its banner, each line once. Other lines can stand before the banner (RFC 4253, section
 * 4.2). A line ends with a line feed; OpenSSH and the RFC have a carriage return before it.
 */
export class Greeting {
  #start = 0;
  #lines = 0;
  #isForeign = false;

  /** The number of whole lines before the banner. */
  get lines(): number {
    return this.#lines;
  }

  /** Whether OpenSSH would give up, because a line is too long or there are too many lines. */
  get isForeign(): boolean {
    return this.#isForeign;
  }

  /** Reads on in `said`, all bytes so far. Returns the banner without its line end, once it is whole. */
  read(said: Uint8Array): string | undefined {
    for (let end; !this.#isForeign && (end = said.indexOf(LINE_FEED, this.#start)) !== -1; this.#start = end + 1) {
      const line = said.subarray(this.#start, end > this.#start && said[end - 1] === CARRIAGE_RETURN ? end - 1 : end);
      this.#isForeign = line.length > LONGEST_LINE;
      if (this.#isForeign) return undefined;
      if (decodeLatin1(line.subarray(0, BANNER.length)) === BANNER) return decodeLatin1(line);
      this.#lines++;
      this.#isForeign = this.#lines === MOST_LINES;
    }
    // The last byte so far can be a carriage return.
    if (said.length - this.#start > LONGEST_LINE + 1) this.#isForeign = true;
    return undefined;
  }
}

/** Returns whether the socket can be full. */
function mayBeFull(said: Uint8Array, { lines }: Greeting): boolean {
  return lines >= FULL_LINES || said.length >= FULL_BYTES;
}

/** Returns whether all bytes so far are the beginning of a banner. */
function mayBecomeBanner(said: Uint8Array): boolean {
  const text = decodeLatin1(said.subarray(0, BANNER.length));
  return BANNER.startsWith(text);
}
