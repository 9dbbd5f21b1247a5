/**
 * The installed program between a client that starts it and a server that it is to reach, from its start to the last trace
 * of it: what it said, what the client got, whether the two could talk, and whether anything of it is left.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { inTime } from "../../tools/waiting.ts";
import { MESSAGE } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
import { type Fd, pipe, type Place, socketPair, start } from "../support/process.ts";
import { BoundSocket, bytes, latin1 } from "../support/sockets.ts";

export const FORMS = ["unix", "vsock-mux"] as const;
/** How the server is reached. */
export type Form = typeof FORMS[number];

export const WAYS = ["pass", "pipes", "socket"] as const;
/** What a client takes: the file descriptor, or bytes over two pipes or over one socket. */
export type Way = typeof WAYS[number];

/** How long the program may take beside what it waits for, in milliseconds: much, for a machine that is busy. */
const MARGIN = 20_000;

const BANNER = "SSH-2.0-server\r\n";
const GREETING = "SSH-2.0-client\r\n";
const GOODBYE = "goodbye";

const REQUEST = "CONNECT 22\n";
export const OK_LINE = "OK 1073741824\n";

/** The multiplexer's part, before the server's: gives what comes in one piece with the banner, or nothing where it ends here. */
export type Opening = (connection: Fd) => Promise<string | undefined>;

/** What a run is to be, where it is not one that works. */
export interface Plan {
  form: Form;
  way: Way;
  /** The words that start the program, where that is not all that is to be done; `command` is the program with its arguments. */
  words?: (command: string[], folder: Folder) => string[];
  env?: (folder: Folder) => Record<string, string>;
  /** What is at the socket's path: a server, where it is not given. */
  place?: (path: string) => Disposable | undefined;
  opening?: Opening;
  /** Whether the client is gone before the program can have anything for it. */
  abandoned?: boolean;
  /** What the program has as fd 0, 1 or 2 instead. */
  fds?: () => (Place | undefined)[];
  /** What others than the program say on its stderr. */
  noise?: RegExp;
  /** How long it may wait for others, in milliseconds. */
  timeout?: number;
  /** The program, where it is not the one that all others are. */
  shim?: () => Disposable & { shim: string };
  /** What is to be seen to before the folder goes. */
  afterwards?: (folder: Folder) => void;
}

/** How a run is to end. */
export type Ending =
  /** As if nothing had happened. */
  | "handed over"
  /** With this exit code and message, and nothing for the client but what it has from a relay before. */
  | { code: number; says: string; after?: "some bytes" }
  /** As a client or server that leaves ends it: in order, without a word. */
  | "ended in order"
  /** By this signal, at once; what the client has got is all or nothing. */
  | { signal: "SIGTERM" | "SIGHUP" }
  /** Handed over, or with an exit code other than 0 and nothing for the client. */
  | "handed over, or nothing is";

const SIGNALS = { SIGTERM: 15, SIGHUP: 1 };

/** All that came of a run. */
interface Outcome {
  code: number;
  stderr: string;
  /** What came over the client's end that was no part of the conversation: messages of fd passing, or bytes. */
  got: number[];
  /** How many file descriptors were passed. */
  passed: number;
  /** Whether client and server said and heard all that they were to. */
  conversed: boolean;
  /** Whether the server saw the end of the connection, where there was one. */
  serverSawTheEnd: boolean;
  took: number;
}

/** The program as it is installed, for all runs that do not spoil it. */
export const installed = new Installation();
// Some of them are another user's.
Deno.chmodSync(installed.prefix, 0o755);

