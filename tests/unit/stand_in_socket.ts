/**
 * The other side of a connection, a piece at a time.
 *
 * @module
 */

import { SystemError } from "../../ffi/errno.ts";
import type { ReceiveOptions, WaitOptions } from "../../ffi/socket.ts";
import { bytes, latin1 } from "./support.ts";

const ETIMEDOUT = -110;
const ECONNRESET = -104;

/** What happens once the other side has sent all that it has to say. */
export type Ending = "end" | "silence" | "reset";

/**
 * The near end of a connection to something that answers in `pieces`. A piece arrives when somebody waits for it, or
 * earlier: `early` says how many arrive of their own accord before each call.
 */
export class StandInSocket {
  readonly sent: string[] = [];
  readonly timeouts: (number | undefined)[] = [];
  #arrived = "";
  readonly #coming: string[];

  constructor(pieces: readonly string[], readonly ending: Ending, readonly early: readonly number[] = []) {
    this.#coming = [...pieces];
  }

  /** What whoever reads next will get. */
  get unread(): string {
    return this.#arrived + this.#coming.join("");
  }

  // deno-lint-ignore require-await
  async send(bytes: Uint8Array, { timeout }: WaitOptions = {}): Promise<void> {
    this.sent.push(latin1(bytes));
    this.timeouts.push(timeout);
  }

  // deno-lint-ignore require-await
  async receive(into: Uint8Array, { peek, timeout }: ReceiveOptions = {}): Promise<number> {
    for (let pieces = this.early[this.timeouts.length] ?? 0; pieces > 0; pieces--) this.#arrive();
    this.timeouts.push(timeout);
    if (this.timeouts.length > 100) throw new Error("it goes on for ever");
    const enough = peek === "whole" ? into.length : 1;
    while (this.#arrived.length < enough && this.#arrive());
    if (this.#arrived.length < enough) {
      if (this.ending === "silence") throw new SystemError("receive_bytes", ETIMEDOUT);
      if (this.ending === "reset" && this.#arrived === "") throw new SystemError("receive_bytes", ECONNRESET);
    }
    const got = this.#arrived.slice(0, into.length);
    into.set(bytes(got));
    if (peek === undefined) this.#arrived = this.#arrived.slice(got.length);
    return got.length;
  }

  #arrive(): boolean {
    const piece = this.#coming.shift();
    this.#arrived += piece ?? "";
    return piece !== undefined;
  }
}
