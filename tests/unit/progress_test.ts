import { assert, assertEquals } from "@std/assert";
import type { Output } from "../../commands/terminal/output.ts";
import { Progress } from "../../commands/terminal/progress.ts";

/** A terminal of so many columns, or none, that keeps what is written to it. */
class Screen implements Output {
  readonly takesControls: boolean;
  readonly written: string[] = [];
  #calls = 0;
  constructor(readonly isTerminal: boolean, readonly columns = 80) {
    this.takesControls = isTerminal;
  }
  async write(text: string): Promise<void> {
    // What is written first comes first, however long it takes.
    await new Promise((resolve) => setTimeout(resolve, this.#calls++ === 0 ? 5 : 0));
    this.written.push(text);
  }
}

/** A progress on `screen` that draws when it is told to; how often it would by itself; and whether it still would. */
function progressOn(screen: Screen, text: string) {
  const { setInterval, clearInterval, performance: { now: realNow } } = globalThis;
  const drawing: { draw?: () => void; every?: number } = {};
  const clock = { now: 0 };
  performance.now = () => clock.now;
  Object.assign(globalThis, {
    setInterval: (draw: () => void, every: number) => Object.assign(drawing, { draw, every }),
    clearInterval: (timer?: unknown) => {
      if (timer === drawing) delete drawing.draw;
    },
  });
  const restore = () => {
    performance.now = realNow;
    Object.assign(globalThis, { setInterval, clearInterval });
  };
  return { progress: new Progress(screen, text), drawing, clock, [Symbol.dispose]: restore };
}

const CLEAR = "\r\x1b[K";

Deno.test("on a terminal a line moves, says how long it has taken from the first second on, and is cleared at the end", async () => {
  const screen = new Screen(true);
  using on = progressOn(screen, "one");
  const { progress, drawing, clock } = on;
  assertEquals(drawing.every, 100);
  for (const now of [100, 999, 1_000, 61_999]) {
    clock.now = now;
    drawing.draw!();
  }
  progress.tell("two");
  drawing.draw!();
  await progress[Symbol.asyncDispose]();
  assertEquals(screen.written, [
    `${CLEAR}| one`,
    `${CLEAR}/ one`,
    `${CLEAR}- one (1 s)`,
    `${CLEAR}\\ one (61 s)`,
    `${CLEAR}| two (61 s)`,
    CLEAR,
  ]);
  assertEquals(drawing.draw, undefined);
});

Deno.test("what was never drawn is not cleared", async () => {
  const screen = new Screen(true);
  using on = progressOn(screen, "one");
  await on.progress[Symbol.asyncDispose]();
  assertEquals(screen.written, []);
});

Deno.test("while something else is shown nothing is drawn, until it is told what goes on", async () => {
  const screen = new Screen(true);
  using on = progressOn(screen, "one");
  const { progress, drawing } = on;
  drawing.draw!();
  await progress.pause();
  assertEquals(screen.written, [`${CLEAR}| one`, CLEAR]);
  drawing.draw!();
  await progress.pause();
  progress.show("two");
  drawing.draw!();
  await progress[Symbol.asyncDispose]();
  assertEquals(screen.written.slice(2), [`${CLEAR}| two`, CLEAR]);
});

Deno.test("a line that is too long has its beginning and its end, and leaves the last column free", async () => {
  for (const columns of [80, 24, 13, 5, 1]) {
    const screen = new Screen(true, columns);
    using on = progressOn(screen, `begin ${"é𝔖".repeat(columns)} end`);
    on.clock.now = 2_000;
    on.drawing.draw!();
    await on.progress[Symbol.asyncDispose]();
    const line = screen.written[0]!.slice(CLEAR.length);
    assertEquals([...line].length, Math.max(columns - 1, "| ... (2 s)".length), line);
    if (columns >= 24) assert(/^\| begin .*\.\.\..* end \(2 s\)$/u.test(line), line);
  }
  const screen = new Screen(true, 24);
  using on = progressOn(screen, "x".repeat(21));
  on.drawing.draw!();
  await on.progress[Symbol.asyncDispose]();
  assertEquals(screen.written[0], `${CLEAR}| ${"x".repeat(21)}`);
});

Deno.test("where there is no terminal each text is told once, in a line of its own, and nothing moves", async () => {
  const screen = new Screen(false);
  using on = progressOn(screen, "one");
  assertEquals(on.drawing.draw, undefined);
  for (
    const [text, isLast] of [
      ["one", true],
      ["two", true],
      ["two", true],
      ["one", false],
      ["three", true],
      ["two", false],
    ] as const
  ) {
    on.progress.tell(text);
    assertEquals(on.progress.told === text, isLast, text);
  }
  on.progress.show("four");
  await on.progress[Symbol.asyncDispose]();
  assertEquals(screen.written, ["one", "two", "three"].map((text) => `deno-ssh-proxy: ${text}\n`));
});

Deno.test("a line of wide characters does not reach the last column", () => {
  const screen = new Screen(true, 20);
  using on = progressOn(screen, "日本語".repeat(10));
  on.drawing.draw!();
  return on.progress[Symbol.asyncDispose]().then(() => {
    const [line = ""] = screen.written;
    assertEquals(line, `${CLEAR}| 日本語...日本語`);
  });
});