/** Runs `plan`, and sees to it that it ends like this. */
export async function run(plan: Plan, ending: Ending): Promise<void> {
  const outcome = await outcomeOf(plan);
  const { code, stderr, got, passed, conversed, took } = outcome;
  const shown = JSON.stringify(outcome);
  const limit = (plan.timeout ?? 0) + MARGIN;
  // Killed by this test: then it would have gone on.
  if (took >= limit) throw new Error(`it does not end: ${shown}`);
  if (!outcome.serverSawTheEnd) throw new Error(`something keeps the connection open: ${shown}`);
  if (ending === "handed over, or nothing is" && code !== 0) {
    assertEquals({ got, passed }, { got: [], passed: 0 }, shown);
    // A signal other than those is a crash.
    assert(code < 128, shown);
  } else if (ending === "handed over" || ending === "handed over, or nothing is") {
    assertEquals({ code, stderr, conversed }, { code: 0, stderr: "", conversed: true }, shown);
    assertEquals([passed, got], plan.way === "pass" ? [1, [0]] : [0, []], shown);
  } else if (ending === "ended in order") {
    assertEquals({ code, stderr }, { code: 0, stderr: "" }, shown);
  } else if ("signal" in ending) {
    assertEquals({ code, stderr }, { code: 128 + SIGNALS[ending.signal], stderr: "" }, shown);
    if (plan.way === "pass") assertEquals(got, passed === 1 ? [0] : [], shown);
  } else {
    assertEquals({ code, passed }, { code: ending.code, passed: 0 }, shown);
    if (ending.after === undefined) assertEquals(got, [], shown);
    // Where there is nowhere to say it.
    if (stderr === "" && plan.fds?.()[2] !== undefined) return;
    assertMatch(stderr, MESSAGE, shown);
    assertStringIncludes(stderr.split("\n")[0]!, ending.says, shown);
  }
}

async function outcomeOf(plan: Plan): Promise<Outcome> {
  const { form, way, opening = OPENINGS[form], timeout } = plan;
  using folder = new Folder();
  // For a program that is another user.
  Deno.chmodSync(folder.path, 0o755);
  const path = folder.at("s");
  using server = new Server(plan.place ? undefined : path, opening);
  using _placed = plan.place?.(path);
  using own = plan.shim?.();
  const { shim } = own ?? installed;
  const command = [
    shim,
    `${form}${path}`,
    "22",
    ...way === "socket" ? ["--relay"] : [],
    ...timeout === undefined ? [] : ["--timeout", `${timeout / 1000}`],
  ];
  const [errors, stderr] = pipe();
  using _errors = errors;
  const [client, input, output] = clientOf(way);
  using _client = client;
  const instead = plan.fds?.() ?? [];
  const places = [input, output, stderr].map((fd, number) => instead[number] ?? fd);
  if (plan.abandoned) client.close();
  const started = performance.now();
  const program = start(plan.words?.(command, folder) ?? command, places as Parameters<typeof start>[1], {
    PATH: "/usr/bin:/bin",
    ...plan.env?.(folder),
  });
  for (const fd of [input, output, stderr, ...instead]) if (typeof fd === "object") fd.close();
  const late = setTimeout(() => {
    // Where strace runs it, it would go on without it.
    new Deno.Command("pkill", { args: ["-KILL", "-P", `${program.pid}`] }).outputSync();
    program.kill();
  }, (timeout ?? 0) + MARGIN);
  try {
    const talked = client.talk();
    const [code, said] = await Promise.all([program.ended, errors.read()]);
    const took = performance.now() - started;
    const { got, passed, conversed } = await inTime(talked);
    plan.afterwards?.(folder);
    return {
      code,
      stderr: new TextDecoder().decode(said).replace(plan.noise ?? "", ""),
      got,
      passed,
      conversed: conversed && server.conversed,
      serverSawTheEnd: await server.end(),
      took,
    };
  } finally {
    clearTimeout(late);
  }
}

/** A server, and the multiplexer before it, for one connection. */
class Server implements Disposable {
  /** Whether it was greeted, and could say all that it has to say. */
  conversed = false;
  readonly #listener: BoundSocket | undefined;
  readonly #served: Promise<void> | undefined;
  readonly #path: string;
  #connection: Fd | undefined;

  constructor(path: string | undefined, opening: Opening) {
    this.#path = path ?? "";
    if (path === undefined) return;
    this.#listener = new BoundSocket("stream", path);
    this.#listener.listen(8);
    // For a program that is another user.
    Deno.chmodSync(path, 0o777);
    this.#served = this.#serve(opening);
    // What is wrong with it is said when the program has ended.
    this.#served.catch(() => {});
  }

