/**
 * SSH clients that take no file descriptor from their ProxyCommand, each with its line of the README, against a real sshd.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf, works } from "../../tools/programs.ts";
import { type Door, Sshd } from "../../tools/sshd.ts";
import { inTime } from "../../tools/waiting.ts";
import { multiplexer } from "../openssh/multiplexer.ts";
import { Client } from "../support/client.ts";
import { Process } from "../support/process.ts";
import { randomBytes, sha256 } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";

const sshd = await Sshd.start();
const openssh = new Client(sshd);
const folder = new Folder();
Deno.test.afterAll(async () => {
  folder[Symbol.dispose]();
  openssh[Symbol.dispose]();
  await sshd[Symbol.asyncDispose]();
});

const user = outputOf("id", "-un").trim();
/** Not Python's own first on PATH, which knows nothing of Debian's packages. */
const PYTHON = "/usr/bin/python3";

/** A client, as somebody has it who has the sshd's key. */
interface SshClient {
  name: string;
  /** How its line of the README begins. */
  line: string;
  /** What succeeds where it is installed. */
  probe: [string, string[]];
  /** What there must be before it can be started. */
  prepare?(): void;
  /** What starts it with its line, and runs a command. */
  words(line: string, command: string): string[];
}

/** What a user types, with more options, and a command at its end. */
function typed(line: string, options: string, command: string): string[] {
  return ["sh", "-c", `exec ${line.replace(" ", ` ${options} `)} "$0"`, command];
}

/** What stands in quotation marks in a line of a program. */
function quoted(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"/g)].map(([, text]) => text!);
}

/** What starts a program that has what is quoted in a line of the README. */
function withPython(program: string, line: string, command: string): string[] {
  // asyncssh has its own warnings of what it imports.
  return [PYTHON, "-W", "ignore", `${CHECKOUT}/tests/clients/${program}`, ...quoted(line), sshd.key, command];
}

const LIBSSH: SshClient = {
  name: "libssh",
  line: "ssh_options_set(",
  probe: ["cc", ["-E", "-include", "libssh/libssh.h", "-x", "c", "/dev/null"]],
  prepare: () => {
    const source = `${CHECKOUT}/tests/clients/with_libssh.c`;
    outputOf("cc", "-std=c11", "-Wall", "-Wextra", "-o", folder.at("with_libssh"), source, "-lssh");
  },
  words: (line, command) => [folder.at("with_libssh"), ...quoted(line), sshd.key, command],
};

const CLIENTS: SshClient[] = [
  {
    name: "ssh without ProxyUseFdpass",
    line: "ssh ",
    probe: ["ssh", ["-V"]],
    words: (line, command) => typed(line, `-F ${openssh.config}`, command),
  },
  {
    name: "dbclient",
    line: "dbclient ",
    probe: ["dbclient", ["-V"]],
    prepare: () => void outputOf("dropbearconvert", "openssh", "dropbear", sshd.key, folder.at("dropbear")),
    words: (line, command) => typed(line, `-i ${folder.at("dropbear")} -y -y`, command),
  },
  {
    name: "plink",
    line: "plink ",
    probe: ["plink", ["-V"]],
    // It keeps a file of random bytes in its home.
    prepare: () => void outputOf("env", `HOME=${folder.path}`, "puttygen", sshd.key, "-o", folder.at("putty")),
    words: (line, command) => {
      const [, fingerprint] = outputOf("ssh-keygen", "-l", "-f", sshd.folder.at("host")).split(" ");
      return typed(line, `-batch -i ${folder.at("putty")} -hostkey ${fingerprint} -l ${user}`, command);
    },
  },
  {
    name: "Paramiko",
    line: "client.connect(",
    probe: [PYTHON, ["-c", "import paramiko"]],
    words: (line, command) => withPython("with_paramiko.py", line, command),
  },
  {
    name: "asyncssh",
    line: "asyncssh.connect(",
    probe: [PYTHON, ["-c", "import asyncssh"]],
    words: (line, command) => withPython("with_asyncssh.py", line, command),
  },
  LIBSSH,
];

/** The lines of the README's section on these clients. */
const [, section] = /^### Other clients$(.*?)^#/ms.exec(Deno.readTextFileSync(`${CHECKOUT}/README.md`))!;
const lines = section!.split("\n").filter((line) => line.startsWith("    ")).map((line) => line.trim());

/** What starts a client in its line of the README, with `address` in the place of the one that stands there. */
function wordsOf(client: SshClient, address: string, command: string): string[] {
  const line = lines.find((line) => line.startsWith(client.line));
  assert(line !== undefined, `README.md has no line for ${client.name}`);
  const here = line.replaceAll("vsock/42", address).replaceAll("vsock%42", address.replace("/", "%"));
  return client.words(here, command);
}

/** The processes that have the path of a door among their arguments. */
function processesAt(door: Door): number[] {
  // The brackets keep it from finding itself.
  const pattern = door.path.replace(/.$/, "[$&]");
  const found = outputOf("sh", "-c", `grep -las '${pattern}' /proc/[0-9]*/cmdline | cut -d / -f 3`);
  return found.split("\n").filter((pid) => pid !== "").map(Number);
}

