/**
 * The proof that install.sh ends with: serves the demo, and reaches it with the real `ssh` through what was installed.
 * Takes a new folder of mode 0700, the path of ssh, and the path of the fragment. Exits with 1 where ssh got through to
 * one of the addresses only, or to none.
 *
 * @module
 */

import { reportError } from "../core/report.ts";
import { escapeForTerminal } from "../core/text.ts";
import { serveDemo } from "./demo.ts";
import { answerToCommand, COMMAND } from "./greeting.ts";

/** For one ssh, in milliseconds. Longer than the ProxyCommand's own deadline, so that its message is there to be read. */
const DEADLINE = 20_000;

/** Nobody is asked anything, and nothing of the user's is read or written: no key, no agent, no known host. */
const OPTIONS = [
  "-nT",
  ...[
    "BatchMode=yes",
    "LogLevel=ERROR",
    "GlobalKnownHostsFile=/dev/null",
    "IdentityFile=none",
    "IdentityAgent=none",
    "IdentitiesOnly=yes",
    "PreferredAuthentications=none",
  ].flatMap((option) => ["-o", option]),
];

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.addSignalListener(signal, () => interrupted.abort());
}

try {
  const [folder = "", ssh = "", fragment = ""] = Deno.args;
  let proven = true;
  for (const address of await serveDemo(folder)) {
    console.log(`  ssh ${address} ${COMMAND}`);
    proven = await reaches(address, ssh, fragment) && proven;
    if (interrupted.signal.aborted) Deno.exit(1);
  }
  if (proven) console.log("All is well: ssh reaches both through what is installed.");
  Deno.exit(proven ? 0 : 1);
} catch (thrown) {
  Deno.exit(reportError(thrown));
}

/**
 * Whether `ssh` gets the server's answer at `address`. A person is told what came back, and how long it took; what ssh has
 * to say goes to stderr by itself.
 */
async function reaches(address: string, ssh: string, fragment: string): Promise<boolean> {
  const late = AbortSignal.timeout(DEADLINE);
  const started = performance.now();
  const child = new Deno.Command(ssh, {
    args: ["-F", fragment, ...OPTIONS, address, COMMAND],
    stdin: "null",
    stdout: "piped",
    signal: AbortSignal.any([late, interrupted.signal]),
  }).spawn();
  const answering = new Response(child.stdout).text();
  const { code } = await child.status;
  const took = `${Math.round(performance.now() - started)} ms`;
  if (interrupted.signal.aborted) return false;
  // The end of its output is not waited for where ssh was ended: something that it had started may still hold it open.
  const answer = late.aborted ? "" : await answering;
  if (code === 0 && answer === answerToCommand(address, COMMAND)) {
    console.log(`    ${answer.trimEnd()} (${took})`);
    return true;
  }
  const why = late.aborted
    ? "it did not end"
    : code === 0
    ? `it printed '${escapeForTerminal(answer)}'`
    : `exit code ${code}`;
  console.error(`    FAILED: ssh did not get through to ${address}: ${why} (${took})`);
  return false;
}
