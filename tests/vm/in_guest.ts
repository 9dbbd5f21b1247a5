/**
 * The program that the tests start in a guest. It runs proxies as `ssh` does, and dials with the library for other
 * programs: all at once, because most of the time goes to waiting. Takes a list of {@linkcode Trial}s as JSON, and prints
 * a list of {@linkcode Result}s.
 *
 * @module
 */

import { dial, parseTarget, ProxyError } from "../../mod.ts";
import { runAsSsh } from "../support/as_ssh.ts";
import { latin1 } from "../support/sockets.ts";

/** A proxy's command line, or what the library is to dial. */
export type Trial = { proxy: string[] } | { host: string; port: string; timeout: number };

/** What came of it. */
export interface Result {
  /** The exit code, or the one that the library's error stands for. */
  code: number;
  /** What was said about it. */
  said: string;
  /** What each connection that was passed has first. */
  passed: string[];
  /** In milliseconds. */
  took: number;
}

const BANNER = "SSH-2.0-".length;

/** An emulated processor may need much longer than a real one. */
const PATIENCE = 60_000;

async function run(trial: Trial): Promise<Result> {
  if (!("proxy" in trial)) return await dialled(trial.host, trial.port, trial.timeout);
  const { code, stderr, messages, took } = await runAsSsh(trial.proxy, { timeout: PATIENCE });
  const passed = messages.flatMap(({ fds }) => fds).map(async (fd) => {
    using connection = fd;
    return latin1(await connection.read(BANNER));
  });
  return { code, said: stderr, passed: await Promise.all(passed), took };
}

async function dialled(host: string, port: string, timeout: number): Promise<Result> {
  const started = performance.now();
  try {
    using socket = await dial(parseTarget(host, port), { timeout });
    const banner = new Uint8Array(BANNER);
    const length = await socket.receive(banner, { timeout: PATIENCE });
    return { code: 0, said: "", passed: [latin1(banner.subarray(0, length))], took: performance.now() - started };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return { code: error.exitCode, said: error.message, passed: [], took: performance.now() - started };
  }
}

if (import.meta.main) console.log(JSON.stringify(await Promise.all(JSON.parse(Deno.args[0]!).map(run))));
