/**
 * Starting the program as `ssh` starts its ProxyCommand, and seeing all that comes of it: the exit code, the message, the
 * time, and whatever arrives where `ssh` waits for a connection.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Fd, pipe, type Place, socketPair, start, type Word } from "./process.ts";

/** How long the program may take beside what it waits for, in milliseconds: much, for a machine that is busy. */
const MARGIN = 4_000;

/** How the program is started. */
export interface Start {
  /** Its fd 1, where that is not the socket on which `ssh` waits; that one is fd 0 all the same. */
  output?: Place;
  /** Its stderr, where that is not read here. */
  errors?: Place;
  /** Its environment: nothing, where it is not given. */
  env?: Record<string, string>;
  /** Whether `ssh` is gone before anything can be passed to it. */
  abandoned?: boolean;
  /** How long it may wait for others, in milliseconds. */
  timeout?: number;
}

/** All that came of a run of the program. */
export interface Outcome {
  code: number;
  stderr: string;
  /** What arrived on the socket on which `ssh` waits. */
  messages: { bytes: number[]; fds: Fd[] }[];
  /** Milliseconds from its start to its end. */
  took: number;
  /** Milliseconds that it has had a processor. */
  cpuTime: number;
}

/** Runs `words` as `ssh` runs a ProxyCommand, to the end. Where it does not end in time, it is killed. */
export async function runAsSsh(words: readonly Word[], options: Start = {}): Promise<Outcome> {
  const [ssh, channel] = socketPair();
  const [errors, stderr] = pipe();
  using _ssh = ssh;
  using _errors = errors;
  const messages: Outcome["messages"] = [];
  if (options.abandoned) ssh.close();
  const started = performance.now();
  const program = start(words, [channel, options.output ?? channel, options.errors ?? stderr], options.env ?? {});
  // Now its copies are the last ones: their end is that of the program.
  channel.close();
  stderr.close();
  const late = setTimeout(program.kill, (options.timeout ?? 0) + MARGIN);
  const arriving = async () => {
    while (ssh.isOpen) {
      const { bytes, fds } = await ssh.receive();
      if (bytes.length === 0) return;
      messages.push({ bytes: [...bytes], fds });
    }
  };
  try {
    const [code, said] = await Promise.all([program.ended, errors.read(), arriving()]);
    const cpuTime = await program.cpuTime;
    return { code, stderr: new TextDecoder().decode(said), messages, took: performance.now() - started, cpuTime };
  } finally {
    clearTimeout(late);
  }
}

/** That the program passed one connection, with the one byte that goes with it, and said nothing. Gives the connection. */
export function assertPassed({ code, stderr, messages }: Outcome): Fd {
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(messages.map(({ bytes, fds }) => ({ bytes, fds: fds.length })), [{ bytes: [0], fds: 1 }]);
  return messages[0]!.fds[0]!;
}

/** What a person is told of a failure: one line, and a second one where there is something to do. */
export const MESSAGE = /^deno-ssh-proxy: [^\p{Cc}]+: [^\p{Cc}]+\n(?: {2}[^ \p{Cc}][^\p{Cc}]*\n)?$/u;

/** That the program passed nothing and failed in time with this code, and a message in which these words are. */
export function assertFailed(outcome: Outcome, code: number, says: string, timeout = 0): void {
  const { stderr, messages, took } = outcome;
  assertEquals({ code: outcome.code, messages }, { code, messages: [] }, stderr);
  assertMatch(stderr, MESSAGE);
  assertStringIncludes(stderr.split("\n")[0]!, says);
  assert(took < timeout + MARGIN, `it took ${took} ms`);
}
