/**
 * Looking for what can be reached: in the processes, and in the folders that systemd makes. Nothing is connected to: to a
 * multiplexer that would be a guest's business.
 *
 * @module
 */

import { SystemError } from "../../ffi/errno.ts";
import {
  mounts,
  networkNamespace,
  openSockets,
  pathStatus,
  processArguments,
  processFolder,
  processIds,
  processName,
  processRoot,
  THIS_PROCESS,
  unixSockets,
} from "../../ffi/inspection.ts";
import type { Library } from "../../ffi/library.ts";
import { formatTarget, THIS_HOST } from "../../proxy/target.ts";
import { listeningSockets } from "../../proxy/listening.ts";
import { type Monitor, monitorOf, type Multiplexer } from "./monitor.ts";
import { translate } from "./mounts.ts";
import type { Reachable } from "./reachable.ts";

/** The sockets of network namespaces, each of which is read once. */
export class Namespaces {
  readonly #library: Library;
  readonly #listening = new Map<string, Map<number, string>>();

  constructor(library: Library) {
    this.#library = library;
  }

  /** What listens in the network namespace of a process. */
  listening(pid: number): Map<number, string> {
    // Another user's namespace may be read, and not be told by its name: then it is that process's alone.
    const namespace = unlessDenied(() => networkNamespace(this.#library, pid)) ?? `of ${pid}`;
    let listening = this.#listening.get(namespace);
    if (listening === undefined) {
      listening = listeningSockets(unixSockets(this.#library, pid) ?? "");
      this.#listening.set(namespace, listening);
    }
    return listening;
  }
}

/** This machine itself, where its sshd listens. */
export function findHost(library: Library, namespaces: Namespaces): Reachable[] {
  const listens = [...namespaces.listening(THIS_PROCESS).values()].includes(THIS_HOST.path);
  return listens && isSocket(library, THIS_HOST.path)
    ? [{ address: ".host", kind: "host", source: "systemd-ssh-generator", what: "this machine" }]
    : [];
}

/**
 * The containers of systemd-nspawn that have their sshd's socket in `folder`.
 *
 * @throws what reading a folder throws, unless it is not there
 */
export async function findContainers(library: Library, folder: string): Promise<Reachable[]> {
  const older = (await namesIn(`${folder}/unix-export`)).map((name) => ({ name, path: `unix-export/${name}/ssh` }));
  // Since systemd 262.
  const newer = (await namesIn(folder)).map((name) => ({ name, path: `${name}/unix-export/ssh` }));
  return [...newer, ...older].flatMap(({ name, path }) => {
    const whole = `${folder}/${path}`;
    if (!isSocket(library, whole)) return [];
    const address = formatTarget({ kind: "unix", path: whole });
    return [{ address, kind: "container" as const, source: "systemd-nspawn" as const, what: "container", name }];
  });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound || thrown instanceof Deno.errors.NotADirectory) return [];
    throw thrown;
  }
}

/** A process that is a monitor. */
interface MonitorProcess {
  readonly program: string;
  readonly pid: number;
}

/** What the processes told, and what they did not. */
export interface MonitorSearch {
  readonly found: readonly Reachable[];
  /** The processes of other users that may have more. */
  readonly hidden: readonly MonitorProcess[];
  /** Those that have a configuration file which says which of their sockets is what. */
  readonly configured: readonly MonitorProcess[];
}

const SOURCES = {
  "Firecracker": "firecracker",
  "Cloud Hypervisor": "cloud-hypervisor",
  "vhost-device-vsock": "vhost-device-vsock",
  "QEMU": "qemu",
} as const;

/** The virtual machines whose monitors are processes that this one can see. */
export function findMonitors(library: Library, namespaces: Namespaces): MonitorSearch {
  const found: Reachable[] = [];
  const hidden: MonitorProcess[] = [];
  const configured: MonitorProcess[] = [];
  const ownUid = userOf(library, "self");
  for (const pid of processIds(library)) {
    const args = processArguments(library, pid);
    const monitor = args && monitorOf(processName(library, pid) ?? "", args);
    if (!monitor) continue;
    const { program, name } = monitor;
    const uid = userOf(library, pid);
    const of = uid === undefined || uid === ownUid ? `${program} (pid ${pid})` : `${program} (pid ${pid}, uid ${uid})`;
    const about = { kind: "virtual-machine", source: SOURCES[program], what: of, name, pid, uid } as const;
    for (const cid of monitor.cids) {
      found.push({ address: formatTarget({ kind: "vsock", cid, port: 0 }), ...about, cid });
    }
    const sockets = multiplexersOf(library, namespaces, pid, monitor);
    if (sockets === "hidden") hidden.push({ program, pid });
    else if (sockets === "configured") configured.push({ program, pid });
    else {
      for (const { path, cid } of sockets) {
        const here = pathHere(library, pid, path);
        if (here === "hidden") hidden.push({ program, pid });
        else if (here !== undefined) {
          found.push({ address: formatTarget({ kind: "vsock-mux", path: here, port: 0 }), ...about, cid });
        }
      }
    }
  }
  return { found, hidden, configured };
}

/** The multiplexers' sockets of a monitor which do listen, under the paths that it has for them. */
function multiplexersOf(
  library: Library,
  namespaces: Namespaces,
  pid: number,
  { multiplexers, isForOthers }: Monitor,
): Multiplexer[] | "hidden" | "configured" {
  if (multiplexers?.length === 0) return [];
  const listening = namespaces.listening(pid);
  const own = unlessDenied(() => openSockets(library, pid) ?? []);
  const paths = own === undefined ? [...listening.values()] : own.flatMap((inode) => listening.get(inode) ?? []);
  if (multiplexers !== undefined) return multiplexers.filter(({ path }) => paths.includes(path));
  if (isForOthers === undefined) return "configured";
  if (own === undefined) return "hidden";
  return paths.filter((path) => !isForOthers(path)).map((path) => ({ path, cid: undefined }));
}

/**
 * The path that the socket which a process has bound to `path` has here; undefined where there is none any more. In the
 * last resort it is one through /proc, which is there as long as the process.
 */
function pathHere(library: Library, pid: number, path: string): string | undefined | "hidden" {
  const isWhole = path.startsWith("/");
  const throughProc = isWhole ? `/proc/${pid}/root${path}` : `/proc/${pid}/cwd/${path}`;
  try {
    const socket = pathStatus(library, throughProc);
    if (!socket.isSocket) return undefined;
    const folder = (isWhole ? processRoot(library, pid) : processFolder(library, pid))?.replace(/\/$/, "");
    const seen = `${folder}/${path.replace(/^(?:\.?\/+)+/, "")}`;
    const candidates = [seen, ...translate(seen, mounts(library, pid) ?? "", mounts(library, THIS_PROCESS) ?? "")];
    const here = candidates.find((candidate) => {
      const { device, inode } = statusOf(library, candidate) ?? {};
      return device === socket.device && inode === socket.inode;
    });
    return here ?? throughProc;
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    if (!isDenial(thrown)) return undefined;
    // Another user's: most processes see the same files as this one.
    return isWhole && isSocket(library, path) ? path : "hidden";
  }
}

function userOf(library: Library, pid: number | "self"): number | undefined {
  return statusOf(library, `/proc/${pid}`)?.uid;
}

function isSocket(library: Library, path: string): boolean {
  return statusOf(library, path)?.isSocket ?? false;
}

/** What is at a path, where that can be seen. */
function statusOf(library: Library, path: string) {
  try {
    return pathStatus(library, path);
  } catch (thrown) {
    if (thrown instanceof SystemError) return undefined;
    throw thrown;
  }
}

/** What `look` gives; undefined where it may not look. */
function unlessDenied<Seen>(look: () => Seen): Seen | undefined {
  try {
    return look();
  } catch (thrown) {
    if (thrown instanceof SystemError && isDenial(thrown)) return undefined;
    throw thrown;
  }
}

function isDenial({ code }: SystemError): boolean {
  return code === "EACCES" || code === "EPERM";
}

/** Processes as a person reads them, each once. */
export function nameProcesses(processes: readonly MonitorProcess[]): string {
  return [...new Set(processes.map(({ program, pid }) => `${program} (pid ${pid})`))].join(", ");
}
