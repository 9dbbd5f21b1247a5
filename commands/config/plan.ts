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

/** The changes to the configuration. */
export interface Plan {
  /** In the order in which to make them: each state between two of them works. */
  readonly changes: readonly PlannedChange[];
  /** Returns more lines for a person. */
  readonly notes: () => readonly string[];
}

/** A change, and its texts for a person. */
export interface PlannedChange extends Change {
  /** The change in the past tense. */
  readonly summary: string;
  /** How to make the change by hand. */
  readonly manualFix: string | undefined;
  /** Whether the change only keeps a copy, which a diff does not show. */
  readonly isBackup?: true;
}

/** Returns the change that copies a file to `path`. */
export function backUp(path: string, { bytes, mode }: FileSnapshot): PlannedChange {
  return { path, before: undefined, after: bytes, mode, summary: "", manualFix: undefined, isBackup: true };
}

/** Returns the change that keeps the installed drop-in, if somebody has edited it. */
export function backUpEdited(
  location: ConfigLocation,
  settings: Settings | undefined,
  render: (settings: Settings) => string,
): PlannedChange[] {
  const { path, before } = readDropIn(location);
  if (before === undefined || settings === undefined) return [];
  if (isUnedited(new TextDecoder("utf-8", { ignoreBOM: true }).decode(before.bytes), render(settings))) return [];
  const old = nameForCopy(`${path}.old`, before.bytes);
  if (old.isTaken) return [];
  return [{
    ...backUp(old.path, before),
    summary: `kept the one before, which is not as this program writes it, as ${old.path}`,
  }];
}

/** Encodes a file's text. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
