/**
 * Plans an uninstallation: of the drop-in, or of aliases in it.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { decodeLatin1, escapeForTerminal } from "../../core/text.ts";
import type { Alias } from "../ssh/alias.ts";
import { KNOWN_HOSTS } from "./drop_in.ts";
import { isIncluded, withoutInclude } from "./include.ts";
import { BACKUP_NAME, configFiles, NO_BYTES, planIncludeChange } from "./include_change.ts";
import { readDropIn, systemSettings } from "./installed.ts";
import { copiesOf } from "./kept_copies.ts";
import { type ConfigLocation, dropInPath, SYSTEM_LOCATION } from "./location.ts";
import { isEmpty } from "./lock.ts";
import { backUpEdited, encode, type Plan, type PlannedChange } from "./plan.ts";
import { exists, readSnapshot } from "./replace.ts";
import type { Settings } from "./settings.ts";

/**
 * Plans the removal of all that an installation made; or with `names`, of these aliases only.
 *
 * @throws {ProxyError} if there is no such alias
 */
export function planUninstall(
  location: ConfigLocation,
  names: readonly string[],
  render: (settings: Settings) => string,
): Plan {
  const { path, before, settings } = readDropIn(location);
  if (names.length > 0) return planWithoutAliases(names, location, render);
  const changes: PlannedChange[] = configFiles(location).length === 0
    ? []
    : planIncludeChange(location, withoutInclude);
  const notes: string[] = [];
  if (settings !== undefined) {
    changes.push(...backUpEdited(location, settings, render), {
      path,
      before,
      after: undefined,
      summary: `removed ${path}`,
      manualFix: undefined,
    });
  } else if (before !== undefined) notes.push(`${path} is not deno-ssh-proxy's, and was left as it is`);
  for (const config of configFiles(location)) {
    const rest = withoutInclude(decodeLatin1(readSnapshot(config)?.bytes ?? NO_BYTES), location.fileName);
    if (isIncluded(rest, location.fileName, location.home ?? "")) {
      notes.push(`${config} includes ${location.fileName} in a line of your own, which was left as it is`);
    }
  }
  if (systemSettings(location) !== undefined) {
    notes.push(`${dropInPath(SYSTEM_LOCATION)} stays: it is root's, and for every user; ${rootCommand()} removes it`);
  }
  return { changes, notes: () => changes.length === 0 ? notes : [...notes, ...findLeftovers(location, path, changes)] };
}

/**
 * Returns a line for each file that `--install`, or `ssh` with it, made and `changes` do not remove. `dropIn` is the path of
 * the drop-in, to which a link may no longer lead.
 */
function findLeftovers(location: ConfigLocation, dropIn: string, changes: readonly PlannedChange[]): string[] {
  const { directory, home } = location;
  if (!exists(directory)) return [];
  const stays = (path: string) => exists(path) && !changes.some((change) => change.path === path);
  const old = copiesOf(`${dropIn}.old`).filter(stays)
    .map((path) => `${path} stays: it is an earlier ${location.fileName}, with what somebody wrote into it`);
  if (home === undefined) return old;
  const backup = `${directory}/${BACKUP_NAME}`;
  const keys = KNOWN_HOSTS.replace("~", home);
  return [
    ...copiesOf(backup).filter(stays).map((path) =>
      `${path} stays: ` +
      (path === backup
        ? `${directory}/config is not as it was before --install`
        : "it is the backup of an earlier --install")
    ),
    ...old,
    ...(stays(keys) ? [`${keys} stays: it has the host keys that ssh was to keep for addresses`] : []),
    ...(stays(`${keys}.old`) ? [`${keys}.old stays: ssh-keygen -R kept the host keys from before in it`] : []),
    ...(isEmpty(directory) ? [`${directory} stays: it is empty`] : []),
  ];
}

/** Plans the removal of aliases. */
function planWithoutAliases(
  names: readonly string[],
  location: ConfigLocation,
  render: (settings: Settings) => string,
): Plan {
  const { path, before, settings } = readDropIn(location);
  const aliases = settings?.aliases ?? [];
  const isIn = (list: readonly Alias[], name: string) => list.some((alias) => alias.name === name);
  const roots = systemSettings(location)?.aliases ?? [];
  for (const name of names) {
    if (isIn(aliases, name)) continue;
    if (isIn(roots, name)) {
      throw new ProxyError("permission", `alias ${name}: it is in ${dropInPath(SYSTEM_LOCATION)}, which is root's`, {
        hint: `nothing was changed; ${rootCommand(name)} takes it out`,
      });
    }
    throw new ProxyError("usage", `alias ${name}: there is no such alias`, {
      hint: aliases.length > 0
        ? `nothing was changed; there is ${aliases.map((alias) => alias.name).join(", ")}`
        : `nothing was changed; there is no alias in ${escapeForTerminal(path, Infinity)}`,
    });
  }
  const after = encode(render({ ...settings!, aliases: aliases.filter(({ name }) => !names.includes(name)) }));
  const summary = `took ${names.join(", ")} out of ${path}`;
  return {
    changes: [...backUpEdited(location, settings, render), { path, before, after, summary, manualFix: undefined }],
    notes: () =>
      names.filter((name) => isIn(roots, name))
        .map((name) =>
          `alias ${name} stays in ${dropInPath(SYSTEM_LOCATION)}, which is root's: ${rootCommand(name)} takes it out`
        ),
  };
}

/** Returns the command with which root removes the system's drop-in, or an alias in it. */
function rootCommand(alias?: string): string {
  return `sudo deno-ssh-proxy config --uninstall${alias === undefined ? "" : ` --alias ${alias}`}`;
}
