import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Target } from "../../addresses/forms.ts";
import { restoreCase } from "../../addresses/parse.ts";
import { formatTarget, parseTarget } from "../../addresses/target.ts";
import { assertFails, assertOneLine } from "./support.ts";

const THIS_HOST = { kind: "unix", path: "/run/ssh-unix-local/socket" } as const;

Deno.test("each form of address stands for its target", () => {
  const examples: [host: string, port: string, target: Target][] = [
    ["unix/run/app/ssh.sock", "22", { kind: "unix", path: "/run/app/ssh.sock" }],
    ["unix/s", "22", { kind: "unix", path: "/s" }],
    ["vsock/42", "22", { kind: "vsock", cid: 42, port: 22 }],
    ["vsock-mux/run/vm.sock", "2222", { kind: "vsock-mux", path: "/run/vm.sock", port: 2222 }],
    [".host", "22", THIS_HOST],
    ["machine/.host", "22", THIS_HOST],
    ["machine/foo", "2222", { kind: "machine", name: "foo", port: 2222 }],
  ];
  for (const [host, port, target] of examples) assertEquals(parseTarget(host, port), target, host);
});

Deno.test("the words of an address may be in any case, and a path and a machine's name keep theirs", () => {
  const examples: [host: string, target: Target][] = [
    ["UNIX/Run/X.sock", { kind: "unix", path: "/Run/X.sock" }],
    ["Unix%run/x.sock", { kind: "unix", path: "/run/x.sock" }],
    ["VSOCK%42", { kind: "vsock", cid: 42, port: 22 }],
    ["Vsock/42", { kind: "vsock", cid: 42, port: 22 }],
    ["vsock%Local", { kind: "vsock", cid: 1, port: 22 }],
    ["VSOCK/HOST", { kind: "vsock", cid: 2, port: 22 }],
    ["Vsock-Mux%Run/VM", { kind: "vsock-mux", path: "/Run/VM", port: 22 }],
    ["Machine%Foo", { kind: "machine", name: "Foo", port: 22 }],
    ["MACHINE/Foo", { kind: "machine", name: "Foo", port: 22 }],
    [".HOST", THIS_HOST],
    ["Machine%.Host", THIS_HOST],
  ];
  for (const [host, target] of examples) {
    assertEquals(parseTarget(host, "22"), target, host);
    // What is written is lower case.
    assertEquals(parseTarget(formatTarget(target).toLowerCase(), "22").kind, target.kind);
    assertMatch(formatTarget(target), /^[a-z-]+\//);
  }
  // Letters that other languages have another case of: the Kelvin sign is a k to toLowerCase().
  assertFails("usage", () => parseTarget("vsoc\u212A/42", "22"), "not an address");
  assertFails("usage", () => parseTarget(".ho\u017Ft", "22"), "not an address");
});

Deno.test("the CID and the port that stand for any are refused over vsock, and the hint says which numbers there are", () => {
  const cid = assertFails("usage", () => parseTarget("vsock/4294967295", "22"), "it stands for any CID");
  assertStringIncludes(cid.message, "'vsock/4294967295': ");
  assertStringIncludes(cid.hint!, "from 0 to 4294967294, or one of hypervisor, local, host");
  const port = assertFails("usage", () => parseTarget("vsock/42", "4294967295"), "it stands for any port");
  assertStringIncludes(port.hint!, "from 0 to 4294967294");
  // Elsewhere it is not the kernel's: a socket has no port, and a multiplexer passes it on to the guest.
  for (const host of ["unix/s", ".host", "machine/.host", "vsock-mux/s", "machine/foo"]) {
    parseTarget(host, "4294967295");
  }
});

Deno.test("a percent sign is as good as the first slash, and only as that one", () => {
  const examples: [host: string, target: Target][] = [
    ["unix%run%a", { kind: "unix", path: "/run%a" }],
    ["unix%run/a", { kind: "unix", path: "/run/a" }],
    ["unix/run%a", { kind: "unix", path: "/run%a" }],
    ["unix%%run", { kind: "unix", path: "/%run" }],
    ["unix%/run/a", { kind: "unix", path: "/run/a" }],
    ["vsock%42", { kind: "vsock", cid: 42, port: 22 }],
    ["vsock-mux%run/vm", { kind: "vsock-mux", path: "/run/vm", port: 22 }],
    ["machine%.host", THIS_HOST],
    ["machine%foo", { kind: "machine", name: "foo", port: 22 }],
    ["machine/foo%bar", { kind: "machine", name: "foo%bar", port: 22 }],
    ["machine%%", { kind: "machine", name: "%", port: 22 }],
  ];
  for (const [host, target] of examples) assertEquals(parseTarget(host, "22"), target, host);
});

Deno.test("a path gets a leading slash unless it begins with one, or with a dot and one", () => {
  const examples: [rest: string, path: string][] = [
    ["run/x", "/run/x"],
    ["/run/x", "/run/x"],
    ["//run/x", "//run/x"],
    ["./x", "./x"],
    ["./", "./"],
    [".", "/."],
    ["..", "/.."],
    ["../x", "/../x"],
    [".x", "/.x"],
    ["~/x", "/~/x"],
    [" ", "/ "],
    ["a\nb", "/a\nb"],
    ["\n/x", "/\n/x"],
    ["Ünï/😀", "/Ünï/😀"],
  ];
  for (const [rest, path] of examples) {
    assertEquals(parseTarget(`unix/${rest}`, "22"), { kind: "unix", path }, rest);
    assertEquals(parseTarget(`vsock-mux/${rest}`, "22"), { kind: "vsock-mux", path, port: 22 }, rest);
  }
});

Deno.test("a CID may be one of three names, and of no other property that objects have", () => {
  for (const [name, cid] of [["hypervisor", 0], ["local", 1], ["host", 2]] as const) {
    assertEquals(parseTarget(`vsock/${name}`, "22"), { kind: "vsock", cid, port: 22 });
  }
  for (const name of ["guest", "any", "constructor", "__proto__", "toString"]) {
    assertFails("usage", () => parseTarget(`vsock/${name}`, "22"), "not a CID");
  }
});

Deno.test("a CID and a port may be any number of 32 bits but the highest", () => {
  for (const number of [0, 1, 9, 10, 22, 65535, 65536, 999_999_999, 1_073_741_824, 4_294_967_294]) {
    assertEquals(parseTarget(`vsock/${number}`, `${number}`), { kind: "vsock", cid: number, port: number });
    assertEquals(parseTarget("vsock-mux/s", `${number}`), { kind: "vsock-mux", path: "/s", port: number });
  }
});

Deno.test("a number that one would not write so is neither a CID nor a port, of any form of address", () => {
  const refused = [
    ...[
      "",
      "-1",
      "+1",
      " 2",
      "2 ",
      "02",
      "00",
      "0x2",
      "0b1",
      "1e3",
      "1.0",
      "1.5",
      "0.5",
      "1_000",
      "22\nX",
      "22\n",
      "\n22",
      "22\0",
      "٤",
      "²",
    ],
    ...["4294967296", "9999999999", "42949672950", "18446744073709551616", "1".repeat(400), "NaN", "Infinity"],
  ];
  for (const number of refused) {
    assertFails("usage", () => parseTarget(`vsock/${number}`, "22"), "not a CID");
    for (const host of ["vsock/3", "vsock-mux/s", "unix/s", ".host", "nonsense"]) {
      assertFails("usage", () => parseTarget(host, number), "not a port");
    }
  }
});

Deno.test("a path that cannot be what was typed, or that no socket has, is refused", () => {
  const refused: [rest: string, why: string][] = [
    ["", "it has no path"],
    ["a\0b", "its path cannot be used"],
    ["\0", "its path cannot be used"],
    ["a\uFFFDb", "its path cannot be used"],
    ["a\uD800", "its path cannot be used"],
    ["\uDC00a", "its path cannot be used"],
  ];
  for (const [rest, why] of refused) {
    for (const form of ["unix/", "unix%", "vsock-mux/"]) {
      assertFails("usage", () => parseTarget(`${form}${rest}`, "22"), why);
    }
  }
  assertFails("usage", () => parseTarget("unix", "22"), "not an address");
});

Deno.test("what is no form of address is refused, and the hint says which there are", () => {
  const refused = [
    ...["", "%", "example.com", "unix", "vsock", "vsock-mux", " unix/s", "tcp/example.com", "ssh://example.com"],
    ...[".host ", "host", ".host/", ".host/x", ".hosts", "unixs", "unix ", "unix:", "vsocks", "vsock-muxs", "machine."],
    ...["machine", "\nunix/s", "root@example.com", "vsock:x", "vsok/x", "linux/s", "socket/s", "4294967295", "@unix/s"],
  ];
  for (const host of refused) {
    const { hint = "" } = assertFails("usage", () => parseTarget(host, "22"), "not an address");
    assertStringIncludes(hint, "unix/PATH");
    assertStringIncludes(hint, "machine/NAME");
  }
});

Deno.test("a mistyped address gets the one that was meant, with the words to type", () => {
  const meant: [host: string, hint: string][] = [
    ["vsock/42:22", "vsock/42 22? With ssh: ssh -p 22 vsock/42"],
    ["vsock%42:2222", "vsock%42 2222? With ssh: ssh -p 2222 vsock%42"],
    ["machine/web:22", "machine/web 22? With ssh: ssh -p 22 machine/web"],
    [".host:22", ".host? It has no port"],
    ["vsock:42", "vsock/42?"],
    ["vsock//42", "vsock/42?"],
    ["vsock%/42", "vsock/42?"],
    ["machine//web", "machine/web?"],
    ["vsock:42:22", "vsock/42 22? With ssh: ssh -p 22 vsock/42"],
    ["vsock://42", "vsock/42?"],
    ["unix:/run/x", "unix/run/x?"],
    ["unix:run/x", "unix/run/x?"],
    ["unix:///run/x", "unix/run/x?"],
    ["unix:/run/x:22", "unix/run/x? It has no port"],
    ["vsock-mux:/run/x:22", "vsock-mux/run/x 22? With ssh: ssh -p 22 vsock-mux/run/x"],
    ["machine:web", "machine/web?"],
    ["/run/x", "unix/run/x? Or vsock-mux/run/x, behind a multiplexer"],
    ["./x", "unix/./x?"],
    ["../x", "unix/./../x?"],
    ["ssh://vsock/42", "vsock/42?"],
    ["SSH://root@vsock/42:2222", "vsock/42 2222? With ssh: ssh -p 2222 root@vsock/42"],
    ["ssh://me@unix/run/x:22", "unix/run/x? With ssh: ssh me@unix/run/x"],
    ["root@vsock/42", "vsock/42? With ssh: ssh root@vsock/42"],
    ["root@.host", ".host? With ssh: ssh root@.host"],
    ["root@vsok/42", "vsock/42? With ssh: ssh root@vsock/42"],
    ["vsok/42", "vsock/42?"],
    ["VSOKC/42", "vsock/42?"],
    ["vosck/42", "vsock/42?"],
    ["unxi/s", "unix/s?"],
    ["unixx/s", "unix/s?"],
    ["xunix/s", "unix/s?"],
    ["vsock_mux/s", "vsock-mux/s?"],
    ["machines/web", "machine/web?"],
    ["42", "vsock/42?"],
    ["r\x1b[2J@vsock/42", "vsock/42? With ssh: ssh r\\x1b[2J@vsock/42"],
    ["unxi/\x1b[2J", "unix/\\x1b[2J?"],
  ];
  for (const [host, hint] of meant) {
    assertEquals(assertFails("usage", () => parseTarget(host, "22")).hint, `did you mean ${hint}`, host);
  }
});

Deno.test("a CID that was taken for a port is offered as an address, as for --alias NAME=vsock:42", () => {
  for (const host of ["vsock", "VSOCK", "vsok"]) {
    assertEquals(assertFails("usage", () => parseTarget(host, "42")).hint, "did you mean vsock/42?");
  }
  for (const [host, port] of [["vsock", "22"], ["unix", "42"], ["machine", "42"], ["example.org", "2222"]] as const) {
    assertStringIncludes(assertFails("usage", () => parseTarget(host, port)).hint!, "an address is unix/PATH");
  }
});

Deno.test("what stands behind a CID and a colon is no port, rather than that the CID is none", () => {
  for (const port of ["xx", "", "-1", "22x", "99999999999"]) {
    const { hint } = assertFails("usage", () => parseTarget(`vsock/42:${port}`, "22"), `'${port}' is not a port`);
    assertEquals(hint, "a port is a decimal number from 0 to 4294967294");
  }
  assertFails("usage", () => parseTarget("vsock/x:22", "22"), "not a CID");
});

Deno.test("a wrong port is told, whatever the address", () => {
  const most = { "vsock/42:22": 4294967294, "VSOCK%42": 4294967294, "vsock-mux/s": 4294967295, "vsok/42": 4294967295 };
  for (const [host, number] of Object.entries(most)) {
    const { hint } = assertFails("usage", () => parseTarget(host, "x"), "port 'x': not a port");
    assertEquals(hint, `a port is a decimal number from 0 to ${number}`);
  }
});

Deno.test("what can be no machine's name is refused", () => {
  const refused = [
    ...["", "/", "a/b", "/a/b", "a/", "..", ".", "../x", "./x", ".hidden", ".host/", ".hostx"],
    ...["a\0b", "\0", "a\nb", "a\x1b", "a\x7f", "a\x85", "a\u202Eb", "a\u2028", "a\uFFFDb", "a\uD800", "\uDC00"],
  ];
  for (const name of refused) {
    for (const form of ["machine/", "machine%"]) {
      const { hint = "" } = assertFails("usage", () => parseTarget(form + name, "22"), "not a machine's name");
      assertStringIncludes(hint, "letters");
    }
  }
  assertFails("usage", () => parseTarget("machine/foo", "x"), "not a port");
});

Deno.test("what is a machine's name here may be none all the same: systemd-machined says so", () => {
  for (const name of ["foo", "Foo-1.example_x", "0", "-x", "x.", "a b", "a%b", "é", "😀", "a".repeat(500)]) {
    assertEquals(parseTarget(`machine/${name}`, "22"), { kind: "machine", name, port: 22 });
  }
});

Deno.test("a name that could steer a terminal is shown with its control characters escaped", () => {
  const examples: [host: string, shown: string][] = [
    ["\x1b[31mred", "'\\x1b[31mred'"],
    ["a\r\nb", "'a\\x0d\\x0ab'"],
    ["a\x9bb", "'a\\x9bb'"],
    ["a\u202Eb", "'a\\u{202e}b'"],
    ["a\u2028b", "'a\\u{2028}b'"],
    ["vsock/4\x072", "'vsock/4\\x072'"],
    ["unix/\0", "'unix/\\x00'"],
  ];
  for (const [host, shown] of examples) {
    const { message } = assertFails("usage", () => parseTarget(host, "22"));
    assertStringIncludes(message, `${shown}: `);
  }
  const { message } = assertFails("usage", () => parseTarget("vsock/3", "2\x1b[2J2"));
  assertStringIncludes(message, "'2\\x1b[2J2'");
});

Deno.test("a long name is cut where it is shown", () => {
  for (const work of [() => parseTarget("a".repeat(10_000), "22"), () => parseTarget("vsock/3", "9".repeat(10_000))]) {
    assertMatch(assertFails("usage", work).message, /^.{100,250}$/u);
    assertStringIncludes(assertFails("usage", work).message, "...'");
  }
});

Deno.test("a target is formatted as the shortest address that stands for it", () => {
  const examples: [target: Target, address: string][] = [
    [{ kind: "unix", path: "/run/s" }, "unix/run/s"],
    [{ kind: "unix", path: "./s" }, "unix/./s"],
    [{ kind: "unix", path: "/" }, "unix//"],
    [{ kind: "unix", path: "//s" }, "unix///s"],
    [{ kind: "unix", path: "/./s" }, "unix//./s"],
    [{ kind: "unix", path: "/../s" }, "unix/../s"],
    [{ kind: "unix", path: "/.s" }, "unix/.s"],
    [{ kind: "unix", path: "/\ns" }, "unix/\ns"],
    [{ kind: "unix", path: "/%s" }, "unix/%s"],
    [{ kind: "vsock", cid: 0, port: 22 }, "vsock/0"],
    [{ kind: "vsock-mux", path: "/vm", port: 22 }, "vsock-mux/vm"],
    [{ kind: "machine", name: "Foo", port: 22 }, "machine/Foo"],
  ];
  for (const [target, address] of examples) assertEquals(formatTarget(target), address);
});

Deno.test("%n wins over %h where ssh has only lower-cased it", () => {
  const examples: [host: string, typed: string | undefined, meant: string][] = [
    ["unix/run/app", "unix/Run/App", "unix/Run/App"],
    ["unix/run/app", "unix/run/app", "unix/run/app"],
    ["unix/run/app", undefined, "unix/run/app"],
    ["unix/run/app", "", "unix/run/app"],
    ["unix/run/app", "alias", "unix/run/app"],
    ["unix/run/app", "unix/Run/App2", "unix/run/app"],
    ["unix/run/app", "unix/Run", "unix/run/app"],
    ["unix/Run/App", "unix/run/app", "unix/run/app"],
    ["unix%run/app", "UNIX%Run/App", "unix%Run/App"],
    ["vsock-mux/run/vm", "Vsock-Mux/run/VM", "vsock-mux/run/VM"],
    ["machine/foo", "machine/Foo", "machine/Foo"],
    ["machine%foo", "Machine%FOO", "machine%FOO"],
    ["machine/foo", "machine/Bar", "machine/foo"],
    ["unix/.host", "unix/.HOST", "unix/.HOST"],
    // Nothing but a path and a machine's name has a case of its own.
    ["Unix%Run/App", "unix%run/app", "Unix%run/app"],
    ["vsock/42", "VSOCK/42", "vsock/42"],
    ["VSOCK%42", "vsock%42", "VSOCK%42"],
    ["Machine%.Host", "machine%.host", "Machine%.Host"],
    ["vsock/host", "vsock/HOST", "vsock/host"],
    ["machine/.host", "Machine/.HOST", "machine/.host"],
    ["machine%.host", "machine%.HOST", "machine%.host"],
    [".host", ".Host", ".host"],
    ["myvm", "MyVM", "myvm"],
    ["unixx", "Unixx", "unixx"],
    // tolower(3) in the C locale leaves these alone, so they are other names.
    ["unix/é", "unix/É", "unix/é"],
    ["unix/k", "unix/\u212A", "unix/k"],
    ["unix/i\u0307", "unix/\u0130", "unix/i\u0307"],
    ["unix/s", "unix/\u017F", "unix/s"],
  ];
  for (const [host, typed, meant] of examples) assertEquals(restoreCase(host, typed), meant);
});

/** Pieces of addresses, so that good ones come up as often as bad ones. */
const PIECES = [
  ...[
    "unix",
    "vsock",
    "vsock-mux",
    "machine",
    ".host",
    "host",
    "local",
    "hypervisor",
    "/",
    "%",
    ".",
    "./",
    "..",
    "0",
    "1",
  ],
  ...[
    "42",
    "4294967295",
    "4294967296",
    "-",
    "+",
    " ",
    "\n",
    "\0",
    "\uFFFD",
    "\uD800",
    "a",
    "Z",
    "é",
    "😀",
    "\x1b",
    "\u202E",
  ],
];

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }).map((pieces) => pieces.join("")),
  fc.tuple(
    fc.constantFrom("unix/", "unix%", "vsock/", "vsock-mux/", "machine/", "machine%"),
    fc.string({ unit: "binary" }),
  )
    .map((parts) => parts.join("")),
);
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
/** What the kernel has a meaning of its own for is not among these. */
const vsockNumber = fc.integer({ min: 0, max: 2 ** 32 - 2 });
const anyPort = fc.oneof(anyText, u32.map(String));

