/**
 * Showing that something goes on: a line that moves on a terminal that takes that, and a line for each change everywhere
 * else.
 *
 * @module
 */

import type { Output } from "./output.ts";
import { cutMiddle } from "./width.ts";

/** In ASCII: not every locale has more. */
const FRAMES = "|/-\\";
const FRAME_TIME = 100;
/** Goes to the beginning of the line and clears it (ECMA-48: CR, and EL). */
const CLEAR_LINE = "\r\x1b[K";

/** What goes on, until its scope ends. On a terminal it is shown once it takes a moment. */
export class Progress implements AsyncDisposable {
  readonly #to: Output;
  readonly #began = performance.now();
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  /** Nothing while something else is shown. */
  #text: string | undefined;
  /** What lines of their own have told. */
  readonly #told: string[] = [];
  #frame = 0;
  #writing: Promise<void> = Promise.resolve();

  /** Begins to show `text`, which is fit for a terminal. */
  constructor(to: Output, text: string) {
    this.#to = to;
    this.#text = text;
    if (to.takesControls) this.#timer = setInterval(() => this.#draw(), FRAME_TIME);
  }

  /** Shows `text` as what goes on now: in a line of its own once, however often it comes back. */
  tell(text: string): void {
    this.#text = text;
    if (this.#to.takesControls || this.#told.includes(text)) return;
    this.#told.push(text);
    this.#write(`deno-ssh-proxy: ${text}\n`);
  }

  /** The text of the last line of its own; undefined if there was none. */
  get told(): string | undefined {
    return this.#told.at(-1);
  }

  /** What goes on now, where nothing but a line that moves is to show it. */
  show(text: string): void {
    this.#text = text;
  }

  /** Clears the line, for something else to be shown, and shows nothing until it is told what goes on now. */
  async pause(): Promise<void> {
    if (this.#frame > 0) this.#write(CLEAR_LINE);
    this.#frame = 0;
    this.#text = undefined;
    await this.#writing;
  }

  #draw(): void {
    if (this.#text === undefined) return;
    const seconds = Math.floor((performance.now() - this.#began) / 1000);
    const [begin, end] = [`${FRAMES[this.#frame++ % FRAMES.length]} `, seconds === 0 ? "" : ` (${seconds} s)`];
    // The last column stays free: some terminals begin a new line as soon as it is full.
    const space = Math.max(this.#to.columns - begin.length - end.length - 1, 0);
    this.#write(`${CLEAR_LINE}${begin}${cutMiddle(this.#text, space)}${end}`);
  }

  #write(text: string): void {
    this.#writing = this.#writing.then(() => this.#to.write(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.pause();
  }
}
