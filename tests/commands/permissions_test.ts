import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { inTime } from "../../tools/waiting.ts";
import { runAsSsh } from "../support/as_ssh.ts";
import { COMMAND_LINES, WAITS_FOR } from "../support/command_lines.ts";
import { Installation } from "../support/installation.ts";
import { knows, Machined, VM } from "../support/machined.ts";
import { bytes, listen } from "../support/sockets.ts";
import { denoWith, grantsIn, single, spyOn, starterWith } from "./grants.ts";
import { SshWith } from "./ssh_with.ts";
import { run } from "./typed.ts";

// config and list have tests of their own for this: config_test.ts and list_test.ts.

const installation = new Installation();
const door = new Folder();
const alias = (await run([installation.shim, "config", "--alias", `vm=unix${door.at("s")}`])).out;
const ssh = new SshWith(alias);
/** ssh's configuration, and a locale for the marks of check. */
const ENV = { ...ssh.env, LC_ALL: "C.UTF-8" };
Deno.test.afterAll(() => {
  ssh[Symbol.dispose]();
  door[Symbol.dispose]();
  installation[Symbol.dispose]();
});
const PROGRAM = installation.program;
const FFI = `--allow-ffi=${PROGRAM}/libdeno_ssh_proxy.so`;

const SSH = `--allow-run=${PROGRAM}/deno-ssh-proxy`;

/** What the starter would start for these words: the grants, and the script. */
async function started(words: string[]): Promise<{ grants: string[]; script: string }> {
  using folder = new Folder();
  const { out } = await run([spyOn(installation.shim, folder.path).path, ...words], ENV);
  const script = out.split("\n").find((argument) => argument.endsWith(".mjs"))!;
  return { grants: grantsIn(out), script: script.slice(PROGRAM.length + 1) };
}

Deno.test("whatever is started asks nobody, and takes nothing that lies about for its own", async () => {
  for (
    const words of [["unix/s", "22"], ["machine/foo", "22"], ["check", "unix/s"], ["list"], ["config", "--install"]]
  ) {
    using folder = new Folder();
    const { out } = await run([spyOn(installation.shim, folder.path).path, ...words], ssh.env);
    const lines = out.trimEnd().split("\n");
    const script = lines.findIndex((line) => line.endsWith(".mjs"));
    assertEquals(
      lines.slice(0, script).filter((line) => !line.startsWith("--allow-")),
      ["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "--no-remote", "--no-npm", "--no-code-cache"],
    );
    // What was typed is behind the script as it was, and nothing is started after that.
    assertEquals(lines.slice(script + 1).filter((line) => !line.startsWith("env: ")), words);
  }
});

/** A server that greets everybody who comes. */
async function greeted<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
  using listener = listen(path);
  const greeting = (async () => {
    for await (const connection of listener) {
      await connection.write(bytes("SSH-2.0-x\r\n"));
      connection.read(new Uint8Array(1)).catch(() => {}).finally(() => connection.close());
    }
  })().catch(() => {});
  try {
    return await inTime(work());
  } finally {
    listener.close();
    await greeting;
  }
}

