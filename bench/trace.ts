/**
 * Where the time of one hand-over goes. The kernel's own trace (tracefs) has the time of every step: of system calls, and of
 * marks, which are system calls too, in a copy of the program that makes one after every statement.
 *
 * @module
 */

import { CHECKOUT, Folder } from "../tools/checkout.ts";
import { outputLater } from "../tools/programs.ts";
import { type Figures, inTurn, type Row } from "./measure.ts";
import { OURS, type Peers, SYSTEMD } from "./peers.ts";
import { type Kind, launch } from "./run.ts";
import type { Table } from "./table.ts";

/** What Deno does at once and needs no permission for, and the kernel sees: an ioctl(2) for the settings of a terminal. */
const MARK = "Deno.stderr.isTerminal();";
const MARK_FILTER = "fd == 2 && cmd == 0x5401"; // TCGETS
const MARK_STEP = "sys_ioctl(";

const EVENTS = [
  "sched/sched_process_fork",
  "sched/sched_process_exec",
  "syscalls/sys_enter_execve",
  "syscalls/sys_enter_openat",
  "syscalls/sys_enter_connect",
  "syscalls/sys_exit_connect",
  "syscalls/sys_enter_sendmsg",
  "syscalls/sys_exit_sendmsg",
  "syscalls/sys_enter_exit_group",
  "syscalls/sys_exit_wait4",
  "syscalls/sys_enter_ioctl",
];

/** The parts of a hand-over over a unix socket. None, where this user may not trace. */
export async function trace(peers: Peers, quick: boolean): Promise<Table[]> {
  using tracer = Tracer.open();
  if (tracer === undefined) {
    peers.missing.push("the parts of a hand-over (root can see them, where tracefs is mounted)");
    return [];
  }
  using folder = new Folder();
  const { source, statements } = withMarks(Deno.readTextFileSync(`${CHECKOUT}/proxy.ts`));
  const ours = markedInstallation(peers.prefix, folder.at("ours"), await bundle(source, folder.at("sources")));
  // Nothing but a mark: what ours takes longer than that is reading and compiling it.
  const bare = markedInstallation(peers.prefix, folder.at("bare"), MARK);
  const { systemd } = peers;

  const contenders = [
    {
      name: OURS,
      run: async () => {
        const floor = await tracer.steps("nothing", () => [bare, "unix/", "22"]);
        const steps = await tracer.steps("fd", (path) => [ours, ...peers.ours.words(`unix${path}`).slice(1)]);
        return partsOfOurs(steps, floor, statements);
      },
    },
    ...systemd === undefined ? [] : [{
      name: SYSTEMD,
      run: async () => partsOfSystemd(await tracer.steps("fd", (path) => systemd.words(`unix${path}`))),
    }],
  ];
  return (await inTurn(contenders, quick ? 10 : 100)).map(({ name, figures }) => ({
    title: `Parts of a hand-over: ${name}`,
    measures: [{ key: "time", title: "ms", digits: 3, better: "less" as const }],
    rows: Object.entries(figures).map(([part, time]): Row => ({ name: part, figures: { time } })),
  }));
}

/**
 * Puts two marks before the first statement of the program `source`, of which the second tells how long a mark takes, and
 * one after each statement that calls something on the way of a connection without `--wait`. Returns the calls, too.
 */
function withMarks(source: string): { source: string; statements: string[] } {
  const statements: string[] = [];
  const [way, rest] = source.split("    } else {\n") as [string, string];
  const marked = way
    .replace("\n  try {\n", (start) => `${start}${MARK}${MARK}\n`)
    .replace(/^ {4,6}(?:const .* = )?(?:await )?([\w.]+)\(.*\);$/gm, (statement, called) => {
      statements.push(called);
      return `${statement}${MARK}`;
    });
  if (statements.length === 0) throw new Error("proxy.ts has no statements where they are looked for");
  return { source: `${marked}    } else {\n${rest}`, statements };
}

/** Bundles the sources with `program` for proxy.ts, as a release has them. */
async function bundle(program: string, folder: string): Promise<string> {
  const out = `${folder}/out`;
  Deno.mkdirSync(out, { recursive: true });
  await outputLater(`${CHECKOUT}/release/bundle.sh`, "copy", folder);
  Deno.writeTextFileSync(`${folder}/proxy.ts`, program);
  await outputLater(`${CHECKOUT}/release/bundle.sh`, "bundle", Deno.execPath(), folder, out);
  return Deno.readTextFileSync(`${out}/proxy.mjs`);
}

/** Copies what is installed in `prefix` to `folder`, with `program` for proxy.mjs. Returns the path of the starter. */
function markedInstallation(prefix: string, folder: string, program: string): string {
  const installed = Deno.realPathSync(`${prefix}/lib/deno-ssh-proxy/current`);
  Deno.mkdirSync(folder);
  for (const { name } of Deno.readDirSync(installed)) {
    Deno.symlinkSync(`${installed}/${name}`, `${folder}/${name}`);
  }
  for (const name of ["proxy.mjs", "deno-ssh-proxy"]) Deno.removeSync(`${folder}/${name}`);
  Deno.writeTextFileSync(`${folder}/proxy.mjs`, program);
  // The starter runs what lies in its own directory.
  const starter = `${folder}/deno-ssh-proxy`;
  Deno.copyFileSync(`${installed}/deno-ssh-proxy`, starter);
  return starter;
}

/** Something that the kernel saw, in milliseconds of its clock. */
interface Step {
  time: number;
  text: string;
}

