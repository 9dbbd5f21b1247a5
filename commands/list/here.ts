/**
 * Finds the path that a socket of another process has for this one.
 *
 * @module
 */

import { SystemError } from "../../ffi/errno.ts";
import { mounts, processDirectory, processRoot, THIS_PROCESS, TooLong } from "../../ffi/processes.ts";
import { type PathStatus, pathStatus } from "../../ffi/inspection.ts";
import type { Library } from "../../ffi/library.ts";
import { translate } from "./mounts.ts";
import { isDenial } from "./processes.ts";

/** The most paths that are tried for a socket, because a file system can be mounted in thousands of places. */
const MOST_TRIED = 16;

/** Finds the paths that sockets of other processes have here. */
export class PathLocator {
  readonly #library: Library;
  #ours: string | undefined;
  /** The mounts of the last process, which can have many sockets. */
  #theirs: { pid: number; mounts: string } | undefined;

  constructor(library: Library) {
    this.#library = library;
  }

  /**
   * Returns the path here of a socket that the process `pid` of `uid` has bound to `path`; undefined if it is gone, and "hidden"
   * if this user may not see it. The last resort is a path through /proc, which lasts as long as the process.
   */
  pathHere(pid: number, uid: number, path: string): string | undefined | "hidden" {
    const isWhole = path.startsWith("/");
    const throughProc = isWhole ? `/proc/${pid}/root${path}` : `/proc/${pid}/cwd/${path}`;
    try {
      const socket = pathStatus(this.#library, throughProc);
      if (!socket.isSocket) return undefined;
      const isSame = (candidate: string) => {
        const { device, inode } = statusOf(this.#library, candidate) ?? {};
        return device === socket.device && inode === socket.inode;
      };
      const directory = (isWhole ? processRoot(this.#library, pid) : processDirectory(this.#library, pid))?.replace(
        /\/$/,
        "",
      );
      const seen = `${directory}/${path.replace(/^(?:\.?\/+)+/, "")}`;
      if (isSame(seen)) return seen;
      return this.#translated(pid, seen).slice(0, MOST_TRIED).find(isSame) ?? throughProc;
    } catch (thrown) {
      if (!(thrown instanceof SystemError)) throw thrown;
      if (!isDenial(thrown)) return undefined;
      // Most processes of other users see the same files. But their command lines can name a socket of any user.
      const status = isWhole ? statusOf(this.#library, path) : undefined;
      return status?.isSocket && (status.uid === uid || uid === 0) ? path : "hidden";
    }
  }

  #translated(pid: number, path: string): string[] {
    try {
      this.#ours ??= mounts(this.#library, THIS_PROCESS) ?? "";
      if (this.#theirs?.pid !== pid) this.#theirs = { pid, mounts: mounts(this.#library, pid) ?? "" };
      return translate(path, this.#theirs.mounts, this.#ours);
    } catch (thrown) {
      if (thrown instanceof TooLong) return [];
      throw thrown;
    }
  }
}

/** Returns the status of the file at a path; undefined if it cannot be read. */
export function statusOf(library: Library, path: string): PathStatus | undefined {
  try {
    return pathStatus(library, path);
  } catch (thrown) {
    if (thrown instanceof SystemError) return undefined;
    throw thrown;
  }
}
