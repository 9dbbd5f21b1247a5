/**
 * Running the program as a person does: with a terminal, or with its output going elsewhere.
 *
 * @module
 */

import { inTime } from "../../tools/waiting.ts";
import type { Ran } from "../support/home.ts";
import { type Fd, start, terminal } from "../support/process.ts";
import { bytes, latin1 } from "../support/sockets.ts";

/** Runs a command line to its end, with nothing to read and nothing that is a terminal. */
export async function run(words: string[], env: Record<string, string> = {}): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(words[0]!, { args: words.slice(1), env, stdin: "null" })
    .output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** A program that has a terminal of its own, of 80x24. */
export class InTerminal implements Disposable {
  readonly #near: Fd;
  readonly #started;
  /** All that it has shown so far. */
  shown = "";

  constructor(words: string[], env: Record<string, string> = {}) {
    const [near, far] = terminal();
    this.#near = near;
    this.#started = start(words, [far, far, far], env);
    far.close();
  }

  /** Types `text`. */
  async type(text: string): Promise<void> {
    await this.#near.write(bytes(text));
  }

  /** Waits until `text` is shown. */
  async shows(text: string): Promise<void> {
    while (!this.shown.includes(text)) {
      const byte = await inTime(this.#near.read(1));
      if (byte.length === 0) throw new Error(`it ended with: ${this.shown}`);
      this.shown += latin1(byte);
    }
  }

  /** Waits for its end, and gives the exit code. */
  async end(): Promise<number> {
    // A terminal that nobody has open any more reads as an error, which is an end.
    this.shown += latin1(await inTime(this.#near.read()));
    return await this.#started.ended;
  }

  [Symbol.dispose](): void {
    this.#near.close();
  }
}

/** `shown`, which is UTF-8 a byte a character, as text, without what steers the terminal. */
export function asText(shown: string): string {
  const text = new TextDecoder().decode(Uint8Array.from(shown, (character) => character.charCodeAt(0)));
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[[0-9;]*[a-zA-Z]/g, "").replaceAll("\r\n", "\n");
}
