/**
 * Applies a plan. Plans again if another program changes one of the files at the same time.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { configFiles } from "./include_change.ts";
import type { ConfigLocation } from "./location.ts";
import { isInUse, lockDirectory } from "./lock.ts";
import type { Plan, PlannedChange } from "./plan.ts";
import {
  ConcurrentChange,
  directoryOf,
  isThere,
  makeChange,
  makeDirectory,
  removeStaleTemporaries,
} from "./replace.ts";

/** How many times somebody else may change a file while this does. */
const MOST_ATTEMPTS = 10;

/**
 * Makes the changes that `plan` gives, which is asked again where somebody else changed one of the files at the same time.
 * Gives what was done, and what else a person should know.
 *
 * @throws {ProxyError} that says what was done, and what was not
 */
export async function applyPlan(
  location: ConfigLocation,
  isInstall: boolean,
  plan: () => Plan,
): Promise<{ done: string[]; notes: readonly string[] }> {
  const done: string[] = [];
  if (isInstall) makeDirectory(location.directory, location.home === undefined ? 0o755 : 0o700);
  // Where there is no folder there is nothing to take back.
  else if (!isThere(location.directory)) return { done, notes: plan().notes() };
  const folders = new Set([location.directory, ...configFiles(location).map(directoryOf)]);
  const { changes, notes } = plan();
  // No lock file is made for nothing: the folder may be read-only.
  if (changes.length === 0 && ![...folders].some(isLocked)) return { done, notes: notes() };
  using _lock = await lockDirectory(location.directory);
  for (let attempt = 1;; attempt++) {
    const { changes, notes } = plan();
    folders.forEach(removeStaleTemporaries);
    try {
      for (const change of changes) makePlanned(change, done);
      return { done, notes: notes() };
    } catch (thrown) {
      if (!(thrown instanceof ConcurrentChange)) throw thrown;
      if (attempt < MOST_ATTEMPTS) continue;
      throw new ProxyError(
        "resource",
        `${escapeForTerminal(thrown.message)}: another program changes it again and again`,
        {
          cause: thrown,
          hint: progressHint(done),
        },
      );
    }
  }
}

/** Returns {@linkcode isInUse}, and false of a folder that cannot be read. */
function isLocked(folder: string): boolean {
  try {
    return isInUse(folder);
  } catch {
    return false;
  }
}

function makePlanned(change: PlannedChange, done: string[]): void {
  try {
    makeChange(change);
  } catch (thrown) {
    if (!(thrown instanceof ProxyError)) throw thrown;
    const hint = [done.length > 0 ? progressHint(done) : undefined, change.manualFix ?? thrown.hint].filter((part) =>
      part
    );
    throw new ProxyError(thrown.kind, thrown.message, { cause: thrown.cause, hint: hint.join("; ") || undefined });
  }
  done.push(change.summary);
}

function progressHint(done: readonly string[]): string {
  return done.length === 0 ? "nothing was changed" : `done before that: ${done.join(", ")}`;
}
