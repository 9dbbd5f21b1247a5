/**
 * A form of addresses that is new: one file, an import and an entry in the list. Everything else has to know it by that.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { listen } from "../support/sockets.ts";
import { CHECKOUT, Folder, outputOf, testWith } from "./support.ts";

const FORM = `import { escapeForTerminal } from "../core/text.ts";
import type { SocketForm } from "./form.ts";

export interface EchoTarget {
  readonly kind: "echo";
  readonly name: string;
}

export const echo: SocketForm<EchoTarget> = {
  name: "echo",
  argument: "NAME",
  brief: "an echo server of this test",
  keepsCase: true,
  takesPort: false,
  parse: ({ rest }) => ({ kind: "echo", name: rest }),
  format: ({ name }) => name,
  describe: ({ name }) => \`an echo server: \${escapeForTerminal(name)}\`,
  endpoint: ({ name }) => ({ family: "unix", path: \`SOCKETS/\${name}\` }),
};
`;

/** A copy of the sources with the form in it, and a directory with its sockets. */
class Copy implements Disposable {
  readonly folder = new Folder();

  constructor() {
    const parts = ["deno.json", "deno.lock", "cli.ts", "proxy.ts", "core", "ffi", "addresses", "proxy", "commands"];
    outputOf("cp", "-R", ...parts.map((part) => `${CHECKOUT}/${part}`), this.folder.path);
    Deno.symlinkSync(`${CHECKOUT}/rust`, this.folder.at("rust"));
    Deno.mkdirSync(this.folder.at("sockets"));
    this.folder.file("addresses/echo.ts", FORM.replace("SOCKETS", this.folder.at("sockets")));
    const list = Deno.readTextFileSync(this.folder.at("addresses/forms.ts"));
    this.folder.file(
      "addresses/forms.ts",
      list.replace("import ", 'import { echo } from "./echo.ts";\nimport ').replace("[unix,", "[echo, unix,"),
    );
  }

  /** Runs the program, and returns what it prints and its exit code. */
  async run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const grants = ["--allow-ffi", "--allow-read", "--allow-env", "--allow-sys", "--allow-run"];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--frozen", ...grants, this.folder.at("cli.ts"), ...args],
      cwd: this.folder.path,
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, out: out!, err: err! };
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

Deno.test("the types of the sources fit a new form", () => {
  using copy = new Copy();
  outputOf("sh", "-c", 'cd "$1" && "$0" check --frozen cli.ts proxy.ts', Deno.execPath(), copy.folder.path);
});

Deno.test("a new form is in --help, in the hints, and in what each shell completes", async () => {
  using copy = new Copy();
  assertStringIncludes((await copy.run("--help")).out, "  echo/NAME       an echo server of this test\n");
  assertStringIncludes((await copy.run("telnet/x", "22")).err, "an address is echo/NAME, unix/PATH, vsock/CID");
  assertStringIncludes((await copy.run("ecko/x", "22")).err, "did you mean echo/x?");
  assertStringIncludes((await copy.run("echo/x:22", "22")).err, "echo/x:22: the socket does not exist");
  for (const shell of ["bash", "zsh", "fish"]) {
    assertMatch((await copy.run("completions", shell)).out, /\becho\/ /, shell);
  }
});

testWith("ssh", "ssh uses the program for a new form, by the drop-in", async () => {
  using copy = new Copy();
  const { out } = await copy.run("config");
  const file = copy.folder.file("ssh_config", out);
  const configFor = (host: string) => outputOf("ssh", "-G", "-F", file, host);
  for (const host of ["echo/x", "ECHO/x", "Echo%X"]) {
    assertMatch(configFor(host), /^proxycommand .*\/proxy\.ts /m, host);
  }
  // Names that differ in case alone would share a connection.
  assertMatch(configFor("echo/x"), /^controlpath .*\/dsp-/m);
  assert(!/^controlpath /m.test(configFor("echo/X")));
}, ["-V"]);

Deno.test("an address of a new form is connected to, and check knows its steps", async () => {
  using copy = new Copy();
  using listener = listen(copy.folder.at("sockets/x"));
  const answering = (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("SSH-2.0-Echo\r\n"));
      connection.close();
    }
  })();
  const relayed = await copy.run("echo/x", "22", "--relay");
  assertEquals([relayed.code, relayed.out], [0, "SSH-2.0-Echo\r\n"], relayed.err);
  const { out, err } = await copy.run("check", "echo/x", "--json");
  const { steps } = JSON.parse(out);
  assertEquals(steps.slice(0, 5).map(({ name, status }: Record<string, string>) => [name, status]), [
    ["address", "ok"],
    ["socket", "ok"],
    ["connect", "ok"],
    ["peer", "ok"],
    ["banner", "ok"],
  ], err);
  assertEquals(steps[0].facts, { kind: "echo", name: "x" });
  assert(steps[0].says.includes("an echo server: x"), steps[0].says);
  listener.close();
  await answering.catch(() => {});
});
