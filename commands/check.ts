/**
 * `check`: shows every step of a connection, and what is wrong with the first that fails.
 *
 * @module
 */

import { DEFAULT_TIMEOUT, parseSeconds } from "../proxy/patience.ts";
import { command } from "./command.ts";
import { examine, type Step, stepByStep } from "./examination.ts";
import type { Output } from "./output.ts";
import { Progress } from "./progress.ts";
import { sshFinding } from "./ssh_step.ts";
import { wrap } from "./wrap.ts";

export const check = command({
  name: "check",
  brief: "shows every step of a connection, and where it fails",
  description: `Takes every step of a connection to ADDRESS, from the name to the banner of the
server, and shows what comes of each, how long it takes, and what to do where it
fails. The server sees a client that hangs up after the banner.

Exits with 0, or with the exit code of the first step that fails.`,
  arguments: [
    { name: "ADDRESS", brief: "what ssh would be given as its host" },
    { name: "PORT", brief: "the vsock port", default: "22" },
  ],
  options: {
    timeout: { brief: "for each connecting and waiting for the banner (default 10)", value: "SECONDS" },
    json: { brief: "the same as JSON, under names that stay" },
  },
  async run({ out, err, library }, { timeout, json }, address, port) {
    const time = timeout === undefined ? DEFAULT_TIMEOUT : parseSeconds("--timeout", timeout);
    const steps: Step[] = [];
    {
      await using progress = new Progress(err, "");
      const take = stepByStep((name) => progress.show(name), async (step) => {
        steps.push(step);
        await progress.pause();
        if (!json) await out.write(lines(step, out));
      });
      await examine(library, address!, port!, time, take);
      // Of what is no address ssh knows nothing either.
      if (steps[0]?.status === "ok") await take("ssh", async () => [true, await sshFinding(address!, port!)]);
    }
    const exitCode = steps.find(({ status }) => status === "failed")?.exitCode ?? 0;
    if (json) await out.write(`${JSON.stringify({ address, port, ok: exitCode === 0, exitCode, steps }, null, 2)}\n`);
    return exitCode;
  },
});

/** Each with its colour (ECMA-48: SGR). */
const MARKS = { ok: ["✓", 32], note: ["!", 33], failed: ["✗", 31] } as const;

/** A space at which no line is broken. */
const NO_BREAK = "\u00a0";

/** Where the text begins: behind the mark and the longest name. */
const INDENT = 12;

/** A step as a person reads it. */
function lines({ name, status, milliseconds, says, hint }: Step, { hasColour, columns }: Output): string {
  const [mark, colour] = MARKS[status];
  const width = Math.max(Math.min(columns, 100) - INDENT - 1, 20);
  const shown = hasColour ? `\x1b[${colour}m${mark}\x1b[m` : mark;
  const text = [
    ...wrap(`${says} (${milliseconds.toFixed(1)}${NO_BREAK}ms)`, width),
    ...(hint === undefined ? [] : wrap(hint, width - 2).map((line) => `  ${line}`)),
  ];
  return text.map((line, at) => `${at === 0 ? `${shown} ${name.padEnd(INDENT - 2)}` : " ".repeat(INDENT)}${line}\n`)
    .join("");
}
