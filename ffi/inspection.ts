/**
 * The library's functions for the commands that inspect sockets and processes. None of them changes anything.
 *
 * Deno refuses to read /proc to a program without all permissions. These functions read a closed list of its files.
 *
 * @module
 */

import type { Library } from "./library.ts";
import { type PathStatus, readPath } from "./path.ts";
import { checkResult } from "./socket.ts";
import { INSPECTION_SYMBOLS } from "./symbols.ts";

export type { PathStatus };

type InspectionCalls = Deno.DynamicLibrary<typeof INSPECTION_SYMBOLS>["symbols"];

const loaded = new WeakMap<Library, InspectionCalls>();

/** Returns these functions of the library, which are loaded once. */
export function inspectionCalls(library: Library): InspectionCalls {
  let calls = loaded.get(library);
  if (calls === undefined) loaded.set(library, calls = library.load(INSPECTION_SYMBOLS));
  return calls;
}

/** The process at the other end of a connection. */
export interface Credentials {
  /** The process that called listen(2); 0 if it is in none of this process's namespaces. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Returns the process that listens behind the connected AF_UNIX socket `fd` (unix(7), SO_PEERCRED).
 *
 * @throws {SystemError}
 */
export function peerCredentials(library: Library, fd: number): Credentials {
  const into = new Uint32Array(3);
  checkResult("peer_credentials", inspectionCalls(library).dsp_peer_credentials(fd, new Uint8Array(into.buffer)));
  const [pid = 0, uid = 0, gid = 0] = into;
  return { pid, uid, gid };
}

/**
 * Returns the CID of this machine.
 *
 * @throws {SystemError} `ENOENT` or `ENODEV` if there is no vsock device
 */
export function localCid(library: Library): number {
  return checkResult("local_cid", Number(inspectionCalls(library).dsp_local_cid()));
}

/**
 * Returns the status of the file at `path`, through symbolic links.
 *
 * @throws {SystemError}
 */
export function pathStatus(library: Library, path: string): PathStatus {
  return readPath(inspectionCalls(library).dsp_path_status, path);
}
