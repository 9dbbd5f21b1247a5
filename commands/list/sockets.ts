/**
 * The listening sockets of the processes that are looked at.
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

/** A candidate with what it listens on. */
export interface Listener extends Candidate {
  /** The paths that its sockets are bound to; undefined where they are not for this user to see. */
  readonly paths: readonly string[] | undefined;
  /** Whether it is in the network namespace of this process. */
  readonly isHere: boolean;
}

/** The candidates that could be looked at. */
export interface ListenerSearch {
  readonly listeners: readonly Listener[];
  readonly skipped: readonly Skipped[];
}

/** Over these, in all processes together, no process is looked at any more: 32 for each of the most candidates. */
const MOST_SOCKETS = 131_072;

/** How long the sockets of all processes may take, and their network namespaces, in milliseconds. */
const SOCKETS_TIMEOUT = 5_000;
const NETWORKS_TIMEOUT = 5_000;

/** A candidate with the inode numbers of its sockets. */
interface Opened extends Candidate {
  readonly inodes: readonly number[] | undefined;
  /** What tells its network namespace from others; undefined where nothing does. */
  readonly network: bigint | undefined;
}

/** Looks up what each of `candidates` listens on. */
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

/** Reads which sockets the candidates have open. */
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

/** The network namespaces of other processes, of which there is only a text. */
class Networks {
  readonly #library: Library;
  readonly #deadline = new Deadline(NETWORKS_TIMEOUT);
  /** The last one: processes that are looked at one after the other are often in the same. */
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

/** What listens in the network namespace of this process. Without unix_diag it is what the text says. */
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
 * What a network namespace is known by: the inode number of its /proc/PID/net/unix. The link ns/net is not for other users to
 * read.
 */
function networkOf(library: Library, pid: number | "self"): bigint | undefined {
  try {
    return pathStatus(library, `/proc/${pid}/net/unix`).inode;
  } catch (thrown) {
    if (thrown instanceof SystemError) return undefined;
    throw thrown;
  }
}
