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
  PROC_FOLDER,
  PROC_MOUNTS,
  PROC_NAME,
  PROC_NETWORK_NAMESPACE,
  PROC_PROCESSES,
  PROC_ROOT,
  PROC_SOCKETS,
  PROC_UNIX_SOCKETS,
} from "./symbols.ts";

type Calls = Deno.DynamicLibrary<typeof INSPECTION>["symbols"];

const loaded = new WeakMap<Library, Calls>();

function callsOf(library: Library): Calls {
  let calls = loaded.get(library);
  if (calls === undefined) loaded.set(library, calls = library.load(INSPECTION));
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
  valueOf("peer_credentials", callsOf(library).peer_credentials(fd, bytesOf(into)));
  const [pid = 0, uid = 0, gid = 0] = into;
  return { pid, uid, gid };
}

/**
 * The CID that this machine's hypervisor knows it by.
 *
 * @throws {SystemError} `ENOENT` or `ENODEV` where there is no vsock device
 */
export function localCid(library: Library): number {
  return valueOf("local_cid", Number(callsOf(library).local_cid()));
}

/**
 * What is at `path`, at the end of all symbolic links.
 *
 * @throws {SystemError}
 */
export function pathStatus(library: Library, path: string): PathStatus {
  return readPath(callsOf(library).path_status, path);
}

/**
 * The ids of all processes that this one can see: none where there is no /proc.
 *
 * @throws {SystemError} where the system is not Linux
 */
export function processIds(library: Library): number[] {
  return processNumbers(library, 0, PROC_PROCESSES) ?? [];
}

/**
 * The inode numbers of the sockets that a process has open; undefined where it has ended.
 *
 * @throws {SystemError} `EACCES` where it is another user's, and this one may not look into it
 */
export function openSockets(library: Library, pid: number): number[] | undefined {
  return processNumbers(library, pid, PROC_SOCKETS);
}

/** A process's name, at most 15 bytes: its program's, unless it has taken another. Undefined where it has ended. */
export function processName(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_NAME)?.replace(/\n$/, "");
}

/** A process's command line: none where it has none, as threads of the kernel. Undefined where it has ended. */
export function processArguments(library: Library, pid: number): string[] | undefined {
  const text = processText(library, pid, PROC_ARGUMENTS);
  // Each has a NUL behind it, unless the process has written over them.
  return text === undefined ? undefined : text === "" ? [] : text.replace(/\0$/, "").split("\0");
}

/**
 * Where a process's `/` is: the path of the folder in its own mount namespace. Undefined where it has ended.
 *
 * @throws {SystemError} `EACCES` where it is another user's, and this one may not look into it
 */
export function processRoot(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_ROOT);
}

/**
 * A process's working directory, likewise.
 *
 * @throws {SystemError} `EACCES` where it is another user's, and this one may not look into it
 */
export function processFolder(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_FOLDER);
}

/**
 * A text that two processes share if they are in one network namespace. Undefined where the process has ended.
 *
 * @throws {SystemError} `EACCES` where it is another user's, and this one may not look into it
 */
export function networkNamespace(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_NETWORK_NAMESPACE);
}

/** `/proc/PID/net/unix`: the AF_UNIX sockets of a process's network namespace. Undefined where it has ended. */
export function unixSockets(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_UNIX_SOCKETS);
}

/** `/proc/PID/mountinfo`: what is mounted where, as a process sees it. Undefined where it has ended. */
export function mounts(library: Library, pid: number): string | undefined {
  return processText(library, pid, PROC_MOUNTS);
}

/** This process, to all of these. */
export const THIS_PROCESS = 0;

// The library makes no difference between systems that have these: they are Linux's.
const ENOENT = 2;
const ESRCH = 3;
const ERANGE = 34;

/** More than this and something is wrong: a line of /proc/net/unix has at most 170 bytes. */
const LARGEST_TEXT = 256 * 1024 * 1024;

function processText(library: Library, pid: number, which: number): string | undefined {
  const { proc_text } = callsOf(library);
  const read = untilItFits(4096, (size) => {
    const into = new Uint8Array(size);
    return { into, returned: proc_text(pid, which, into, BigInt(into.length)) };
  });
  const { into, returned } = read;
  if (isGone(returned)) return undefined;
  return new TextDecoder().decode(into.subarray(0, valueOf("proc_text", returned)));
}

function processNumbers(library: Library, pid: number, which: number): number[] | undefined {
  const { proc_numbers } = callsOf(library);
  const { into, returned } = untilItFits(1024, (count) => {
    const into = new Uint32Array(count);
    return { into, returned: proc_numbers(pid, which, bytesOf(into), BigInt(into.length)) };
  });
  if (isGone(returned)) return undefined;
  return [...into.subarray(0, valueOf("proc_numbers", returned))];
}

/** What `read` gives for the first size that is large enough. Each try is one reading of the whole. */
function untilItFits<Read extends { returned: number }>(size: number, read: (size: number) => Read): Read {
  for (;; size *= 4) {
    const tried = read(size);
    if (tried.returned !== -ERANGE || size >= LARGEST_TEXT) return tried;
  }
}

function isGone(returned: number): boolean {
  return returned === -ENOENT || returned === -ESRCH;
}

function bytesOf({ buffer }: Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}