  /** Until the other side has ended. */
  async #serve(opening: Opening): Promise<void> {
    const connection = this.#connection = await this.#listener!.accept();
    try {
      const before = await opening(connection);
      if (before !== undefined) {
        await connection.write(bytes(`${before}${BANNER}`));
        this.conversed = await this.#isGreeted(connection);
        if (this.conversed) await connection.write(bytes(GOODBYE));
      }
      connection.end();
    } catch {
      // The program hung up.
      this.conversed = false;
    }
    // An opening may have closed it.
    if (connection.isOpen) await connection.read();
  }

  async #isGreeted(connection: Fd): Promise<boolean> {
    const heard = latin1(await connection.read(GREETING.length));
    // Where the opening was not one that takes it.
    const rest = heard.startsWith(REQUEST) ? latin1(await connection.read(REQUEST.length)) : "";
    return `${heard}${rest}`.replace(REQUEST, "") === GREETING;
  }

  /** Whether there is nobody left at the other end, now that the program has ended. */
  async end(): Promise<boolean> {
    if (this.#served === undefined) return true;
    // Where nobody came, this is who is waited for.
    if (this.#connection === undefined) (await Deno.connect({ transport: "unix", path: this.#path })).close();
    return await inTime(this.#served).then(() => true, () => false);
  }

  [Symbol.dispose](): void {
    this.#listener?.close();
    this.#connection?.close();
  }
}

const OPENINGS: Record<Form, Opening> = {
  unix: () => Promise.resolve(""),
  "vsock-mux": async (connection) => {
    await readRequest(connection);
    // So that it is waited for, each time anew.
    await new Promise((resolve) => setTimeout(resolve, 50));
    return OK_LINE;
  },
};

/** Takes the request to be connected. */
export async function readRequest(connection: Fd): Promise<void> {
  await connection.read(REQUEST.length);
}

/** What a client has of the conversation. */
type Talk = Pick<Outcome, "got" | "passed" | "conversed">;

/** The client's end, as each way has it, and the program's fd 0 and 1. */
function clientOf(way: Way): [client: PassedTo | Relayed, input: Fd, output: Fd] {
  if (way === "pipes") {
    const [[input, writes], [reads, output]] = [pipe(), pipe()];
    return [new Relayed(writes, reads), input, output];
  }
  const [near, far] = socketPair();
  return [way === "pass" ? new PassedTo(near) : new Relayed(near, near), far, far];
}

/** The client's part on a connection. Gives whether all of it was said and heard. */
async function converse(writes: Fd, reads: Fd, first: Uint8Array): Promise<boolean> {
  const heard = latin1(first) + latin1(await reads.read(BANNER.length - first.length));
  if (heard !== BANNER) return false;
  try {
    await writes.write(bytes(GREETING));
  } catch {
    return false;
  }
  const rest = latin1(await reads.read());
  return rest === GOODBYE;
}

/** `ssh`, which waits for a connection. */
class PassedTo implements Disposable {
  readonly #channel: Fd;
  constructor(channel: Fd) {
    this.#channel = channel;
  }

  async talk(): Promise<Talk> {
    const talk: Talk = { got: [], passed: 0, conversed: false };
    while (this.#channel.isOpen) {
      const { bytes, fds } = await this.#channel.receive();
      if (bytes.length === 0) break;
      talk.got.push(...bytes);
      talk.passed += fds.length;
      for (const fd of fds) {
        using connection = fd;
        talk.conversed = await converse(connection, connection, new Uint8Array());
      }
    }
    return talk;
  }

  close(): void {
    this.#channel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A client that wants bytes. */
class Relayed implements Disposable {
  readonly #writes: Fd;
  readonly #reads: Fd;
  constructor(writes: Fd, reads: Fd) {
    this.#writes = writes;
    this.#reads = reads;
  }

  async talk(): Promise<Talk> {
    if (!this.#reads.isOpen) return { got: [], passed: 0, conversed: false };
    const first = await this.#reads.read(1);
    const conversed = first.length > 0 && await converse(this.#writes, this.#reads, first);
    // Its end reaches the server, and then the program has nothing more to do.
    if (this.#writes === this.#reads) this.#writes.end();
    else this.#writes.close();
    return { got: conversed ? [] : [...first], passed: 0, conversed };
  }

  close(): void {
    this.#writes.close();
    this.#reads.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
