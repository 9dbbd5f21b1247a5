import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Deadline, DEFAULT_TIMEOUT_MS, LONGEST_TIMEOUT_MS, parseSeconds } from "../../core/deadline.ts";
import { type ErrorKind, ProxyError } from "../../core/errors.ts";
import { type ErrorName, SystemError } from "../../ffi/errno.ts";
import { isRetryable } from "../../proxy/wait.ts";
import { assertFails } from "./support.ts";

/** Runs `work` with a clock that only it moves. */
function withClock(work: (clock: { now: number }) => void): void {
  const realNow = performance.now;
  const clock = { now: 1_000_000 };
  performance.now = () => clock.now;
  try {
    work(clock);
  } finally {
    performance.now = realNow;
  }
}

Deno.test("a deadline has all of its time left at first, less as time goes by, and never less than nothing", () => {
  withClock((clock) => {
    const deadline = new Deadline(1500);
    assertEquals([deadline.timeout, deadline.left], [1500, 1500]);
    clock.now += 600;
    assertEquals([deadline.timeout, deadline.left], [1500, 900]);
    clock.now += 900;
    assertEquals(deadline.left, 0);
    clock.now += 1;
    assertEquals([deadline.timeout, deadline.left], [1500, 0]);
  });
});

Deno.test("a deadline may be any time over 0 that the library can wait for", () => {
  for (const timeout of [0.001, 1, DEFAULT_TIMEOUT_MS, LONGEST_TIMEOUT_MS]) {
    assertEquals(new Deadline(timeout).timeout, timeout);
  }
});

Deno.test("what is no time is refused, with the bounds in the hint", () => {
  for (const timeout of [0, -0, -1, NaN, Infinity, -Infinity, LONGEST_TIMEOUT_MS + 1]) {
    const { hint = "" } = assertFails("usage", () => new Deadline(timeout), "not a time");
    assertStringIncludes(hint, "4294967295");
  }
});

Deno.test("the default is ten seconds, and the longest time is what 32 bits hold", () => {
  assertEquals([DEFAULT_TIMEOUT_MS, LONGEST_TIMEOUT_MS], [10_000, 4_294_967_295]);
});

Deno.test("a timeout option is a decimal number of seconds", () => {
  const examples: [seconds: string, milliseconds: number][] = [
    ["1", 1000],
    ["10", 10_000],
    ["0.5", 500],
    ["0.001", 1],
    ["1.25", 1250],
    ["007", 7000],
    ["0.0005", 1],
    ["1.0004", 1000],
    ["4294967.295", 4_294_967_295],
  ];
  for (const [seconds, milliseconds] of examples) {
    assertEquals(parseSeconds("--timeout", seconds), milliseconds, seconds);
  }
});

Deno.test("every timeout option that is taken makes a deadline", () => {
  for (const seconds of ["0.0005", "0.001", "4294967.295", "4294967.2954"]) {
    assert(new Deadline(parseSeconds("--timeout", seconds)).timeout > 0);
  }
});

Deno.test("anything else as a timeout option is refused, and shown fit for a terminal", () => {
  const refused = [
    ...[
      "",
      "0",
      "0.0",
      "0.0004",
      "-1",
      "+1",
      " 1",
      "1 ",
      "1s",
      "1e3",
      "0x10",
      "1_000",
      "1,5",
      ".",
      "1.2.3",
      "..1",
      "½",
      "٤",
    ],
    ...["Infinity", "NaN", "1\n", "\n1", "4294967.296", "9".repeat(400)],
  ];
  for (const seconds of refused) {
    const { hint = "" } = assertFails("usage", () => parseSeconds("--timeout", seconds), "--timeout '");
    assertStringIncludes(hint, "up to 4294967, ");
  }
  assertFails("usage", () => parseSeconds("--timeout", "\x1b[2J"), "'\\x1b[2J'");
});

Deno.test("what a person has to mend is not worth another try, and what is to come up is", () => {
  const worth = (kind: ErrorKind, code?: ErrorName) =>
    isRetryable(
      new ProxyError(kind, "x: y", { cause: code === undefined ? undefined : SystemError.named(code) }),
    );
  for (const kind of ["missing", "timeout", "unreachable"] as const) assertEquals(worth(kind), true, kind);
  for (const code of ["ENOENT", "ENOTDIR", "ECONNREFUSED", "EHOSTUNREACH", "ENODEV"] as const) {
    assertEquals([worth("missing", code), worth("unreachable", code)], [true, true], code);
  }
  for (const code of ["EPROTOTYPE", "ENOTSOCK", "ELOOP"] as const) {
    assertEquals([worth("missing", code), worth("unreachable", code)], [false, false], code);
  }
  for (const kind of ["usage", "protocol", "permission", "resource", "handover", "defect"] as const) {
    assertEquals(worth(kind), false, kind);
  }
});
