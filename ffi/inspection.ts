/**
 * What the commands ask about sockets and processes, beyond what a connection needs. Nothing here changes anything.
 *
 * Deno refuses to read /proc to every program that has not all permissions, and the commands have none to read files with:
 * these are the library's functions, which tell of processes what is here, and read nothing else.
 *
 * @module
 */

import type { Library } from "./library.ts";
import { type PathStatus, readPath } from "./path.ts";
import { valueOf } from "./socket.ts";
import {
  INSPECTION,
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

/** Reading that another process can hold up: its memory is locked while it changes, and its command line is in there. */
const SLOW = { dsp_proc_text: { ...INSPECTION.dsp_proc_text, nonblocking: true } } as const;

type Calls = Deno.DynamicLibrary<typeof INSPECTION>["symbols"];
type SlowCalls = Deno.DynamicLibrary<typeof SLOW>["symbols"];

const loaded = new WeakMap<Library, Calls>();
const slow = new WeakMap<Library, SlowCalls>();

function callsOf(library: Library): Calls {
  let calls = loaded.get(library);
  if (calls === undefined) loaded.set(library, calls = library.load(INSPECTION));
  return calls;
}

function slowCallsOf(library: Library): SlowCalls {
  let calls = slow.get(library);
  if (calls === undefined) slow.set(library, calls = library.load(SLOW));
  return calls;
}

export type { PathStatus };

/** Who is at the other end of a connection. */
export interface Credentials {
  /** The process id: of who listened, when it began to. 0 where that process is in none of this one's namespaces. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who listens behind the connected AF_UNIX socket `fd` (unix(7), SO_PEERCRED).
 *
 * @throws {SystemError}
 */
export function peerCredentials(library: Library, fd: number): Credentials {
  const into = new Uint32Array(3);
  valueOf("peer_credentials", callsOf(library).dsp_peer_credentials(fd, bytesOf(into)));
  const [pid = 0, uid = 0, gid = 0] = into;
  return { pid, uid, gid };
}

/**
 * The CID that this machine's hypervisor knows it by.
 *
 * @throws {SystemError} `ENOENT` or `ENODEV` where there is no vsock device
 */
export function localCid(library: Library): number {
  return valueOf("local_cid", Number(callsOf(library).dsp_local_cid()));
}

/**
 * What is at `path`, at the end of all symbolic links.
 *
 * @throws {SystemError}
 */
export function pathStatus(library: Library, path: string): PathStatus {
  return readPath(callsOf(library).dsp_path_status, path);
}

/**
 * The ids of all processes that this one can see: none where there is no /proc.
 *
 * @throws {SystemError} where the system is not Linux
 */
export function processIds(library: Library): number[] {
  return processNumbers(library) ?? [];
}

/** The most AF_UNIX sockets of a process that are told of: those with the lowest descriptors. */
const MOST_SOCKETS = 1024;

/**
 * The inode numbers of the AF_UNIX sockets that a process has open, at most {@linkcode MOST_SOCKETS}; undefined where it has
 * ended. What a monitor listens on it has from its beginning, before it has connections.
 *
 * @throws {SystemError} `EACCES` where it is another user's, and this one may not look into it
 */
export function openSockets(library: Library, pid: number): number[] | undefined {
  const into = new Uint32Array(MOST_SOCKETS);
  const returned = callsOf(library).dsp_proc_numbers(pid, PROC_SOCKETS, bytesOf(into), BigInt(into.length));
  if (isGone(returned)) return undefined;
  // No socket has the number 0.
  if (returned === -ERANGE) return [...into].filter((inode) => inode !== 0);
  return [...into.subarray(0, valueOf("proc_numbers", returned))];
}

/** A process's name, at most 15 bytes: its program's, unless it has taken another. Undefined where it has ended. */
export function processName(library: Library, pid: number): string | undefined {
  // Those of the kernel's threads have up to 64 bytes.
  return processText(library, pid, PROC_NAME, 256)?.replace(/\n$/, "");
}

/**
 * The first argument of a process, which may be cut after {@linkcode LONGEST_PATH} bytes: none where it has none, as threads
 * of the kernel. Undefined where it has ended.
 */
export async function firstArgument(library: Library, pid: number): Promise<string | undefined> {
  const text = await slowText(library, pid, PROC_ARGUMENTS_START, LONGEST_PATH);
  return text?.split("\0", 1)[0];
}

/**
 * A process's command line: none where it has none. Undefined where it has ended.
 *
 * @throws {TooLong} over 256 KiB: libvirt's longest have a tenth of that, and whoever wants it can make it 300 MiB
 */
export async function processArguments(library: Library, pid: number): Promise<string[] | undefined> {
  const text = await slowText(library, pid, PROC_ARGUMENTS, 256 * 1024);
  // Each has a NUL behind it, unless the process has written over them.
  return text === undefined ? undefined : text === "" ? [] : text.replace(/\0$/, "").split("\0");
}

/** The user who started a process: not the one that a setuid program runs as. Undefined where it has ended. */
export function processUser(library: Library, pid: number): number | undefined {
  const uid = /^Uid:\t([0-9]+)\t/m.exec(processText(library, pid, PROC_STATUS_START, 4096) ?? "")?.[1];
  return uid === undefined ? undefined : Number(uid);
}

/**
 * Where a process's `/` is: the path of the folder in its own mount namespace. Undefined where it has ended.
 *
 * @throws {SystemError} `EACCES` where it is another user's, and this one may not look into it
 */
export function processRoot(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_ROOT, 2 * LONGEST_PATH);
}

/**
 * A process's working directory, likewise.
 *
 * @throws {SystemError} `EACCES` where it is another user's, and this one may not look into it
 */
export function processFolder(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_CWD, 2 * LONGEST_PATH);
}

