import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isAliasName, withoutUser } from "../../commands/ssh/destination.ts";
import { ProxyError } from "../../core/errors.ts";
import { rejectAddress } from "../../proxy/address_errors.ts";
import { type Invocation, isProxyInvocation, parseInvocation } from "../../proxy/invocation.ts";
import { COMMAND_LINES, WAITS_FOR } from "../support/command_lines.ts";
import { assertFails } from "./support.ts";

/** Parses a command line as the ProxyCommand does. */
function parsed(args: readonly string[]): Invocation {
  const invocation = parseInvocation(args);
  return invocation.port === undefined ? rejectAddress(invocation.host, invocation.port) : invocation;
}

Deno.test("the options may stand anywhere, with their values behind a = or as the next argument", () => {
  const plain: Invocation = { host: "unix/s", port: "22", relay: false, timeout: 10_000, wait: undefined };
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
    [["unix/s", "22", "--relay"], { ...plain, relay: true }],
    [["--relay", "unix/s", "22", "--timeout=5"], { ...plain, relay: true, timeout: 5000 }],
    [["unix/s", "22", "--as-typed", "--relay"], plain],
    [["unix/s", "22", "--wait"], { ...plain, wait: 60_000 }],
    [["--wait", "unix/s", "22"], { ...plain, wait: 60_000 }],
    [["unix/s", "22", "--wait=0.5"], { ...plain, wait: 500 }],
    [["unix/s", "22", "--wait=5", "--wait", "--timeout=1"], { ...plain, wait: 60_000, timeout: 1000 }],
    [["unix/s", "22", "--as-typed", "alias"], plain],
    [["unix/s", "22", "--as-typed="], plain],
    [["unix/s", "22", "--as-typed", ""], plain],
    [["unix/a=b\nc", "22", "--as-typed=unix/A=b\nC"], { ...plain, host: "unix/A=b\nC" }],
    [["", ""], { ...plain, host: "", port: "" }],
    [["-x", "-1"], { ...plain, host: "-x", port: "-1" }],
  ];
  for (const [args, invocation] of examples) assertEquals(parsed(args), invocation, JSON.stringify(args));
});

Deno.test("a name as it was typed is taken whatever it begins with", () => {
  for (const name of ["--timeout", "--timeout=1", "--as-typed", "--", "-"]) {
    for (const typed of [["--as-typed", name], [`--as-typed=${name}`]]) {
      assertEquals(parsed(["unix/s", "22", ...typed]), {
        host: "unix/s",
        port: "22",
        relay: false,
        timeout: 10_000,
        wait: undefined,
      });
    }
  }
  assertEquals(parsed(["--as-typed", "--X", "a", "b"]).host, "a");
});

Deno.test("an option without its value is refused by its name", () => {
  for (const option of ["--timeout", "--as-typed"]) {
    assertFails("usage", () => parsed(["unix/s", "22", option]), `${option}: it needs a value`);
  }
  assertFails("usage", () => parsed(["unix/s", "22", "--timeout="]), "not a time");
  assertFails("usage", () => parsed(["--timeout", "unix/s", "22"]), "not a time");
  assertFails("usage", () => parsed(["unix/s", "22", "--wait="]), "--wait '': not a time");
  assertFails("usage", () => parsed(["unix/s", "22", "--wait", "30"]), "'30': one argument too many");
});

Deno.test("an option that there is none of is refused, shown fit for a terminal, and the nearest one is offered", () => {
  const all = "it takes --as-typed, --relay, --timeout, --wait";
  const examples: [option: string, shown: string, hint: string][] = [
    ["--pass", "--pass", all],
    ["--relay=yes", "--relay", "did you mean --relay?"],
    ["--realy", "--realy", "did you mean --relay?"],
    ["--", "--", all],
    ["--=1", "--", all],
    ["--Timeout=5", "--Timeout", all],
    ["--timeouts", "--timeouts", "did you mean --timeout?"],
    ["--tiemout=5", "--tiemout", "did you mean --timeout?"],
    ["--wiat", "--wiat", "did you mean --wait?"],
    ["--astyped", "--astyped", "did you mean --as-typed?"],
    ["--\x1b[2J=x", "--\\x1b[2J", all],
  ];
  for (const [option, shown, meant] of examples) {
    const { hint } = assertFails(
      "usage",
      () => parsed(["unix/s", "22", option]),
      `${shown}: no such option`,
    );
    assertEquals(hint, meant);
  }
});