const anyPath = fc.tuple(
  fc.constantFrom("/", "./", "//", "/./", "/../", "/.", "/%", "/ ", "/\n"),
  fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.array(fc.constantFrom("/", ".", "..", "//", " ", "\n", "\r", "%", "\\", "'", "\x1b", "a", "Z", "é", "😀"))
      .map((pieces) => pieces.join("")),
  ),
).map((parts) => parts.join("")).filter((path) => !/[\0\uFFFD]/.test(path));

const anyName = fc.oneof(fc.stringMatching(/^[\w-][\w.-]{0,63}$/), fc.string({ unit: "grapheme" }))
  .filter((name) => !/^(?:\.|$)|[/\uFFFD]|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name));

const anyTarget: fc.Arbitrary<Target> = fc.oneof(
  fc.record({ kind: fc.constant("unix"), path: anyPath }),
  fc.record({ kind: fc.constant("vsock"), cid: vsockNumber, port: vsockNumber }),
  fc.record({ kind: fc.constant("vsock-mux"), path: anyPath, port: u32 }),
  fc.record({ kind: fc.constant("machine"), name: anyName, port: u32 }),
);

Deno.test("no name and port make the parser throw anything but a usage error of one line", () => {
  const seen = { good: 0, refused: 0 };
  fc.assert(
    fc.property(anyText, anyPort, (host, port) => {
      try {
        parseTarget(host, port);
        seen.good++;
      } catch (thrown) {
        assertOneLine(assertFails("usage", () => {
          throw thrown;
        }));
        seen.refused++;
      }
    }),
    { numRuns: 3000 },
  );
  // A generator that only makes bad addresses, or only good ones, would prove little.
  assertEquals(seen.good > 100 && seen.refused > 100, true, JSON.stringify(seen));
});

