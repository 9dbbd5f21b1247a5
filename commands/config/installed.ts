/**
 * Reads the drop-ins that are installed.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { type ConfigLocation, dropInPath, SYSTEM_LOCATION } from "./location.ts";
import { readSnapshot, realPath } from "./replace.ts";
import { PLAIN, type Settings, settingsOf } from "./settings.ts";

/** A drop-in of this program, and its settings. */
export interface InstalledFile {
  readonly path: string;
  readonly settings: Settings;
}

/**
 * Returns the drop-ins that ssh reads: the user's own, and then the system's.
 *
 * @throws {ProxyError} if one cannot be read
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

/** Returns the settings of the installed drop-in, or the default ones. */
export function installedSettings(location: ConfigLocation): Settings {
  return readDropIn(location).settings ?? PLAIN;
}

/** Returns the settings of the system's drop-in for a user; undefined for root, and if the file cannot be read. */
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

/** Reads the drop-in at `location`, through links. The settings are undefined for a file of another program. */
export function readDropIn(location: ConfigLocation) {
  const path = realPath(dropInPath(location));
  const before = readSnapshot(path);
  const settings = before && settingsOf(new TextDecoder().decode(before.bytes));
  return { path, before, settings };
}
