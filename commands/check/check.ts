/**
 * `check`: shows every step of a connection, and explains the first that fails.
 *
 * @module
 */

import { FORMS } from "../../addresses/forms.ts";
import { DEFAULT_TIMEOUT_MS, parseSeconds } from "../../core/deadline.ts";
import { escapeForTerminal } from "../../core/text.ts";
import type { Library } from "../../ffi/library.ts";
import { command } from "../command.ts";
import {
  ADDRESS_AND_PORT,
  addressDestination,
  type Destination,
  isAliasName,
  resolveAlias,
  withoutUser,
} from "../ssh/destination.ts";
import { isUtf8 } from "../ssh/user_environment.ts";
import { jsonText } from "../terminal/json.ts";
import type { Output } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import { wrap } from "../terminal/wrap.ts";
import { examine, readAddress } from "./connection.ts";
import { sshFinding } from "./ssh_step.ts";
import { type Finding, type Step, type StepRunner, stepRunner } from "./step.ts";
import { trialFinding } from "./trial.ts";

export const check = command({
  name: "check",
  brief: "shows every step of a connection, and where it fails",
  description: `Takes every step of a connection to ADDRESS, from the name to the banner of the
server, and shows what comes of each, how long it takes, and what to do where it
fails. At the end ssh itself connects, as far as the banner, or where it checks
host keys, as far as these. No login is tried. The server sees two clients that
hang up. A silent one sees a third, which asks whether it is a multiplexer.

Exits with 0, or with the exit code of the first step that fails.`,
  arguments: ADDRESS_AND_PORT,
  options: {
    timeout: {
      brief: `for each connecting and waiting for the banner (default ${DEFAULT_TIMEOUT_MS / 1000})`,
      value: "SECONDS",
    },
    json: { brief: "the same as JSON, under names that stay" },
  },
  async run({ out, err, library }, { timeout: seconds, json }, typed = "", port) {
    const timeout = seconds === undefined ? DEFAULT_TIMEOUT_MS : parseSeconds("--timeout", seconds);
    const steps: Step[] = [];
    const destination = await withProgress(err, async (progress) => {
      const ended = async (step: Step) => {
        steps.push(step);
        await progress.pause();
        if (!json) await out.write(formatStep(step, out));
      };
      const run = stepRunner((name) => progress.show(name), ended);
      return await runSteps({ host: withoutUser(typed), port }, { library, timeout }, run);
    });
    const exitCode = steps.find(({ status }) => status === "failed")?.exitCode ?? 0;
    if (json) {
      await out.write(jsonText({ typed, ...destination, ok: exitCode === 0, exitCode, steps: steps.map(toJson) }));
    }
    return exitCode;
  },
});

/** Returns a step as JSON has it, under names that stay. */
function toJson({ name, milliseconds, status, message, hint, facts, exitCode }: Step): unknown {
  return { name, milliseconds, status, says: message, hint, facts, exitCode };
}

/** Does `work` while a terminal shows progress. */
async function withProgress<Value>(err: Output, work: (progress: Progress) => Promise<Value>): Promise<Value> {
  await using progress = new Progress(err, "");
  return await work(progress);
}

/** A host name and a port as `ssh` is given them. */
interface Typed {
  readonly host: string;
  readonly port: string | undefined;
}

/** Runs all steps for a host name. Returns its address and port. */
async function runSteps(
  { host, port }: Typed,
  { library, timeout }: { library: Library; timeout: number },
  run: StepRunner,
): Promise<Destination | undefined> {
  const destination = isAliasName(host)
    ? await run("name", () => nameFinding(host, port))
    : addressDestination(host, port);
  if (destination === undefined) return undefined;
  const target = await readAddress(destination, run);
  if (target === undefined) return destination;
  const isUp = await examine(library, target, timeout, run);
  const effective = await run("ssh", () => sshFinding(host, port, library));
  if (isUp && effective) await run("try", () => trialFinding(effective, timeout));
  return destination;
}

/** Asks `ssh` for the address and the port of an alias. */
async function nameFinding(name: string, port: string | undefined): Promise<[Destination, Finding]> {
  const destination = await resolveAlias(name, port);
  const [address, itsPort] = [destination.address, destination.port].map((text) => escapeForTerminal(text));
  return [destination, { message: `${name} stands for ${address}, port ${itsPort}`, facts: { ...destination } }];
}

/** The mark of each status, in UTF-8 and in ASCII, and its colour (ECMA-48: SGR). */
const MARKS = { ok: ["✓", "+", 32], note: ["!", "!", 33], failed: ["✗", "x", 31] } as const;

/** The column of the text: behind the mark and the longest name of a step, or on a narrow terminal below them. */
const INDENT = 3 + Math.max(...["handshake", ...FORMS.map(({ name }) => name)].map(({ length }) => length));
const NARROW_INDENT = 4;

/** A terminal with fewer columns is narrow. */
const NARROW = 60;

/** The least width of text, in columns. */
const LEAST_WIDTH = 20;

/** Formats a step for a person. */
function formatStep({ name, status, milliseconds, message, hint }: Step, { takesControls, columns }: Output): string {
  const [utf8, ascii, colour] = MARKS[status];
  const mark = isUtf8() ? utf8 : ascii;
  const isNarrow = columns < NARROW;
  const indent = isNarrow ? NARROW_INDENT : INDENT;
  const width = Math.max(Math.min(columns, 100) - indent - 1, LEAST_WIDTH);
  const text = [
    ...wrap(message, width, `(${milliseconds.toFixed(1)} ms)`),
    ...(hint === undefined ? [] : wrap(hint, width - 2).map((line) => `  ${line}`)),
  ].map((line) => `${" ".repeat(indent)}${line}\n`).join("");
  const head = `${takesControls ? `\x1b[${colour}m${mark}\x1b[m` : mark} ${name}`;
  return isNarrow ? `${head}\n${text}` : `${head.padEnd(head.length - name.length + INDENT - 2)}${text.slice(INDENT)}`;
}
