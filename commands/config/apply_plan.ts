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
import { ConcurrentChange, directoryOf, exists, makeChange, makeDirectory, removeStaleTemporaries } from "./replace.ts";

/** The most attempts, while another program changes the same files. */
const MOST_ATTEMPTS = 10;

/**
 * Makes the changes of the plan that `plan` returns. Returns their summaries, and the plan's notes.
 *
 * @throws {ProxyError} whose hint says which changes were made before
 */
export async function applyPlan(
  location: ConfigLocation,
  isInstall: boolean,
  plan: () => Plan,
): Promise<{ done: string[]; notes: readonly string[] }> {
  const done: string[] = [];
  if (isInstall) makeDirectory(location.directory, location.home === undefined ? 0o755 : 0o700);
  // Without the directory there is nothing to remove.
  else if (!exists(location.directory)) return { done, notes: plan().notes() };
  const directories = new Set([location.directory, ...configFiles(location).map(directoryOf)]);
  const { changes, notes } = plan();
  // Makes no lock file without a change, because the directory can be read-only.
  if (changes.length === 0 && ![...directories].some(isLocked)) return { done, notes: notes() };
  using _lock = await lockDirectory(location.directory);
  for (let attempt = 1;; attempt++) {
    const { changes, notes } = plan();
    directories.forEach(removeStaleTemporaries);
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

/** Returns whether another run has the lock of a directory; false for one that cannot be read. */
function isLocked(directory: string): boolean {
  try {
    return isInUse(directory);
  } catch {
    return false;
  }
}

/** Makes a change, and adds its summary to `done`. */
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
