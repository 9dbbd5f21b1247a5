/**
 * Searches processes, and the directories of systemd, for what ssh can reach. Connects to nothing, because a multiplexer would
 * pass a connection on to the guest.
 *
 * @module
 */

import { formatTarget } from "../../addresses/target.ts";
import { THIS_MACHINE, THIS_MACHINE_TARGET } from "../../addresses/this_machine.ts";
import { Deadline } from "../../core/deadline.ts";
import { processArguments, processUser, TooLong } from "../../ffi/processes.ts";
import type { Library } from "../../ffi/library.ts";
import type { ListEntry } from "./entry.ts";
import { PathLocator, statusOf } from "./here.ts";
import { detectVmm, type Monitor } from "./monitor.ts";
import {
  findCandidates,
  LeftOut,
  ownUser,
  type ProcessLabel,
  reasonOf,
  requireTime,
  type Skipped,
  withTimeout,
} from "./processes.ts";
import { findListeners, type Listener, listeningOf } from "./sockets.ts";

/** Finds this machine's own sshd. */
export function findHost(library: Library): ListEntry[] {
  const isThere = isSocket(library, THIS_MACHINE_TARGET.path) &&
    listeningOf(library, [], [THIS_MACHINE_TARGET.path]).bound.has(THIS_MACHINE_TARGET.path);
  return isThere
    ? [{ address: THIS_MACHINE.address, kind: "host", source: "systemd-ssh-generator", what: "this machine" }]
    : [];
}

/**
 * Finds the containers of systemd-nspawn that have the socket of their sshd in `directory`.
 *
 * @throws the error of reading a directory, unless it is missing
 */
export async function findContainers(library: Library, directory: string): Promise<ListEntry[]> {
  const older = (await namesIn(`${directory}/unix-export`)).map((name) => ({ name, path: `unix-export/${name}/ssh` }));
  // Since systemd 262.
  const newer = (await namesIn(directory)).map((name) => ({ name, path: `${name}/unix-export/ssh` }));
  return [...newer, ...older].flatMap(({ name, path }) => {
    const whole = `${directory}/${path}`;
    if (!isSocket(library, whole)) return [];
    const address = formatTarget({ kind: "unix", path: whole });
    return [{ address, kind: "container" as const, source: "systemd-nspawn" as const, what: "container", name }];
  });
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotADirectory) return [];
    throw thrown;
  }
}

/** The virtual machines of all processes, and the processes that could not be read. */
export interface MonitorSearch {
  readonly found: readonly ListEntry[];
  /** Processes of other users, which can have more. */
  readonly hidden: readonly ProcessLabel[];
  /** Processes whose sockets are described in a configuration file. */
  readonly configured: readonly ProcessLabel[];
  /** Processes that were skipped, in whole or in part. */
  readonly skipped: readonly Skipped[];
}

const SOURCES = {
  "Firecracker": "firecracker",
  "Cloud Hypervisor": "cloud-hypervisor",
  "vhost-device-vsock": "vhost-device-vsock",
  "QEMU": "qemu",
} as const;

/** The timeout for the command lines and the paths of all monitors, in milliseconds. */
const TIMEOUT = 5_000;

/** The most addresses of one process, and of all: a vhost-device-vsock serves several virtual machines. */
const MOST_OF_ONE = 64;
const MOST_OF_ALL = 8192;

/** Finds the virtual machines of the monitors that this process can see. */
export async function findMonitors(library: Library): Promise<MonitorSearch> {
  const { candidates, skipped: unread } = await findCandidates(library);
  const { listeners, skipped: unseen } = findListeners(library, candidates);
  const deadline = new Deadline(TIMEOUT);
  const search = new Search(library);
  for (const listener of listeners) await search.look(listener, deadline);
  const { found, hidden, configured, skipped } = search.end();
  return { found, hidden, configured, skipped: [...unread, ...unseen, ...skipped] };
}

/** An entry for a socket of a monitor, without its address. */
type About = Omit<ListEntry, "address"> & Required<ProcessLabel> & { readonly uid: number };

/** Collects the entries of one process after the other. */
class Search {
  readonly #library: Library;
  readonly #locator: PathLocator;
  readonly #ownUid: number | undefined;
  readonly #found: ListEntry[] = [];
  readonly #hidden: ProcessLabel[] = [];
  readonly #configured: ProcessLabel[] = [];
  readonly #skipped: Skipped[] = [];
  #count = 0;
  /** Adds the entries of sockets that only command lines name, by their paths. */
  readonly #claimed = new Map<string, (() => void)[]>();

  constructor(library: Library) {
    this.#library = library;
    this.#locator = new PathLocator(library);
    this.#ownUid = ownUser(library);
  }