/** The steps of one run: `launched` and `gone` are those of whoever started it, `own` those of its main thread. */
interface Steps {
  launched: number;
  own: Step[];
  gone: number;
}

/** The first step of `own` that begins with `text`, at or after `from`. */
function timeOf(own: Step[], text: string, from = 0): number {
  const step = own.find((one) => one.time >= from && one.text.startsWith(text));
  if (step === undefined) throw new Error(`the trace has no ${text}`);
  return step.time;
}

/** The marks: Deno itself asks for the same earlier. */
function marksOf(own: Step[], count: number): number[] {
  return own.filter(({ text }) => text.startsWith(MARK_STEP)).slice(-count).map(({ time }) => time);
}

/** The first three parts, and how long Deno took from opening a program to its first mark, after which come others. */
function startOfDeno({ launched, own }: Steps, marks: number[]) {
  const there = timeOf(own, "sched_process_exec");
  const started = timeOf(own, "sys_execve", there);
  const first = marks[0]!;
  const opened = own.findLast(({ time, text }) => time < first && text.startsWith("sys_openat("))!.time;
  return { spawn: there - launched, starter: started - there, deno: opened - started, loading: first - opened };
}

function partsOfOurs(steps: Steps, bare: Steps, statements: string[]): Figures {
  const { launched, own, gone } = steps;
  const marks = marksOf(own, statements.length + 2);
  const { spawn, starter, deno, loading } = startOfDeno(steps, marks);
  const floor = startOfDeno(bare, marksOf(bare.own, 1)).loading;
  const [start, ...after] = marks.slice(1);
  const exit = timeOf(own, "sys_exit_group");
  const calls = statements.map((called, at) => [`${called}()`, after[at]! - (after[at - 1] ?? start!)] as const);
  const connect = timeOf(own, "sys_connect(", start);
  const sendmsg = timeOf(own, "sys_sendmsg(", connect);
  return {
    "fork and exec, of the starter": spawn,
    "the starter, until it starts Deno": starter,
    "Deno, until it opens the program": deno,
    "Deno, until it runs an empty program": floor,
    "longer than that, for reading and compiling ours": loading - floor,
    "a mark (in each of those that follow)": start! - marks[0]!,
    ...Object.fromEntries(calls),
    "of dial(), connect(2)": timeOf(own, "sys_connect ->", connect) - connect,
    "of handOver(), sendmsg(2)": timeOf(own, "sys_sendmsg ->", sendmsg) - sendmsg,
    "Deno.exit(), until exit_group(2)": exit - after.at(-1)!,
    "exit_group(2), until the process is gone": gone - exit,
    "all of it": gone - launched,
  };
}

function partsOfSystemd({ launched, own, gone }: Steps): Figures {
  const there = timeOf(own, "sched_process_exec");
  const connect = timeOf(own, "sys_connect(");
  const connected = timeOf(own, "sys_connect ->");
  const sendmsg = timeOf(own, "sys_sendmsg(fd: 1,", connected);
  const sent = timeOf(own, "sys_sendmsg ->", sendmsg);
  const exit = timeOf(own, "sys_exit_group");
  return {
    "fork and exec": there - launched,
    "dynamic linking and all else until connect(2)": connect - there,
    "connect(2)": connected - connect,
    "until sendmsg(2)": sendmsg - connected,
    "sendmsg(2)": sent - sendmsg,
    "until exit_group(2)": exit - sent,
    "exit_group(2), until the process is gone": gone - exit,
    "all of it": gone - launched,
  };
}

/** An instance of the kernel's tracer. */
class Tracer implements Disposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    const write = (file: string, text: string) => Deno.writeTextFileSync(`${folder}/${file}`, text);
    write("trace_clock", "mono");
    write("options/event-fork", "1");
    write("events/syscalls/sys_enter_ioctl/filter", MARK_FILTER);
    for (const event of EVENTS) write(`events/${event}/enable`, "1");
  }

  /** A new one; none, where this user may have none. */
  static open(): Tracer | undefined {
    const folder = `/sys/kernel/tracing/instances/deno-ssh-proxy-bench-${Deno.pid}`;
    try {
      Deno.mkdirSync(folder);
    } catch {
      return undefined;
    }
    return new Tracer(folder);
  }

  /** Runs a program once. */
  async steps(kind: Kind, words: (path: string) => string[]): Promise<Steps> {
    const trace = `${this.#folder}/trace`;
    Deno.writeTextFileSync(trace, "");
    await launch(kind, words, { enter: `${this.#folder}/set_event_pid` });
    // TASK-PID [CPU] FLAGS SECONDS: TEXT
    const lines = Deno.readTextFileSync(trace).matchAll(/^.*-(\d+) +\[\d+\] \S+ +([\d.]+): (.*)$/gm);
    const steps = [...lines].map(([_, pid, seconds, text]) => ({ pid, time: Number(seconds) * 1e3, text: text! }));
    const fork = steps.find(({ text }) => text.startsWith("sched_process_fork: comm=launch "));
    const pid = fork?.text.match(/ child_pid=(\d+)/)?.[1];
    const gone = steps.findLast((one) => one.pid === fork?.pid && one.text.startsWith("sys_wait4 ->"));
    if (fork === undefined || gone === undefined) throw new Error("the trace is not complete");
    return { launched: fork.time, own: steps.filter((step) => step.pid === pid), gone: gone.time };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder);
  }
}
