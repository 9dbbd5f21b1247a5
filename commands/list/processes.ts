/**
 * Finds the processes with the names of virtual machine monitors.
 *
 * Any user can run any number of processes under any name, with memory and descriptors that take long to read. So each read has
 * a bound, an error skips one process alone, and the processes of one user do not push out those of another.
 *
 * @module
 */

import { Deadline } from "../../core/deadline.ts";
import { SystemError } from "../../ffi/errno.ts";
import { firstArgument, processIds, processName, processUser, TooLong } from "../../ffi/processes.ts";
import { pathStatus } from "../../ffi/inspection.ts";
import type { Library } from "../../ffi/library.ts";
import { type Program, programOf } from "./monitor.ts";

/** A process in a message. */
export interface ProcessLabel {
  readonly pid: number;
  /** Undefined if its program is unknown. */
  readonly program?: Program;
}

/** A process with the name of a monitor. */
export interface Candidate extends Required<ProcessLabel> {
  readonly name: string;
  /** The user who started it. */
  readonly uid: number;
}

/** A process that was skipped, and the reason. */
export interface Skipped extends ProcessLabel {
  readonly reason: string;
}

/** The candidates, in the order in which to read them. */
export interface CandidateSearch {
  readonly candidates: readonly Candidate[];
  readonly skipped: readonly Skipped[];
}

/** The most candidates. So many are not all real, and the others are skipped. */
const MOST_CANDIDATES = 4096;

/** The timeouts for all processes, and for the command line of one, in milliseconds. */
const ALL_TIMEOUT = 5_000;
const ONE_TIMEOUT = 1_000;

/**
 * How many processes are read at the same time (Deno has 32 threads for blocking calls), and after how many timeouts the other
 * processes of a user are skipped.
 */
const TOGETHER = 8;
const MOST_STUCK = 4;

const ROOT = 0;

/** The reason for skipping a process that could be read. */
export class LeftOut extends Error {
  override readonly name = "LeftOut";
}

/** A process whose memory cannot be read in time. */
class Stuck extends LeftOut {}

const OVERTIME = "there was no time left to look at it";

/** Throws after the deadline of all processes. */
export function requireTime(deadline: Deadline): void {
  if (deadline.left === 0) throw new LeftOut(OVERTIME);
}

/**
 * Finds the candidates.
 *
 * @throws {SystemError} if the system has no list of processes
 */
export async function findCandidates(library: Library): Promise<CandidateSearch> {
  const skipped: Skipped[] = [];
  const candidates: Candidate[] = [];
  const deadline = new Deadline(ALL_TIMEOUT);
  const ownUid = ownUser(library);
  const stuck = new Map<number | undefined, number>();
  const owned = processIds(library).map((pid) => ({ pid, owner: starterOf(library, pid) }));
  // A user who wants to use up the time must not be first.
  const isTrusted = (owner: number | undefined) => owner === ROOT || owner === ownUid;
  const inOrder = [...owned.filter(({ owner }) => isTrusted(owner)), ...owned.filter(({ owner }) => !isTrusted(owner))];
  const look = async ({ pid, owner }: typeof owned[number]) => {
    try {
      requireTime(deadline);
      if ((stuck.get(owner) ?? 0) >= MOST_STUCK) throw new LeftOut("others of its user do not let themselves be read");
      const candidate = await candidateOf(library, pid);
      if (candidate !== undefined) candidates.push(candidate);
    } catch (thrown) {
      if (thrown instanceof Stuck) stuck.set(owner, (stuck.get(owner) ?? 0) + 1);
      // A denied permission is not worth a warning.
      if (!isDenial(thrown)) skipped.push({ pid, reason: reasonOf(thrown) });
    }
  };
  for (let at = 0; at < inOrder.length; at += TOGETHER) {
    await Promise.all(inOrder.slice(at, at + TOGETHER).map(look));
  }
  const ordered = interleaveUsers(candidates, ownUid);
  skipped.push(
    ...ordered.splice(MOST_CANDIDATES).map(({ pid, program }) => ({
      pid,
      program,
      reason: "too many processes have names of monitors",
    })),
  );
  return { candidates: ordered, skipped };
}

/** Returns the candidate for a process; undefined if it is not one, or has ended. */
async function candidateOf(library: Library, pid: number): Promise<Candidate | undefined> {
  const name = processName(library, pid);
  const typed = await withTimeout(firstArgument(library, pid));
  if (name === undefined || typed === undefined) return undefined;
  const program = programOf(name, typed);
  const uid = program && processUser(library, pid);
  return program === undefined || uid === undefined ? undefined : { pid, program, name, uid };
}

/**
 * Waits for a read of a process, at most {@linkcode ONE_TIMEOUT} milliseconds.
 *
 * @throws {Stuck}
 */
export async function withTimeout<Value>(reading: Promise<Value>): Promise<Value> {
  let timer;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Stuck("it does not let itself be read")), ONE_TIMEOUT);
  });
  try {
    return await Promise.race([reading, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Orders candidates: root's and this user's first, as nobody else can add to these; then one of each other user in turn. */
export function interleaveUsers<Of extends { uid: number; pid: number }>(
  candidates: readonly Of[],
  ownUid?: number,
): Of[] {
  const turns = new Map<number, number>();
  const ranked = candidates.toSorted((one, other) => one.pid - other.pid).map((candidate) => {
    const { uid } = candidate;
    const turn = turns.get(uid) ?? 0;
    turns.set(uid, turn + 1);
    return { candidate, turn: uid === ROOT || uid === ownUid ? -1 : turn };
  });
  // Users that others can make, in a user namespace, have the highest numbers.
  return ranked.sort((one, other) => one.turn - other.turn || one.candidate.uid - other.candidate.uid)
    .map(({ candidate }) => candidate);
}

/** Returns the reason for skipping a process. Rethrows an error that is not about a process. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof SystemError || thrown instanceof TooLong || thrown instanceof LeftOut) return thrown.message;
  throw thrown;
}

/** Returns whether an error is a denied permission. */
export function isDenial(thrown: unknown): boolean {
  return thrown instanceof SystemError && (thrown.code === "EACCES" || thrown.code === "EPERM");
}

/** Returns the user who started a process, which a setuid program does not change. */
function starterOf(library: Library, pid: number): number | undefined {
  const owner = ownerOf(library, pid);
  if (owner !== ROOT) return owner;
  try {
    return processUser(library, pid);
  } catch (thrown) {
    reasonOf(thrown);
    return undefined;
  }
}

/** Returns this process's user. */
export function ownUser(library: Library): number | undefined {
  return ownerOf(library, "self");
}

function ownerOf(library: Library, pid: number | "self"): number | undefined {
  try {
    return pathStatus(library, `/proc/${pid}`).uid;
  } catch (thrown) {
    if (thrown instanceof SystemError) return undefined;
    throw thrown;
  }
}
