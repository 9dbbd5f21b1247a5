/**
 * What several of the unit tests share: folders that go away, sockets that Deno cannot make, a library that makes no
 * system call, and what all errors of this program have in common.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { type Library, libraryPath } from "../../ffi/library.ts";
import { fdKind } from "../../ffi/socket.ts";
import type { ConnectionCalls } from "../../ffi/symbols.ts";
import { type ErrorKind, ProxyError } from "../../proxy/errors.ts";
import { Fd } from "../support/process.ts";

/** The root of the checkout. */
export const CHECKOUT: string = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

/** The library that Cargo built in this checkout. */
export const LIBRARY_PATH: string = libraryPath(`file://${CHECKOUT}/mod.ts`);

/** A folder of one test, gone when its scope ends. */
export class Folder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "deno-ssh-proxy-" });

  /** The path of `name` in here. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** A file in here. */
  file(name: string, text: string): string {
    Deno.writeTextFileSync(this.at(name), text);
    return this.at(name);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** An AF_UNIX stream socket that listens at `path`. Connections wait in its backlog until they are accepted. */
export function listen(path: string): Deno.UnixListener {
  return Deno.listen({ transport: "unix", path });
}

/** The first bytes that come in, at most `length`; nothing at the end of the stream. */
export async function readSome(from: { read(into: Uint8Array): Promise<number | null> }, length = 256) {
  const into = new Uint8Array(length);
  return into.subarray(0, await inTime(from.read(into)) ?? 0);
}

/** `text`, a character a byte. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The other way round. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** What `work` promises, or a failure where that takes for ever: a test that hangs says nothing about what is wrong. */
export async function inTime<T>(work: PromiseLike<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("it takes for ever")), 10_000);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** How many sockets of any address family this process has open, as far as a test opens any. */
export async function openSockets(library: Library): Promise<number> {
  let count = 0;
  for (let fd = 0; fd < 512; fd++) {
    // Its error means that the fd is not open.
    const kind = await fdKind(library, fd).catch(() => "closed");
    if (kind.endsWith("socket")) count++;
  }
  return count;
}

const libc = Deno.dlopen(
  Deno.build.os === "darwin" ? "libSystem.dylib" : "libc.so.6",
  {
    // int socket(int domain, int type, int protocol);
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    // int bind(int fd, const struct sockaddr *address, socklen_t len);
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    // int connect(int fd, const struct sockaddr *address, socklen_t len);
    connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    // int listen(int fd, int backlog);
    listen: { parameters: ["i32", "i32"], result: "i32" },
  },
).symbols;

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

/** What a {@linkcode standInLibrary} does. A call that a test does not expect is left out. */
export interface StandInCalls extends Partial<ConnectionCalls> {
  is_datagram_socket?: () => number;
}

/** A library that makes no system call, to have errors that no machine gives at will; and what was closed with it. */
export function standInLibrary({ is_datagram_socket, ...calls }: StandInCalls): { library: Library; closed: number[] } {
  const closed: number[] = [];
  const library = {
    calls,
    afterwards: {
      close_fd: (fd: number) => {
        closed.push(fd);
        return 0;
      },
      is_datagram_socket,
    },
  };
  // The class has a private constructor, so that no other program makes one of these.
  return { library: library as unknown as Library, closed };
}

/** The milliseconds of a `struct time_left` that a call was given. */
export function millisecondsOf(time: BufferSource | null): number {
  const struct = time as Uint8Array<ArrayBuffer>;
  assertEquals(struct.byteLength, 4);
  return new Uint32Array(struct.buffer)[0]!;
}

/** What every error of this program is: one line that says what failed and why, and at most one more. */
export function assertOneLine(error: ProxyError): void {
  assertMatch(error.message, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u);
  if (error.hint !== undefined) assertMatch(error.hint, /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u);
  assert(error.message.isWellFormed());
}

/** That `work` throws an error of this program, of `kind`, with `text` in its message. */
export function assertFails(kind: ErrorKind, work: () => unknown, text = ""): ProxyError {
  return assertKind(assertThrows(work, ProxyError), kind, text);
}

/** The same for what `work` promises. */
export async function assertFailsLater(
  kind: ErrorKind,
  work: () => PromiseLike<unknown>,
  text = "",
): Promise<ProxyError> {
  return assertKind(await assertRejects(work, ProxyError), kind, text);
}

function assertKind(error: ProxyError, kind: ErrorKind, text: string): ProxyError {
  assertEquals(error.kind, kind, error.message);
  assertStringIncludes(error.message, text);
  assertOneLine(error);
  return error;
}

/** What a program printed on its standard output. It must succeed. */
export function outputOf(program: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args }).outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(success, `${program} ${args.join(" ")}: ${text(stderr)}${text(stdout)}`);
  return text(stdout);
}

/** A test that is left out, and says so, where `tool` is not installed. */
export function testWith(tool: string, name: string, fn: () => void | Promise<void>): void {
  const ignore = !isInstalled(tool);
  Deno.test({ name: ignore ? `${name} (left out: there is no ${tool} here)` : name, ignore, fn });
}

function isInstalled(tool: string): boolean {
  try {
    return new Deno.Command(tool, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}
