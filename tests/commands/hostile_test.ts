/**
 * What `list` does on a machine on which another user runs processes and sockets that are made to make it fail.
 *
 * @module
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf, works } from "../../tools/programs.ts";
import { Installation } from "../support/installation.ts";
import { AS_NOBODY, canBecomeNobody, IS_ROOT } from "../support/ordinary_user.ts";
import { testWhere } from "../support/tools.ts";
import { compile, StandIn } from "./monitors.ts";
import { run } from "./typed.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());

const CAN_COMPILE = works("cc", ["--version"]);
/** The most memory that a `list` may take, in KiB: three times what it takes where nobody is hostile. */
const MOST_MEMORY = 400 * 1024;
/** The longest line that it may write. */
const LONGEST_LINE = 1_000;

/** An honest monitor, the program of tests/commands/hostile.c, and what `list` makes of both. */
class Machine implements AsyncDisposable {
  readonly #folder: Folder;
  readonly honest: StandIn;
  readonly address: string;

  private constructor(folder: Folder, honest: StandIn) {
    this.#folder = folder;
    this.honest = honest;
    this.address = `vsock-mux${folder.at("v.sock")}`;
  }

  static async start(before: string[] = []): Promise<Machine> {
    const folder = new Folder();
    compile(folder, "firecracker");
    outputOf("cc", "-std=c11", "-Wall", "-Wextra", "-o", folder.at("hostile"), `${CHECKOUT}/tests/commands/hostile.c`);
    Deno.mkdirSync(folder.at("theirs"));
    if (IS_ROOT) outputOf("chown", "54321:54321", folder.at("theirs"));
    return new Machine(folder, await StandIn.start(folder.at("firecracker"), [folder.at("v.sock")], { before }));
  }

  /** A path in a folder in which the hostile user may write. */
  at(name: string): string {
    return this.#folder.at(`theirs/${name}`);
  }

