/**
 * The ssh_config that makes ssh use this program, where ssh looks for it: what would have to change, and changing it.
 *
 * For root that is one file of the system's; for anybody else a file of their own, and a line that includes it.
 *
 * @module
 */

import { escapeForTerminal } from "../../core/text.ts";
import { ProxyError } from "../../core/errors.ts";
import { decodeLatin1 } from "../../core/text.ts";
import type { Alias } from "../ssh/alias.ts";
import { bareHostNameNotes } from "./bare_host_names.ts";
import { isUnedited } from "./earlier_drop_in.ts";
import { HOST_KEYS, KNOWN_HOSTS, type Settings, settingsOf, SYSTEM_SETTINGS } from "./drop_in.ts";
import { includeLine, isIncluded, withInclude, withoutInclude } from "./include.ts";
import { copiesOf, nameForCopy } from "./kept_copies.ts";
import { isEmpty, isInUse, lockFolder } from "./lock.ts";
import {
  type Change,
  ConcurrentChange,
  equal,
  type FileSnapshot,
  folderOf,
  isThere,
  makeChange,
  makeFolder,
  readSnapshot,
  realPath,
  removeStaleTemporaries,
} from "./replace.ts";

/** Where the configuration of a user or of the system is. */
export interface ConfigLocation {
  readonly folder: string;
  /** The name of the fragment in it. */
  readonly fragment: string;
  /** The user's home, where ssh_config has to include the fragment. */
  readonly home: string | undefined;
  /** The user to log in as where nobody asked for one; undefined where that is left to ssh. */
  readonly user?: string | undefined;
}

/**
 * For root, whose file every user's ssh reads. Of the folder's files ssh takes the first that says something, in the order
 * of their names: systemd's has the number 20.
 */
const SYSTEM: ConfigLocation = {
  folder: "/etc/ssh/ssh_config.d",
  fragment: "10-deno-ssh-proxy.conf",
  home: undefined,
  user: SYSTEM_SETTINGS.user,
};

/** Where a user's ssh_config stays as it was before --install added its line. */
const BACKUP = "config.before-deno-ssh-proxy";

/** What is in a file that there is none of. */
const NOTHING = new Uint8Array();

/** How many times somebody else may change a file while this does. */
const ATTEMPTS = 10;

/** Where the configuration of the user `uid` with this `HOME` is. */
export function configLocation(uid: number | null, home: () => string | undefined): ConfigLocation {
  if (uid === 0) return SYSTEM;
  const folder = home();
  if (!folder?.startsWith("/")) {
    throw new ProxyError(
      "usage",
      `HOME is ${folder ? `'${escapeForTerminal(folder)}'` : "not set"}: there is no ~/.ssh`,
      {
        hint: "set it to the folder that ssh takes for your home",
      },
    );
  }
  const plain = folder.replace(/(?<=.)\/+$/, "");
  return { folder: `${plain}/.ssh`, fragment: "deno-ssh-proxy.conf", home: plain };
}

/** The path of the fragment. */
export function dropInPath({ folder, fragment }: ConfigLocation): string {
  return `${folder}/${fragment}`;
}

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

/**
 * What has to change so that ssh reads the fragment that `render` gives. What an installed one was asked for stays, but
 * for what is asked for now.
 *
 * @throws {ProxyError} where something is in the way
 */
export function planInstall(
  place: ConfigLocation,
  asked: Partial<Settings>,
  render: (settings: Settings) => string,
): Plan {
  const { path, before, settings } = readFragment(place);
  if (before !== undefined && settings === undefined) {
    throw new ProxyError("resource", `${escapeForTerminal(path)}: it is not deno-ssh-proxy's, and was left as it is`, {
      hint: "give it another name, or take it away",
    });
  }
  const aliases = merged(settings?.aliases, asked.aliases);
  const after = bytesOf(render({
    aliases,
    hostKeys: asked.hostKeys ?? settings?.hostKeys ?? HOST_KEYS[0],
    user: asked.user ?? settings?.user ?? place.user,
  }));
  const changes: PlannedChange[] = [];
  if (!equal(before?.bytes, after)) {
    changes.push(...copyOfEdited(place, settings, render), {
      path,
      before,
      after,
      summary: `${before === undefined ? "wrote" : "changed"} ${path}`,
      manualFix: `deno-ssh-proxy config prints what belongs in ${path}`,
    });
  }
  changes.push(...includeChanges(place, (config, file, home) => withInclude(config, file, home)));
  return { changes, notes: () => bareHostNameNotes(place, aliases.map(({ name }) => name)) };
}

