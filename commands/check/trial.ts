/**
 * The last step of `check`: has the real ssh connect, as far as the server's banner or host key.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { type EffectiveConfig, shellOfSsh } from "../ssh/effective_config.ts";
import { explainSshFailure } from "../ssh/failure.ts";
import { startSsh } from "../ssh/program.ts";
import { hostKeyFinding, KNOWN_KEY } from "./host_key.ts";
import type { Finding } from "./step.ts";

/** Has ssh prompt for nothing, share no connection, and keep no host key. */
const OPTIONS = ["BatchMode=yes", "ControlPath=none", "ControlMaster=no", "StrictHostKeyChecking=yes"];

/**
 * Has ssh get no further than the key exchange, should it go on before it is ended: no server has a host key that it would
 * take.
 */
const WITHOUT_HOST_KEYS = [
  ...["HostKeyAlgorithms=ssh-ed25519-cert-v01@openssh.com"],
  ...["UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null"],
];

/** Has ssh offer nothing to log in with, should it go on before it is ended. */
const WITHOUT_LOGIN = ["PreferredAuthentications=none"];

/** How `ssh -v` reports the server's banner. Of another version than 2.0, which 1.99 is as well, it ends by itself. */
const BANNER = /^debug1: Remote protocol version (?:2\.0|1\.99), remote software version (.*)$/;

/** How long ssh, the shell's start files and this program may take beside connecting, in milliseconds. */
const STARTING_MS = 2_000;

/** How long what ssh started may go on after the end of ssh, in milliseconds. */
const ENDING_MS = 2_000;

/** How many of the last lines are kept, and how much of each. */
const [KEPT_LINES, KEPT_LENGTH] = [200, 2_000];

/**
 * Has ssh connect as `effective` says, and ends it when the server's banner has come through the ProxyCommand that ssh has
 * the user's shell start; or where ssh checks host keys, when it has checked the server's. Connecting may take `timeout`
 * milliseconds.
 *
 * @throws {ProxyError} of kind `configuration` where ssh did not get that far
 */
export async function trialFinding(effective: EffectiveConfig, timeout: number): Promise<[true, Finding]> {
  const { host, port } = effective;
  const checksKeys = effective.options.get("stricthostkeychecking") !== "false";
  const options = [...OPTIONS, ...checksKeys ? WITHOUT_LOGIN : WITHOUT_HOST_KEYS];
  const args = ["-v", ...options.flatMap((option) => ["-o", option]), ...(port === undefined ? [] : ["-p", port])];
  const ssh = startSsh([...args, "--", host]);
  const endedAfter = timeout + STARTING_MS;
  const began = performance.now();
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    end(ssh);
  }, endedAfter);
  const lines: string[] = [];
  let software: string | undefined;
  let isDone = false;
  try {
    for await (const line of linesUntilEnded(ssh)) {
      // A stream that is never empty would keep the timer from firing, and is read no further.
      isLate ||= performance.now() > began + endedAfter;
      if (isLate) break;
      // That its end kept something from working is no reason for it.
      if (isDone) continue;
      lines.splice(0, Math.max(0, lines.length - KEPT_LINES));
      lines.push(line);
      software ??= BANNER.exec(line)?.[1];
      isDone = checksKeys ? KNOWN_KEY.test(line) : software !== undefined;
      if (isDone) end(ssh);
    }
  } finally {
    clearTimeout(late);
    end(ssh);
  }
  await ssh.status;
  const shown = escapeForTerminal(software ?? "");
  const found: Finding = { message: `ssh reaches the server through it: ${shown}`, facts: { software: shown } };
  if (isLate && software !== undefined) {
    const message = `${found.message}; its host key did not come within ${endedAfter / 1000} s`;
    return [true, { ...found, status: "note", message }];
  }
  const keyFinding = isDone ? found : hostKeyFinding(effective, lines, found);
  if (keyFinding !== undefined) return [true, keyFinding];
  const shell = await shellOfSsh().catch((thrown) => {
    if (thrown instanceof ProxyError) return undefined;
    throw thrown;
  });
  throw explainSshFailure({ host, lines, shell, endedAfter: isLate ? endedAfter : undefined });
}

function end(ssh: Deno.ChildProcess): void {
  try {
    // It has nothing to put in order, and a wrapper of it must not go on.
    ssh.kill("SIGKILL");
  } catch (thrown) {
    // It has ended by itself.
    if (!(thrown instanceof TypeError)) throw thrown;
  }
}

/**
 * The lines of its stderr, until all that has it open has ended: the ProxyCommand too. What goes on for ENDING_MS after ssh
 * itself, such as an agent that a start file started, is left alone.
 */
async function* linesUntilEnded(ssh: Deno.ChildProcess): AsyncGenerator<string> {
  const reader = ssh.stderr.getReader();
  let ending: ReturnType<typeof setTimeout> | undefined;
  ssh.status.then(() => {
    ending = setTimeout(() => reader.cancel().catch(() => {}), ENDING_MS);
  });
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const parts = (rest + decoder.decode(value, { stream: !done })).split(/\r?\n/);
      rest = parts.pop()!.slice(0, KEPT_LENGTH);
      for (const part of parts) yield part.slice(0, KEPT_LENGTH);
      if (done) break;
    }
    if (rest !== "") yield rest;
  } finally {
    clearTimeout(ending);
    await reader.cancel().catch(() => {});
  }
}
