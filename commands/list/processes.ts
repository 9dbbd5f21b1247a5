/**
 * Finding the processes that are virtual machine monitors by their names.
 *
 * Any user can run any number of processes under any name, with memory and descriptors that take long to look at. So each
 * look is bounded, one that fails is about that process alone, and no user's processes push out those of another.
 *
 * @module
 */

import { Deadline } from "../../core/deadline.ts";
import { SystemError } from "../../ffi/errno.ts";
import { firstArgument, processIds, processName, processUser, TooLong } from "../../ffi/processes.ts";
import { pathStatus } from "../../ffi/inspection.ts";
import type { Library } from "../../ffi/library.ts";
import { type Program, programOf } from "./monitor.ts";

/** A process as a person is told of it. */
export interface ProcessLabel {
  readonly pid: number;
  /** Undefined where it is not known what it runs. */
  readonly program?: Program;
}

/** A process that is a monitor by its name. */
export interface Candidate extends Required<ProcessLabel> {
  readonly name: string;
  /** The user who started it. */
  readonly uid: number;
}

/** A process that was left out, and why. */
export interface Skipped extends ProcessLabel {
  readonly reason: string;
}

/** The processes that are monitors by their names, in the order to look at them. */
export interface CandidateSearch {
  readonly candidates: readonly Candidate[];
  readonly skipped: readonly Skipped[];
}

/** Over these there are so many that some of them are false: they are left out. */
const MOST_CANDIDATES = 4096;

/** How long all processes may take, and how long the command line of one, in milliseconds. */
const ALL_TIMEOUT = 5_000;
const ONE_TIMEOUT = 1_000;

/** How many processes are looked at together (Deno has 32 threads for all that block), and how many of one user may take too long before the others do not count. */
const TOGETHER = 8;
const MOST_STUCK = 4;

const ROOT = 0;

/** Why a process is left out that could be looked at. */
export class LeftOut extends Error {
  override readonly name = "LeftOut";
}

/** One that holds up whoever reads its memory. */
class Stuck extends LeftOut {}

const OVERTIME = "there was no time left to look at it";

/** Throws where the time is over for all that have not been looked at yet. */
export function requireTime(deadline: Deadline): void {
  if (deadline.left === 0) throw new LeftOut(OVERTIME);
}

/**
 * Finds them.
 *
 * @throws {SystemError} where the system has no list of processes
 */
export async function findCandidates(library: Library): Promise<CandidateSearch> {
  const skipped: Skipped[] = [];
  const candidates: Candidate[] = [];
  const deadline = new Deadline(ALL_TIMEOUT);
  const ownUid = ownUser(library);
  const stuck = new Map<number | undefined, number>();
  const owned = processIds(library).map((pid) => ({ pid, owner: starterOf(library, pid) }));
  // Whoever wants to take all of the time must not be first with it.
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
      // What this user may not know is as it should be.
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

/** The candidate that a process is; undefined where it is none, or has ended. */
async function candidateOf(library: Library, pid: number): Promise<Candidate | undefined> {
  const name = processName(library, pid);
  const typed = await withTimeout(firstArgument(library, pid));
  if (name === undefined || typed === undefined) return undefined;
  const program = programOf(name, typed);
  const uid = program && processUser(library, pid);
  return program === undefined || uid === undefined ? undefined : { pid, program, name, uid };
}

/**
 * Waits for what is read of a process for {@linkcode ONE_TIMEOUT}.
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

/** Root's and one's own first, as nobody else can add to these; then one of each other user in turn. */
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
  // The users that somebody can make with a namespace of users have the highest numbers.
  return ranked.sort((one, other) => one.turn - other.turn || one.candidate.uid - other.candidate.uid)
    .map(({ candidate }) => candidate);
}

/** Says why a process could not be looked at: it throws what is about no process. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof SystemError || thrown instanceof TooLong || thrown instanceof LeftOut) return thrown.message;
  throw thrown;
}

/** Whether this user may not look. */
export function isDenial(thrown: unknown): boolean {
  return thrown instanceof SystemError && (thrown.code === "EACCES" || thrown.code === "EPERM");
}

/** Who started a process: one that runs as root through a setuid program is not root's. */
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

/** This process's user. */
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
