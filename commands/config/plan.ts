/**
 * The plan of an installation or an uninstallation: the changes to files, in order.
 *
 * @module
 */

import { isUnedited } from "./earlier_drop_in.ts";
import { readDropIn } from "./installed.ts";
import { nameForCopy } from "./kept_copies.ts";
import type { ConfigLocation } from "./location.ts";
import type { Change, FileSnapshot } from "./replace.ts";
import type { Settings } from "./settings.ts";

/** What is to become of the configuration. */
export interface Plan {
  /** In the order in which they have to be made, so that each state between two of them works. */
  readonly changes: readonly PlannedChange[];
  /** What else a person should know. */
  readonly notes: () => readonly string[];
}

/** A change, and what a person is told about it. */
export interface PlannedChange extends Change {
  readonly summary: string;
  /** What can be done by hand, where it cannot be made. */
  readonly manualFix: string | undefined;
  /** Whether it is there to keep something only, which no diff has to show. */
  readonly isBackup?: true;
}

export function backUp(path: string, { bytes, mode }: FileSnapshot): PlannedChange {
  return { path, before: undefined, after: bytes, mode, summary: "", manualFix: undefined, isBackup: true };
}

/** Keeps an installed fragment that is not as this program wrote it: somebody may miss what they wrote into it. */
export function backUpEdited(
  location: ConfigLocation,
  settings: Settings | undefined,
  render: (settings: Settings) => string,
): PlannedChange[] {
  const { path, before } = readDropIn(location);
  if (before === undefined || settings === undefined) return [];
  if (isUnedited(new TextDecoder("utf-8", { ignoreBOM: true }).decode(before.bytes), render(settings))) return [];
  const old = nameForCopy(`${path}.old`, before.bytes);
  if (old.isThere) return [];
  return [{
    ...backUp(old.path, before),
    summary: `kept the one before, which is not as this program writes it, as ${old.path}`,
  }];
}

export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