/**
 * `/proc/PID/net/unix`: the AF_UNIX sockets of a process's network namespace. Undefined where it has ended.
 *
 * @throws {TooLong} over 4 MiB, which is 25,000 sockets with the longest paths
 */
export function unixSockets(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_UNIX_SOCKETS, 4 * 1024 * 1024);
}

/**
 * `/proc/PID/mountinfo`: what is mounted where, as a process sees it. Undefined where it has ended.
 *
 * @throws {TooLong} over 4 MiB: a host of thousands of containers has less
 */
export function mounts(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_MOUNTS, 4 * 1024 * 1024);
}

/** What of this network namespace listens. */
export interface Listening {
  /** Inode number → the path that the socket is bound to, for those of the inode numbers that have one. */
  readonly paths: ReadonlyMap<number, string>;
  /** The inode numbers that several sockets have: which of their paths is whose cannot be told. */
  readonly ambiguous: ReadonlySet<number>;
  /** Those of the paths on which a socket listens. */
  readonly bound: ReadonlySet<string>;
}

/** `struct listening_socket` of the header: its size, and where in it the path is. */
const RECORD = 116;
const RECORD_PATH = 8;

/**
 * The stream sockets of this network namespace that listen and have one of `inodes`, or are bound to one of `paths`. The
 * kernel tells them over netlink, where no path can look like another socket, as it can in {@linkcode unixSockets}.
 *
 * @throws {SystemError} `ENOENT` where the kernel has no unix_diag
 */