/** Starts a client with a home of its own, in which there is nothing. */
function start(client: SshClient, [program, ...args]: string[]): Deno.ChildProcess {
  const home = folder.at(`home-${client.name}`);
  Deno.mkdirSync(home, { recursive: true });
  const env = { HOME: home, PATH: `${openssh.installation.prefix}/bin:/usr/local/bin:/usr/bin:/bin` };
  const options = { args, clearEnv: true, env, stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command(program!, options).spawn();
}

/** A session that is under way: its command has said that it is ready. */
class Session implements AsyncDisposable {
  readonly #client: Deno.ChildProcess;
  readonly #door: Door;
  /** Everything that was started for it beside the client. */
  readonly #started: Process[] = [];
  readonly #errors: Promise<string>;

  private constructor(client: Deno.ChildProcess, door: Door) {
    this.#client = client;
    this.#door = door;
    this.#errors = new Response(client.stderr).text();
  }

  /** Runs `command` after it has said that it is ready. */
  static async start(client: SshClient, command: string, form = "unix", door = sshd.unixDoor()): Promise<Session> {
    const child = start(client, wordsOf(client, `${form}${door.path}`, `echo ready; ${command}`));
    const session = new Session(child, door);
    try {
      const said = await inTime(session.read("ready\n".length));
      assertEquals(new TextDecoder().decode(said), "ready\n", said.length === 0 ? await session.#errors : undefined);
      const pids = processesAt(door).filter((pid) => pid !== child.pid);
      assert(pids.length > 0, "nothing relays");
      for (const pid of pids) session.#started.push(new Process(pid));
      return session;
    } catch (thrown) {
      await session[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** What the command prints: so much at least, unless it ends before. */
  async read(least = Infinity): Promise<Uint8Array<ArrayBuffer>> {
    const reader = this.#client.stdout.getReader();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let length = 0; length < least;) {
      const { value } = await reader.read();
      if (value === undefined) break;
      parts.push(value);
      length += value.length;
    }
    reader.releaseLock();
    return await new Blob(parts).bytes();
  }

  /** The command's input, to its end. */
  async write(input: Uint8Array<ArrayBuffer>): Promise<void> {
    // Of a client that takes no more, it is its end that says why.
    await new Blob([input]).stream().pipeTo(this.#client.stdin).catch(() => {});
  }

  /** Goes on writing to the command until it can no more. */
  async writeForEver(): Promise<void> {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65536)) });
    await endless.pipeTo(this.#client.stdin).catch(() => {});
  }

  kill(): void {
    this.#client.kill("SIGKILL");
  }

  /** The rest of what the command prints, and how the client ends. */
  async end(limit?: number): Promise<{ code: number; bytes: Uint8Array<ArrayBuffer>; err: string }> {
    const all = Promise.all([this.#client.status, this.read(), this.#errors]);
    const [{ code, signal }, bytes, err] = await inTime(all, limit);
    assertEquals(signal, null);
    return { code, bytes, err };
  }

  /** That nothing is left of it: no process, and no connection to the server. */
  async leavesNothing(): Promise<void> {
    for (const process of this.#started) await process.ended();
    await inTime(this.#door.empty());
    assertEquals(this.#door.visitors, 1);
    assertEquals(processesAt(this.#door), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#started) {
      process.kill();
      process.close();
    }
    try {
      this.kill();
    } catch {
      // It has ended by itself.
    }
    const { stdin, stdout, status } = this.#client;
    await Promise.allSettled([stdin.close(), stdout.cancel(), status, this.#errors]);
  }
}

for (const client of CLIENTS) {
  const { name, probe, prepare } = client;
  const installed = works(...probe);
  if (installed) prepare?.();
  const test = (name: string, fn: () => Promise<void>) => testWhere(installed, "it is not installed", name, fn);

  test(`${name} gets a command's output and exit status, and leaves nothing behind`, async () => {
    for (const [form, door] of [["unix", sshd.unixDoor()], ["vsock-mux", multiplexer(sshd, "OK 1\n")]] as const) {
      await using session = await Session.start(client, "read line; echo hello $line; exit 3", form, door);
      await session.write(new TextEncoder().encode("there\n"));
      const { code, bytes, err } = await session.end();
      assertEquals([code, new TextDecoder().decode(bytes)], [3, "hello there\n"], err);
      await session.leavesNothing();
    }
  });

  test(`32 MiB go both ways at once through ${name} unchanged`, async () => {
    const sent = randomBytes(32 << 20);
    await using session = await Session.start(client, "cat");
    const [{ code, bytes, err }] = await Promise.all([session.end(60_000), session.write(sent)]);
    assertEquals([code, await sha256(bytes)], [0, await sha256(sent)], err);
    await session.leavesNothing();
  });

  test(`${name} leaves nothing behind when it is killed, in a transfer or in a pause`, async () => {
    for (const busy of [true, false]) {
      await using session = await Session.start(client, "cat");
      const writing = busy ? session.writeForEver() : undefined;
      if (busy) assert((await inTime(session.read(1 << 20))).length >= 1 << 20);
      session.kill();
      await writing;
      await session.leavesNothing();
    }
  });

  test(`${name} ends when the server does so within a transfer`, async () => {
    await using session = await Session.start(client, "read line; head -c 1000000 /dev/zero; kill -9 $PPID");
    await session.write(new TextEncoder().encode("now\n"));
    const { code, bytes } = await session.end();
    assertNotEquals(code, 0);
    assert(bytes.length > 0 && bytes.every((byte) => byte === 0), `${bytes.length} bytes`);
    await session.leavesNothing();
  });
}

testWhere(
  works(...LIBSSH.probe),
  "it is not installed",
  "without --relay, libssh gets a file descriptor in the place of bytes, and fails",
  async () => {
    const door = sshd.unixDoor();
    const words = wordsOf(LIBSSH, `unix${door.path}`, "true").map((word) => word.replace(" --relay", ""));
    const client = start(LIBSSH, words);
    await client.stdin.close();
    const { code, stderr } = await inTime(client.output());
    // The file descriptor has come with one byte, and then the end.
    assertStringIncludes(new TextDecoder().decode(stderr), "Socket error");
    assertEquals([code, door.visitors], [255, 1]);
    await inTime(door.empty());
  },
);
