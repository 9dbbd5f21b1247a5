/**
 * Finds out why a path cannot be connected to, where the error number is not enough. Only a failed connection needs this.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { pathReader, type PathStatus } from "../ffi/path.ts";
import { isDatagramSocket } from "../ffi/socket.ts";
import { findNear, type Neighbour } from "./missing.ts";

/** A file that is not a stream socket, a part of a path that is not a directory, or a socket near a missing path. */
export interface Obstacle {
  readonly is:
    | "datagram socket"
    | "seqpacket socket"
    | "directory"
    | "regular file"
    | "not a socket"
    | "not a directory"
    | Neighbour["is"];
  /** The path of the file, of the part, or of the other socket. */
  readonly path: string;
}

/** Returns the obstacle to a connection to `path`, which failed with an error; undefined if none is found. */
export function findObstacle(library: Library, path: string, { code }: SystemError): Obstacle | undefined {
  try {
    switch (code) {
      case "EPROTOTYPE":
        return { is: isDatagramSocket(library, path) ? "datagram socket" : "seqpacket socket", path };
      // The kernel returns these for files that are not sockets too, and checks the mode first.
      case "ECONNREFUSED":
      case "EACCES":
        return notSocket(pathReader(library).status(path), path);
      case "ENOTDIR":
        return notDirectory(library, path);
      case "ENOENT":
        return findNear(pathReader(library), path);
    }
  } catch (thrown) {
    // The failed connection is reported, not an error of this search.
    if (!(thrown instanceof SystemError || thrown instanceof ProxyError)) throw thrown;
  }
  return undefined;
}

/** Returns the obstacle for a file at `path` with this status; undefined for a socket. */
export function notSocket({ isSocket, isDirectory, isRegularFile }: PathStatus, path: string): Obstacle | undefined {
  if (isSocket) return undefined;
  return { is: isDirectory ? "directory" : isRegularFile ? "regular file" : "not a socket", path };
}

/** Returns the first part of `path` before a slash that is not a directory. */
function notDirectory(library: Library, path: string): Obstacle | undefined {
  const { status } = pathReader(library);
  for (let end = path.indexOf("/", 1); end !== -1; end = path.indexOf("/", end + 1)) {
    const part = path.slice(0, end);
    if (!status(part).isDirectory) return { is: "not a directory", path: part };
  }
  return undefined;
}
