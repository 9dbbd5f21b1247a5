/**
 * The lock that keeps two runs of this program from changing the files of one folder at once.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { failure, isUnfinished, removeIfThere } from "./replace.ts";

/** How long others may take that change a file in the same folder, in milliseconds. */
const PATIENCE = 10_000;

/**
 * The name of the file that a run locks in the folder that it changes. Not the folder itself: flock(2) locks whatever is open,
 * so each user who can read the folder could keep all others out. Only its owner can open this file.
 */
const LOCK = ".deno-ssh-proxy.lock";
const LOCK_MODE = 0o600;

/**
 * Keeps every other run of this program out of `folder` until the result is disposed of, which takes the lock file away. The
 * kernel lets go of the lock with the process, however that ends; the next run takes over a file that was left. Where no file
 * can be made, or the file system has no locks, nobody is kept out, and comparing the files before each change is what is left.
 * `patience` is in milliseconds.
 *
 * @throws {ProxyError} where another one takes too long
 */
export async function lockDirectory(folder: string, patience: number = PATIENCE): Promise<Disposable> {
  const path = `${folder}/${LOCK}`;
  const end = performance.now() + patience;
  for (;;) {
    const file = openLock(path);
    // The change itself says better what is wrong with the folder.
    if (file === undefined) return { [Symbol.dispose]() {} };
    if (!await lockBefore(end, file)) {
      throw new ProxyError(
        "timeout",
        `${escapeForTerminal(path)}: another program has held a lock on it for ${patience / 1000} s`,
        {
          hint: "nothing was changed; is another deno-ssh-proxy config stopped half-way?",
        },
      );
    }
    if (isStill(path, file)) return new Lock(path, file);
    // Whoever had it has taken it away.
    file.close();
  }
}

/** A lock that is held. */
class Lock implements Disposable {
  constructor(private readonly path: string, private readonly file: Deno.FsFile) {}

  [Symbol.dispose](): void {
    // While it is held: whoever waits for it sees that it is no longer the one to wait for.
    removeIfThere(this.path);
    this.file.close();
  }
}

/**
 * Opens the lock file, which is made where there is none; returns undefined where it cannot be made.
 *
 * @throws {ProxyError} where something else is there, or Deno does not allow it
 */
function openLock(path: string): Deno.FsFile | undefined {
  try {
    const there = statusOf(path);
    // A link would have a file made somewhere else.
    if (there !== undefined && !there.isFile) {
      throw new ProxyError("resource", `${escapeForTerminal(path)}: it is not a file`, { hint: "take it away" });
    }
    // A file that others can open is none of this program's, and no lock of theirs counts.
    if (there !== undefined && ((there.mode ?? 0) & 0o077) !== 0) removeIfThere(path);
    const file = Deno.openSync(path, { read: true, write: true, create: true, mode: LOCK_MODE });
    const mode = (file.statSync().mode ?? 0) & 0o777;
    // The umask may have taken bits away that its owner needs to open it again.
    if (mode !== LOCK_MODE) Deno.chmodSync(path, LOCK_MODE);
    if ((mode & 0o077) === 0) return file;
    // A file system that has no modes, or a file that cannot be taken away.
    file.close();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof ProxyError) throw thrown;
    if (thrown instanceof Deno.errors.NotCapable) throw failure(path, "it cannot be made", thrown);
    return undefined;
  }
}

/** Locks `file`, and returns whether that was possible before `end`. A file system that has no locks keeps nobody waiting. */
async function lockBefore(end: number, file: Deno.FsFile): Promise<boolean> {
  const locked = file.lock(true).catch(() => {});
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), end - performance.now()));
  const is = await Promise.race([locked, late]);
  clearTimeout(timer);
  // It cannot be called off.
  if (is === "late") locked.then(() => file.close());
  return is !== "late";
}

/** Returns whether `file` is what is at `path`. */
function isStill(path: string, file: Deno.FsFile): boolean {
  const [there, { dev, ino }] = [statusOf(path), file.statSync()];
  return there?.dev === dev && there.ino === ino;
}

/** Returns what is at `path` itself, though it be a link, or undefined where there is nothing. */
function statusOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}

/** Returns whether a run that was killed has left something in `folder`, or one is at work there. */
export function isInUse(folder: string): boolean {
  return namesIn(folder).some((name) => name === LOCK || isUnfinished(name));
}

/** Returns whether there is nothing in `folder` but the lock of this run. */
export function isEmpty(folder: string): boolean {
  return namesIn(folder).every((name) => name === LOCK);
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}
