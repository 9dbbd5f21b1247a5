/**
 * Processes that `list` takes for virtual machine monitors: stand-ins under their names.
 *
 * @module
 */

import { CHECKOUT, type Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { Tied } from "../../tools/tied.ts";

/** How a stand-in is started. */
export interface Start {
  /** Its arguments. */
  args?: string[];
  /** What comes before it, such as the program that starts it as another user. */
  before?: string[];
  /** Its working directory. */
  cwd?: string;
  /** The folder that it makes its root. */
  jail?: string;
}

/** A stand-in for a monitor. */
export class StandIn implements AsyncDisposable {
  readonly #log: string;
  readonly #process: Tied;

  private constructor(words: string[], log: string) {
    this.#log = log;
    this.#process = new Tied(words, log);
  }

  /** Starts one that listens on `paths`: `program` is the file that {@linkcode compile} made. */
  static async start(program: string, paths: string[], { args = [], before = [], cwd, jail }: Start = {}) {
    const log = Deno.makeTempFileSync({ prefix: "dsp-" });
    const env = ["env", ...(cwd === undefined ? [] : ["-C", cwd]), `LISTEN=${paths.join("\n")}`];
    if (jail !== undefined) env.push(`JAIL=${jail}`);
    const standIn = new StandIn([...env, ...before, program, ...args], log);
    try {
      await standIn.#process.needed(standIn.#listens());
    } catch (thrown) {
      await standIn[Symbol.asyncDispose]();
      throw thrown;
    }
    return standIn;
  }

  async #listens(): Promise<void> {
    while (!Deno.readTextFileSync(this.#log).includes("listening\n")) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** How many have connected to it. */
  get visitors(): number {
    return Deno.readTextFileSync(this.#log).split("visited\n").length - 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    Deno.removeSync(this.#log);
  }
}

/** The stand-in's program under each of these names, in a folder that everybody may enter. */
export function compile(folder: Folder, ...names: string[]): void {
  Deno.chmodSync(folder.path, 0o755);
  const [first, ...others] = names.map((name) => folder.at(name));
  outputOf("cc", "-std=c11", "-Wall", "-Wextra", "-o", first!, `${CHECKOUT}/tests/commands/stand_in.c`);
  for (const other of others) Deno.linkSync(first!, other);
}
