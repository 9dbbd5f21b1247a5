/**
 * Adds address forms to a copy of the sources as docs/design.md tells to, and looks for them everywhere.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dropIn } from "../../commands/config/drop_in.ts";
import { bytes } from "../support/sockets.ts";
import { CHECKOUT, Folder, outputOf, testWith } from "./support.ts";

/** Forms by the names of their files. SOCKETS is a directory. */
const FORMS = {
  /** The least that a form has. */
  echo: `import { escapeForTerminal } from "../core/text.ts";
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
`,
  /** A socket with a handshake and a port. */
  polite: `import type { SocketForm } from "./form.ts";
import { parsePath, shortPath } from "./socket_path.ts";

export interface PoliteTarget {
  readonly kind: "polite";
  readonly path: string;
  readonly port: number;
}

export const polite: SocketForm<PoliteTarget> = {
  name: "polite",
  argument: "PATH",
  brief: "a server that wants a greeting",
  keepsCase: true,
  takesPort: true,
  completesPaths: true,
  parse: (text) => ({ kind: "polite", path: parsePath(text), port: text.port }),
  format: ({ path }) => shortPath(path),
  describe: ({ path }) => \`a polite server: \${path}\`,
  endpoint: ({ path }) => ({ family: "unix", path }),
  atPath: (target, path) => ({ ...target, path }),
  handshake: {
    peer: "the porter",
    async perform(socket, { port }, deadline) {
      await socket.send(new TextEncoder().encode(\`HELLO \${port}\\n\`), { timeout: deadline.leftForCall });
      await socket.receive(new Uint8Array(3), { timeout: deadline.leftForCall });
    },
  },
};
`,
  /** Names for other addresses. The name of the form is the longest. */
  nickname: `import type { NameForm } from "./form.ts";

export interface NicknameTarget {
  readonly kind: "affectionate-nickname";
  readonly name: string;
  readonly port: number;
}

export const nickname: NameForm<NicknameTarget> = {
  name: "affectionate-nickname",
  argument: "NAME",
  brief: "a name for a polite server",
  keepsCase: true,
  takesPort: true,
  parse: ({ rest, port }) => ({ kind: "affectionate-nickname", name: rest, port }),
  format: ({ name }) => name,
  describe: ({ name }) => \`a nickname: \${name}\`,
  resolve: ({ name }) => Promise.resolve(name === "me" ? "affectionate-nickname/you" : \`polite/SOCKETS/\${name}\`),
};
`,
};

/** A copy of the sources with the forms in it, and a directory with their sockets. */
class Copy implements Disposable {
  readonly folder = new Folder();
  readonly sockets = this.folder.at("sockets");

