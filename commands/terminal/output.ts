/**
 * Standard output and standard error, as far as a command cares what is behind them.
 *
 * @module
 */

import { messageOf, ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { foldMessage } from "./wrap.ts";

/** Where a command writes. */
export interface Output {
  /** Whether a person sees it as it is written. */
  readonly isTerminal: boolean;
  /** Whether it is to show colours, and lines that are drawn anew: on a terminal, unless NO_COLOR says otherwise. */
  readonly takesControls: boolean;
  /** How many characters fit in a line. */
  readonly columns: number;
  /**
   * Writes all of `text`. A reader that has gone is no error: it has seen enough.
   *
   * @throws {ProxyError} of kind `handover` where standard output does not take it
   */
  write(text: string): Promise<void>;
}

/** How much of a line that is not this program's own a terminal gets. */
const LONGEST_LINE = 1_000;

/**
 * Text of several lines as `out` is to have it: on a terminal with nothing in it that could steer that, and elsewhere, where
 * a program may read it, as it is.
 */
export function shownOn({ isTerminal }: Pick<Output, "isTerminal">, text: string): string {
  return isTerminal ? text.replace(/[^\n\t]+/g, (part) => escapeForTerminal(part, LONGEST_LINE)) : text;
}

/** Breaks the lines of a message that are too long for the terminal that `to` is. Nothing else has a width. */
export function folded({ isTerminal, columns }: Pick<Output, "isTerminal" | "columns">, message: string): string {
  return isTerminal ? foldMessage(message, columns) : message;
}

/** What a terminal is taken to be where it does not say, and everything that is none. */
const USUAL_COLUMNS = 80;

/** The standard output or the standard error of this process. */
export class StandardOutput implements Output {
  readonly #stream: typeof Deno.stdout | typeof Deno.stderr;
  readonly isTerminal: boolean;
  readonly takesControls: boolean;

  constructor(stream: typeof Deno.stdout | typeof Deno.stderr) {
    this.#stream = stream;
    this.isTerminal = stream.isTerminal();
    this.takesControls = this.isTerminal && !Deno.noColor;
  }

  get columns(): number {
    try {
      return this.isTerminal ? Deno.consoleSize().columns || USUAL_COLUMNS : USUAL_COLUMNS;
    } catch {
      return USUAL_COLUMNS;
    }
  }

  async write(text: string): Promise<void> {
    // A line that is drawn anew is as long as it is meant to be.
    const isMessage = this.#stream === Deno.stderr && !text.includes("\r");
    const bytes = new TextEncoder().encode(isMessage ? folded(this, text) : text);
    try {
      for (let at = 0; at < bytes.length;) at += await this.#stream.write(bytes.subarray(at));
    } catch (thrown) {
      // A reader such as `head`. What standard error does not take is lost: the exit code still says how things went.
      if (thrown instanceof Deno.errors.BrokenPipe || this.#stream === Deno.stderr) return;
      const reason = messageOf(thrown);
      throw new ProxyError("handover", `standard output: it cannot be written to: ${escapeForTerminal(reason)}`, {
        cause: thrown,
      });
    }
  }
}