/**
 * What has to change so that nothing of {@linkcode planInstall} is left; or with `names`, none of these aliases.
 *
 * @throws {ProxyError} where something is in the way
 */
export function planUninstall(
  place: ConfigLocation,
  names: readonly string[],
  render: (settings: Settings) => string,
): Plan {
  const { path, before, settings } = readFragment(place);
  if (names.length > 0) return planWithout(names, place, render);
  const changes: PlannedChange[] = configPaths(place).length === 0 ? [] : includeChanges(place, withoutInclude);
  const notes: string[] = [];
  if (settings !== undefined) {
    changes.push(...copyOfEdited(place, settings, render), {
      path,
      before,
      after: undefined,
      summary: `removed ${path}`,
      manualFix: undefined,
    });
  } else if (before !== undefined) notes.push(`${path} is not deno-ssh-proxy's, and was left as it is`);
  for (const config of configPaths(place)) {
    const rest = withoutInclude(decodeLatin1(readSnapshot(config)?.bytes ?? NOTHING), place.fragment);
    if (isIncluded(rest, place.fragment, place.home ?? "")) {
      notes.push(`${config} includes ${place.fragment} in a line of your own, which was left as it is`);
    }
  }
  if (systemSettings(place) !== undefined) {
    notes.push(`${dropInPath(SYSTEM)} stays: it is root's, and for every user; ${asRoot()} removes it`);
  }
  return { changes, notes: () => changes.length === 0 ? notes : [...notes, ...leftovers(place, path, changes)] };
}

/**
 * Names the files that `--install`, or `ssh` with it, made, and that `changes` do not remove. `dropIn` is the path of the
 * fragment itself, which a link may no longer lead to.
 */
function leftovers(place: ConfigLocation, fragment: string, changes: readonly PlannedChange[]): string[] {
  const { folder, home } = place;
  if (!isThere(folder)) return [];
  const stays = (path: string) => isThere(path) && !changes.some((change) => change.path === path);
  const old = copiesOf(`${fragment}.old`).filter(stays)
    .map((path) => `${path} stays: it is an earlier ${place.fragment}, with what somebody wrote into it`);
  if (home === undefined) return old;
  const backup = `${folder}/${BACKUP}`;
  const keys = KNOWN_HOSTS.replace("~", home);
  return [
    ...copiesOf(backup).filter(stays).map((path) =>
      `${path} stays: ` +
      (path === backup
        ? `${folder}/config is not as it was before --install`
        : "it is the backup of an earlier --install")
    ),
    ...old,
    ...(stays(keys) ? [`${keys} stays: it has the host keys that ssh was to keep for addresses`] : []),
    ...(stays(`${keys}.old`) ? [`${keys}.old stays: ssh-keygen -R kept the host keys from before in it`] : []),
    ...(isEmpty(folder) ? [`${folder} stays: it is empty`] : []),
  ];
}

function planWithout(names: readonly string[], place: ConfigLocation, render: (settings: Settings) => string): Plan {
  const { path, before, settings } = readFragment(place);
  const aliases = settings?.aliases ?? [];
  const isIn = (list: readonly Alias[], name: string) => list.some((alias) => alias.name === name);
  const roots = systemSettings(place)?.aliases ?? [];
  for (const name of names) {
    if (isIn(aliases, name)) continue;
    if (isIn(roots, name)) {
      throw new ProxyError("permission", `alias ${name}: it is in ${dropInPath(SYSTEM)}, which is root's`, {
        hint: `nothing was changed; ${asRoot(name)} takes it out`,
      });
    }
    throw new ProxyError("usage", `alias ${name}: there is no such alias`, {
      hint: aliases.length > 0
        ? `nothing was changed; there is ${aliases.map((alias) => alias.name).join(", ")}`
        : `nothing was changed; there is no alias in ${escapeForTerminal(path, Infinity)}`,
    });
  }
  const after = bytesOf(render({ ...settings!, aliases: aliases.filter(({ name }) => !names.includes(name)) }));
  const summary = `took ${names.join(", ")} out of ${path}`;
  return {
    changes: [...copyOfEdited(place, settings, render), { path, before, after, summary, manualFix: undefined }],
    notes: () =>
      names.filter((name) => isIn(roots, name))
        .map((name) => `alias ${name} stays in ${dropInPath(SYSTEM)}, which is root's: ${asRoot(name)} takes it out`),
  };
}

