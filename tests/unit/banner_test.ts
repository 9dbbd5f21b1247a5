import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { peekBanner, readBanner } from "../../proxy/banner.ts";
import { Deadline } from "../../proxy/patience.ts";
import type { Target } from "../../proxy/target.ts";
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
  for (const [said, banner] of examples) assertEquals(readBanner(bytes(said)), banner, JSON.stringify(said));
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

Deno.test("as much may stand before a banner as ssh takes for a line, and no more", async () => {
  const welcome = "x\n".repeat((8192 - BANNER.length - 1) / 2);
  const { socket, banner } = peek([welcome, `${BANNER}\n`], "silence");
  assertEquals([await banner(), socket.unread.length], [BANNER, 8192]);
  await assertFailsLater("protocol", peek([`${welcome}\n`, `${BANNER}\n`], "silence").banner, "not an SSH banner");
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
  // As much as ssh itself would read, and no more.
  await says(["x".repeat(8192)], "silence", `${"x".repeat(160)}…"`);
  await says(["x\n".repeat(4096), `${BANNER}\r\n`], "silence", `${"x\\x0a".repeat(80)}…"`);
});
