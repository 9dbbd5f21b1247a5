/**
 * Files that are changed as a whole: whoever reads one meanwhile, or after the power failed, has the old version or the
 * new one. What a file is by its mode, its owner and the link that leads to it stays.
 *
 * @module
 */

import { messageOf, ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { shellWord } from "../ssh/shell_word.ts";

/** A file as it was found. */
export interface FileSnapshot {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file that is to be changed: from what was found, or nothing, to other bytes, or nothing. */
export interface Change {
  /** The path of the file itself, where a link leads to it. */
  readonly path: string;
  readonly before: FileSnapshot | undefined;
  readonly after: Uint8Array<ArrayBuffer> | undefined;
  /** The permission bits: unless given, a file keeps its own. */
  readonly mode?: number;
}

/** That somebody else changed a file after it was read. */
export class ConcurrentChange extends Error {}

/** What ssh wants of a file: nobody else may write to it. */
const NEW_FILE = 0o644;

/** What stands before the random part of the name under which a new version is written. */
const UNFINISHED = ".deno-ssh-proxy-";
const UNFINISHED_NAME = /\.deno-ssh-proxy-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The path of the file that `path` leads to, which may not exist yet.
 *
 * @throws {ProxyError} where it is a link that leads nowhere
 */
export function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) throw failure(path, "it cannot be read", thrown);
  }
  let link: string;
  try {
    // Somebody else may have made it meanwhile.
    if (!Deno.lstatSync(path).isSymlink) return realPath(path);
    link = Deno.readLinkSync(path);
  } catch (thrown) {
    if (thrown instanceof ProxyError) throw thrown;
    if (thrown instanceof Deno.errors.NotFound) return path;
    throw failure(path, "it cannot be read", thrown);
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
 * The file `path` as it is, or nothing where there is none.
 *
 * @throws {ProxyError} where it is none that can be read
 */
export function readSnapshot(path: string): FileSnapshot | undefined {
  try {
    const { isFile, isDirectory, mode, uid, gid } = Deno.statSync(path);
    // A pipe would be waited for.
    if (!isFile) {
      throw new ProxyError("resource", `${escapeForTerminal(path)}: it is ${isDirectory ? "a folder" : "not a file"}`);
    }
    return { bytes: Deno.readFileSync(path), mode: (mode ?? NEW_FILE) & 0o7777, uid: uid ?? 0, gid: gid ?? 0 };
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown instanceof ProxyError ? thrown : failure(path, "it cannot be read", thrown);
  }
}

/**
 * Makes a change.
 *
 * @throws {ConcurrentChange} where the file is not what was found any more, and nothing was changed
 * @throws {ProxyError} where it cannot be made, and nothing was changed
 */
export function makeChange({ path, before, after, mode }: Change): void {
  try {
    if (after === undefined) {
      requireUnchanged(path, before);
      Deno.removeSync(path);
    } else {
      const unfinished = `${path}${UNFINISHED}${crypto.randomUUID()}`;
      try {
        writeWhole(unfinished, after, before, mode ?? before?.mode ?? NEW_FILE);
        requireUnchanged(path, before);
        Deno.renameSync(unfinished, path);
      } catch (thrown) {
        removeIfThere(unfinished);
        throw thrown;
      }
    }
    using folder = Deno.openSync(directoryOf(path));
    folder.syncSync();
  } catch (thrown) {
    if (thrown instanceof ConcurrentChange || thrown instanceof ProxyError) throw thrown;
    throw failure(path, "it was not changed", thrown);
  }
}

/** Writes a file that nobody knows yet, to the disk. */
function writeWhole(path: string, bytes: Uint8Array, like: FileSnapshot | undefined, mode: number): void {
  using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  if (like !== undefined) {
    const { uid, gid } = file.statSync();
    if (uid !== like.uid || gid !== like.gid) Deno.chownSync(path, like.uid, like.gid);
  }
  // After the owner, with whom the kernel takes away some of its bits; and whatever the umask is.
  Deno.chmodSync(path, mode);
  file.syncSync();
}

function requireUnchanged(path: string, before: FileSnapshot | undefined): void {
  const now = readSnapshot(path);
  if (!equal(now?.bytes, before?.bytes)) throw new ConcurrentChange(path);
}

/** Whether two versions are the same, or neither is there. */
export function equal(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Makes `path` a folder, where there is none, in one that is there. */
export function makeDirectory(path: string, mode: number): void {
  if (!isThere(path)) {
    try {
      Deno.mkdirSync(path, { mode });
      Deno.chmodSync(path, mode);
    } catch (thrown) {
      // Another one may have made it at the same time.
      if (!(thrown instanceof Deno.errors.AlreadyExists)) throw failure(path, "it cannot be made", thrown);
    }
  }
  requireDirectory(path);
}

/**
 * Returns if `path` is a folder, or nothing.
 *
 * @throws {ProxyError} of kind `resource` where it is something else
 */
export function requireDirectory(path: string): void {
  if (isThere(path) && !Deno.statSync(path).isDirectory) {
    throw new ProxyError("resource", `${escapeForTerminal(path)}: it is not a folder`);
  }
}

/** Whether there is something at `path`. */
export function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw failure(path, "it cannot be looked into", thrown);
  }
}

/** Returns whether `name` is that of a new version which is being written, or was when a run was killed. */
export function isUnfinished(name: string): boolean {
  return UNFINISHED_NAME.test(name);
}

/** Takes away what runs that were killed have left in `folder`. Only for whoever has the lock. */
export function removeStaleTemporaries(folder: string): void {
  try {
    for (const { name } of Deno.readDirSync(folder)) {
      if (isUnfinished(name)) removeIfThere(`${folder}/${name}`);
    }
  } catch {
    // It harms nobody there.
  }
}

/** Takes `path` away, where that is possible. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // What is thrown already says more.
  }
}

/** The folder that `path` is in. */
export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** What the system or Deno has against it. */
export function failure(path: string, what: string, thrown: unknown): ProxyError {
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
  // Deno puts what it did behind what the system said.
  const said = escapeForTerminal(reason.replace(/ \(os error [0-9]+\).*$/s, "")).toLowerCase();
  return new ProxyError("resource", `${shown}: ${what}: ${said}`, { cause: thrown });
}
