import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import fc from "fast-check";
import { type ErrorKind, ProxyError } from "../../core/errors.ts";
import { asProxyError, formatError, reportError } from "../../core/report.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { assertOneLine } from "./support.ts";

Deno.test("each kind of error has its exit code of sysexits.h", () => {
  const codes: Record<ErrorKind, number> = {
    usage: 64,
    missing: 66,
    unreachable: 69,
    defect: 70,
    resource: 71,
    handover: 74,
    timeout: 75,
    protocol: 76,
    permission: 77,
    configuration: 78,
  };
  for (const [kind, code] of Object.entries(codes)) {
    assertEquals(new ProxyError(kind as ErrorKind, "a: b").exitCode, code, kind);
  }
});

Deno.test("an error keeps what it was made of", () => {
  const cause = new Error("why");
  const error = new ProxyError("timeout", "vsock/3: no answer", { cause, hint: "wait" });
  assertInstanceOf(error, Error);
  assertEquals([error.kind, error.message, error.hint, error.name], [
    "timeout",
    "vsock/3: no answer",
    "wait",
    "ProxyError",
  ]);
  assert(error.cause === cause);
  assertEquals(new ProxyError("usage", "a: b").hint, undefined);
  assert(!("cause" in new ProxyError("usage", "a: b")));
});

Deno.test("a report is one line, and a second one where there is something to do", () => {
  assertEquals(
    formatError(new ProxyError("missing", "unix/s: the socket does not exist")),
    "deno-ssh-proxy: unix/s: the socket does not exist\n",
  );
  assertEquals(
    formatError(new ProxyError("missing", "unix/s: the socket does not exist", { hint: "start it" })),
    "deno-ssh-proxy: unix/s: the socket does not exist\n  start it\n",
  );
});

Deno.test("a report lets nothing through that could steer a terminal, and cuts nothing", () => {
  const [message, hint] = [`a\x1b[2J: ${"x".repeat(500)}`, `b\n\u202e${"y".repeat(500)}`];
  assertEquals(
    formatError(new ProxyError("missing", message, { hint })),
    `deno-ssh-proxy: a\\x1b[2J: ${"x".repeat(500)}\n  b\\x0a\\u{202e}${"y".repeat(500)}\n`,
  );
});

/** What `reportError` says of `thrown` to a stderr that is `writeSync`, and the exit code that it gives. */
function told(thrown: unknown, writeSync: (text: string) => void = () => {}): number {
  const real = Deno.stderr.writeSync;
  Deno.stderr.writeSync = (bytes) => {
    writeSync(new TextDecoder().decode(bytes));
    return bytes.length;
  };
  try {
    return reportError(thrown);
  } finally {
    Deno.stderr.writeSync = real;
  }
}

Deno.test("what was thrown is told on stderr in one write, and its exit code is given", () => {
  const texts: string[] = [];
  const error = new ProxyError("missing", "unix/s: the socket does not exist", { hint: "start it" });
  assertEquals(told(error, (text) => texts.push(text)), 66);
  assertEquals(told(new RangeError("a\nb"), (text) => texts.push(text)), 70);
  assertEquals(texts[0], formatError(error));
  assertEquals(texts[1]?.split("\n")[0], "deno-ssh-proxy: a defect in this program: RangeError: a\\x0ab");
  assertEquals(texts.length, 2);
});

Deno.test("where stderr takes nothing, the exit code is given all the same", () => {
  const closed = () => {
    throw new Deno.errors.BadResource("closed");
  };
  assertEquals(told(new ProxyError("timeout", "a: b"), closed), 75);
});

Deno.test("an error of this program stays what it is", () => {
  const error = new ProxyError("timeout", "a: b");
  assert(asProxyError(error) === error);
});

Deno.test("anything else that is thrown is a defect, said in one line and kept as the cause", () => {
  const examples: [thrown: unknown, said: string][] = [
    [new TypeError("x is not a function"), "TypeError: x is not a function"],
    [new Error("two\nlines"), "Error: two\\x0alines"],
    [new Error("\x1b[31mred"), "Error: \\x1b[31mred"],
    ["a string", "a string"],
    [undefined, "undefined"],
    [null, "null"],
    [Symbol("s"), "Symbol(s)"],
    [{ kind: "usage", message: "not one of ours" }, '{ kind: "usage", message: "not one of ours" }'],
    [Object.create(null), "[Object: null prototype] {}"],
  ];
  for (const [thrown, said] of examples) {
    const error = asProxyError(thrown);
    assertEquals([error.kind, error.exitCode], ["defect", 70]);
    assertEquals(error.message, `a defect in this program: ${said}`);
    assert(error.cause === thrown);
    assertOneLine(error);
    assert(error.hint !== undefined);
  }
});

Deno.test("text for a terminal has its control and formatting characters escaped", () => {
  const examples: [text: string, shown: string][] = [
    ["", ""],
    ["/run/app/ssh.sock", "/run/app/ssh.sock"],
    ["Ünï 😀 ‘x’ \\", "Ünï 😀 ‘x’ \\"],
    ["\0\t\n\r\x1b\x7f", "\\x00\\x09\\x0a\\x0d\\x1b\\x7f"],
    ["\x80\x85\x9b\xad", "\\x80\\x85\\x9b\\xad"],
    [
      "\u061c\u200b\u200f\u202a\u202e\u2066\u2069\ufeff",
      "\\u{61c}\\u{200b}\\u{200f}\\u{202a}\\u{202e}\\u{2066}\\u{2069}\\u{feff}",
    ],
    ["\u2028\u2029", "\\u{2028}\\u{2029}"],
    ["\u{e0001}", "\\u{e0001}"],
    ["a\ud800b\udc00", "a\ufffdb\ufffd"],
  ];
  for (const [text, shown] of examples) assertEquals(escapeForTerminal(text), shown, JSON.stringify(text));
});

Deno.test("long text is cut, and says that it is; the longest path that most programs can bind is not", () => {
  assertEquals(escapeForTerminal("x".repeat(160)), "x".repeat(160));
  assertEquals(escapeForTerminal("x".repeat(161)), `${"x".repeat(160)}...`);
  assertEquals(escapeForTerminal("x".repeat(100_000)).length, 163);
  assert(!escapeForTerminal("/".repeat(108)).includes("..."));
  // The cut may fall within a character of two UTF-16 units.
  assertEquals(escapeForTerminal(`${"x".repeat(159)}😀`), `${"x".repeat(159)}\ufffd...`);
});

Deno.test("no text comes out with anything that could steer a terminal, or longer than a few lines", () => {
  const anyUnits = fc.string({
    unit: fc.oneof(
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom("\x1b", "\n", "\u202e", "\u{e0001}", "a"),
    ),
    maxLength: 400,
  });
  fc.assert(
    fc.property(anyUnits, (text) => {
      const shown = escapeForTerminal(text);
      assert(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(shown));
      assert(shown.isWellFormed());
      assert(shown.length <= 160 * 8 + 1);
      if (text.length <= 160 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text)) assertEquals(shown, text);
    }),
    { numRuns: 2000 },
  );
});
