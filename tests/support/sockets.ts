/**
 * AF_UNIX sockets to listen with, of the kinds that Deno has and of those that it has not.
 *
 * @module
 */

import { inTime } from "../../tools/waiting.ts";
import { libc } from "./libc.ts";
import { Fd } from "./process.ts";

/** An AF_UNIX stream socket that listens at `path`. Connections wait in its backlog until they are accepted. */
export function listen(path: string): Deno.UnixListener {
  return Deno.listen({ transport: "unix", path });
}

/** Closes what may have been closed already. */
export function closeAnyway(connection: Deno.UnixConn | undefined): void {
  try {
    connection?.close();
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.BadResource)) throw thrown;
  }
}

/** The first bytes that come in, at most `length`; nothing at the end of the stream. */
export async function readSome(from: { read(into: Uint8Array): Promise<number | null> }, length = 256) {
  const into = new Uint8Array(length);
  return into.subarray(0, await inTime(from.read(into)) ?? 0);
}

/** Bytes that nothing can guess. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const random = new Uint8Array(length);
  // The most that one call gives.
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(random.subarray(at, at + 65536));
  return random;
}

/** What stands for many bytes where a failure shows them. */
export async function sha256(of: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", of)).toHex();
}

/** `text`, a character a byte. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The other way round. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** An AF_UNIX socket of a kind that Deno makes none of, bound to `path`. */
export class BoundSocket extends Fd {
  constructor(type: "stream" | "datagram" | "seqpacket", path: string) {
    super(libc.socket(1, { stream: 1, datagram: 2, seqpacket: 5 }[type], 0));
    this.#succeeded("bind", libc.bind(this.number, ...unixAddress(path)));
  }

  connect(path: string): void {
    this.#succeeded("connect", libc.connect(this.number, ...unixAddress(path)));
  }

  listen(backlog: number): void {
    this.#succeeded("listen", libc.listen(this.number, backlog));
  }

  #succeeded(call: string, returned: number): void {
    if (returned !== 0) throw new Error(`${call} failed`);
  }
}

/** struct sockaddr_un: the family, and the path with its NUL. */
function unixAddress(path: string): [Uint8Array<ArrayBuffer>, number] {
  const address = new Uint8Array(110);
  // Linux has the family in the first two bytes; macOS the length in the first and the family in the second.
  address.set(Deno.build.os === "darwin" ? [address.length, 1] : Uint8Array.from([1, 0]));
  new TextEncoder().encodeInto(path, address.subarray(2));
  return [address, address.length];
}
