/**
 * The status of the file at a path. Only a failed connection and the commands need this.
 *
 * @module
 */

import type { Library } from "./library.ts";
import { checkResult } from "./socket.ts";
import { PATH_SYMBOLS, PROC_UNIX_SOCKETS } from "./symbols.ts";

/** The status of a file, through symbolic links (stat(2)). */
export interface PathStatus {
  readonly isSocket: boolean;
  readonly isDirectory: boolean;
  readonly isRegularFile: boolean;
  /** The permission bits, as chmod(1) takes them. */
  readonly permissions: number;
  /** The type and the permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Two paths with the same device and inode are one file. */
  readonly device: bigint;
  readonly inode: bigint;
}

type PathCall = Deno.DynamicLibrary<typeof PATH_SYMBOLS>["symbols"]["dsp_path_status"];

const S_IFMT = 0o170000;
const S_IFSOCK = 0o140000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;

/** The most bytes of /proc/net/unix that are read. Thousands of sockets have fewer. */
const MOST_TEXT = 1024 * 1024;

/** Reads the status of paths, and the list of sockets. */
export interface PathReader {
  /**
   * Returns the status of the file at a path.
   *
   * @throws {SystemError}
   */
  readonly status: (path: string) => PathStatus;
  /**
   * Returns `/proc/self/net/unix`: the AF_UNIX sockets of this network namespace.
   *
   * @throws {SystemError} without /proc, and over 1 MiB
   */
  readonly sockets: () => string;
}

/**
 * Loads the functions of a reader.
 *
 * @throws {ProxyError} if the library cannot be loaded again
 */
export function pathReader(library: Library): PathReader {
  const { dsp_path_status, dsp_proc_text } = library.load(PATH_SYMBOLS);
  return {
    status: (path) => readPath(dsp_path_status, path),
    sockets() {
      const into = new Uint8Array(MOST_TEXT);
      const length = checkResult("proc_text", dsp_proc_text(0, PROC_UNIX_SOCKETS, into, BigInt(into.length)));
      return new TextDecoder().decode(into.subarray(0, length));
    },
  };
}

/**
 * Returns the status of the file at `path` by `call`, a function of the library. Follows symbolic links, as connect(2) does.
 *
 * @throws {SystemError}
 */
export function readPath(call: PathCall, path: string): PathStatus {
  const bytes = new TextEncoder().encode(path);
  const into = new BigUint64Array(5);
  checkResult("path_status", call(bytes, BigInt(bytes.length), new Uint8Array(into.buffer)));
  const [mode, uid, gid] = [Number(into[0]), Number(into[1]), Number(into[2])];
  const [device = 0n, inode = 0n] = into.subarray(3);
  const type = mode & S_IFMT;
  return {
    isSocket: type === S_IFSOCK,
    isDirectory: type === S_IFDIR,
    isRegularFile: type === S_IFREG,
    permissions: mode & 0o7777,
    mode,
    uid,
    gid,
    device,
    inode,
  };
}
