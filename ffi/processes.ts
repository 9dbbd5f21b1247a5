/**
 * Reads /proc for other processes (proc(5)).
 *
 * @module
 */

import { inspectionCalls } from "./inspection.ts";
import type { Library } from "./library.ts";
import { checkResult } from "./socket.ts";
import {
  INSPECTION_SYMBOLS,
  PROC_ARGUMENTS,
  PROC_ARGUMENTS_START,
  PROC_CWD,
  PROC_MOUNTS,
  PROC_NAME,
  PROC_PROCESSES,
  PROC_ROOT,
  PROC_SOCKETS,
  PROC_STATUS_START,
  PROC_UNIX_SOCKETS,
} from "./symbols.ts";

/** Reads on another thread, because another process can hold up a read of its memory, which has its command line. */
const SLOW_SYMBOLS = { dsp_proc_text: { ...INSPECTION_SYMBOLS.dsp_proc_text, nonblocking: true } } as const;

type SlowCalls = Deno.DynamicLibrary<typeof SLOW_SYMBOLS>["symbols"];

const slow = new WeakMap<Library, SlowCalls>();

function slowCalls(library: Library): SlowCalls {
  let calls = slow.get(library);
  if (calls === undefined) slow.set(library, calls = library.load(SLOW_SYMBOLS));
  return calls;
}

/** The process id that stands for this process in all of these functions. */
export const THIS_PROCESS = 0;

/** The longest path that Linux takes, PATH_MAX, in bytes. */
const LONGEST_PATH = 4096;

/** The most AF_UNIX sockets of a process that are returned: those with the lowest descriptors. */
const MOST_SOCKETS = 1024;

/** More processes than Linux can have (PID_MAX_LIMIT). */
const MOST_PROCESSES = 4 * 1024 * 1024;

// Linux's numbers. The library has no other system's /proc.
const ENOENT = 2;
const ESRCH = 3;
const ERANGE = 34;

/** The text about a process is longer than the most that is read. The process's user can make it so. */
export class TooLong extends Error {
  override readonly name = "TooLong";
}

/**
 * Returns the ids of all processes that this process can see; none without /proc.
 *
 * @throws {SystemError} on another system than Linux
 */
export function processIds(library: Library): number[] {
  const { dsp_proc_numbers } = inspectionCalls(library);
  for (let count = 1024;; count *= 4) {
    const into = new Uint32Array(count);
    const returned = dsp_proc_numbers(0, PROC_PROCESSES, new Uint8Array(into.buffer), BigInt(count));
    if (returned === -ERANGE && count < MOST_PROCESSES) continue;
    if (hasEnded(returned)) return [];
    return Array.from(into.subarray(0, checkResult("proc_numbers", returned)));
  }
}

/**
 * Returns the inode numbers of the AF_UNIX sockets that a process has open, at most 1,024; undefined if it has ended. A
 * monitor opens the sockets on which it listens first, before connections.
 *
 * @throws {SystemError} `EACCES` if the process is another user's, and this one may not look into it
 */
export function openSockets(library: Library, pid: number): number[] | undefined {
  const into = new Uint32Array(MOST_SOCKETS);
  const bytes = new Uint8Array(into.buffer);
  const returned = inspectionCalls(library).dsp_proc_numbers(pid, PROC_SOCKETS, bytes, BigInt(into.length));
  if (hasEnded(returned)) return undefined;
  // No socket has the inode number 0.
  if (returned === -ERANGE) return [...into].filter((inode) => inode !== 0);
  return [...into.subarray(0, checkResult("proc_numbers", returned))];
}

/** Returns a process's name, at most 15 bytes: its program's, unless it has set another. Undefined if it has ended. */
export function processName(library: Library, pid: number): string | undefined {
  // Threads of the kernel have names of up to 64 bytes.
  return processText(library, pid, PROC_NAME, 256)?.replace(/\n$/, "");
}

/**
 * Returns the first argument of a process, cut after 4,096 bytes; an empty one for a thread of the kernel. Undefined if it
 * has ended.
 */
export async function firstArgument(library: Library, pid: number): Promise<string | undefined> {
  const text = await slowText(library, pid, PROC_ARGUMENTS_START, LONGEST_PATH);
  return text?.split("\0", 1)[0];
}

/**
 * Returns a process's command line, which can be empty. Undefined if the process has ended.
 *
 * @throws {TooLong} over 256 KiB. The longest of libvirt have a tenth of that, and any user can make 300 MiB
 */
export async function processArguments(library: Library, pid: number): Promise<string[] | undefined> {
  const text = await slowText(library, pid, PROC_ARGUMENTS, 256 * 1024);
  // A NUL follows each argument, unless the process has overwritten them.
  return text === undefined ? undefined : text === "" ? [] : text.replace(/\0$/, "").split("\0");
}

/** Returns the user who started a process, not the one that a setuid program runs as. Undefined if it has ended. */
export function processUser(library: Library, pid: number): number | undefined {
  const uid = /^Uid:\t([0-9]+)\t/m.exec(processText(library, pid, PROC_STATUS_START, 4096) ?? "")?.[1];
  return uid === undefined ? undefined : Number(uid);
}

/**
 * Returns a process's root directory, in its own mount namespace. Undefined if the process has ended.
 *
 * @throws {SystemError} `EACCES` if the process is another user's, and this one may not look into it
 */
export function processRoot(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_ROOT, 2 * LONGEST_PATH);
}

/**
 * Returns a process's working directory, likewise.
 *
 * @throws {SystemError} `EACCES` if the process is another user's, and this one may not look into it
 */
export function processDirectory(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_CWD, 2 * LONGEST_PATH);
}

/**
 * Returns `/proc/PID/net/unix`, the AF_UNIX sockets of a process's network namespace. Undefined if the process has ended.
 *
 * @throws {TooLong} over 4 MiB, which is some 25,000 sockets with the longest paths
 */
export function unixSockets(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_UNIX_SOCKETS, 4 * 1024 * 1024);
}

/**
 * Returns `/proc/PID/mountinfo`, the mounts that a process sees. Undefined if the process has ended.
 *
 * @throws {TooLong} over 4 MiB. A host of thousands of containers has less
 */
export function mounts(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_MOUNTS, 4 * 1024 * 1024);
}

/** Reads at most `most` bytes of a text. */
function processText(library: Library, pid: number, which: number, most: number): string | undefined {
  const { dsp_proc_text } = inspectionCalls(library);
  for (let size = Math.min(most, 2 * LONGEST_PATH);; size = Math.min(most, 8 * size)) {
    const into = new Uint8Array(size);
    const returned = dsp_proc_text(pid, which, into, BigInt(size));
    if (returned !== -ERANGE || size >= most) return decode(into, returned);
  }
}

/** Does the same on another thread. The caller should limit how long it waits. */
async function slowText(library: Library, pid: number, which: number, most: number): Promise<string | undefined> {
  const { dsp_proc_text } = slowCalls(library);
  for (let size = Math.min(most, 2 * LONGEST_PATH);; size = Math.min(most, 8 * size)) {
    const into = new Uint8Array(size);
    const returned = await dsp_proc_text(pid, which, into, BigInt(size));
    if (returned !== -ERANGE || size >= most) return decode(into, returned);
  }
}

function decode(into: Uint8Array, returned: number): string | undefined {
  if (hasEnded(returned)) return undefined;
  if (returned === -ERANGE) throw new TooLong(`it is longer than ${into.length} bytes`);
  return new TextDecoder().decode(into.subarray(0, checkResult("proc_text", returned)));
}

function hasEnded(returned: number): boolean {
  return returned === -ENOENT || returned === -ESRCH;
}