Deno.test("an argument too many is refused by its name, and shown fit for a terminal", () => {
  assertFails("usage", () => parsed(["unix/s", "22", "23"]), "'23': one argument too many");
  assertFails("usage", () => parsed(["unix/s", "22", "\x1b"]), "'\\x1b': one argument too many");
  assertFails("usage", () => parsed(["--timeout=1", "unix/s", "22", "a", "b"]), "'a': one argument too many");
});

Deno.test("an argument that is empty is named all the same", () => {
  assertFails("usage", () => parsed(["unix/s", "22", ""]), "'': one argument too many");
  assertFails("usage", () => parsed([""]), "'': not an address");
});

Deno.test("an address without a port is refused by its name", () => {
  const { hint } = assertFails("usage", () => parsed(["unix/s"]), "'unix/s': no port given");
  assertEquals(hint, "to log in: ssh unix/s; for the connection alone: deno-ssh-proxy unix/s 22");
  assertFails("usage", () => parsed(["unix/\x1b", "--timeout=1"]), "'unix/\\x1b': no port given");
});

Deno.test("a mistyped address is what is wrong with a command line that also lacks the port", () => {
  const hints: [words: string[], message: string, hint: string][] = [
    [["root@vsock/42"], "'root@vsock/42': not an address", "did you mean vsock/42? With ssh: ssh root@vsock/42"],
    [["vsock/42:22"], "'vsock/42:22': not a CID", "did you mean vsock/42 22? With ssh: ssh -p 22 vsock/42"],
    [["/run/s"], "'/run/s': not an address", "did you mean unix/run/s? Or vsock-mux/run/s, behind a multiplexer"],
    [["unix/s:22"], "'unix/s:22': no port given", "did you mean unix/s? It has no port"],
    [["\x1b"], "'\\x1b': not an address", "an address is unix/PATH, vsock/CID, vsock-mux/PATH, machine/NAME or .host"],
  ];
  for (const [words, message, hint] of hints) {
    assertEquals(assertFails("usage", () => parsed(words), message).hint, hint);
  }
});

Deno.test("no address at all is refused", () => {
  for (const args of [[], ["--timeout=1"], ["--as-typed", "unix/s"]]) {
    try {
      parsed(args);
      throw new Error("it was taken");
    } catch (thrown) {
      assertEquals(thrown instanceof ProxyError && [thrown.kind, thrown.message], ["usage", "no address given"]);
    }
  }
});

Deno.test("an address, or an option of the proxy form, is what tells it from a command", () => {
  for (
    const first of [
      "unix/s",
      "vsock%42",
      ".host",
      ".HOST",
      "VSOCK%42",
      "telnet/x",
      "--timeout",
      "--wait=5",
      "--as-typed=x",
      "/",
      "%",
    ]
  ) {
    assertEquals(isProxyInvocation([first, "config"]), true, first);
  }
  for (const first of [undefined, "", "config", "wait", "host", "--help", "--version", "-V", "-h", "--wai", "22"]) {
    assertEquals(isProxyInvocation(first === undefined ? [] : [first, "unix/s"]), false, first);
  }
});

Deno.test("no arguments make the parser throw anything but a usage error", () => {
  const anyArg = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom(
      "--as-typed",
      "--timeout",
      "--timeout=5",
      "--wait",
      "--as-typed=unix/S",
      "unix/s",
      "22",
      "5",
      "--",
      "=",
    ),
  );
  fc.assert(
    fc.property(fc.array(anyArg, { maxLength: 8 }), (args) => {
      try {
        parsed(args);
      } catch (thrown) {
        assertEquals(thrown instanceof ProxyError && thrown.kind, "usage");
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("an address is told from a command as the starter tells them apart", () => {
  for (const [words, script] of COMMAND_LINES) {
    assertEquals(isProxyInvocation(words), script !== "cli", words.join(" "));
  }
});

Deno.test("wait asks ssh about the words that the starter lets it ask about", () => {
  for (const [word, asksSsh] of WAITS_FOR) assertEquals(isAliasName(withoutUser(word)), asksSsh, word);
});
