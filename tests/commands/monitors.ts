/**
 * Processes that `list` takes for virtual machine monitors: stand-ins under their names, and the real one that there is
 * for the tests in virtual machines.
 *
 * @module
 */

import { CHECKOUT, type Folder } from "../support/folder.ts";
import { Tied } from "../support/tied.ts";
import { outputOf } from "../support/tools.ts";

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
    const log = Deno.makeTempFileSync({ prefix: "deno-ssh-proxy-" });
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
  outputOf("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", first!, `${CHECKOUT}/tests/commands/stand_in.c`);
  for (const other of others) Deno.linkSync(first!, other);
}

/** The command line of the real vhost-device-vsock, under its own name; undefined where there is none. */
export function realMultiplexer(folder: Folder): string[] | undefined {
  const made = madeImages();
  if (made === undefined) return undefined;
  const root = `${made}/multiplexer`;
  // It needs a newer C library than this machine's, so what the process is named after is that library's loader.
  Deno.copyFileSync(`${root}/usr/lib64/ld-linux-x86-64.so.2`, folder.at("vhost-device-vsock"));
  const libraries = ["--library-path", `${root}/usr/lib/x86_64-linux-gnu`];
  return [folder.at("vhost-device-vsock"), ...libraries, `${root}/usr/bin/vhost-device-vsock`];
}

/** What tests/vm/image.sh has made, where it has. */
export function madeImages(): string | undefined {
  const folder = `${CHECKOUT}/build/vm`;
  try {
    const made = [...Deno.readDirSync(folder)].filter(({ name }) => /^[0-9]+$/.test(name));
    return made.map(({ name }) => `${folder}/${name}`).find((path) => {
      try {
        return Deno.statSync(`${path}/complete`).isFile;
      } catch {
        return false;
      }
    });
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}
