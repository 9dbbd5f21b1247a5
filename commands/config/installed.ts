/**
 * Reads the drop-ins that are installed.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { type ConfigLocation, dropInPath, SYSTEM_LOCATION } from "./location.ts";
import { readSnapshot, realPath } from "./replace.ts";
import { HOST_KEYS, type Settings, settingsOf } from "./settings.ts";

/** A file that this program wrote, and what it was asked for. */
export interface InstalledFile {
  readonly path: string;
  readonly settings: Settings;
}

/**
 * Returns the files of this program that ssh reads: of a user the own one, and then that of the system.
 *
 * @throws {ProxyError} where one cannot be read
 */
export function installedFiles(location: ConfigLocation): InstalledFile[] {
  const own = readDropIn(location);
  const system = location.home === undefined ? undefined : readSnapshot(dropInPath(SYSTEM_LOCATION));
  const files = [
    { path: own.path, settings: own.settings },
    { path: dropInPath(SYSTEM_LOCATION), settings: system && settingsOf(new TextDecoder().decode(system.bytes)) },
  ];
  return files.flatMap(({ path, settings }) => settings === undefined ? [] : [{ path, settings }]);
}

/** What the installed fragment was asked for. */
export function installedSettings(location: ConfigLocation): Settings {
  return readDropIn(location).settings ?? { aliases: [], hostKeys: HOST_KEYS[0] };
}

/** Returns what a user's ssh reads of root's: nothing for root, and where Deno or root do not let it be read. */
export function systemSettings({ home }: ConfigLocation): Settings | undefined {
  if (home === undefined) return undefined;
  try {
    const system = readSnapshot(dropInPath(SYSTEM_LOCATION));
    return system && settingsOf(new TextDecoder().decode(system.bytes));
  } catch (thrown) {
    if (thrown instanceof ProxyError && thrown.kind !== "defect") return undefined;
    throw thrown;
  }
}

export function readDropIn(location: ConfigLocation) {
  const path = realPath(dropInPath(location));
  const before = readSnapshot(path);
  const settings = before && settingsOf(new TextDecoder().decode(before.bytes));
  return { path, before, settings };
}
