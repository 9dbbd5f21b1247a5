/** What goes wrong all the time, and what a connection by a machine's name adds. */

import { Folder } from "../../tools/checkout.ts";
import { assertFailed, runAsSsh } from "../support/as_ssh.ts";
import { type Answer, Machined, varlink, VM, writeAll } from "../support/machined.ts";
import { compiled, NO_COMPILER } from "./compiled.ts";
import { installed } from "./conversation.ts";
import { type Row, type Runs, surrounded } from "./row.ts";
import { Spoiled } from "./spoiled.ts";

/** Has Deno load preload.c, which the starter would not let through to it. */
function loaded(fault: string, from: string, variables: string): Row {
  const shim = () =>
    new Spoiled((spoiled) => {
      const library = compiled("preload", "-shared", "-fPIC");
      spoiled.runBefore(`export LD_PRELOAD='${library}' ${variables}`);
    });
  return surrounded(fault, from, "handed over", { shim }, { leftOut: NO_COMPILER });
}

const REPLY = varlink({ parameters: VM });
const EVERY = 16;

/** A systemd-machined that stops, in this way, after every 16th byte of its reply. */
function machined(how: string, ending: { code: number; says: string }, stop: Answer, first = 0): Row {
  const runs = () => {
    const all: Runs = new Map();
    for (let length = first; length < REPLY.length; length += EVERY) {
      all.set(`${length} bytes`, async () => {
        using folder = new Folder();
        await using _machined = new Machined(folder.path, async (connection, call) => {
          await writeAll(connection, REPLY.slice(0, length));
          await stop(connection, call);
        });
        const words = [installed.shim, "machine/foo", "22", "--timeout", "0.3"];
        const outcome = await runAsSsh(words, { env: { XDG_RUNTIME_DIR: folder.path }, timeout: 300 });
        assertFailed(outcome, ending.code, ending.says, 300);
      });
    }
    return all;
  };
  return { fault: `a systemd-machined that stops: ${how}`, from: "after every 16th byte of its reply", ending, runs };
}

export const always: Row[] = [
  loaded("a signal every millisecond", "a timer whose handler lets calls fail with EINTR", "STORM=1"),
  loaded("short reads and writes", "a byte at a time", "SHORT=1"),
  loaded("both", "the two together", "STORM=1 SHORT=1"),
];

export const naming: Row[] = [
  machined("silence", { code: 75, says: "no answer within 0.3 s" }, () => {}),
  // One that ends before has no answer, and the system's is asked.
  machined("end", { code: 76, says: "the answer was" }, (connection) => connection.closeWrite(), EVERY),
];
