/**
 * Sockets and file descriptors: calls the library's functions, and turns their results into values and errors.
 *
 * @module
 */

import { DEFAULT_TIMEOUT_MS, requireTimeout } from "../core/deadline.ts";
import { ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";
import { SystemError } from "./errno.ts";
import type { Library } from "./library.ts";
import { FD_KINDS, RECEIVE_PEEK, RECEIVE_WHOLE, RELAY_SYMBOLS } from "./symbols.ts";

/** Options of all calls that wait. */
export interface WaitOptions {
  /**
   * The timeout in milliseconds: over 0, at most 2^32 − 1.
   *
   * @default {10000}
   */
  timeout?: number;
}

/** Options of {@linkcode Socket.receive}. */
export interface ReceiveOptions extends WaitOptions {
  /**
   * Leaves the bytes in the socket for the next read: `"some"` waits for one byte, `"whole"` until the buffer can be filled or
   * the peer has ended.
   */
  peek?: "some" | "whole";
}

/**
 * A connected stream socket that owns its file descriptor. `using` closes it.
 *
 * Its methods throw a `ProxyError` of kind `usage` for an invalid argument, and an `Error` whose message names the system's
 * error if a call fails or times out.
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
    return new Socket(library, checkResult("connect_unix", fd));
  }

  /** Connects to `port` of `cid` over AF_VSOCK. */
  static async connectVsock(library: Library, cid: number, port: number, { timeout }: WaitOptions): Promise<Socket> {
    const fd = await library.calls.connect_vsock(cid, port, timeLeft(timeout));
    return new Socket(library, checkResult("connect_vsock", fd));
  }

  /** The file descriptor. Only {@linkcode close} may close it. */
  get fd(): number {
    if (this.#fd === undefined) throw new TypeError("Cannot use the socket: it is closed");
    return this.#fd;
  }

  /** Sends all of `bytes`, the first time in one piece. */
  async send(bytes: Uint8Array<ArrayBuffer>, { timeout }: WaitOptions = {}): Promise<void> {
    const { dsp_send_bytes } = this.#library.calls;
    requireBytes(bytes, 0);
    checkResult("send_bytes", await dsp_send_bytes(this.fd, bytes, BigInt(bytes.length), timeLeft(timeout)));
  }

  /** Receives at least one byte, up to the length of `into`. Returns their number; 0 at the end of the stream. */
  async receive(into: Uint8Array<ArrayBuffer>, { timeout, peek }: ReceiveOptions = {}): Promise<number> {
    // An empty buffer would return 0, like the end of the stream.
    requireBytes(into, 1);
    const flags = flagsOf(peek);
    const { dsp_receive_bytes } = this.#library.calls;
    const count = await dsp_receive_bytes(this.fd, into, BigInt(into.length), flags, timeLeft(timeout));
    return checkResult("receive_bytes", count);
  }

  /**
   * Passes a duplicate of the file descriptor over the AF_UNIX socket with the number `channel`, with one NUL byte, as `ssh`
   * with `ProxyUseFdpass yes` expects it.
   */
  async passTo(channel: number, { timeout }: WaitOptions = {}): Promise<void> {
    const { send_fd } = this.#library.calls;
    if (!(Number.isInteger(channel) && channel >= 0 && channel <= MOST)) {
      throw unusable("channel", channel, "not a file descriptor", `a number from 0 to ${MOST}`);
    }
    checkResult("send_fd", await send_fd(channel, this.fd, timeLeft(timeout)));
  }

  /** Closes the file descriptor. A second call does nothing. */
  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) checkResult("close_fd", this.#library.rare.dsp_close_fd(fd));
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Waits at most `timeout` milliseconds. Returns whether the peer of this process's socket `fd` has hung up. Takes no bytes. A
 * file descriptor that is not a socket never hangs up.
 */
export async function waitForHangUp(library: Library, fd: number, timeout: number): Promise<boolean> {
  const end = performance.now() + timeout;
  // A time of 0 would be refused.
  const time = timeLeft(Math.max(timeout, 1));
  const count = await library.calls.dsp_receive_bytes(fd, new Uint8Array(1), 1n, RECEIVE_PEEK, time);
  if (count === 0) return true;
  // The peer has sent something, or the fd is not a socket: neither tells of a hang-up.
  const left = end - performance.now();
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  return false;
}

/** The kind of a file descriptor. */
export type FdKind = typeof FD_KINDS[number];

/** Returns the kind of this process's file descriptor `fd`. */
export async function fdKind(library: Library, fd: number): Promise<FdKind> {
  const kind = checkResult("fd_kind", await library.calls.dsp_fd_kind(asStruct(Int32Array.of(fd))));
  return FD_KINDS[kind] ?? "something else";
}

/** The first file descriptor after standard error. */
const FIRST_INHERITED = 3;

/**
 * Carries bytes from the file descriptor `from` to `socket`, and from `socket` to `to`, until both have ended. Blocks this
 * process.
 */
export function relay(library: Library, from: number, to: number, socket: Socket): void {
  const { dsp_close_inherited, dsp_relay } = library.load(RELAY_SYMBOLS);
  // Another process could wait for the end of a descriptor that this one has inherited.
  checkResult("close_inherited", dsp_close_inherited(asStruct(Int32Array.of(FIRST_INHERITED))));
  checkResult("relay", dsp_relay(from, to, asStruct(Int32Array.of(socket.fd))));
}

/** Returns whether the AF_UNIX socket at `path` is a datagram socket; false for a stream or a seqpacket socket. */
export function isDatagramSocket(library: Library, path: string): boolean {
  const bytes = new TextEncoder().encode(path);
  const answer = library.rare.dsp_is_datagram_socket(bytes, BigInt(bytes.length));
  return checkResult("is_datagram_socket", answer) === 1;
}

/** The longest path that Linux takes, with its NUL (limits.h). */
const PATH_MAX = 4096;

/** Returns this user's runtime directory, such as /run/user/1000; undefined if its path cannot be used. */
export function runtimeDirectory(library: Library): string | undefined {
  const into = new Uint8Array(PATH_MAX);
  const length = library.rare.dsp_runtime_directory(into, BigInt(into.length));
  return length < 0 ? undefined : new TextDecoder().decode(into.subarray(0, length));
}

/** `struct time_left`: whole milliseconds, rounded up. */
function timeLeft(timeout: number = DEFAULT_TIMEOUT_MS): Uint8Array<ArrayBuffer> {
  return asStruct(Uint32Array.of(Math.ceil(requireTimeout(timeout))));
}

/** The largest `int32_t`: no file descriptor and no number of bytes is larger. */
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

/** Returns the error for an argument that only plain JavaScript can pass. */
function unusable(what: string, value: unknown, why: string, takes: string): ProxyError {
  return new ProxyError("usage", `${what} ${escapeForTerminal(Deno.inspect(value))}: ${why}`, {
    hint: `it must be ${takes}`,
  });
}

function asStruct({ buffer }: Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}

/** Returns the result of a call of the library, or throws the error that it stands for. */
export function checkResult(call: string, returned: number): number {
  if (returned < 0) throw new SystemError(call, returned);
  return returned;
}
