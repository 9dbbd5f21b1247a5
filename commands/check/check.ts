/**
 * `check`: shows every step of a connection, and what is wrong with the first that fails.
 *
 * @module
 */

import type { Library } from "../../ffi/library.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { DEFAULT_TIMEOUT_MS, parseSeconds } from "../../core/deadline.ts";
import { command } from "../command.ts";
import { examine, readAddress } from "./connection.ts";
import { type Finding, type Step, type StepRunner, stepRunner } from "./step.ts";
import { jsonText } from "../terminal/json.ts";
import {
  ADDRESS_AND_PORT,
  addressDestination,
  type Destination,
  isName,
  resolveAlias,
  withoutUser,
} from "../ssh/destination.ts";
import type { Output } from "../terminal/output.ts";
import { Progress } from "../terminal/progress.ts";
import { sshFinding } from "./ssh_step.ts";
import { trialFinding } from "./trial.ts";
import { isUtf8 } from "../ssh/user_environment.ts";
import { wrap } from "../terminal/wrap.ts";

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
  async run({ out, err, library }, { timeout, json }, typed, port) {
    const time = timeout === undefined ? DEFAULT_TIMEOUT_MS : parseSeconds("--timeout", timeout);
    const steps: Step[] = [];
    const place = await showing(err, async (progress) => {
      const ended = async (step: Step) => {
        steps.push(step);
        await progress.pause();
        if (!json) await out.write(lines(step, out));
      };
      const take = stepRunner((name) => progress.show(name), ended);
      return await takeSteps(library, withoutUser(typed!), port, time, take);
    });
    const exitCode = steps.find(({ status }) => status === "failed")?.exitCode ?? 0;
    const report = { typed, ...place, ok: exitCode === 0, exitCode, steps };
    if (json) await out.write(jsonText(report));
    return exitCode;
  },
});

/** Does `work` while a terminal shows that it goes on. */
async function showing<Value>(err: Output, work: (progress: Progress) => Promise<Value>): Promise<Value> {
  await using progress = new Progress(err, "");
  return await work(progress);
}

/** Takes every step there is for a host name as `ssh` is given it. Gives the place that it stands for. */
async function takeSteps(
  library: Library,
  host: string,
  port: string | undefined,
  time: number,
  take: StepRunner,
): Promise<Destination | undefined> {
  const place = isName(host) ? await take("name", () => nameFinding(host, port)) : addressDestination(host, port);
  if (place === undefined) return undefined;
  const target = await readAddress(place, take);
  if (target === undefined) return place;
  const isUp = await examine(library, target, time, take);
  const effective = await take("ssh", () => sshFinding(host, port, library));
  if (isUp && effective) await take("try", () => trialFinding(effective, time));
  return place;
}

/** What `ssh` has a name stand for. */
async function nameFinding(name: string, port: string | undefined): Promise<[Destination, Finding]> {
  const place = await resolveAlias(name, port);
  return [place, {
    says: `${name} stands for ${escapeForTerminal(place.address)}, port ${escapeForTerminal(place.port)}`,
    facts: { ...place },
  }];
}

/** A sign for each status, in UTF-8 and in ASCII, and its colour (ECMA-48: SGR). */
const MARKS = { ok: ["✓", "+", 32], note: ["!", "!", 33], failed: ["✗", "x", 31] } as const;

/** Where the text begins: behind the mark and the longest name, or on a narrow terminal below them. */
const INDENT = 12;
const NARROW_INDENT = 4;

/** A terminal of fewer columns is narrow. */
const NARROW = 60;

/** The fewest columns that text has. */
const LEAST_WIDTH = 20;

/** A step as a person reads it. */
function lines({ name, status, milliseconds, says, hint }: Step, { takesControls, columns }: Output): string {
  const [utf8, ascii, colour] = MARKS[status];
  const mark = isUtf8() ? utf8 : ascii;
  const isNarrow = columns < NARROW;
  const indent = isNarrow ? NARROW_INDENT : INDENT;
  const width = Math.max(Math.min(columns, 100) - indent - 1, LEAST_WIDTH);
  const text = [
    ...wrap(says, width, `(${milliseconds.toFixed(1)} ms)`),
    ...(hint === undefined ? [] : wrap(hint, width - 2).map((line) => `  ${line}`)),
  ].map((line) => `${" ".repeat(indent)}${line}\n`).join("");
  const head = `${takesControls ? `\x1b[${colour}m${mark}\x1b[m` : mark} ${name}`;
  return isNarrow ? `${head}\n${text}` : `${head.padEnd(head.length - name.length + INDENT - 2)}${text.slice(INDENT)}`;
}
