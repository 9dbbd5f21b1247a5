/**
 * What is at a path. A connection that succeeds needs none of it.
 *
 * @module
 */

import type { Library } from "./library.ts";
import { valueOf } from "./socket.ts";
import { PATH, PROC_UNIX_SOCKETS } from "./symbols.ts";

/** What is at a path, at the end of all symbolic links. */
export interface PathStatus {
  readonly isSocket: boolean;
  readonly isDirectory: boolean;
  readonly isRegularFile: boolean;
  /** The permission bits: those of chmod(1). */
  readonly permissions: number;
  /** The type and the permission bits together, as stat(2) gives them. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** With {@linkcode inode}, which file it is: two paths of one file have both the same. */
  readonly device: bigint;
  readonly inode: bigint;
}

type PathCall = Deno.DynamicLibrary<typeof PATH>["symbols"]["dsp_path_status"];

const S_IFMT = 0o170000;
const S_IFSOCK = 0o140000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;

/** More bytes of /proc/net/unix than this are not read: thousands of sockets have fewer. */
const MOST_TEXT = 1024 * 1024;

/** Looks at paths, and at the sockets that have some. */
export interface PathReader {
  /**
   * Returns what is at a path.
   *
   * @throws {SystemError}
   */
  readonly status: (path: string) => PathStatus;
  /**
   * Returns `/proc/self/net/unix`: the AF_UNIX sockets of this network namespace.
   *
   * @throws {SystemError} where there is no /proc, or more text than a failed connection is worth
   */
  readonly sockets: () => string;
}

/**
 * Loads what it takes to look at paths.
 *
 * @throws {ProxyError} where the library cannot be loaded again
 */
export function pathReader(library: Library): PathReader {
  const { dsp_path_status, dsp_proc_text } = library.load(PATH);
  return {
    status: (path) => readPath(dsp_path_status, path),
    sockets() {
      const into = new Uint8Array(MOST_TEXT);
      const length = valueOf("proc_text", dsp_proc_text(0, PROC_UNIX_SOCKETS, into, BigInt(into.length)));
      return new TextDecoder().decode(into.subarray(0, length));
    },
  };
}

/**
 * Returns what is at `path`, as the library's function `call` tells it. Symbolic links are followed, as connecting follows
 * them: a link's own mode and owner decide nothing.
 *
 * @throws {SystemError}
 */
export function readPath(call: PathCall, path: string): PathStatus {
  const bytes = new TextEncoder().encode(path);
  const into = new BigUint64Array(5);
  valueOf("path_status", call(bytes, BigInt(bytes.length), new Uint8Array(into.buffer)));
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
