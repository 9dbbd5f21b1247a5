import { assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { type Invocation, parseInvocation } from "../../proxy/invocation.ts";
import { ProxyError } from "../../proxy/errors.ts";
import { assertFails } from "./support.ts";

Deno.test("the options may stand anywhere, with their values behind a = or as the next argument", () => {
  const plain: Invocation = { host: "unix/s", port: "22", timeout: 10_000 };
  const examples: [args: string[], invocation: Invocation][] = [
    [["unix/s", "22"], plain],
    [["unix/s", "22", "--timeout", "5"], { ...plain, timeout: 5000 }],
    [["unix/s", "22", "--timeout=5"], { ...plain, timeout: 5000 }],
    [["--timeout", "5", "unix/s", "22"], { ...plain, timeout: 5000 }],
    [["unix/s", "--timeout=0.5", "22"], { ...plain, timeout: 500 }],
    [["--timeout=1", "unix/s", "22", "--timeout=2"], { ...plain, timeout: 2000 }],
    [["unix/s", "22", "--as-typed", "unix/S"], { ...plain, host: "unix/S" }],
    [["unix/s", "22", "--as-typed=unix/S"], { ...plain, host: "unix/S" }],
    [["--as-typed", "unix/S", "--timeout=5", "unix/s", "22"], { ...plain, host: "unix/S", timeout: 5000 }],
    [["unix/s", "22", "--as-typed", "alias"], plain],
    [["unix/s", "22", "--as-typed="], plain],
    [["unix/s", "22", "--as-typed", ""], plain],
    [["unix/a=b\nc", "22", "--as-typed=unix/A=b\nC"], { ...plain, host: "unix/A=b\nC" }],
    [["", ""], { ...plain, host: "", port: "" }],
    [["-x", "-1"], { ...plain, host: "-x", port: "-1" }],
  ];
  for (const [args, invocation] of examples) assertEquals(parseInvocation(args), invocation, JSON.stringify(args));
});

Deno.test("a name as it was typed is taken whatever it begins with", () => {
  for (const name of ["--timeout", "--timeout=1", "--as-typed", "--", "-"]) {
    for (const typed of [["--as-typed", name], [`--as-typed=${name}`]]) {
      assertEquals(parseInvocation(["unix/s", "22", ...typed]), { host: "unix/s", port: "22", timeout: 10_000 });
    }
  }
  assertEquals(parseInvocation(["--as-typed", "--X", "a", "b"]).host, "a");
});

Deno.test("an option without its value is refused by its name", () => {
  for (const option of ["--timeout", "--as-typed"]) {
    assertFails("usage", () => parseInvocation(["unix/s", "22", option]), `${option}: it needs a value`);
  }
  assertFails("usage", () => parseInvocation(["unix/s", "22", "--timeout="]), "not a time");
  assertFails("usage", () => parseInvocation(["--timeout", "unix/s", "22"]), "not a time");
});

Deno.test("an option that there is none of is refused, and shown fit for a terminal", () => {
  const examples: [option: string, shown: string][] = [
    ["--relay", "--relay"],
    ["--", "--"],
    ["--=1", "--"],
    ["--Timeout=5", "--Timeout"],
    ["--timeouts", "--timeouts"],
    ["--\x1b[2J=x", "--\\x1b[2J"],
  ];
  for (const [option, shown] of examples) {
    const { hint = "" } = assertFails(
      "usage",
      () => parseInvocation(["unix/s", "22", option]),
      `${shown}: no such option`,
    );
    assertStringIncludes(hint, "--help");
  }
});

Deno.test("an argument too many is refused by its name, and shown fit for a terminal", () => {
  assertFails("usage", () => parseInvocation(["unix/s", "22", "23"]), "23: one argument too many");
  assertFails("usage", () => parseInvocation(["unix/s", "22", "\x1b"]), "\\x1b: one argument too many");
  assertFails("usage", () => parseInvocation(["--timeout=1", "unix/s", "22", "a", "b"]), "a: one argument too many");
});

Deno.test("an address without a port is refused by its name", () => {
  assertFails("usage", () => parseInvocation(["unix/s"]), "unix/s: no port given");
  assertFails("usage", () => parseInvocation(["\x1b", "--timeout=1"]), "\\x1b: no port given");
});

Deno.test("no address at all is refused", () => {
  for (const args of [[], ["--timeout=1"], ["--as-typed", "unix/s"]]) {
    try {
      parseInvocation(args);
      throw new Error("it was taken");
    } catch (thrown) {
      assertEquals(thrown instanceof ProxyError && [thrown.kind, thrown.message], ["usage", "no address given"]);
    }
  }
});

Deno.test("no arguments make the parser throw anything but a usage error", () => {
  const anyArg = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom("--as-typed", "--timeout", "--timeout=5", "--as-typed=unix/S", "unix/s", "22", "5", "--", "="),
  );
  fc.assert(
    fc.property(fc.array(anyArg, { maxLength: 8 }), (args) => {
      try {
        parseInvocation(args);
      } catch (thrown) {
        assertEquals(thrown instanceof ProxyError && thrown.kind, "usage");
      }
    }),
    { numRuns: 2000 },
  );
});
