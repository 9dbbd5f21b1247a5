import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Target } from "../../addresses/forms.ts";
import { Deadline } from "../../core/deadline.ts";
import { awaitBanner, Greeting, peekBanner } from "../../proxy/banner.ts";
import { StandInClock } from "./stand_in_clock.ts";
import { type Ending, StandInSocket } from "./stand_in_socket.ts";
import { assertFailsLater, bytes } from "./support.ts";

const TARGET: Target = { kind: "vsock", cid: 42, port: 22 };
const BANNER = "SSH-2.0-OpenSSH_10.0p2 Debian-7";

function peek(pieces: string[], ending: Ending, early?: number[]) {
  const socket = new StandInSocket(pieces, ending, early);
  return { socket, banner: () => peekBanner(socket, TARGET, new Deadline(5_000)) };
}

Deno.test("a banner is the line that begins with SSH-, without its end, whatever stands before and after it", () => {
  const examples: [said: string, banner: string | undefined][] = [
    [`${BANNER}\r\n`, BANNER],
    [`${BANNER}\n`, BANNER],
    [`${BANNER}\r\n\0\0\x03key`, BANNER],
    [`Welcome\r\nto the guest\r\n${BANNER}\r\n`, BANNER],
    [`SSH-\n`, "SSH-"],
    [BANNER, undefined],
    [`${BANNER}\r`, undefined],
    [`Welcome\r\n${BANNER}`, undefined],
    ["", undefined],
    [" SSH-2.0-x\n", undefined],
    ["ssh-2.0-x\n", undefined],
  ];
  for (const [said, banner] of examples) {
    assertEquals(new Greeting().read(bytes(said)), banner, JSON.stringify(said));
    // A byte at a time.
    const greeting = new Greeting();
    let found;
    for (let end = 1; end <= said.length && found === undefined; end++) {
      found = greeting.read(bytes(said.slice(0, end)));
    }
    assertEquals(found, banner, JSON.stringify(said));
  }
});

Deno.test("a banner is waited for, however it is cut, and not a byte of what was said is taken", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 60 }),
      fc.array(fc.nat(3), { maxLength: 20 }),
      fc.constantFrom("", "Welcome\r\n", "a\nb\n"),
      fc.constantFrom("", "\0\0\x01\x02key exchange"),
      async (lengths, early, before, after) => {
        const said = `${before}${BANNER}\r\n${after}`;
        const pieces: string[] = [];
        let rest = said;
        for (const length of lengths) {
          pieces.push(rest.slice(0, length));
          rest = rest.slice(length);
        }
        const { socket, banner } = peek([...pieces, rest].filter((piece) => piece !== ""), "silence", early);
        assertEquals(await banner(), BANNER);
        assertEquals(socket.unread, said);
      },
    ),
  );
});

Deno.test("as many lines may stand before a banner as ssh takes, each as long as ssh takes it, and no more", async () => {
  const lines = (count: number, length: number, end: string) => ("x".repeat(length) + end).repeat(count);
  const good = [
    lines(1023, 0, "\n"),
    lines(1023, 1, "\r\n"),
    lines(3, 8192, "\n"),
    lines(3, 8192, "\r\n"),
    lines(200, 1000, "\r\n"),
    "\r\n",
  ];
  for (const before of good) {
    const { socket, banner } = peek([before, `${BANNER}\n`], "silence");
    assertEquals([await banner(), socket.unread.length], [BANNER, before.length + BANNER.length + 1]);
  }
  for (const before of [lines(1024, 0, "\n"), lines(1, 8193, "\n"), lines(1, 8193, "\r\n"), "x".repeat(8194)]) {
    const { socket, banner } = peek([before, `\n${BANNER}\n`], "silence");
    await assertFailsLater("protocol", banner, "not an SSH banner");
    assertEquals(socket.unread, `${before}\n${BANNER}\n`);
  }
});

