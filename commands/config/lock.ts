/**
 * A lock, so that two runs of this program do not change the files of a directory at the same time.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { fileError, isTemporary, removeIfPossible } from "./replace.ts";

/** The default timeout for the lock, in milliseconds. */
const LOCK_TIMEOUT_MS = 10_000;

/**
 * The name of the lock file. Not the directory is locked, because any user who can open it for reading could hold a lock on it
 * (flock(2)). Only its owner can open this file.
 */
const LOCK = ".deno-ssh-proxy.lock";
const LOCK_MODE = 0o600;

/**
 * Locks `directory` until the result is disposed of, which removes the lock file. The kernel releases the lock when the process
 * ends, and the next run takes over a file that was left. If no file can be made, or the file system has no locks, it locks
 * nothing: files are still compared before each change. `timeout` is in milliseconds.
 *
 * @throws {ProxyError} of kind `timeout` if another run holds the lock for longer
 */
export async function lockDirectory(directory: string, timeout: number = LOCK_TIMEOUT_MS): Promise<Disposable> {
  const path = `${directory}/${LOCK}`;
  const end = performance.now() + timeout;
  for (;;) {
    const file = openLock(path);
    // The change itself will explain what is wrong with the directory.
    if (file === undefined) return { [Symbol.dispose]() {} };
    if (!await lockBefore(end, file)) {
      throw new ProxyError(
        "timeout",
        `${escapeForTerminal(path)}: another program has held a lock on it for ${timeout / 1000} s`,
        {
          hint: "nothing was changed; is another deno-ssh-proxy config stopped half-way?",
        },
      );
    }
    if (isStill(path, file)) return new Lock(path, file);
    // The run that held it has removed it.
    file.close();
  }
}

/** A lock that is held. */
class Lock implements Disposable {
  constructor(private readonly path: string, private readonly file: Deno.FsFile) {}

  [Symbol.dispose](): void {
    // Removes the file while it is locked, so that a waiting run sees that it is gone.
    removeIfPossible(this.path);
    this.file.close();
  }
}

/**
 * Opens or makes the lock file. Returns undefined if it cannot be made.
 *
 * @throws {ProxyError} if its path is not a regular file, or Deno does not allow it
 */
function openLock(path: string): Deno.FsFile | undefined {
  try {
    const there = statusOf(path);
    // A link would lead to a file in another place.
    if (there !== undefined && !there.isFile) {
      throw new ProxyError("resource", `${escapeForTerminal(path)}: it is not a file`, { hint: "take it away" });
    }
    // This program makes no file that others can open. Their locks on one do not count.
    if (there !== undefined && ((there.mode ?? 0) & 0o077) !== 0) removeIfPossible(path);
    const file = Deno.openSync(path, { read: true, write: true, create: true, mode: LOCK_MODE });
    const mode = (file.statSync().mode ?? 0) & 0o777;
    // The umask can have cleared bits that the owner needs.
    if (mode !== LOCK_MODE) Deno.chmodSync(path, LOCK_MODE);
    if ((mode & 0o077) === 0) return file;
    // The file system has no modes, or the file of others could not be removed.
    file.close();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof ProxyError) throw thrown;
    if (thrown instanceof Deno.errors.NotCapable) throw fileError(path, "it cannot be made", thrown);
    return undefined;
  }
}

/** Locks `file`. Returns whether it was locked before `end`; true at once on a file system without locks. */
async function lockBefore(end: number, file: Deno.FsFile): Promise<boolean> {
  const locked = file.lock(true).catch(() => {});
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), end - performance.now()));
  const is = await Promise.race([locked, late]);
  clearTimeout(timer);
  // A pending lock cannot be cancelled.
  if (is === "late") locked.then(() => file.close());
  return is !== "late";
}

/** Returns whether the open `file` is still the one at `path`. */
function isStill(path: string, file: Deno.FsFile): boolean {
  const [there, { dev, ino }] = [statusOf(path), file.statSync()];
  return there?.dev === dev && there.ino === ino;
}

/** Returns the status of `path`, of a link itself; undefined if it is missing. */
function statusOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}

/** Returns whether `directory` has a lock file or temporary files. */
export function isInUse(directory: string): boolean {
  return namesIn(directory).some((name) => name === LOCK || isTemporary(name));
}

/** Returns whether `directory` has no file but the lock. */
export function isEmpty(directory: string): boolean {
  return namesIn(directory).every((name) => name === LOCK);
}

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name);
}