  /** Adds the entries of a process. An error skips that process alone. */
  async look(listener: Listener, deadline: Deadline): Promise<void> {
    const { pid, program, uid, name } = listener;
    try {
      requireTime(deadline);
      if (this.#count >= MOST_OF_ALL) throw new LeftOut(`${MOST_OF_ALL} addresses were found before it`);
      const args = await withTimeout(processArguments(this.#library, pid));
      const monitor = args && detectVmm(name, args);
      // Another process can have its number by now.
      if (!monitor || processUser(this.#library, pid) !== uid) return;
      this.#enter(listener, monitor, deadline);
    } catch (thrown) {
      const reason = reasonOf(thrown);
      this.#skipped.push({ pid, program, reason: thrown instanceof TooLong ? `its command line: ${reason}` : reason });
    }
  }

  #enter(listener: Listener, monitor: Monitor, deadline: Deadline): void {
    const { program, name, cids } = monitor;
    const { pid, uid } = listener;
    const of = uid === this.#ownUid ? `${program} (pid ${pid})` : `${program} (pid ${pid}, uid ${uid})`;
    const about = { kind: "virtual-machine", source: SOURCES[program], what: of, name, pid, uid } as const;
    const sockets = socketsOf(listener, monitor);
    if (cids.length > MOST_OF_ONE || sockets.length > MOST_OF_ONE) {
      this.#skipped.push({ pid, program, reason: `of its addresses only ${MOST_OF_ONE} are listed` });
    }
    for (const cid of cids.slice(0, MOST_OF_ONE)) {
      this.#found.push({ address: formatTarget({ kind: "vsock", cid, port: 0 }), ...about, cid });
      this.#count++;
    }
    if (sockets === "hidden") this.#hidden.push({ program, pid });
    else if (sockets === "configured") this.#configured.push({ program, pid });
    else {
      for (const { path, cid } of sockets.slice(0, MOST_OF_ONE)) {
        requireTime(deadline);
        const enter = () => this.#enterSocket(path, { ...about, program, cid });
        if (listener.paths !== undefined) enter();
        else this.#claim(path, enter);
        this.#count++;
      }
    }
  }

  #enterSocket(path: string, { program, ...about }: About): void {
    const { pid, uid } = about;
    const here = this.#locator.pathHere(pid, uid, path);
    if (here === "hidden") this.#hidden.push({ program, pid });
    else if (here !== undefined) {
      this.#found.push({ address: formatTarget({ kind: "vsock-mux", path: here, port: 0 }), ...about });
    }
  }

  #claim(path: string, enter: () => void): void {
    const claims = this.#claimed.get(path);
    if (claims === undefined) this.#claimed.set(path, [enter]);
    else claims.push(enter);
  }

  /** Returns all entries. Of sockets that only command lines name, those on which something listens. */
  end(): MonitorSearch {
    const { bound } = listeningOf(this.#library, [], [...this.#claimed.keys()]);
    for (const [path, claims] of this.#claimed) if (bound.has(path)) { for (const enter of claims) enter(); }
    return { found: this.#found, hidden: this.#hidden, configured: this.#configured, skipped: this.#skipped };
  }
}

/**
 * Returns the listening sockets of a monitor's multiplexers, by the monitor's own paths. If its sockets cannot be seen, returns
 * those of its command line, whether they listen or not.
 */
function socketsOf(
  { paths, isHere }: Listener,
  { multiplexers, isApiSocket }: Monitor,
): readonly { path: string; cid: number | undefined }[] | "hidden" | "configured" {
  if (multiplexers?.length === 0) return [];
  if (multiplexers === undefined && isApiSocket === undefined) return "configured";
  if (paths === undefined) return multiplexers !== undefined && isHere ? multiplexers : "hidden";
  if (multiplexers !== undefined) {
    const listening = new Set(paths);
    return multiplexers.filter(({ path }) => listening.has(path));
  }
  return paths.filter((path) => !isApiSocket?.(path)).map((path) => ({ path, cid: undefined }));
}

function isSocket(library: Library, path: string): boolean {
  return statusOf(library, path)?.isSocket ?? false;
}

/** The most processes that a message names. */
const MOST_NAMED = 5;

/** Formats the names of processes, each once, and the number of those that are left out. */
export function nameProcesses(processes: readonly ProcessLabel[]): string {
  const names = [...new Set(processes.map(({ program = "process", pid }) => `${program} (pid ${pid})`))];
  const more = names.length - MOST_NAMED;
  const shown = names.slice(0, MOST_NAMED).join(", ");
  return more > 0 ? `${shown} and ${more.toLocaleString("en")} more` : shown;
}