/** A row of commands that a person types: what each is started with, and that none of it is too much. */
for (
  const [words, expected] of [
    [["--help"], []],
    [["-h"], []],
    [["completions", "bash"], []],
    [["help"], []],
    [["help", "check"], []],
    [["--version"], [FFI]],
    [["version"], [FFI]],
    [["-V"], [FFI]],
    [["wait", "ADDRESS"], [FFI]],
    [["wait", "somebody@ADDRESS"], [FFI]],
    [["wait", "--timeout", "5", "vm"], [FFI, SSH]],
    [["check", "ADDRESS", "--json"], [
      FFI,
      "--allow-read=/etc/passwd,/etc/group",
      SSH,
    ]],
    [["check", "ADDRESS"], [
      FFI,
      "--allow-read=/etc/passwd,/etc/group",
      SSH,
      "--allow-env=SAVED_LC_ALL",
    ]],
  ] as [string[], string[]][]
) {
  Deno.test(`${words.join(" ")} has exactly the grants that it needs`, async () => {
    const path = door.at("s");
    const args = words.map((word) => word.replace("ADDRESS", `unix${path}`));
    const { grants, script } = await started(args);
    assertEquals([grants, script], [expected, "cli.mjs"]);
    await greeted(path, async () => {
      const with_ = async (grants: string[]) => {
        const { code, out } = await run([...starterWith(PROGRAM, grants), `${PROGRAM}/cli.mjs`, ...args], ENV);
        // What is another number each time.
        return { code, out: out.replace(/"milliseconds": .*|\(after .*|"pid": .*|\(\d+\.\d ms\)/g, "") };
      };
      const all = await with_(single(grants));
      assertEquals(all.code, 0);
      for (const left of single(grants)) {
        assertNotEquals(await with_(single(grants).filter((grant) => grant !== left)), all, left);
      }
    });
  });
}

Deno.test("the starter runs the script that a command line needs, and for an address with the library alone", async () => {
  for (const [words, script] of COMMAND_LINES) {
    const { grants, script: run } = await started([...words]);
    assertEquals(run, `${script}.mjs`, words.join(" "));
    if (script !== "cli") assertEquals(grants, [FFI], words.join(" "));
  }
});

Deno.test("wait may ask ssh about a name, and about no address, with a user or without", async () => {
  for (const [word, asksSsh] of WAITS_FOR) {
    for (const words of [["wait", word], ["wait", "--timeout", "1", word], ["wait", word, "22"]]) {
      assertEquals((await started(words)).grants, asksSsh ? [FFI, SSH] : [FFI], words.join(" "));
    }
  }
});

for (const name of ["db.hosted", "db.host", ".hosted", "machine", "wait"]) {
  Deno.test(`wait ${name}, which is a name and no address, may ask ssh what it stands for`, async () => {
    for (const words of [["wait", name], ["wait", `somebody@${name}`], ["wait", "--timeout", "1", name]]) {
      assertEquals((await started(words)).grants, [FFI, SSH], words.join(" "));
    }
    const { code, err } = await run([installation.shim, "wait", "--timeout", "1", name], ssh.env);
    assertEquals([code, err.includes("neither an address nor a name that ssh has for one")], [64, true], err);
  });
}

Deno.test("list has the library and one folder to look into", async () => {
  assertEquals((await started(["list", "--json"])).grants, [FFI, "--allow-read=/run/systemd/nspawn"]);
});

Deno.test("an option before the address starts a program that takes it all the same", async () => {
  for (
    const words of [["--wait", "unix/s", "22"], ["--timeout", "5", "unix/s", "22"], [
      "--as-typed=unix/S",
      "unix/s",
      "22",
    ]]
  ) {
    const { grants, script } = await started(words);
    assertEquals(grants, [FFI], words.join(" "));
    assert(script === "proxy.mjs" || script === "cli.mjs", script);
    // It was understood, all but what is missing.
    const { code, err } = await run([installation.shim, ...words.slice(0, -1)]);
    assertEquals([code, /given$/m.test(err)], [64, true], err);
  }
});

Deno.test("the proxy has no way to connect without its grant, and with it needs no other", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  await using _machined = new Machined(folder.path, knows({ ...VM, vSockCid: undefined, sshAddress: `unix${path}` }));
  using _listener = listen(path);
  for (const address of [`unix${path}`, "machine/foo"]) {
    const words = [`${PROGRAM}/proxy.mjs`, address, "22"];
    const env = { XDG_RUNTIME_DIR: folder.path, HOME: folder.path };
    const without = await runAsSsh([...denoWith([]), ...words], { env });
    assertEquals([without.code, without.messages], [77, []], without.stderr);
    const { code, messages, stderr } = await runAsSsh([...denoWith([FFI]), ...words], { env });
    assertEquals([code, messages.length], [0, 1], stderr);
    for (const fd of messages.flatMap(({ fds }) => fds)) fd.close();
  }
});

Deno.test("docs/permissions.md has a row for every command", async () => {
  const text = await Deno.readTextFile(`${CHECKOUT}/docs/permissions.md`);
  const { COMMANDS } = await import("../../commands/commands.ts");
  const rows = text.split("## The other ways to run it")[1]!.split("\n").filter((line) => /^\| [`]/.test(line));
  for (const { name } of COMMANDS) assert(rows.some((row) => row.split("|")[1]!.includes(`\`${name}`)), name);
});
