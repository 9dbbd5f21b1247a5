/**
 * Why a path cannot be connected to, where the error number does not tell. Only a connection that has failed asks.
 *
 * @module
 */

import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { pathReader, type PathStatus } from "../ffi/path.ts";
import { isDatagramSocket } from "../ffi/socket.ts";
import { ProxyError } from "../core/errors.ts";
import { findNear, type Neighbour } from "./missing.ts";

/** Something that is no stream socket, no directory where one must be, or another socket near a path where nothing is. */
export interface Obstacle {
  readonly is:
    | "datagram socket"
    | "seqpacket socket"
    | "directory"
    | "regular file"
    | "not a socket"
    | "not a directory"
    | Neighbour["is"];
  /** Where it is: the path itself, for the directories a part of it, for the last two the path of the other socket. */
  readonly path: string;
}

/** Returns what is in the way at `path`, which could not be connected to because of `cause`; undefined if nothing is found. */
export function findObstacle(library: Library, path: string, { code }: SystemError): Obstacle | undefined {
  try {
    switch (code) {
      case "EPROTOTYPE":
        return { is: isDatagramSocket(library, path) ? "datagram socket" : "seqpacket socket", path };
      // The kernel says so of everything that is no socket, too, and looks at its mode first.
      case "ECONNREFUSED":
      case "EACCES":
        return notSocket(pathReader(library).status(path), path);
      case "ENOTDIR":
        return notDirectory(library, path);
      case "ENOENT":
        return findNear(pathReader(library), path);
    }
  } catch (thrown) {
    // Whatever keeps this from looking, the failed connection is what a person is told.
    if (!(thrown instanceof SystemError || thrown instanceof ProxyError)) throw thrown;
  }
  return undefined;
}

/** Returns the obstacle that a file at `path` with this status is; undefined if it is a socket. */
export function notSocket({ isSocket, isDirectory, isRegularFile }: PathStatus, path: string): Obstacle | undefined {
  if (isSocket) return undefined;
  return { is: isDirectory ? "directory" : isRegularFile ? "regular file" : "not a socket", path };
}

/** Finds the first part of `path` that is followed by a slash and is no directory. */
function notDirectory(library: Library, path: string): Obstacle | undefined {
  const { status } = pathReader(library);
  for (let end = path.indexOf("/", 1); end !== -1; end = path.indexOf("/", end + 1)) {
    const part = path.slice(0, end);
    if (!status(part).isDirectory) return { is: "not a directory", path: part };
  }
  return undefined;
}
