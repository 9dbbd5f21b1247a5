/**
 * A clock that goes only while somebody waits for it: a test of pauses and deadlines takes no time, and is exact.
 *
 * @module
 */

/** What is to be done at a time. */
interface Timer {
  readonly at: number;
  readonly work: () => void;
}

/** The clock of this process, in the place of the real one until its scope ends. */
export class StandInClock implements Disposable {
  /** Milliseconds that have gone by. */
  now = 0;
  /** How long each pause was to be, in the order in which they began. */
  readonly pauses: number[] = [];
  readonly #timers = new Map<number, Timer>();
  readonly #real = { now: performance.now, setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
  #next = 1;

  constructor() {
    performance.now = () => this.now;
    const set = (work: () => void, pause = 0) => {
      this.pauses.push(pause);
      this.#timers.set(this.#next, { at: this.now + pause, work });
      return this.#next++;
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: (timer?: number) => this.#timers.delete(timer ?? 0) });
  }

  /** How many timers are set. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets time go by, from one timer to the next, until `work` is done. */
  async until<Value>(work: Promise<Value>): Promise<Value> {
    let done = false;
    work.finally(() => done = true).catch(() => {});
    for (;;) {
      // Whatever needs no time comes first.
      await new Promise((resolve) => this.#real.setTimeout(resolve, 0));
      if (done) return await work;
      const [first] = [...this.#timers].sort(([, one], [, other]) => one.at - other.at);
      if (first === undefined) throw new Error("nothing is waited for");
      const [number, { at, work: next }] = first;
      this.#timers.delete(number);
      this.now = at;
      next();
    }
  }

  [Symbol.dispose](): void {
    performance.now = this.#real.now;
    Object.assign(globalThis, { setTimeout: this.#real.setTimeout, clearTimeout: this.#real.clearTimeout });
  }
}
