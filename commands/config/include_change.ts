/**
 * Plans the change of the line that includes the drop-in in a user's ssh_config.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { decodeLatin1 } from "../../core/text.ts";
import { includeLine, withoutInclude } from "./include.ts";
import { nameForCopy } from "./kept_copies.ts";
import type { ConfigLocation } from "./location.ts";
import { backUp, type PlannedChange } from "./plan.ts";
import { equal, type FileSnapshot, readSnapshot, realPath } from "./replace.ts";

/** The name of the copy of a user's ssh_config, from before --install added its line. */
export const BACKUP_NAME = "config.before-deno-ssh-proxy";

/** The contents of a missing file. */
export const NO_BYTES = new Uint8Array();

/** Plans what `edit` changes in a user's ssh_config, with a copy of it. Root's location needs none. */
export function planIncludeChange(
  { directory, fileName, home }: ConfigLocation,
  edit: (config: string, file: string, home: string) => string,
): PlannedChange[] {
  if (home === undefined) return [];
  const config = `${directory}/config`;
  const path = realConfigFile(config, fileName);
  const before = readSnapshot(path);
  const text = decodeLatin1(before?.bytes ?? NO_BYTES);
  const edited = edit(text, fileName, home);
  if (edited === text) return [];
  const backup = `${directory}/${BACKUP_NAME}`;
  const kept = readSnapshot(backup);
  const includes = (config: string) => withoutInclude(config, fileName) !== config;
  const adds = includes(edited);
  const moves = adds && includes(text);
  const after = Uint8Array.from(edited, (character) => character.charCodeAt(0));
  // If --install had found a file, it would have kept a copy.
  const wasMade = !adds && after.length === 0 && kept === undefined;
  const change: PlannedChange = {
    path,
    before,
    after: wasMade ? undefined : after,
    summary: wasMade
      ? `removed ${path}, in which nothing else was`
      : moves
      ? `moved the line '${includeLine(fileName)}' to the top of ${path}`
      : adds
      ? `put the line '${includeLine(fileName)}' at the top of ${path}`
      : `took the line '${includeLine(fileName)}' out of ${path}`,
    manualFix: adds
      ? `put this line at its top by hand: ${includeLine(fileName)}`
      : `take this line out of it by hand: ${includeLine(fileName)}`,
  };
  if (adds && !moves && !equal(kept?.bytes, before?.bytes)) return [...planBackup(backup, kept, before), change];
  if (!adds && kept !== undefined && equal(kept.bytes, after)) {
    const summary = `removed ${backup}, which is the same again`;
    return [change, { path: backup, before: kept, after: undefined, summary, manualFix: undefined, isBackup: true }];
  }
  return [change];
}

/** Plans to keep `now` as the copy, and `kept`, the copy of an earlier installation, under another name. */
function planBackup(path: string, kept: FileSnapshot | undefined, now: FileSnapshot | undefined): PlannedChange[] {
  const changes: PlannedChange[] = [];
  if (kept !== undefined) {
    const earlier = nameForCopy(path, kept.bytes, 1);
    if (!earlier.isTaken) {
      changes.push({
        ...backUp(earlier.path, kept),
        summary: `kept the backup of an earlier --install as ${earlier.path}`,
      });
    }
    if (now === undefined) {
      const summary = `removed ${path}, which is that backup`;
      changes.push({ path, before: kept, after: undefined, summary, manualFix: undefined, isBackup: true });
    }
  }
  if (now !== undefined) {
    changes.push({ ...backUp(path, now), before: kept, summary: `kept what was in it before as ${path}` });
  }
  return changes;
}

/** Returns a user's ssh_config, through links; none for root, and none for a dangling link. */
export function configFiles({ directory, home, fileName }: ConfigLocation): string[] {
  if (home === undefined) return [];
  try {
    return [realConfigFile(`${directory}/config`, fileName)];
  } catch (thrown) {
    if (thrown instanceof ProxyError && thrown.kind === "missing") return [];
    throw thrown;
  }
}

/** Returns the path of a user's ssh_config, through links. */
function realConfigFile(config: string, dropIn: string): string {
  try {
    return realPath(config);
  } catch (thrown) {
    if (!(thrown instanceof ProxyError) || thrown.kind !== "missing") throw thrown;
    throw new ProxyError("missing", thrown.message, {
      cause: thrown,
      hint: `nothing was changed; make that file, with this line at its top: ${includeLine(dropIn)}`,
    });
  }
}
