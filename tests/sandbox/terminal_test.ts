import { assert, assertEquals, assertMatch } from "@std/assert";
import { exists } from "../../commands/config/replace.ts";
import { Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf, works } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { denoWith } from "../commands/grants.ts";
import { compile, StandIn } from "../commands/monitors.ts";
import { SshWith } from "../commands/ssh_with.ts";
import { InTerminal, run } from "../commands/typed.ts";
import { hasNamespaces, Home } from "../support/home.ts";
import { Installation } from "../support/installation.ts";
import { type Answer, CONTAINER, knows, Machined, varlink, VM, writeAll } from "../support/machined.ts";
import { OWN_MOUNTS } from "../support/ordinary_user.ts";
import { latin1, listen } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";

// Text from outside, in every place that it can come from, and what a person is shown of it.

const installation = new Installation();
const programs = new Folder();
Deno.test.afterAll(() => {
  programs[Symbol.dispose]();
  installation[Symbol.dispose]();
});
const { shim } = installation;

/** Clears the screen, in 7 and in 8 bits; rings; turns the text round; ends the line; and is not seen at all. */
const HOSTILE = "\x1b[2J\x9b2J\x07\u202e\u2028\u{e0041}!";

/** What there is to see of it. */
const SHOWN = "\\x1b[2J\\x9b2J\\x07\\u{202e}\\u{2028}\\u{e0041}!";

/** The same of what is not taken for UTF-8: a character a byte, up to the second end of line. */
const SHOWN_BYTES = "\\x1b[2J\xc2\\x9b2J\\x07\xe2\\x80\xae\xe2\\x80\xa8";

/** `text` in UTF-8, a character a byte. */
function utf8(text: string): string {
  return latin1(new TextEncoder().encode(text));
}

/** The same in an ssh_config or a socket's path, where some of it cannot be. */
const LONG = `${HOSTILE}${"x".repeat(20_000)}`;

/** How much may be shown where a name has no end: a few names, each cut. */
const LONGEST_SHOWN = 3_000;

/** Runs words to their end, and gives all that they wrote. */
type Show = (words: string[], env?: Record<string, string>) => Promise<string>;

/** Without what is drawn anew, which is this program's own. */
const PLAIN = { NO_COLOR: "1" };

const SHOWS: Record<string, Show> = {
  "a terminal": async (words, env = {}) => {
    const [program = "", ...args] = words;
    const whole = pathOf(program);
    using terminal = new InTerminal([whole, ...args], { PATH: SEARCH_PATH, ...PLAIN, ...env });
    await inTime(terminal.end(), 20_000);
    return new TextDecoder().decode(Uint8Array.from(terminal.shown, (character) => character.charCodeAt(0)));
  },
  "a pipe": async (words, env = {}) => {
    const { out, err } = await inTime(run(words, { ...PLAIN, ...env }), 20_000);
    return out + err;
  },
};

