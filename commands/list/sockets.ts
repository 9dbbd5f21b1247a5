/**
 * Finds the listening sockets of processes.
 *
 * @module
 */

import { Deadline } from "../../core/deadline.ts";
import { SystemError } from "../../ffi/errno.ts";
import { findListening, type Listening } from "../../ffi/listening.ts";
import { openSockets, THIS_PROCESS, TooLong, unixSockets } from "../../ffi/processes.ts";
import { pathStatus } from "../../ffi/inspection.ts";
import type { Library } from "../../ffi/library.ts";
import { readListening } from "../../ffi/proc_net_unix.ts";
import { type Candidate, isDenial, LeftOut, reasonOf, requireTime, type Skipped } from "./processes.ts";

/** A candidate with its listening sockets. */
export interface Listener extends Candidate {
  /** The paths of its sockets; undefined if this user may not see them. */
  readonly paths: readonly string[] | undefined;
  /** Whether the candidate is in the network namespace of this process. */
  readonly isHere: boolean;
}

/** The candidates, and those that were skipped. */
export interface ListenerSearch {
  readonly listeners: readonly Listener[];
  readonly skipped: readonly Skipped[];
}

/** The most sockets of all processes together: 32 for each of the most candidates. The processes after that are skipped. */
const MOST_SOCKETS = 131_072;

/** The timeouts for the sockets of all processes, and for their network namespaces, in milliseconds. */
const SOCKETS_TIMEOUT = 5_000;
const NETWORKS_TIMEOUT = 5_000;

/** A candidate with the inode numbers of its sockets. */
interface Opened extends Candidate {
  readonly inodes: readonly number[] | undefined;
  /** The identity of its network namespace; undefined if it is unknown. */
  readonly network: bigint | undefined;
}

/** Finds the listening sockets of each candidate. */
export function findListeners(library: Library, candidates: readonly Candidate[]): ListenerSearch {
  const skipped: Skipped[] = [];
  const opened = openedBy(library, candidates, skipped);
  const here = listeningOf(library, opened.flatMap(({ inodes = [] }) => inodes), []);
  const ownNetwork = networkOf(library, "self");
  const elsewhere = new Networks(library);
  const listeners = opened.flatMap((candidate): Listener | [] => {
    const { pid, program, inodes, network } = candidate;
    const isHere = network !== undefined && network === ownNetwork;
    if (inodes === undefined) return { ...candidate, paths: undefined, isHere };
    try {
      const unknown = isHere ? [] : inodes.filter((inode) => !here.paths.has(inode));
      const there = unknown.length === 0 ? undefined : elsewhere.listening(pid, network);
      if (inodes.some((inode) => here.ambiguous.has(inode) || there?.ambiguous.has(inode))) {
        skipped.push({ pid, program, reason: "the system names a socket of it twice, and one of the names is false" });
      }
      return {
        ...candidate,
        paths: inodes.flatMap((inode) => here.paths.get(inode) ?? there?.paths.get(inode) ?? []),
        isHere,
      };
    } catch (thrown) {
      skipped.push({
        pid,
        program,
        reason: thrown instanceof TooLong ? "its network has too many sockets" : reasonOf(thrown),
      });
      return [];
    }
  });
  return { listeners, skipped };
}

/** Reads the open sockets of the candidates. */
function openedBy(library: Library, candidates: readonly Candidate[], skipped: Skipped[]): Opened[] {
  const deadline = new Deadline(SOCKETS_TIMEOUT);
  let left = MOST_SOCKETS;
  return candidates.flatMap((candidate): Opened | [] => {
    const { pid, program } = candidate;
    const network = networkOf(library, pid);
    try {
      requireTime(deadline);
      if (left <= 0) throw new LeftOut("the processes before it have too many sockets");
      const inodes = openSockets(library, pid);
      left -= inodes?.length ?? 0;
      return inodes === undefined ? [] : { ...candidate, inodes, network };
    } catch (thrown) {
      if (isDenial(thrown)) return { ...candidate, inodes: undefined, network };
      skipped.push({ pid, program, reason: reasonOf(thrown) });
      return [];
    }
  });
}

/** Reads the sockets of other network namespaces, which only /proc/PID/net/unix lists. */
class Networks {
  readonly #library: Library;
  readonly #deadline = new Deadline(NETWORKS_TIMEOUT);
  /** The last namespace, because consecutive processes are often in the same. */
  #last: { network: bigint; listening: ReturnType<typeof readListening> } | undefined;

  constructor(library: Library) {
    this.#library = library;
  }

  listening(pid: number, network: bigint | undefined): ReturnType<typeof readListening> {
    if (this.#last !== undefined && this.#last.network === network) return this.#last.listening;
    requireTime(this.#deadline);
    const listening = readListening(unixSockets(this.#library, pid) ?? "");
    this.#last = network === undefined ? undefined : { network, listening };
    return listening;
  }
}

/** Finds listening sockets of this network namespace. Without unix_diag, reads /proc/self/net/unix. */
export function listeningOf(library: Library, inodes: readonly number[], paths: readonly string[]): Listening {
  try {
    return findListening(library, inodes, paths);
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
  }
  try {
    const listening = readListening(unixSockets(library, THIS_PROCESS) ?? "");
    return { ...listening, bound: new Set(listening.paths.values()) };
  } catch (thrown) {
    if (!(thrown instanceof SystemError || thrown instanceof TooLong)) throw thrown;
    return { paths: new Map(), ambiguous: new Set(), bound: new Set() };
  }
}

/**
 * Returns the identity of a network namespace: the inode number of its /proc/PID/net/unix. Other users may not read the link
 * ns/net.
 */
function networkOf(library: Library, pid: number | "self"): bigint | undefined {
  try {
    return pathStatus(library, `/proc/${pid}/net/unix`).inode;
  } catch (thrown) {
    if (thrown instanceof SystemError) return undefined;
    throw thrown;
  }
}
