import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { bareHostNames } from "../../commands/config/bare_host_names.ts";
import { matchesPattern } from "../../commands/ssh/config_lines.ts";
import { Folder } from "../../tools/checkout.ts";

/** What is found in a config with these files beside it: the names and what they stand for, and whether they can be one. */
function found(config: string, files: Record<string, string> = {}): string[] {
  using folder = new Folder();
  for (const [name, text] of Object.entries({ config, ...files })) {
    if (name.includes("/")) Deno.mkdirSync(folder.at(name.slice(0, name.lastIndexOf("/"))), { recursive: true });
    folder.file(name, text);
  }
  const roots = { directory: folder.path, home: folder.path };
  return bareHostNames([folder.at("config")], roots).map(({ file, line, command = "none" }) =>
    `${file.slice(folder.path.length + 1)}:${line} ${command.replace(/^.* --alias /, "")}`
  );
}

Deno.test("each name of a Host line is found whose HostName is an address of some form", () => {
  assertEquals(found("Host a b *.c !d ?\n  HostName vsock/42\n"), ["config:2 a=vsock/42", "config:2 b=vsock/42"]);
  for (const address of ["unix/run/App.sock", "vsock-mux%run/x", "machine/web", ".host", "unix/run/a:b"]) {
    assertEquals(found(`Host a\nHostName ${address}\n`), [`config:2 a=${address}`]);
  }
  assertEquals(found("Host a\nHostName unix/run/a:1\n"), ["config:2 a=unix/run/a:1:22"]);
  for (
    const address of ["example.org", "unix.example.org", "vsock", "vsock/x", "telnet/1", "10.0.0.1", "fe80::1%eth0"]
  ) {
    assertEquals(found(`Host a\nHostName ${address}\n`), [], address);
  }
  assertEquals(found(""), []);
});

Deno.test("lines are read as ssh reads them", () => {
  for (
    const config of [
      "HOST=a\nhostname = vsock/42\n",
      'Host "a"\nHostName "vsock/42"\n',
      "Host 'a'\r\n\tHostName\tvsock/42 \r\n",
      "Host a # a comment\nHostName vsock/42 # another\n",
      "Host a\nHostName vsock/42\nHostName example.org\n",
      "Host a\nHostName VSOCK/42\n",
    ]
  ) assertEquals(found(config), ["config:2 a=vsock/42"], config);
  assertEquals(found("Host 42\nHostName vsock/%h\n"), ["config:2 42=vsock/42"]);
  assertEquals(found("Host a\nHostName vsock-mux%%run/X.sock\n"), ["config:2 a=vsock-mux%run/X.sock"]);
  assertEquals(found("Host a\n#HostName vsock/42\n"), []);
  // The first value that ssh finds counts.
  assertEquals(found("Host a\nHostName vsock/1\nHost a\nHostName vsock/2\n"), ["config:2 a=vsock/1"]);
});

Deno.test("the port of the block goes with it", () => {
  assertEquals(found("Host a\nPort 2222\nHostName vsock/42\n"), ["config:3 a=vsock/42:2222"]);
  assertEquals(found("Host a\nHostName vsock/42\nPort 22\nPort 23\n"), ["config:2 a=vsock/42"]);
});

Deno.test("a name with a ProxyCommand or a ProxyJump is left out, wherever that stands", () => {
  for (
    const config of [
      "Host a\nHostName vsock/42\nProxyCommand x\n",
      "Host a\nProxyJump x\nHostName vsock/42\n",
      "Host a\nHostName vsock/42\nHost ?\nProxyCommand x\n",
      "ProxyCommand x\nHost a\nHostName vsock/42\n",
    ]
  ) assertEquals(found(config), [], config);
  assertEquals(found("Host a\nHostName vsock/42\nHost * !a\nProxyCommand x\n"), ["config:2 a=vsock/42"]);
});

Deno.test("a Match ends a block, and has no names", () => {
  assertEquals(found("Host a\nUser x\nMatch user y\nHostName vsock/42\n"), []);
  assertEquals(found("Host a\nHostName vsock/42\nMatch user y\nProxyCommand x\n"), ["config:2 a=vsock/42"]);
});

Deno.test("included files are read, in the block that includes them", () => {
  assertEquals(
    found("Include d/*.conf more\nHost z\nHostName vsock/9\n", {
      "d/2.conf": "Host b\nHostName vsock/2\n",
      "d/1.conf": "Host a\nHostName vsock/1\n",
      "d/.3.conf": "Host c\nHostName vsock/3\n",
      "d/other": "Host d\nHostName vsock/4\n",
      more: 'Include "~/d/other"\n',
    }),
    ["d/1.conf:2 a=vsock/1", "d/2.conf:2 b=vsock/2", "d/other:2 d=vsock/4", "config:3 z=vsock/9"],
  );
  const inner = { inner: "HostName vsock/42\nHost b\nHostName vsock/43\n" };
  assertEquals(found("Host a\nInclude inner\nPort 23\n", inner), ["inner:1 a=vsock/42:23", "inner:3 b=vsock/43"]);
  assertEquals(found("Host a\nInclude inner\nProxyCommand x\n", inner), ["inner:3 b=vsock/43"]);
});

Deno.test("what cannot be read is left out, and a file that includes itself ends nothing", () => {
  assertEquals(found("Include none none/* d config config *\nHost a\nHostName vsock/1\n", { "d/x": "" }), [
    "config:3 a=vsock/1",
  ]);
});

Deno.test("a name that cannot be an alias has no command", () => {
  assertEquals(found("Host my+vm\nHostName vsock/42\n"), ["config:2 none"]);
});

Deno.test("a pattern has two characters of its own, and all others stand for themselves", () => {
  for (
    const [name, pattern] of [["a.b", "a.?"], ["machine%.host", "machine%.*"], ["", "*"], ["\u{1f4a9}", "?"]] as const
  ) {
    assertEquals(matchesPattern(name, pattern), true, pattern);
  }
  assertEquals(matchesPattern("axb", "a.b"), false);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (name) => {
    if (!/[*?]/.test(name)) assertEquals(matchesPattern(name, name), true);
  }));
});
