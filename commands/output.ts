/**
 * Standard output and standard error, as far as a command cares what is behind them.
 *
 * @module
 */

/** Where a command writes. */
export interface Output {
  /** Whether a person sees it as it is written. */
  readonly isTerminal: boolean;
  /** Whether it is to show colours, and lines that are drawn anew: on a terminal, unless NO_COLOR says otherwise. */
  readonly takesControls: boolean;
  /** How many characters fit in a line. */
  readonly columns: number;
  /** Writes all of `text`. A reader that has gone is no error: it has seen enough. */
  write(text: string): Promise<void>;
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
    const bytes = new TextEncoder().encode(text);
    try {
      for (let at = 0; at < bytes.length;) at += await this.#stream.write(bytes.subarray(at));
    } catch (thrown) {
      // A reader such as `head`.
      if (!(thrown instanceof Deno.errors.BrokenPipe)) throw thrown;
    }
  }
}