  /** Starts the hostile program, as another user where that is possible. */
  hostile(args: string[], before: string[] = canBecomeNobody() ? AS_NOBODY : []): Promise<StandIn> {
    return StandIn.start(this.#folder.at("hostile"), [], { args, before, cwd: this.#folder.at("theirs") });
  }

  /** Starts a false monitor, likewise. */
  monitor(name: string, paths: string[], args: string[], before: string[]): Promise<StandIn> {
    Deno.linkSync(this.#folder.at("firecracker"), this.at(name));
    return StandIn.start(this.at(name), paths, { args, before, cwd: this.#folder.at("theirs") });
  }

  /** Runs `list`, which must succeed with the honest monitor in it, in little memory and with short lines. */
  async list(): Promise<{ addresses: string[]; err: string }> {
    const words = [
      this.#folder.at("hostile"),
      "measure",
      this.#folder.at("memory"),
      installation.shim,
      "list",
      "--json",
    ];
    const { code, out, err } = await run(words);
    assertEquals(code, 0, err);
    const memory = Number(Deno.readTextFileSync(this.#folder.at("memory")));
    assert(memory > 0 && memory < MOST_MEMORY, `${memory} KiB`);
    const longest = Math.max(...err.split("\n").map((line) => line.length));
    assert(longest < LONGEST_LINE, err.slice(0, 2 * LONGEST_LINE));
    const addresses = (JSON.parse(out) as { address: string }[]).map(({ address }) => address);
    assert(addresses.includes(this.address), `${err}\n${out}`);
    return { addresses, err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.honest[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

function test(name: string, fn: () => Promise<void>, canRun = true, why = ""): void {
  testWhere(CAN_COMPILE && canRun, CAN_COMPILE ? why : "there is no cc here", name, fn);
}

const TO_NOBODY = "only root can become somebody else";
const HAS_NETWORKS = IS_ROOT && works("unshare", ["--net", "true"]);

test("an argument of 131,000 equals signs costs list no memory", async () => {
  await using machine = await Machine.start();
  for (const name of ["firecracker", "cloud-hypervisor", "qemu-kvm", "vhost-device-vsock"]) {
    const args = ["--vm", "=".repeat(131_000), "--vsock", "=,".repeat(65_000), "-name", ",,".repeat(65_000)];
    await using _hostile = await machine.monitor(name, [], args, []);
    await machine.list();
  }
});

test(
  "a process with 300 MiB of arguments is left out, which is said, and nothing else is",
  async () => {
    await using machine = await Machine.start();
    // Without CONFIG_CHECKPOINT_RESTORE the kernel refuses it, and StandIn says so.
    await using hostile = await machine.hostile(["inflate", "300"]);
    const { err } = await machine.list();
    assertStringIncludes(err, `Firecracker (pid ${hostile.pid})`);
    assertStringIncludes(err, "its command line: it is longer than 262144 bytes");
  },
  canInflate(),
  "the kernel has no PR_SET_MM_MAP for this user",
);

test(
  "10,000 false monitors of another user do not push out an honest one, and are counted in one line",
  async () => {
    await using machine = await Machine.start();
    await using _hostile = await machine.hostile(["many", "10000"]);
    const { err } = await machine.list();
    const more = / and ([0-9,]+) more: not all of it is listed: too many processes have names of monitors\n/.exec(err);
    assert(Number(more?.[1]?.replaceAll(",", "")) > 5_000, err);
  },
  canBecomeNobody() && canStart(10_000),
  `${TO_NOBODY}, and the machine has room for as many processes`,
);

/** A path which makes /proc/net/unix have a line for a socket with this inode number. */
function forged(inode: number, path: string): string {
  return `x\n0: 00000002 00000000 00010000 0001 01 ${inode} ${path}`;
}

/** The inode number of the socket that is bound to `path`, according to the text of the process `pid`. */
function inodeAt(path: string, pid: number): number {
  const line = outputOf("cat", `/proc/${pid}/net/unix`).split("\n").find((line) => line.endsWith(` ${path}`));
  return Number(line?.split(/ +/).at(-2));
}

test("a path with a line break in it hides no socket of others, and forges none", async () => {
  await using machine = await Machine.start();
  const listened = machine.address.replace("vsock-mux", "");
  const inode = inodeAt(listened, machine.honest.pid);
  await using _bound = await machine.hostile(["bind", "false", forged(inode, "false")]);
  assert(inodeAt("false", machine.honest.pid) > 0);
  assertEquals(outputOf("cat", "/proc/net/unix").split(` 01 ${inode} `).length, 3);
  const { addresses, err } = await machine.list();
  assert(!addresses.some((address) => address.endsWith("false")), err);
});

/** Starts a monitor with a TCP socket as its descriptor 9, and gives the inode number of that. */
async function withTcp(machine: Machine, path: string, before: string[] = []): Promise<[StandIn, number]> {
  const script = 'exec 9<>/dev/tcp/127.0.0.1/$0 && exec "$@"';
  const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(server.addr.port);
  const standIn = await machine.monitor("firecracker", [path], [], [...before, "bash", "-c", script, port]);
  server.close();
  const link = outputOf("readlink", `/proc/${standIn.pid}/fd/9`);
  return [standIn, Number(/\[([0-9]+)\]/.exec(link)?.[1])];
}

test(
  "a monitor's socket of another family lends its inode number to no forged one",
  async () => {
    await using machine = await Machine.start();
    const [monitor, inode] = await withTcp(machine, machine.at("w.sock"));
    await using _monitor = monitor;
    // There must be a socket at the path, or it would not be believed anyway.
    await using _bound = await machine.hostile(["bind", "f", forged(inode, "f")]);
    const { addresses } = await machine.list();
    assert(addresses.includes(`vsock-mux${machine.at("w.sock")}`));
    assert(!addresses.some((address) => address.endsWith("/f")), addresses.join("\n"));
  },
  works("bash", ["--version"]),
  "there is no bash here",
);

test(
  "in another network namespace, of which there is a text only, a socket that is named twice is said to be",
  async () => {
    await using machine = await Machine.start();
    await using monitor = await machine.monitor("firecracker", [machine.at("w.sock")], [], ["unshare", "--net"]);
    const before = ["nsenter", `--net=/proc/${monitor.pid}/ns/net`];
    assertStringIncludes((await machine.list()).addresses.join("\n"), machine.at("w.sock"));
    const inode = inodeAt(machine.at("w.sock"), monitor.pid);
    await using _bound = await machine.hostile(["bind", "f", forged(inode, "f")], before);
    const { addresses, err } = await machine.list();
    assert(!addresses.some((address) => address.endsWith("/f")), addresses.join("\n"));
    assertStringIncludes(
      err,
      `Firecracker (pid ${monitor.pid}): not all of it is listed: the system names a socket of it twice`,
    );
  },
  HAS_NETWORKS,
  "only root can make a network namespace",
);

function canInflate(): boolean {
  if (!CAN_COMPILE) return false;
  using folder = new Folder();
  Deno.chmodSync(folder.path, 0o755);
  outputOf("cc", "-o", folder.at("hostile"), `${CHECKOUT}/tests/commands/hostile.c`);
  const [program, ...args] = [
    ...(canBecomeNobody() ? AS_NOBODY : ["env"]),
    "timeout",
    "1",
    folder.at("hostile"),
    "inflate",
    "1",
  ];
  return new Deno.Command(program!, { args, stderr: "null" }).outputSync().code === 124;
}

/** Whether the machine has room for as many more processes. */
function canStart(count: number): boolean {
  const most = Number(outputOf("cat", "/proc/sys/kernel/pid_max"));
  return works("prlimit", ["--version"]) && most > 3 * count;
}
