/**
 * A connected socket, and the one place where the library's functions are called and their numbers become values.
 *
 * @module
 */

import { DEFAULT_TIMEOUT_MS, requireTimeout } from "../core/deadline.ts";
import { ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";
import { SystemError } from "./errno.ts";
import type { Library } from "./library.ts";
import { FD_KINDS, RECEIVE_PEEK, RECEIVE_WHOLE, RELAY } from "./symbols.ts";

/** How to wait for what a socket is to do. */
export interface WaitOptions {
  /**
   * How long it may take, in milliseconds: over 0, at most 2^32 − 1.
   *
   * @default {10000}
   */
  timeout?: number;
}

/** How to receive. */
export interface ReceiveOptions extends WaitOptions {
  /**
   * Leaves the bytes in the socket for whoever reads next: `"some"` waits for one byte, `"whole"` until the buffer can be
   * filled or the peer has ended.
   */
  peek?: "some" | "whole";
}

/**
 * A connected stream socket that owns its file descriptor. `using` closes it.
 *
 * Its methods throw a `ProxyError` of kind `usage` for an argument that is none, and an `Error` whose message names the
 * system's error where a call fails, also for a timeout.
 */
export class Socket implements Disposable {
  readonly #library: Library;
  #fd: number | undefined;

  private constructor(library: Library, fd: number) {
    this.#library = library;
    this.#fd = fd;
  }

  /** Connects to the AF_UNIX stream socket at `path`. */
  static async connectUnix(library: Library, path: string, { timeout }: WaitOptions): Promise<Socket> {
    const bytes = new TextEncoder().encode(path);
    const fd = await library.calls.connect_unix(bytes, BigInt(bytes.length), timeLeft(timeout));
    return new Socket(library, valueOf("connect_unix", fd));
  }

  /** Connects to `port` of `cid` over AF_VSOCK. */
  static async connectVsock(library: Library, cid: number, port: number, { timeout }: WaitOptions): Promise<Socket> {
    const fd = await library.calls.connect_vsock(cid, port, timeLeft(timeout));
    return new Socket(library, valueOf("connect_vsock", fd));
  }

  /** The file descriptor. It is the socket's own: whoever closes it otherwise takes it from under it. */
  get fd(): number {
    if (this.#fd === undefined) throw new TypeError("Cannot use the socket: it is closed");
    return this.#fd;
  }

  /** Sends all of `bytes`, the first time in one piece. */
  async send(bytes: Uint8Array<ArrayBuffer>, { timeout }: WaitOptions = {}): Promise<void> {
    const { dsp_send_bytes } = this.#library.calls;
    requireBytes(bytes, 0);
    valueOf("send_bytes", await dsp_send_bytes(this.fd, bytes, BigInt(bytes.length), timeLeft(timeout)));
  }

  /** Receives what is there, up to the length of `into`, and gives its length; 0 at the end of the stream. */
  async receive(into: Uint8Array<ArrayBuffer>, { timeout, peek }: ReceiveOptions = {}): Promise<number> {
    // A buffer of no bytes would be told the same as the end of the stream.
    requireBytes(into, 1);
    const flags = flagsOf(peek);
    const { dsp_receive_bytes } = this.#library.calls;
    const count = await dsp_receive_bytes(this.fd, into, BigInt(into.length), flags, timeLeft(timeout));
    return valueOf("receive_bytes", count);
  }

  /**
   * Passes the file descriptor over the AF_UNIX socket with the number `channel`, as `ssh` with `ProxyUseFdpass yes`
   * expects it: one NUL byte that carries it. This socket still owns its own.
   */
  async passTo(channel: number, { timeout }: WaitOptions = {}): Promise<void> {
    const { send_fd } = this.#library.calls;
    if (!(Number.isInteger(channel) && channel >= 0 && channel <= MOST)) {
      throw unusable("channel", channel, "not a file descriptor", `a number from 0 to ${MOST}`);
    }
    valueOf("send_fd", await send_fd(channel, this.fd, timeLeft(timeout)));
  }

  /** Closes the file descriptor. A second call does nothing. */
  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) valueOf("close_fd", this.#library.afterwards.dsp_close_fd(fd));
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Waits at most `timeout` milliseconds, and returns whether the other end of this process's socket `fd` has hung up. What it
 * sends stays there. A file descriptor that is no socket never hangs up.
 */
export async function waitForHangUp(library: Library, fd: number, timeout: number): Promise<boolean> {
  const end = performance.now() + timeout;
  // A time of 0 would be refused.
  const time = timeLeft(Math.max(timeout, 1));
  const count = await library.calls.dsp_receive_bytes(fd, new Uint8Array(1), 1n, RECEIVE_PEEK, time);
  if (count === 0) return true;
  // It has sent something, or it is no socket: then there is nothing to wait for.
  const left = end - performance.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  return false;
}

/** What a file descriptor is. */
export type FdKind = typeof FD_KINDS[number];

/** What the file descriptor `fd` of this process is. */
export async function fdKind(library: Library, fd: number): Promise<FdKind> {
  const kind = valueOf("fd_kind", await library.calls.dsp_fd_kind(asStruct(Int32Array.of(fd))));
  return FD_KINDS[kind] ?? "something else";
}

/** The first file descriptor that is none of standard input, output and error. */
const FIRST_INHERITED = 3;

/**
 * Carries bytes from the file descriptor `from` to `socket` and from that to `to`, until both have ended. Nothing else runs
 * in this process meanwhile.
 */
export function relay(library: Library, from: number, to: number, socket: Socket): void {
  const { dsp_close_inherited, dsp_relay } = library.load(RELAY);
  // Nobody is to wait for the end of what this process does not even know that it has.
  valueOf("close_inherited", dsp_close_inherited(asStruct(Int32Array.of(FIRST_INHERITED))));
  valueOf("relay", dsp_relay(from, to, asStruct(Int32Array.of(socket.fd))));
}

/** Whether the AF_UNIX socket at `path`, which refused a stream, takes datagrams. If not, it takes packets. */
export function isDatagramSocket(library: Library, path: string): boolean {
  const bytes = new TextEncoder().encode(path);
  const answer = library.afterwards.dsp_is_datagram_socket(bytes, BigInt(bytes.length));
  return valueOf("is_datagram_socket", answer) === 1;
}

/** The longest path that Linux takes, with its NUL (limits.h). */
const PATH_MAX = 4096;

/** The folder for the sockets of this user's own programs, such as /run/user/1000; undefined where it has no usable path. */
export function runtimeFolder(library: Library): string | undefined {
  const into = new Uint8Array(PATH_MAX);
  const length = library.afterwards.dsp_runtime_directory(into, BigInt(into.length));
  return length < 0 ? undefined : new TextDecoder().decode(into.subarray(0, length));
}

/** `struct time_left`: whole milliseconds, rounded up. */
function timeLeft(timeout: number = DEFAULT_TIMEOUT_MS): Uint8Array<ArrayBuffer> {
  return asStruct(Uint32Array.of(Math.ceil(requireTimeout(timeout))));
}

/** What an `int32_t` holds: no file descriptor is larger, and no count of bytes. */
const MOST = 2 ** 31 - 1;

function requireBytes(bytes: Uint8Array, least: number): void {
  if (!(bytes instanceof Uint8Array)) throw unusable("buffer", bytes, "not bytes", "a Uint8Array");
  const { length } = bytes;
  if (length >= least && length <= MOST) return;
  throw unusable("buffer of length", length, "not a length", `a Uint8Array of ${least} to ${MOST} bytes`);
}

function flagsOf(peek: ReceiveOptions["peek"]): number {
  switch (peek) {
    case undefined:
      return 0;
    case "some":
      return RECEIVE_PEEK;
    case "whole":
      return RECEIVE_PEEK | RECEIVE_WHOLE;
    default:
      throw unusable("peek", peek, "not a way to peek", '"some", "whole" or undefined');
  }
}

/** An argument that only plain JavaScript, or a number of the wrong kind, can bring here. */
function unusable(what: string, value: unknown, why: string, takes: string): ProxyError {
  return new ProxyError("usage", `${what} ${escapeForTerminal(Deno.inspect(value))}: ${why}`, {
    hint: `it must be ${takes}`,
  });
}

function asStruct({ buffer }: Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}

/** What a function of the library returned, or its negative error number thrown. */
export function valueOf(call: string, returned: number): number {
  if (returned < 0) throw new SystemError(call, returned);
  return returned;
}
