/**
 * What several of the unit tests share: a library that makes no system call, and what all errors of this program have in
 * common; with it what the other tests share too.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { type ErrorKind, ProxyError } from "../../core/errors.ts";
import { type Library, libraryPath } from "../../ffi/library.ts";
import { fdKind } from "../../ffi/socket.ts";
import type { ConnectionCalls } from "../../ffi/symbols.ts";
import { CHECKOUT } from "../../tools/checkout.ts";

export { CHECKOUT, Folder } from "../../tools/checkout.ts";
export { BoundSocket, bytes, closeAnyway, latin1, listen, readSome } from "../support/sockets.ts";
export { inTime } from "../../tools/waiting.ts";
export { outputLater, outputOf } from "../../tools/programs.ts";
export { testWith } from "../support/tools.ts";

/** The library that Cargo built in this checkout. */
export const LIBRARY_PATH: string = libraryPath(`file://${CHECKOUT}/mod.ts`);

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

/** What a {@linkcode standInLibrary} does. A call that a test does not expect is left out. */
export interface StandInCalls extends Partial<ConnectionCalls> {
  dsp_is_datagram_socket?: () => number;
  /** Finds nothing, where it is left out. */
  dsp_path_status?: (path: BufferSource | null, length: number | bigint, into: BufferSource | null) => number;
  /** Knows of no process, where it is left out. */
  dsp_proc_text?: (pid: number, which: number, into: BufferSource | null, length: number | bigint) => number;
  dsp_runtime_directory?: (into: BufferSource | null, length: number | bigint) => number;
  dsp_close_inherited?: (first: BufferSource) => number;
  dsp_relay?: (from: number, to: number, socket: BufferSource) => number;
}

/** A library that makes no system call, to have errors that no machine gives at will; and what was closed with it. */
export function standInLibrary(
  {
    dsp_is_datagram_socket,
    dsp_path_status = () => -2,
    dsp_proc_text = () => -2,
    dsp_runtime_directory,
    dsp_close_inherited,
    dsp_relay,
    ...calls
  }: StandInCalls,
): { library: Library; closed: number[] } {
  const closed: number[] = [];
  const library = {
    calls,
    rare: {
      dsp_close_fd: (fd: number) => {
        closed.push(fd);
        return 0;
      },
      dsp_is_datagram_socket,
      dsp_runtime_directory,
    },
    load: () => ({ dsp_path_status, dsp_proc_text, dsp_close_inherited, dsp_relay }),
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