export function listeningHere(library: Library, inodes: Iterable<number>, paths: Iterable<string>): Listening {
  // As the library wants them: the paths in the order of their bytes, then the inode numbers in theirs.
  const encoder = new TextEncoder();
  const names = [...new Set(paths)].map((path) => ({ path, bytes: encoder.encode(path) }))
    .filter(({ bytes }) => bytes.length > 0 && bytes.length <= RECORD - RECORD_PATH).sort(byBytes);
  const numbers = [...new Set(inodes)].filter((inode) => inode !== 0).sort((one, other) => one - other);
  if (names.length + numbers.length === 0) return { paths: new Map(), ambiguous: new Set(), bound: new Set() };
  const records = new Uint8Array(RECORD * (names.length + numbers.length));
  const view = new DataView(records.buffer);
  names.forEach(({ bytes }, at) => records.set(bytes, at * RECORD + RECORD_PATH));
  numbers.forEach((inode, at) => view.setUint32((names.length + at) * RECORD, inode, isLittleEndian));
  valueOf("listening_sockets", callsOf(library).dsp_listening_sockets(records, BigInt(names.length + numbers.length)));
  const countAt = (at: number) => view.getUint32(at * RECORD + 4, isLittleEndian);
  const found = new Map<number, string>();
  const ambiguous = new Set<number>();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  numbers.forEach((inode, index) => {
    const at = names.length + index;
    const count = countAt(at);
    if (count > 1) ambiguous.add(inode);
    if (count !== 1) return;
    const path = decoder.decode(records.subarray(at * RECORD + RECORD_PATH, (at + 1) * RECORD)).replace(/\0+$/, "");
    // ssh has no host name with a line break in it.
    if (!path.includes("\n")) found.set(inode, path);
  });
  const bound = new Set(names.flatMap(({ path }, at) => countAt(at) > 0 ? path : []));
  return { paths: found, ambiguous, bound };
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function byBytes({ bytes: one }: { bytes: Uint8Array }, { bytes: other }: { bytes: Uint8Array }): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at === -1 ? one.length - other.length : one[at]! - (other[at] ?? -1);
}

/** This process, to all of these. */
export const THIS_PROCESS = 0;

// The library makes no difference between systems that have these: they are Linux's.
const ENOENT = 2;
const ESRCH = 3;
const ERANGE = 34;

/** PATH_MAX: the kernel takes no path that is longer. */
const LONGEST_PATH = 4096;

/** A text about a process that is longer than one that is read: whoever runs the process can make it so. */
export class TooLong extends Error {
  override readonly name = "TooLong";
}

/** Reads at most `most` bytes. */
function processText(library: Library, pid: number, which: number, most: number): string | undefined {
  const { dsp_proc_text } = callsOf(library);
  for (let size = Math.min(most, 2 * LONGEST_PATH);; size = Math.min(most, 8 * size)) {
    const into = new Uint8Array(size);
    const returned = dsp_proc_text(pid, which, into, BigInt(size));
    if (returned !== -ERANGE || size >= most) return textOf(into, returned, most);
  }
}

/** The same on another thread. Whoever waits for it should do so for a limited time. */
async function slowText(library: Library, pid: number, which: number, most: number): Promise<string | undefined> {
  const { dsp_proc_text } = slowCallsOf(library);
  for (let size = Math.min(most, 2 * LONGEST_PATH);; size = Math.min(most, 8 * size)) {
    const into = new Uint8Array(size);
    const returned = await dsp_proc_text(pid, which, into, BigInt(size));
    if (returned !== -ERANGE || size >= most) return textOf(into, returned, most);
  }
}

function textOf(into: Uint8Array, returned: number, most: number): string | undefined {
  if (isGone(returned)) return undefined;
  if (returned === -ERANGE) throw new TooLong(`it is longer than ${most} bytes`);
  return new TextDecoder().decode(into.subarray(0, valueOf("proc_text", returned)));
}

/** More processes than Linux can have (PID_MAX_LIMIT). */
const MOST_PROCESSES = 4 * 1024 * 1024;

function processNumbers(library: Library): number[] | undefined {
  const { dsp_proc_numbers } = callsOf(library);
  for (let count = 1024;; count *= 4) {
    const into = new Uint32Array(count);
    const returned = dsp_proc_numbers(0, PROC_PROCESSES, bytesOf(into), BigInt(count));
    if (returned === -ERANGE && count < MOST_PROCESSES) continue;
    if (isGone(returned)) return undefined;
    return Array.from(into.subarray(0, valueOf("proc_numbers", returned)));
  }
}

function isGone(returned: number): boolean {
  return returned === -ENOENT || returned === -ESRCH;
}

function bytesOf({ buffer }: Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}
