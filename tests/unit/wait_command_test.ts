import { assertEquals, assertMatch } from "@std/assert";
import type { Context } from "../../commands/command.ts";
import type { Output } from "../../commands/terminal/output.ts";
import { wait } from "../../commands/wait.ts";
import { StandInClock } from "./stand_in_clock.ts";
import { assertFailsLater, bytes, millisecondsOf, type StandInCalls, standInLibrary } from "./support.ts";

const ETIMEDOUT = -110;

/** What `wait` has to do with the world, what it wrote, and what it closed. */
function world(calls: StandInCalls) {
  const written = { out: "", err: "" };
  const output = (to: keyof typeof written): Output => ({
    isTerminal: false,
    takesControls: false,
    columns: 80,
    write: (text) => Promise.resolve(void (written[to] += text)),
  });
  const { library, closed } = standInLibrary(calls);
  const context: Context = { out: output("out"), err: output("err"), commands: [], library };
  return { context, written, closed };
}

Deno.test("wait goes on for a minute where it is not told how long, with ten seconds for a try", async () => {
  using clock = new StandInClock();
  const tries: number[] = [];
  const { context, closed } = world({
    connect_unix: () => 42,
    dsp_receive_bytes: (_fd, _into, _length, _flags, time) => {
      tries.push(millisecondsOf(time as BufferSource));
      clock.now += tries.at(-1)!;
      return ETIMEDOUT;
    },
  });
  const waiting = wait.run(context, {}, "unix/s", "22") as Promise<number>;
  await assertFailsLater("timeout", () => clock.until(waiting), "no SSH banner within 8.45 s (waited 60 s)");
  assertEquals(tries.slice(0, 5), [10_000, 10_000, 10_000, 10_000, 10_000]);
  assertEquals(clock.now, 60_000);
  assertEquals(closed.length, tries.length);
});

Deno.test("wait shows a banner whole, as long as it may be, and closes the connection", async () => {
  const banner = `SSH-2.0-x ${"y".repeat(255 - 12)}`;
  const { context, written, closed } = world({
    connect_vsock: (cid, port) => cid === 42 && port === 2222 ? 7 : -19,
    dsp_receive_bytes: (_fd, into) => {
      const part = bytes(`${banner}\r\n`).subarray(0, (into as Uint8Array).length);
      (into as Uint8Array).set(part);
      return part.length;
    },
  });
  assertEquals(await wait.run(context, { timeout: "5" } as never, "root@vsock/42", "2222"), 0);
  assertEquals(written.err, "");
  assertEquals(written.out.split(" (after ")[0], banner);
  assertMatch(written.out, / \(after \d+\.\d s\)\n$/);
  assertEquals(closed, [7]);
});
