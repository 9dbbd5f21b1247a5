/**
 * Processes that do not outlive the test that started them, whatever becomes of it.
 *
 * @module
 */

import { inTime } from "./waiting.ts";

/** A killed test ends nothing: on Linux the kernel does it then (PR_SET_PDEATHSIG). */
const WITH_ITS_PARENT = Deno.build.os === "linux" ? ["setpriv", "--pdeathsig", "KILL"] : [];

/** A process that is ended with its scope. */
export class Tied implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #log: string;
  readonly ended: Promise<Deno.CommandStatus>;

  /** Starts `words`, with what it writes in the file `log`. */
  constructor(words: string[], log: string) {
    const [program, ...args] = [...WITH_ITS_PARENT, "sh", "-c", `exec "$@" >'${log}' 2>&1`, "sh", ...words];
    this.#child = new Deno.Command(program!, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
    this.#log = log;
    this.ended = this.#child.status;
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** What `work` promises, which this process is needed for: where it ends before, what it wrote says why. */
  async needed<T>(work: Promise<T>): Promise<T> {
    const ended = this.ended.then(() => {
      throw new Error(`it has ended:\n${Deno.readTextFileSync(this.#log)}`);
    });
    return await inTime(Promise.race([work, ended]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      // There is nothing that it would have to put in order.
      this.#child.kill("SIGKILL");
    } catch (thrown) {
      // It has ended by itself.
      if (!(thrown instanceof TypeError)) throw thrown;
    }
    await this.ended;
  }
}
