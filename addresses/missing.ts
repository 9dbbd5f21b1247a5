/**
 * Searches near a missing path: for a socket of a similar name, and for the first directory that is missing.
 *
 * @module
 */

import { editDistance } from "../core/edit_distance.ts";
import { SystemError } from "../ffi/errno.ts";
import type { PathReader } from "../ffi/path.ts";
import { readListening } from "../ffi/proc_net_unix.ts";

/** A socket near a missing path, or the first missing directory on the way to it. */
export interface Neighbour {
  readonly is: "missing directory" | "socket in another case" | "socket of a near name";
  /** Its path. */
  readonly path: string;
}

/** The most sockets that are compared with a path, because any user can make many. */
const MOST_COMPARED = 500;

/**
 * Returns what is near `path`, which does not exist, the best first: a listening socket whose path differs in case alone, one
 * of a near name below the nearest directory that exists, the first directory that is missing. Undefined if there is none.
 */
export function findNear(reader: PathReader, path: string): Neighbour | undefined {
  const missing = firstMissing(reader, path);
  const sockets = path.startsWith("/") ? listening(reader) : [];
  const directory = (missing ?? path).slice(0, (missing ?? path).lastIndexOf("/") + 1);
  const lower = path.toLowerCase();
  const isOffered = (socket: string) => isTrustedSocket(reader, socket, directory);
  const sameLetters = sockets.find((socket) => socket.toLowerCase() === lower && isOffered(socket));
  if (sameLetters !== undefined) return { is: "socket in another case", path: sameLetters };
  const near = nearest(path.slice(directory.length), sockets, directory);
  if (near !== undefined && isOffered(near)) return { is: "socket of a near name", path: near };
  return missing === undefined ? undefined : { is: "missing directory", path: missing };
}

/** Returns the first part of `path` before a slash that does not exist. */
function firstMissing({ status }: PathReader, path: string): string | undefined {
  for (let end = path.indexOf("/", 1); end !== -1; end = path.indexOf("/", end + 1)) {
    const part = path.slice(0, end);
    try {
      status(part);
    } catch (thrown) {
      if (thrown instanceof SystemError && thrown.code === "ENOENT") return part;
      throw thrown;
    }
  }
  return undefined;
}

/** Returns the paths of the listening stream sockets; none if the system does not list them. */
function listening({ sockets }: PathReader): string[] {
  try {
    return [...readListening(sockets()).paths.values()];
  } catch (thrown) {
    if (thrown instanceof SystemError) return [];
    throw thrown;
  }
}

/**
 * Returns the socket below `directory` whose path from there is nearest to `rest`, if at most a third of the letters differ. An
 * extension that both have, such as `.sock`, does not count: it does not tell sockets apart.
 */
function nearest(rest: string, sockets: readonly string[], directory: string): string | undefined {
  const extension = /(?<=[^/])\.[^./]*$/.exec(rest)?.[0] ?? "";
  const mostFor = (socket: string) => {
    const length = rest.length - (socket.endsWith(extension) ? extension.length : 0);
    return Math.min(Math.floor(length / 3), 3);
  };
  let [best, least] = [undefined as string | undefined, Infinity];
  const candidates = sockets.filter((socket) =>
    socket.startsWith(directory) && Math.abs(socket.length - directory.length - rest.length) <= mostFor(socket)
  );
  for (const socket of candidates.slice(0, MOST_COMPARED)) {
    const far = editDistance(rest, socket.slice(directory.length));
    if (far <= mostFor(socket) && far < least) [best, least] = [socket, far];
  }
  return best;
}

/**
 * Returns whether `path` is a socket of root, of this user or of the owner of `directory`, the nearest existing one. Another
 * user could make a socket of a similar name in /tmp, and wait for somebody who is sent there.
 */
function isTrustedSocket(reader: PathReader, path: string, directory: string): boolean {
  try {
    const { isSocket, uid } = reader.status(path);
    return isSocket && (uid === 0 || [directory, "/proc/self"].some((path) => uid === ownerOf(reader, path)));
  } catch (thrown) {
    if (thrown instanceof SystemError) return false;
    throw thrown;
  }
}

function ownerOf({ status }: PathReader, path: string): number | undefined {
  try {
    return status(path).uid;
  } catch (thrown) {
    if (thrown instanceof SystemError) return undefined;
    throw thrown;
  }
}