/** Returns the command with which root takes back the system's configuration, or one alias of it. */
function asRoot(alias?: string): string {
  return `sudo deno-ssh-proxy config --uninstall${alias === undefined ? "" : ` --alias ${alias}`}`;
}

/** Returns what a user's ssh reads of root's: nothing for root, and where Deno or root do not let it be read. */
function systemSettings({ home }: ConfigLocation): Settings | undefined {
  if (home === undefined) return undefined;
  try {
    const system = readSnapshot(dropInPath(SYSTEM));
    return system && settingsOf(new TextDecoder().decode(system.bytes));
  } catch (thrown) {
    if (thrown instanceof ProxyError && thrown.kind !== "defect") return undefined;
    throw thrown;
  }
}

/** What of a user's ssh_config has to change. */
function includeChanges(
  { folder, fragment, home }: ConfigLocation,
  edit: (config: string, file: string, home: string) => string,
): PlannedChange[] {
  if (home === undefined) return [];
  const config = `${folder}/config`;
  const path = real(config, fragment);
  const before = readSnapshot(path);
  const text = decodeLatin1(before?.bytes ?? NOTHING);
  const edited = edit(text, fragment, home);
  if (edited === text) return [];
  const backup = `${folder}/${BACKUP}`;
  const kept = readSnapshot(backup);
  const includes = (config: string) => withoutInclude(config, fragment) !== config;
  const adds = includes(edited);
  const moves = adds && includes(text);
  const after = Uint8Array.from(edited, (character) => character.charCodeAt(0));
  // Had there been one before, it would have been kept.
  const wasMade = !adds && after.length === 0 && kept === undefined;
  const change: PlannedChange = {
    path,
    before,
    after: wasMade ? undefined : after,
    summary: wasMade
      ? `removed ${path}, in which nothing else was`
      : moves
      ? `moved the line '${includeLine(fragment)}' to the top of ${path}`
      : adds
      ? `put the line '${includeLine(fragment)}' at the top of ${path}`
      : `took the line '${includeLine(fragment)}' out of ${path}`,
    manualFix: adds
      ? `put this line at its top by hand: ${includeLine(fragment)}`
      : `take this line out of it by hand: ${includeLine(fragment)}`,
  };
  if (adds && !moves && !equal(kept?.bytes, before?.bytes)) return [...newBackup(backup, kept, before), change];
  if (!adds && kept !== undefined && equal(kept.bytes, after)) {
    const summary = `removed ${backup}, which is the same again`;
    return [change, { path: backup, before: kept, after: undefined, summary, manualFix: undefined, isBackup: true }];
  }
  return [change];
}

/** Keeps `now` as the backup, and the backup of an earlier installation, `kept`, under another name. */
function newBackup(path: string, kept: FileSnapshot | undefined, now: FileSnapshot | undefined): PlannedChange[] {
  const changes: PlannedChange[] = [];
  if (kept !== undefined) {
    const earlier = nameForCopy(path, kept.bytes, 1);
    if (!earlier.isThere) {
      changes.push({
        ...copy(earlier.path, kept),
        summary: `kept the backup of an earlier --install as ${earlier.path}`,
      });
    }
    if (now === undefined) {
      const summary = `removed ${path}, which is that backup`;
      changes.push({ path, before: kept, after: undefined, summary, manualFix: undefined, isBackup: true });
    }
  }
  if (now !== undefined) {
    changes.push({ ...copy(path, now), before: kept, summary: `kept what was in it before as ${path}` });
  }
  return changes;
}

/** The file that a user's ssh_config really is; none for root, and none where it is a link that leads nowhere. */
function configPaths({ folder, home, fragment }: ConfigLocation): string[] {
  if (home === undefined) return [];
  try {
    return [real(`${folder}/config`, fragment)];
  } catch (thrown) {
    if (thrown instanceof ProxyError && thrown.kind === "missing") return [];
    throw thrown;
  }
}

/** The file that a user's ssh_config really is, or is to be. */
function real(config: string, fragment: string): string {
  try {
    return realPath(config);
  } catch (thrown) {
    if (!(thrown instanceof ProxyError) || thrown.kind !== "missing") throw thrown;
    throw new ProxyError("missing", thrown.message, {
      cause: thrown,
      hint: `nothing was changed; make that file, with this line at its top: ${includeLine(fragment)}`,
    });
  }
}