Deno.test("what the parser makes of any name and port is valid", () => {
  fc.assert(
    fc.property(anyText, anyPort, (host, port) => {
      let target;
      try {
        target = parseTarget(host, port);
      } catch {
        return;
      }
      const isU32 = (number: number) => Number.isInteger(number) && number >= 0 && number < 2 ** 32;
      if (target.kind !== "unix") assertEquals(isU32(target.port) && String(target.port) === port, true);
      if (target.kind === "vsock") {
        assertEquals(isU32(target.cid) && target.cid !== 2 ** 32 - 1 && target.port !== 2 ** 32 - 1, true);
      } else if (target.kind === "machine") assertMatch(target.name, /^[^./\0\uFFFD][^/\0\uFFFD]*$/u);
      else {
        assertMatch(target.path, /^\.?\//);
        assertEquals(target.path.isWellFormed() && !target.path.includes("\0"), true);
      }
    }),
    { numRuns: 3000 },
  );
});

Deno.test("every target that is formatted and parsed again is the same target", () => {
  fc.assert(
    fc.property(anyTarget, (target) => {
      const port = target.kind === "unix" ? "22" : String(target.port);
      assertEquals(parseTarget(formatTarget(target), port), target);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a path or a machine's name is the typed one for every change of ASCII case, and nothing but the names' own letters ever is", () => {
  const anyCase = (text: string, flips: Iterator<boolean>) =>
    text.replace(/[a-zA-Z]/g, (letter) => flips.next().value ? letter.toUpperCase() : letter.toLowerCase());
  fc.assert(
    fc.property(
      fc.constantFrom("unix/", "unix%", "vsock-mux/", "vsock-mux%", "machine/", "machine%"),
      anyText.filter((text) => text.toLowerCase() !== ".host"),
      fc.infiniteStream(fc.boolean()),
      (form, path, flips) => {
        const host = form + path.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
        const typed = anyCase(path, flips);
        assertEquals(restoreCase(host, anyCase(form, flips) + typed), form + typed);
      },
    ),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(anyText, fc.option(anyText, { nil: undefined }), (host, typed) => {
      assertEquals(restoreCase(host, typed).toLowerCase(), host.toLowerCase());
    }),
    { numRuns: 500 },
  );
});
