/**
 * Replaces files atomically: a reader finds the old version or the new one, after a power failure too. The mode, the owner and
 * a link to the file stay.
 *
 * @module
 */

import { messageOf, ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { shellWord } from "../ssh/shell_word.ts";

/** The contents, mode and owner of a file. */
export interface FileSnapshot {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The change of a file. Undefined stands for a missing file. */
export interface Change {
  /** The path of the file, with links resolved. */
  readonly path: string;
  readonly before: FileSnapshot | undefined;
  readonly after: Uint8Array<ArrayBuffer> | undefined;
  /** The new permission bits. A file keeps its own by default. */
  readonly mode?: number;
}

/** Another program changed a file after it was read. */
export class ConcurrentChange extends Error {}

/** The mode of a new file. ssh refuses a file that others can write to. */
const NEW_FILE = 0o644;

/** The part of a temporary file's name before the random one. */
const UNFINISHED = ".deno-ssh-proxy-";
const UNFINISHED_NAME = /\.deno-ssh-proxy-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Returns the path of the file that `path` leads to. The file can be missing.
 *
 * @throws {ProxyError} of kind `missing` for a dangling link
 */
export function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw fileError(path, "it cannot be read", thrown);
  }
  let link: string;
  try {
    // Another program can have made the file meanwhile.
    if (!Deno.lstatSync(path).isSymlink) return realPath(path);
    link = Deno.readLinkSync(path);
  } catch (thrown) {
    if (thrown instanceof ProxyError) throw thrown;
    if (thrown instanceof Deno.errors.NotFound) return path;
    throw fileError(path, "it cannot be read", thrown);
  }
  throw new ProxyError(
    "missing",
    `${escapeForTerminal(path)}: it is a link to ${escapeForTerminal(link)}, which does not exist`,
    {
      hint: "make that file, or take the link away",
    },
  );
}

/**
 * Reads the file at `path`. Returns undefined if it is missing.
 *
 * @throws {ProxyError} if it is not a regular file, or cannot be read
 */
export function readSnapshot(path: string): FileSnapshot | undefined {
  try {
    const { isFile, isDirectory, mode, uid, gid } = Deno.statSync(path);
    // To open a pipe would block.
    if (!isFile) {
      throw new ProxyError("resource", `${escapeForTerminal(path)}: it is ${isDirectory ? "a folder" : "not a file"}`);
    }
    return { bytes: Deno.readFileSync(path), mode: (mode ?? NEW_FILE) & 0o7777, uid: uid ?? 0, gid: gid ?? 0 };
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown instanceof ProxyError ? thrown : fileError(path, "it cannot be read", thrown);
  }
}

/**
 * Makes a change. After an error, nothing was changed.
 *
 * @throws {ConcurrentChange} if the file is not as it was read
 * @throws {ProxyError} if the file cannot be changed
 */
export function makeChange({ path, before, after, mode }: Change): void {
  try {
    if (after === undefined) {
      requireUnchanged(path, before);
      Deno.removeSync(path);
    } else {
      const temporary = `${path}${UNFINISHED}${crypto.randomUUID()}`;
      try {
        writeWhole(temporary, after, before, mode ?? before?.mode ?? NEW_FILE);
        requireUnchanged(path, before);
        Deno.renameSync(temporary, path);
      } catch (thrown) {
        removeIfPossible(temporary);
        throw thrown;
      }
    }
    using directory = Deno.openSync(directoryOf(path));
    directory.syncSync();
  } catch (thrown) {
    if (thrown instanceof ConcurrentChange || thrown instanceof ProxyError) throw thrown;
    throw fileError(path, "it was not changed", thrown);
  }
}

/** Writes and syncs a new file. */
function writeWhole(path: string, bytes: Uint8Array, like: FileSnapshot | undefined, mode: number): void {
  using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  if (like !== undefined) {
    const { uid, gid } = file.statSync();
    if (uid !== like.uid || gid !== like.gid) Deno.chownSync(path, like.uid, like.gid);
  }
  // After chown(2), which clears some of the bits. The umask does not count here.
  Deno.chmodSync(path, mode);
  file.syncSync();
}

function requireUnchanged(path: string, before: FileSnapshot | undefined): void {
  const now = readSnapshot(path);
  if (!equal(now?.bytes, before?.bytes)) throw new ConcurrentChange(path);
}

/** Returns whether two versions are equal. Undefined stands for a missing file. */
export function equal(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Makes a directory if it is missing. Its parent has to exist. */
export function makeDirectory(path: string, mode: number): void {
  if (!exists(path)) {
    try {
      Deno.mkdirSync(path, { mode });
      Deno.chmodSync(path, mode);
    } catch (thrown) {
      // Another program can have made it at the same time.
      if (!(thrown instanceof Deno.errors.AlreadyExists)) throw fileError(path, "it cannot be made", thrown);
    }
  }
  requireDirectory(path);
}

/**
 * Returns if `path` is a directory or missing.
 *
 * @throws {ProxyError} of kind `resource` otherwise
 */
export function requireDirectory(path: string): void {
  if (exists(path) && !Deno.statSync(path).isDirectory) {
    throw new ProxyError("resource", `${escapeForTerminal(path)}: it is not a folder`);
  }
}

/** Returns whether `path` exists, through links. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw fileError(path, "it cannot be looked into", thrown);
  }
}

/** Returns whether `name` is that of a temporary file of this program. */
export function isTemporary(name: string): boolean {
  return UNFINISHED_NAME.test(name);
}

/** Removes the temporary files that killed runs have left in `directory`. The caller must hold the lock. */
export function removeStaleTemporaries(directory: string): void {
  try {
    for (const { name } of Deno.readDirSync(directory)) {
      if (isTemporary(name)) removeIfPossible(`${directory}/${name}`);
    }
  } catch {
    // Stale files do no harm.
  }
}

/** Removes a file, if that is possible. */
export function removeIfPossible(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // The caller has an error that says more.
  }
}

/** Returns the directory of a path. */
export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Returns the error for a file operation that the system or Deno refused; `what` says what was not done. */
export function fileError(path: string, what: string, thrown: unknown): ProxyError {
  const reason = messageOf(thrown);
  const shown = escapeForTerminal(path);
  if (thrown instanceof Deno.errors.NotCapable) {
    return new ProxyError("permission", `${shown}: ${what}: Deno was not allowed to`, { cause: thrown });
  }
  if (thrown instanceof Deno.errors.PermissionDenied) {
    return new ProxyError("permission", `${shown}: ${what}: permission denied`, {
      cause: thrown,
      hint: `who may write there? ls -ld ${
        [directoryOf(path), path].map((each) => escapeForTerminal(shellWord(each), Infinity)).join(" ")
      }`,
    });
  }
  if (thrown instanceof Deno.errors.NotFound) {
    return new ProxyError("missing", `${shown}: ${what}: ${escapeForTerminal(directoryOf(path))} does not exist`, {
      cause: thrown,
    });
  }
  // Deno appends its own operation to the system's message.
  const said = escapeForTerminal(reason.replace(/ \(os error [0-9]+\).*$/s, "")).toLowerCase();
  return new ProxyError("resource", `${shown}: ${what}: ${said}`, { cause: thrown });
}