/** That nothing in `text` steers a terminal. */
function assertHarmless(text: string): void {
  const steering = text.replaceAll("\r\n", "\n").match(/[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/u);
  assertEquals(steering?.[0], undefined, JSON.stringify(text));
}

/** A place that text from outside comes from. */
interface Source {
  /** Shows a command that meets `hostile` there. */
  meets: (show: Show, hostile: string) => Promise<string>;
  /** What is seen of it, where that is not all. */
  shown?: string;
  /** Whether it can be as long as one likes. */
  long?: false;
  /** Whether this can be done here. */
  can?: boolean;
}

/** Has a server at `path` say this to each who comes, once they have said something where it `listens`. */
async function served<Value>(path: string, says: string, work: () => Promise<Value>, listens = false): Promise<Value> {
  using listener = listen(path);
  const serving = (async () => {
    for await (const connection of listener) {
      if (listens) await connection.read(new Uint8Array(64));
      await writeAll(connection, utf8(says)).catch(() => {});
      connection.read(new Uint8Array(1)).catch(() => {}).finally(() => connection.close());
    }
  })().catch(() => {});
  try {
    return await work();
  } finally {
    listener.close();
    await serving;
  }
}

/** Shows these words for a user whose systemd-machined answers so. */
function withMachined(answer: (hostile: string) => Answer, ...words: string[]): Source["meets"] {
  return async (show, hostile) => {
    using folder = new Folder();
    await using _machined = new Machined(folder.path, answer(hostile));
    return await show([shim, ...words], { XDG_RUNTIME_DIR: folder.path });
  };
}

const described =
  (machine: (hostile: string) => Record<string, unknown>) => (hostile: string): Answer => (connection) =>
    writeAll(connection, utf8(varlink({ parameters: machine(hostile) })));
const BARE = { ...VM, vSockCid: undefined };
const MACHINE = ["machine/foo", "22"];

/** In a path, all but what ends a file name; and short enough to be bound to. */
const IN_PATH = HOSTILE;

/** Shows these words, with a server whose path has it in it, and which says this. */
function withSocket(form: string, says: (hostile: string) => string, ...words: string[]): Source["meets"] {
  return async (show, hostile) => {
    using folder = new Folder();
    const [first, ...rest] = words.length > 0 ? words : [""];
    const place = [`${form}${folder.at("s")}`, "22"];
    const all = first === "" ? [...place, ...rest] : [first!, ...place, ...rest];
    return await served(folder.at("s"), says(hostile), () => show([shim, ...all]), form === "vsock-mux");
  };
}

const words = (...make: ((hostile: string) => string)[]): Source["meets"] => (show, hostile) =>
  show([shim, ...make.map((one) => one(hostile))]);
const as = (text: string) => () => text;

/** Shows these words, and has an ssh with this configuration. */
function withSsh(config: (hostile: string, folder: Folder) => string): Source["meets"] {
  return async (show, hostile) => {
    using folder = new Folder();
    using ssh = new SshWith(config(hostile, folder));
    return await served(
      folder.at("s"),
      "SSH-2.0-x\r\n",
      () => show([shim, "check", `unix${folder.at("s")}`], ssh.env),
    );
  };
}

/** Shows `list`, while a stand-in for Firecracker listens on `paths` with these arguments. */
function withMonitor(
  start: (hostile: string, folder: Folder) => { paths: string[]; args: string[] },
  ...words: string[]
): Source["meets"] {
  return async (show, hostile) => {
    using folder = new Folder();
    const { paths, args } = start(hostile, folder);
    const program = programs.at("firecracker");
    if (!exists(program)) compile(programs, "firecracker");
    await using _standIn = await StandIn.start(program, paths, { args });
    const text = await show([shim, "list", ...words]);
    if (words.includes("--json")) return text;
    // There may be others on this machine. A table without room has the address above, and the name below.
    const lines = text.split(/\r?\n/);
    const at = lines.findIndex((line) => line.includes("Firecracker"));
    return lines.slice(Math.max(at - 1, 0), at + 10).join("\n");
  };
}

const HAS_CC = works("cc", ["--version"]);
const HAS_NAMESPACES = hasNamespaces();
const SEARCH_PATH = outputOf("sh", "-c", "echo $PATH").trim();

/** Shows these words in a home of their own, as an ordinary user. */
function inHome(prepare: (home: Home, hostile: string) => Record<string, string>, ...words: string[]): Source["meets"] {
  return async (show, hostile) => {
    using home = new Home();
    const { before = "", ...env } = prepare(home, hostile);
    return await show(home.words([shim, ...words], { before }), { HOME: home.path, PATH: SEARCH_PATH, ...env });
  };
}

const SOURCES: Record<string, Source> = {
  "a host name of no form": { meets: words((it) => `x/${it}`, as("22")) },
  "a path where nothing is": { meets: words((it) => `unix/no/such${it}`, as("22")), long: false },
  "a path that is too long": { meets: words((it) => `unix/${it}`, as("22")) },
  "a multiplexer's path": { meets: words((it) => `vsock-mux/no/such${it}`, as("22")), long: false },
  "a CID": { meets: words((it) => `vsock/${it}`, as("22")) },
  "a machine's name": { meets: words((it) => `machine/${it}`, as("22")) },
  "a port": { meets: words(as("unix/x"), (it) => `22${it}`) },
  "an option": { meets: words(as("unix/x"), as("22"), (it) => `--${it}`) },
  "an option's value": { meets: words(as("unix/x"), as("22"), as("--timeout"), (it) => it) },
  "an argument too many": { meets: words(as("unix/x"), as("22"), (it) => it) },
  "a command": { meets: words((it) => it) },
  "a command's option": { meets: words(as("list"), (it) => `--${it}`) },
  "a command's short option": { meets: words(as("list"), (it) => `-${it}`), shown: "-\\x1b" },
  "a command's argument": { meets: words(as("list"), (it) => it) },
  "a value of one of a few": { meets: words(as("config"), as("--host-keys"), (it) => it) },
  "a shell": { meets: words(as("completions"), (it) => it) },
  "an alias without an address": { meets: words(as("config"), as("--alias"), (it) => it) },
  "an alias's name": { meets: words(as("config"), as("--alias"), (it) => `${it}=vsock/3`) },
  "an alias's address": { meets: words(as("config"), as("--alias"), (it) => `vm=unix/${it}`) },
  "an alias's address of no form": { meets: words(as("config"), as("--alias"), (it) => `vm=x/${it}`) },
  "an alias to take away": {
    meets: words(as("config"), as("--uninstall"), as("--dry-run"), as("--alias"), (it) => it),
  },
  "an address to check": { meets: words(as("check"), (it) => `unix/${it}`) },
  "a user before an address to check": { meets: words(as("check"), (it) => `${it}@unix/${it}`) },
  "an address to check, as JSON": { meets: words(as("check"), as("--json"), (it) => `unix/no${it}`), long: false },
  "a name to check": { meets: words(as("check"), (it) => `vm${it}`) },
  "an address to wait for": { meets: words(as("wait"), as("--timeout"), as("0.1"), (it) => `unix/${it}`) },
  "a time to wait": { meets: words(as("wait"), as("unix/x"), as("--timeout"), (it) => it) },

  "a multiplexer's answer": { shown: SHOWN_BYTES, meets: withSocket("vsock-mux", (it) => it) },
  "a multiplexer's answer behind an OK": { shown: SHOWN_BYTES, meets: withSocket("vsock-mux", (it) => `OK ${it}\n`) },
  "a multiplexer's answer, checked": { shown: SHOWN_BYTES, meets: withSocket("vsock-mux", (it) => it, "check") },
  "a multiplexer's answer, checked as JSON": {
    shown: SHOWN_BYTES,
    meets: withSocket("vsock-mux", (it) => it, "check", "--json"),
  },
  "a banner, checked": {
    shown: SHOWN_BYTES,
    meets: withSocket("unix", (it) => `SSH-2.0-${it}\r\n`, "check"),
    long: false,
  },
  "a banner, checked as JSON": {
    shown: SHOWN_BYTES,
    meets: withSocket("unix", (it) => `SSH-2.0-${it}\r\n`, "check", "--json"),
    long: false,
  },
  "a line before the banner, checked": {
    shown: SHOWN_BYTES,
    meets: withSocket("unix", (it) => `${it}\r\n`, "check", "--timeout", "0.2"),
  },
  "a banner that has no end, checked": {
    shown: "butnoSSHbanner",
    meets: withSocket("unix", (it) => `SSH-2.0-${it}`, "check", "--timeout", "0.3"),
  },
  "a banner that is waited for": {
    shown: SHOWN_BYTES,
    meets: withSocket("unix", (it) => `SSH-2.0-${it}\r\n`, "wait"),
    long: false,
  },
  "what is no banner, waited for": {
    shown: SHOWN_BYTES,
    meets: withSocket("unix", (it) => `HTTP ${it}`, "wait", "--timeout", "0.3"),
  },

  "a varlink error": { meets: withMachined((it) => (to) => writeAll(to, utf8(varlink({ error: it }))), ...MACHINE) },
  "a varlink reply that is none": { meets: withMachined((it) => (to) => writeAll(to, utf8(`${it}\0`)), ...MACHINE) },
  // As JSON has it, which is what it says.
  "a machine of another name": {
    shown: "\\u001b[2J\\x9b2J\\u0007\\u{202e}",
    meets: withMachined(described((it) => ({ ...BARE, name: it })), ...MACHINE),
  },
  "a machine's class": { meets: withMachined(described((it) => ({ ...BARE, class: it })), ...MACHINE) },
  "a machine's service": { meets: withMachined(described((it) => ({ ...BARE, service: it })), ...MACHINE) },
  "a machine's address of no form": {
    meets: withMachined(described((it) => ({ ...BARE, sshAddress: it })), ...MACHINE),
  },
  "a machine's path": {
    meets: withMachined(described((it) => ({ ...BARE, sshAddress: `unix/no${it}` })), ...MACHINE),
  },
  "a machine's path, checked": {
    meets: withMachined(described((it) => ({ ...BARE, sshAddress: `unix/no${it}` })), "check", "machine/foo"),
  },
  "a machine's path, checked as JSON": {
    meets: withMachined(described((it) => ({ ...BARE, sshAddress: `unix/no${it}` })), "check", "--json", "machine/foo"),
    long: false,
  },
  "a machine that is waited for": {
    meets: withMachined(described((it) => ({ ...BARE, sshAddress: it })), "wait", "machine/foo", "--timeout", "0.1"),
  },
  "a varlink error to list": {
    meets: withMachined((it) => (to) => writeAll(to, utf8(varlink({ error: it }))), "list"),
  },
  "a varlink reply to list": { meets: withMachined((it) => (to) => writeAll(to, utf8(`${it}\0`)), "list") },
  "a runtime folder": {
    async meets(show, hostile) {
      using folder = new Folder();
      const place = folder.at(hostile.slice(0, IN_PATH.length));
      await using _machined = new Machined(place, (to) => writeAll(to, varlink({ error: "x.y" })));
      return await show([shim, "machine/foo", "22"], { XDG_RUNTIME_DIR: place });
    },
    long: false,
  },

  "the path of a socket that is listed": {
    meets: withMonitor((it, folder) => ({ paths: [folder.at(it)], args: [] })),
    long: false,
    can: HAS_CC,
  },
  "the path of a socket that is listed as JSON": {
    meets: withMonitor((it, folder) => ({ paths: [folder.at(it)], args: [] }), "--json"),
    long: false,
    can: HAS_CC,
  },
  "a monitor's argument": {
    meets: withMonitor((it, folder) => ({ paths: [folder.at("v")], args: ["--id", it] })),
    // The column is that wide.
    shown: "\\x1b[2J",
    can: HAS_CC,
  },
  "a monitor's argument, as JSON": {
    meets: withMonitor((it, folder) => ({ paths: [folder.at("v")], args: ["--id", it] }), "--json"),
    long: false,
    can: HAS_CC,
  },
  "the name of a container": {
    async meets(show, hostile) {
      using folder = new Folder();
      using _listener = listen(folder.at("s"));
      const place = "/run/systemd/nspawn/unix-export";
      const script = `mount -t tmpfs tmpfs /run && mkdir -p "${place}/$0" && ln -s "$1" "${place}/$0/ssh" && "$2" list`;
      const unshare = [...OWN_MOUNTS, "sh", "-c", script, hostile, folder.at("s"), shim];
      return (await show(unshare)).split(/\r?\n/).filter((line) => line.includes("container")).join("\n");
    },
    long: false,
    can: HAS_NAMESPACES,
  },
  "the name of the process that listens": {
    async meets(show, hostile) {
      using folder = new Folder();
      const name = hostile.slice(0, 6);
      compile(folder, name);
      await using _standIn = await StandIn.start(folder.at(name), [folder.at("s")]);
      return await show([shim, "check", `unix${folder.at("s")}`]);
    },
    shown: "\\x1b[2J\\x9b2",
    long: false,
    can: HAS_CC,
  },

  "the ProxyCommand that ssh has": {
    meets: withSsh((it) => `Host unix/*\n    ProxyCommand y${it.slice(0, 2_000)}\n`),
  },
  "what ssh says of its configuration": { meets: withSsh((it) => `No${it.slice(0, 900)} yes\n`), shown: "no\\033[2j" },
  "what an ssh says": {
    async meets(show, hostile) {
      using folder = new Folder();
      Deno.chmodSync(folder.file("ssh", `#!/bin/sh\nprintf '%s\\n' '${hostile}' >&2\nexit 255\n`), 0o755);
      return await show([shim, "check", "vm"], { PATH: `${folder.path}:${SEARCH_PATH}` });
    },
  },
  "what a shell says that ssh starts": {
    async meets(show, hostile) {
      using folder = new Folder();
      const shell = folder.file("bash", `#!/bin/sh\nprintf '%s\\n' '${hostile}' >&2\nexit 1\n`);
      Deno.chmodSync(shell, 0o755);
      const withShell: Show = (words, env) => show(words, { ...env, SHELL: shell });
      const config = `Host unix/*\n    ProxyCommand ${shim} '%h' '%p'\n    ProxyUseFdpass yes\n`;
      return await withSsh(() => config)(withShell, hostile);
    },
  },
  "what ssh has a name stand for": {
    async meets(show, hostile) {
      using ssh = new SshWith(`Host vm\n    ProxyCommand ${shim} unix/no${hostile.slice(0, 2_000)} 22\n`);
      return await show([shim, "check", "vm"], ssh.env);
    },
  },

  "the path of the installation": {
    async meets(show, hostile) {
      using folder = new Folder();
      const place = folder.at(hostile);
      outputOf("cp", "-r", installation.program, place);
      const library = `${place}/libdeno_ssh_proxy.so`;
      const start = (grants: string[], ...words: string[]) => show([...denoWith(grants), `${place}/cli.mjs`, ...words]);
      const version = await start([`--allow-ffi=${library}`], "--version");
      const denied = await start([], "--version");
      Deno.removeSync(library);
      const missing = await start([`--allow-ffi=${library}`], "--version");
      Deno.writeTextFileSync(library, hostile);
      const broken = await start([`--allow-ffi=${library}`], "--version");
      return version + denied + missing + broken;
    },
    long: false,
  },

  "the owner of a socket": {
    async meets(show, hostile) {
      using folder = new Folder();
      using home = new Home();
      const before = `printf '%s:x:0:0::/:/bin/sh\\n' '${hostile}' >/etc/passwd`;
      const words = home.words([shim, "check", `unix${folder.at("s")}`], { root: true, before });
      return await served(folder.at("s"), "SSH-2.0-x\r\n", () => show(words, { HOME: home.path, PATH: SEARCH_PATH }));
    },
    can: HAS_NAMESPACES,
  },
  "the home": {
    meets: inHome((home, it) => ({ HOME: `${home.path}/${it}` }), "config", "--install"),
    long: false,
    can: HAS_NAMESPACES,
  },
  "a home with a configuration": {
    meets: inHome(
      (home, it) => {
        Deno.mkdirSync(`${home.path}/${it}/.ssh`, { recursive: true });
        return { HOME: `${home.path}/${it}` };
      },
      "config",
      "--install",
    ),
    long: false,
    can: HAS_NAMESPACES,
  },
};

for (const [where, show] of Object.entries(SHOWS)) {
  for (const [source, { meets, shown = SHOWN, long = true, can = true }] of Object.entries(SOURCES)) {
    testWhere(can, "there is no cc here, or no namespace", `${source} does not steer ${where}`, async () => {
      const text = await meets(show, HOSTILE);
      assertHarmless(text);
      // What list could not see on this machine, it says behind it.
      if (source.endsWith("JSON")) assertIsIn(JSON.parse(/^[[{][^]*^[\]}]/m.exec(text)?.[0] ?? text));
      else assert(text.replace(/\s+/g, "").includes(shown), `it does not show it: ${text}`);
    });
    if (!long) continue;
    testWhere(can, "there is no cc here, or no namespace", `${source} is cut on ${where}`, async () => {
      const text = await meets(show, LONG);
      assertHarmless(text);
      assert(text.length < LONGEST_SHOWN, `${text.length} characters: ${text.slice(0, 1000)}`);
    });
  }
}

/** That somewhere in a value of JSON the hostile text is, as it is or as it is shown. */
function assertIsIn(value: unknown): void {
  const texts: string[] = [];
  JSON.stringify(value, (_name, part) => (typeof part === "string" && texts.push(part), part));
  assert(texts.some((text) => [HOSTILE, SHOWN, SHOWN_BYTES].some((one) => text.includes(one))), texts.join("\n"));
}

testWhere(
  HAS_NAMESPACES,
  "there are no namespaces here",
  "what would change is shown fit for a terminal, and whole to a program",
  async () => {
    using home = new Home();
    const line = `# ${HOSTILE}\t${"x".repeat(5_000)}`;
    home.file("~/.ssh/config", `${line}\nHost a\n    Port 23\n`);
    const words = home.words([shim, "config", "--install", "--dry-run"]);
    const env = { HOME: home.path, PATH: SEARCH_PATH };
    const shown = await SHOWS["a terminal"]!(words, env);
    assertHarmless(shown);
    assertMatch(shown, /^ # \\x1b\[2J/m);
    assert(shown.split("\n").every((line) => line.length < 1_200), "a line is not cut");
    const { out } = await run(words, env);
    assert(out.includes(` ${line}\n`), out);
  },
);

Deno.test("an alias's text is shown fit for a terminal, and is whole in a file", async () => {
  const words = [shim, "config", "--alias", "vm=unix/a\u202eb"];
  const shown = await SHOWS["a terminal"]!(words);
  assertHarmless(shown);
  assert(shown.includes("ProxyCommand") && shown.includes("unix/a\\u{202e}b"), shown);
  assert((await run(words)).out.includes("unix/a\u202eb"));
});

Deno.test("list leaves out a machine whose name cannot be typed", async () => {
  using folder = new Folder();
  const names = [HOSTILE, "a/b", "x".repeat(65), "", "../x", "ok"];
  const machines = names.map((name) => ({ ...VM, name, vSockCid: 4294967289 }));
  await using _machined = new Machined(folder.path, knows(...machines, CONTAINER));
  const { code, out } = await run([shim, "list", "--json"], { XDG_RUNTIME_DIR: folder.path });
  assertEquals(code, 0);
  const listed = (JSON.parse(out) as { source: string; address: string }[]).filter(({ source }) =>
    source === "machined"
  );
  assertEquals(listed.map(({ address }) => address), ["machine/ok"]);
});