/** Keeps an installed fragment that is not as this program wrote it: somebody may miss what they wrote into it. */
function copyOfEdited(
  place: ConfigLocation,
  settings: Settings | undefined,
  render: (settings: Settings) => string,
): PlannedChange[] {
  const { path, before } = readFragment(place);
  if (before === undefined || settings === undefined) return [];
  if (isUnedited(new TextDecoder("utf-8", { ignoreBOM: true }).decode(before.bytes), render(settings))) return [];
  const old = nameForCopy(`${path}.old`, before.bytes);
  if (old.isThere) return [];
  return [{
    ...copy(old.path, before),
    summary: `kept the one before, which is not as this program writes it, as ${old.path}`,
  }];
}

function copy(path: string, { bytes, mode }: FileSnapshot): PlannedChange {
  return { path, before: undefined, after: bytes, mode, summary: "", manualFix: undefined, isBackup: true };
}

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
export function installedFiles(place: ConfigLocation): InstalledFile[] {
  const own = readFragment(place);
  const system = place.home === undefined ? undefined : readSnapshot(dropInPath(SYSTEM));
  const files = [
    { path: own.path, settings: own.settings },
    { path: dropInPath(SYSTEM), settings: system && settingsOf(new TextDecoder().decode(system.bytes)) },
  ];
  return files.flatMap(({ path, settings }) => settings === undefined ? [] : [{ path, settings }]);
}

/** What the installed fragment was asked for. */
export function installedSettings(place: ConfigLocation): Settings {
  return readFragment(place).settings ?? { aliases: [], hostKeys: HOST_KEYS[0] };
}

function readFragment(place: ConfigLocation) {
  const path = realPath(dropInPath(place));
  const before = readSnapshot(path);
  const settings = before && settingsOf(new TextDecoder().decode(before.bytes));
  return { path, before, settings };
}

function merged(old: readonly Alias[] = [], now: readonly Alias[] = []): Alias[] {
  return [...new Map([...old, ...now].map((alias) => [alias.name, alias])).values()];
}

/**
 * Makes the changes that `plan` gives, which is asked again where somebody else changed one of the files at the same time.
 * Gives what was done, and what else a person should know.
 *
 * @throws {ProxyError} that says what was done, and what was not
 */
export async function applyPlan(
  place: ConfigLocation,
  isInstall: boolean,
  plan: () => Plan,
): Promise<{ done: string[]; notes: readonly string[] }> {
  const done: string[] = [];
  if (isInstall) makeFolder(place.folder, place.home === undefined ? 0o755 : 0o700);
  // Where there is no folder there is nothing to take back.
  else if (!isThere(place.folder)) return { done, notes: plan().notes() };
  const folders = new Set([place.folder, ...configPaths(place).map(folderOf)]);
  const { changes, notes } = plan();
  // No lock file is made for nothing: the folder may be read-only.
  if (changes.length === 0 && ![...folders].some(mayBeInUse)) return { done, notes: notes() };
  using _lock = await lockFolder(place.folder);
  for (let attempt = 1;; attempt++) {
    const { changes, notes } = plan();
    folders.forEach(removeStaleTemporaries);
    try {
      for (const change of changes) make(change, done);
      return { done, notes: notes() };
    } catch (thrown) {
      if (!(thrown instanceof ConcurrentChange)) throw thrown;
      if (attempt < ATTEMPTS) continue;
      throw new ProxyError(
        "resource",
        `${escapeForTerminal(thrown.message)}: another program changes it again and again`,
        {
          cause: thrown,
          hint: soFar(done),
        },
      );
    }
  }
}

/** Returns {@linkcode isInUse}, and false of a folder that cannot be read. */
function mayBeInUse(folder: string): boolean {
  try {
    return isInUse(folder);
  } catch {
    return false;
  }
}

function make(change: PlannedChange, done: string[]): void {
  try {
    makeChange(change);
  } catch (thrown) {
    if (!(thrown instanceof ProxyError)) throw thrown;
    const hint = [done.length > 0 ? soFar(done) : undefined, change.manualFix ?? thrown.hint].filter((part) => part);
    throw new ProxyError(thrown.kind, thrown.message, { cause: thrown.cause, hint: hint.join("; ") || undefined });
  }
  done.push(change.summary);
}

function soFar(done: readonly string[]): string {
  return done.length === 0 ? "nothing was changed" : `done before that: ${done.join(", ")}`;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