Deno.test("a server that has filled the socket with lines speaks, though its banner cannot be seen", async () => {
  const full = ["x\n".repeat(256), `${"x".repeat(8000)}\n`.repeat(9)];
  for (const said of full) {
    const socket = new StandInSocket([said], "silence");
    assertEquals(await awaitBanner(socket, TARGET, new Deadline(5_000)), undefined);
    // It was waited for a second.
    assertEquals(socket.timeouts.at(-1), 1_000);
    assertEquals(socket.unread, said);
    await assertFailsLater(
      "protocol",
      peek([said], "silence").banner,
      "says more lines before its SSH banner than fit",
    );
    // What has an end holds no more.
    await assertFailsLater("protocol", peek([said], "end").banner, "and then the end, not an SSH banner");
  }
  // Few lines fill nothing: it is silent.
  await assertFailsLater("protocol", peek(["x\n".repeat(255)], "silence").banner, "not an SSH banner");
});

Deno.test("bytes that come one by one are looked at in a time that does not grow with their square", async () => {
  using clock = new StandInClock();
  /** A socket that has one byte more at every look, as fast as anybody looks. */
  let there = 0;
  let copied = 0;
  const dribbling = {
    receive(into: Uint8Array, { peek }: { peek?: string } = {}) {
      const enough = peek === "whole" ? into.length : 1;
      there = Math.max(there + 1, enough);
      const count = Math.min(there, into.length);
      // Lines that are as long as they may be.
      into.fill(120, 0, count);
      for (let end = 8000; end < count; end += 8000) into[end] = 10;
      copied += count;
      return Promise.resolve(count);
    },
  };
  const looking = awaitBanner(dribbling, TARGET, new Deadline(5_000)).catch(() => {});
  await clock.until(Promise.race([looking, new Promise<void>((fired) => setTimeout(fired, 1_000))]));
  // Two bytes and two looks at a time up to 8 KiB; and then, in a second, 8 KiB twice a millisecond.
  assert(there > 8192, `${there}`);
  assert(copied < 8192 ** 2 / 2 + 2 * 8192 * 1_000 + 10 * 8192, `${copied}`);
});

Deno.test("each look at what was said has what is left of the time, not all of it again", async () => {
  using clock = new StandInClock();
  const socket = new StandInSocket([BANNER, "\r", "\n"], "silence");
  const given: (number | undefined)[] = [];
  const slow = {
    receive(...[into, options]: Parameters<StandInSocket["receive"]>) {
      given.push(options?.timeout);
      clock.now += 100;
      return socket.receive(into, options);
    },
  };
  assertEquals(await peekBanner(slow, TARGET, new Deadline(5_000)), BANNER);
  assertEquals(given, [5_000, 4_900, 4_800, 4_700, 4_600, 4_500]);
});

Deno.test("a server that ends before its banner is not up", async () => {
  for (const ending of ["end", "reset"] as const) {
    await assertFailsLater("unreachable", peek([], ending).banner, "closed before an SSH banner came");
  }
});

Deno.test("a server that says nothing, or not all of its banner, runs into the deadline", async () => {
  for (const pieces of [[], ["SSH-2.0-Open"], ["S"]]) {
    await assertFailsLater("timeout", peek(pieces, "silence").banner, "vsock/42 port 22: connected, but no SSH banner");
  }
});

Deno.test("a server that says something else is none of SSH, and what it said is shown fit for a terminal", async () => {
  const says = async (pieces: string[], ending: Ending, shown: string) =>
    await assertFailsLater("protocol", peek(pieces, ending).banner, `the server said "${shown}, not an SSH banner`);
  await says(["220 ftp\x1b[2J\r\n"], "silence", '220 ftp\\x1b[2J\\x0d\\x0a"');
  await says(["220 ftp\r\n"], "end", '220 ftp\\x0d\\x0a", and then the end');
  await says(["SSH-2.0-x"], "end", 'SSH-2.0-x", and then the end');
  await says(["x".repeat(9000)], "silence", `${"x".repeat(160)}..."`);
  await says(["x\n".repeat(1024), `${BANNER}\r\n`], "silence", `${"x\\x0a".repeat(80)}..."`);
});
