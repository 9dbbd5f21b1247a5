/**
 * The system calls that the program makes in each step of a connection, as strace(1) shows them, and runs in which one of
 * them goes wrong.
 *
 * @module
 */

import type { Folder } from "../../tools/checkout.ts";
import { pathOf } from "../../tools/programs.ts";
import { type Ending, type Plan, run } from "./conversation.ts";

/** A step of a connection that makes system calls: it is chosen how to hand over, and then done. */
export type Step = "choose" | "dial" | "handshake" | "pass" | "relay";

/** A system call of one run. */
export interface Call {
  step: Step;
  name: string;
  /** How many of its name there have been in its thread, with this one. */
  nth: number;
  /** As strace writes it, with its arguments and what came of it. */
  line: string;
}

const STRACE = pathOf("strace");

const DIALLING = ["socket", "setsockopt", "connect"];
const TALKING = ["sendto", "recvfrom", "poll", "ppoll"];
const RELAYING = ["fcntl", "pipe2", "splice", "shutdown", "close", "read", "write"];
/** Processors differ in the names of some. */
const ALL = ["fstat", "newfstatat", "getsockopt", ...DIALLING, ...TALKING, "sendmsg", ...RELAYING];

/** The name of the library in the trace. */
const LIBRARY = "libdeno_ssh_proxy.so";

/** Stops for these calls only, which is faster: but then strace sends no signals. */
const FAST = "--seccomp-bpf";

/** strace for these calls, and with them the opening of the library. */
function strace(folder: Folder, calls: string[], ...options: readonly string[]): string[] {
  // It is not to complain of a name that this processor has no call for. A log a thread.
  const names = ["openat", ...calls].map((name) => `?${name}`).join(",");
  return [STRACE, "-ff", "-qq", "-s", "64", "-o", folder.at("log"), "-e", `trace=${names}`, ...options];
}

function refusing(call: string | undefined): string[] {
  return call === undefined ? [] : ["-e", `inject=${call}:error=EPERM`];
}

/** What the thread that runs the script did once the library was open: it is the one that began as the shell. */
function logOf(folder: Folder): string[] {
  const ids = [...Deno.readDirSync(folder.path)].flatMap(({ name }) => /^log\.(\d+)$/.exec(name)?.[1] ?? []);
  return Deno.readTextFileSync(folder.at(`log.${Math.min(...ids.map(Number))}`)).split("\n");
}

const known = new Map<string, Promise<Call[]>>();

/**
 * What a run of `plan` calls once the library is open, where nothing goes wrong. `opening` is the name of the plan's
 * opening, `refused` a call that it may not make.
 */
export function callsOf(plan: Plan, opening?: string, refused?: string): Promise<Call[]> {
  const key = [plan.form, plan.way, opening, refused].join(" ");
  const calls = known.get(key) ?? look(plan, refused);
  known.set(key, calls);
  return calls;
}

async function look(plan: Plan, refused: string | undefined): Promise<Call[]> {
  let log: string[] = [];
  await run({
    ...plan,
    words: (command, folder) => [...strace(folder, ALL, FAST, ...refusing(refused)), ...command],
    afterwards: (folder) => log = logOf(folder),
  }, "handed over");
  const counts: Record<string, number> = {};
  const calls = log.flatMap((line) => {
    const name = /^\w+/.exec(line)?.[0];
    return name === undefined ? [] : [{ name, nth: counts[name] = (counts[name] ?? 0) + 1, line }];
  });
  // The dynamic linker looks at it, and closes it.
  const opened = calls.findIndex(({ line }) => line.includes(LIBRARY));
  const own = calls.findIndex(({ name }, at) => at > opened && name === "close") + 1;
  let step: Step = "choose";
  return calls.slice(own).map((call) => ({ ...call, step: step = next(step, call) }));
}

/** Which step `call` is part of, where the one before it was part of `step`. */
function next(step: Step, { name, line }: Omit<Call, "step">): Step {
  if (name === "sendmsg") return "pass";
  if (step === "choose") return name === "socket" ? "dial" : step;
  if (step === "dial" && DIALLING.includes(name)) return step;
  if (line.includes('"CONNECT ') || step === "handshake" && TALKING.includes(name)) return "handshake";
  return "relay";
}

/**
 * A run may take another turn than the one that was looked at: a peer is earlier, or Deno's threads have woken each other
 * once more. It is begun anew then, for a call that is so many further on.
 */
const SHIFTS = [0, 0, -1, 1, 0, -1, 1, 0, -2, 2, 0];

/** A run of `plan` in which `call` meets with `what`, as strace's inject has it; `times` of it, one after the other. */
export async function runWith(
  plan: Plan,
  call: Call,
  what: string,
  ending: Ending,
  times: number,
  refused?: string,
): Promise<void> {
  const how = what.startsWith("signal=") ? [] : [FAST];
  const traced = [call.name, ...refused === undefined ? [] : [refused]];
  const left = [...SHIFTS];
  for (let shift; (shift = left.shift()) !== undefined;) {
    const nth = Math.max(call.nth + shift, 1);
    const when = times === 1 ? nth : times === Infinity ? `${nth}+` : `${nth}..${nth + times - 1}`;
    const inject = `inject=${call.name}:${what}:when=${when}`;
    try {
      return await run({
        ...plan,
        words: (command, folder) => [...strace(folder, traced, ...how, ...refusing(refused), "-e", inject), ...command],
        afterwards: (folder) => {
          const hit = hitIn(logOf(folder), call.name);
          if (hit !== signature(call.line)) throw new Missed(`${inject} is for ${call.line}, and hit ${hit}`);
        },
      }, ending);
    } catch (thrown) {
      if (!(thrown instanceof Missed) || left.length === 0) throw thrown;
    }
  }
}

class Missed extends Error {}

/** Which call it was that met with the fault; none where that was before the library was open. */
function hitIn(log: string[], name: string): string | undefined {
  const own = log.slice(log.findIndex((line) => line.includes(LIBRARY)));
  const calls = own.filter((line) => line.startsWith(name));
  const failed = calls.find((line) => line.includes("(INJECTED)"));
  // A signal comes when the call begins, and most are over by then: it is the last one.
  const hit = failed ?? (own.some((line) => /^--- SIG(?:TERM|HUP) /.test(line)) ? calls.at(-1) : undefined);
  return hit && signature(hit);
}

/**
 * What a call was for: its flags, and which of the first three file descriptors it was about, without what it was given to
 * write to, or got. What other numbers those have is a matter of Deno's threads.
 */
function signature(line: string): string {
  // Strings first: there may be a bracket in one.
  const call = line.replace(/"(?:\\.|[^"\\])*"(?:\.\.\.)?/g, "_").replace(/\).* = .*$/, "").replace(
    /\b(?:[3-9]|[1-9]\d)\b/g,
    "n",
  );
  // How long it may take is another time each time.
  if (/^p?poll/.test(call)) return call.slice(0, call.indexOf("]"));
  return call.replace(/0x[0-9a-f]+|\[[\dn, ]+\]|\{.*?\}/g, "_");
}