  constructor() {
    const parts = ["deno.json", "deno.lock", "cli.ts", "mod.ts", "proxy.ts"];
    const layers = ["core", "ffi", "addresses", "proxy", "commands"];
    outputOf("cp", "-R", ...[...parts, ...layers].map((part) => `${CHECKOUT}/${part}`), this.folder.path);
    Deno.symlinkSync(`${CHECKOUT}/rust`, this.folder.at("rust"));
    Deno.mkdirSync(this.sockets);
    const names = Object.keys(FORMS);
    for (const [name, text] of Object.entries(FORMS)) {
      this.folder.file(`addresses/${name}.ts`, text.replace("SOCKETS", this.sockets));
    }
    this.#edit(
      "addresses/forms.ts",
      (list) =>
        list.replace(/^import /m, `${names.map((name) => `import { ${name} } from "./${name}.ts";\n`).join("")}import `)
          .replace("[unix,", `[${names.join(", ")}, unix,`),
    );
    const types = names.map((name) => `${name[0]!.toUpperCase()}${name.slice(1)}Target`);
    this.#edit(
      "mod.ts",
      (module) =>
        module.replace("export type { MachineTarget", `export type { ${types.join(", ")}, MachineTarget`)
          .replace("Target = UnixTarget", `Target = ${types.join(" | ")} | UnixTarget`)
          .replace(
            /^import /m,
            `${
              names.map((name, at) => `import type { ${types[at]} } from "./addresses/${name}.ts";\n`).join("")
            }import `,
          ),
    );
  }

  #edit(file: string, edit: (text: string) => string): void {
    this.folder.file(file, edit(Deno.readTextFileSync(this.folder.at(file))));
  }

  /** Runs the program, and returns what it prints and its exit code. */
  async run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    return await this.runModule("cli.ts", ...args);
  }

  async runModule(module: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const grants = ["--allow-ffi", "--allow-read", "--allow-env", "--allow-sys", "--allow-run"];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--frozen", ...grants, this.folder.at(module), ...args],
      cwd: this.folder.path,
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, out: out!, err: err! };
  }

  /** Serves connections to a socket until the returned value is disposed. */
  serve(name: string, serve: (connection: Deno.UnixConn) => Promise<void>): AsyncDisposable {
    const listener = Deno.listen({ transport: "unix", path: `${this.sockets}/${name}` });
    const served = (async () => {
      for await (const connection of listener) {
        serve(connection).catch(() => {}).finally(() => connection.close());
      }
    })();
    return {
      async [Symbol.asyncDispose]() {
        listener.close();
        await served.catch(() => {});
      },
    };
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

const copy = new Copy();
Deno.test.afterAll(() => copy[Symbol.dispose]());

const BANNER = "SSH-2.0-New\r\n";

/** Takes a greeting, and answers it before the banner. */
async function answer(connection: Deno.UnixConn): Promise<void> {
  const greeting = new Uint8Array(32);
  const length = await connection.read(greeting);
  if (length === null) return;
  assertEquals(new TextDecoder().decode(greeting.subarray(0, length)), "HELLO 2222\n");
  await connection.write(bytes(`OK\n${BANNER}`));
}

Deno.test("the types of the sources fit new forms", () => {
  outputOf("sh", "-c", 'cd "$1" && "$0" check --frozen cli.ts proxy.ts mod.ts', Deno.execPath(), copy.folder.path);
});

Deno.test("new forms are in --help, in the hints, and in what each shell completes", async () => {
  const help = (await copy.run("--help")).out;
  assertMatch(help, /^ {2}echo\/NAME +an echo server of this test$/m);
  assertMatch(help, /^ {2}affectionate-nickname\/NAME +a name for a polite server$/m);
  assertStringIncludes((await copy.run("telnet/x", "22")).err, "an address is echo/NAME, polite/PATH, affect");
  assertStringIncludes((await copy.run("ecko/x", "22")).err, "did you mean echo/x?");
  assertStringIncludes((await copy.run("afectionate-nicknam/x", "22")).err, "did you mean affectionate-nickname/x?");
  for (const shell of ["bash", "zsh", "fish"]) {
    const { out } = await copy.run("completions", shell);
    for (const form of ["echo", "polite", "affectionate-nickname"]) assertMatch(out, new RegExp(`\\b${form}/ `), shell);
  }
});

Deno.test("the hints for a missing socket, and for a directory, are about the new form", async () => {
  Deno.mkdirSync(`${copy.sockets}/directory`);
  await using _near = copy.serve("Name", () => Promise.resolve());
  const hint = async (address: string) => (await copy.run(address, "22")).err.trimEnd().split("\n").at(-1)!.trim();
  assertStringIncludes(await hint(`polite${copy.sockets}/name`), `did you mean polite${copy.sockets}/Name?`);
  assertMatch(await hint(`polite${copy.sockets}/directory`), / --alias NAME=polite\/PATH$/);
  assertMatch(await hint(`polite${copy.sockets}/x:22`), /^did you mean polite\/?\S+\/x 22\?/);
  // A form whose rest is no path.
  assertStringIncludes(await hint("echo/name"), `is it ${copy.sockets}/Name?`);
  assertMatch(await hint("echo/directory"), / --alias NAME=echo\/NAME$/);
  assertMatch(await hint("echo/x:22"), /^did you mean echo\/x\?/);
});

testWith("ssh", "ssh uses the program for new forms, by the drop-in", async () => {
  const { out } = await copy.run("config");
  const file = copy.folder.file("ssh_config", out);
  const configFor = (host: string) => outputOf("ssh", "-G", "-F", file, host);
  for (const host of ["echo/x", "ECHO/x", "Echo%X", "affectionate-nickname/x", "Affectionate-Nickname/x"]) {
    assertMatch(configFor(host), /^proxycommand .*\/proxy\.ts /m, host);
  }
  // Names that differ in case alone would share a connection.
  assertMatch(configFor("echo/x"), /^controlpath .*\/dsp-/m);
  assert(!/^controlpath /m.test(configFor("echo/X")));
}, ["-V"]);

Deno.test("a drop-in from before a form was there counts as unedited, and one with a pattern less does not", async () => {
  const module = copy.folder.file(
    "is_unedited.ts",
    `import { dropIn } from "./commands/config/drop_in.ts";
import { isUnedited } from "./commands/config/earlier_drop_in.ts";
console.log(Deno.args.map((text) => isUnedited(text, dropIn("/usr/bin/deno-ssh-proxy"))).join());
`,
  ).slice(copy.folder.path.length + 1);
  const before = dropIn("/usr/local/bin/deno-ssh-proxy");
  const files = [
    before,
    before.replace(" vsock%*", ""),
    before.replaceAll("unix/*", "unix/run/*"),
    `${before}# mine\n`,
  ];
  const { out, err } = await copy.runModule(module, ...files);
  assertEquals(out, "true,false,false,false\n", err);
});

Deno.test("install.sh finds no edit in the drop-in of new forms, and one that was made", async () => {
  const { out } = await copy.run("config");
  const isEdited = (text: string) => {
    const script = '. "$1"; if is_edited "$2"; then echo edited; else echo unedited; fi';
    const file = copy.folder.file("drop_in", text);
    return outputOf("sh", "-c", script, "sh", `${CHECKOUT}/install/ssh_config.sh`, file).trim();
  };
  assertEquals(isEdited(out), "unedited");
  assertEquals(isEdited(`${out}    Compression yes\n`), "edited");
  assertEquals(isEdited(`${out}Host mine\n`), "edited");
});

Deno.test("an address of a new form is connected to, and check knows its steps", async () => {
  await using _server = copy.serve("x", async (connection) => void await connection.write(bytes(BANNER)));
  const relayed = await copy.run("echo/x", "22", "--relay");
  assertEquals([relayed.code, relayed.out], [0, BANNER], relayed.err);
  const { out, err } = await copy.run("check", "echo/x", "--json");
  const { steps } = JSON.parse(out);
  assertEquals(stepsOf(steps).slice(0, 5), ["address ok", "socket ok", "connect ok", "peer ok", "banner ok"], err);
  assertEquals(steps[0].facts, { kind: "echo", name: "x" });
  assert(steps[0].says.includes("an echo server: x"), steps[0].says);
});

Deno.test("a name of a new form leads to its address, with the port, through the handshake of that one", async () => {
  await using _server = copy.serve("friend", answer);
  const relayed = await copy.run("affectionate-nickname/friend", "2222", "--relay");
  assertEquals([relayed.code, relayed.out], [0, BANNER], relayed.err);
  const { out, err } = await copy.run("check", "affectionate-nickname/friend", "2222", "--json");
  assertEquals(stepsOf(JSON.parse(out).steps).slice(0, 7), [
    "address ok",
    "affectionate-nickname ok",
    "socket ok",
    "connect ok",
    "peer ok",
    "handshake ok",
    "banner ok",
  ], err);
  const lines = (await copy.run("check", "affectionate-nickname/friend", "2222")).out.split("\n");
  for (const name of ["address", "affectionate-nickname", "handshake"]) {
    assert(lines.some((line) => line.slice(2, 24).trimEnd() === name && line[24] !== " "), lines.join("\n"));
  }
});

Deno.test("a handshake that gets no answer, or loses its connection, is no defect, and check says so too", async () => {
  await using _silent = copy.serve("silent", async (connection) => {
    const received = new Uint8Array(32);
    while (await connection.read(received) !== null);
  });
  // Closing a connection with unread bytes resets it.
  await using _ending = copy.serve("ending", async (connection) => void await connection.read(new Uint8Array(1)));
  const address = `polite${copy.sockets}/silent`;
  const { code, err } = await copy.run(address, "22", "--timeout", "0.3");
  assertEquals(code, 75, err);
  assertMatch(err, /polite\/\S+\/silent port 22: the porter did not answer within 0\.3 s$/m);
  const checked = await copy.run("check", address, "--timeout", "0.3", "--json");
  assertEquals(stepsOf(JSON.parse(checked.out).steps).slice(0, 6).at(4), "handshake failed", checked.err);
  const named = await copy.run("affectionate-nickname/silent", "22", "--timeout", "0.3");
  assertMatch(named.err, /affectionate-nickname\/silent is polite\/\S+ port 22: the porter did not/);
  const lost = await copy.run(`polite${copy.sockets}/ending`, "22");
  assertEquals(lost.code, 69, lost.err);
  assertMatch(lost.err, /\/ending port 22: the porter ended the connection in the handshake$/m);
});

Deno.test("a name that stands for another name is refused, with both of them", async () => {
  const { code, err } = await copy.run("affectionate-nickname/me", "22");
  assertEquals(code, 78, err);
  assertStringIncludes(err, "affectionate-nickname/me is affectionate-nickname/you, which is a name too\n");
});

function stepsOf(steps: readonly { name: string; status: string }[]): string[] {
  return steps.map(({ name, status }) => `${name} ${status}`);
}
