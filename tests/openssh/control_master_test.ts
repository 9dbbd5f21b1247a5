/**
 * Connections that ssh shares (`ControlMaster`), with the forms of `ControlPath` that people have.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { outputOf } from "../../tools/programs.ts";
import { type Door, Sshd } from "../../tools/sshd.ts";
import { hasNamespaces, Home, type Running } from "../support/home.ts";
import { Installation } from "../support/installation.ts";
import { testWhere } from "../support/tools.ts";

const canRun = hasNamespaces();
const installation = canRun ? new Installation() : undefined;
const sshd = await Sshd.start();
Deno.test.afterAll(async () => {
  installation?.[Symbol.dispose]();
  await sshd[Symbol.asyncDispose]();
});

function folderOfLength(length: number): string {
  const path = Deno.makeTempDirSync({ dir: "/tmp", prefix: "home" });
  const longer = path.padEnd(length, "x");
  assertEquals(longer.length, length);
  Deno.renameSync(path, longer);
  return longer;
}

/** Somebody whose ssh shares connections. */
class User implements AsyncDisposable {
  /** Their home, whose path is 36 characters long, wherever temporary files are. */
  readonly #at = folderOfLength(36);
  readonly #home = new Home(this.#at);
  /** The addresses with a connection that may still be open. */
  readonly #open = new Set<string>();

  /** `lines` are what they have in ~/.ssh/config beside what lets them in. */
  constructor(lines: string) {
    const name = outputOf("id", "-un").trim();
    const config = `IdentityFile ${sshd.key}\nIdentitiesOnly yes\nBatchMode yes\nUser ${name}\n${lines}`;
    this.#home.file("~/.ssh/config", config);
  }

  async #does(...words: string[]): Promise<string> {
    const running: Running = { before: `mount --bind "$1/home" ${this.#at}`, env: { HOME: this.#at } };
    const { code, out, err } = await this.#home.run(words, running);
    assertEquals(code, 0, err);
    return out;
  }

  /** Types `config --install`. */
  async install(...args: string[]): Promise<void> {
    await this.#does(installation!.shim, "config", "--install", ...args);
  }

  /** Connects to a server. */
  async connect(address: string): Promise<void> {
    this.#open.add(address);
    assertEquals(await this.#does("ssh", address, "echo hello"), "hello\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // There is nothing to end where nothing is shared.
    for (const address of this.#open) await this.#does("sh", "-c", 'ssh -O exit "$0" || true', address);
    this.#home[Symbol.dispose]();
    Deno.removeSync(this.#at, { recursive: true });
  }
}

function test(name: string, fn: () => Promise<void>): void {
  testWhere(canRun, "no user and mount namespaces can be made here", name, fn);
}

function sharing(token: string): string {
  return `Host *\n  ControlMaster auto\n  ControlPath ~/.ssh/cm-${token}\n  ControlPersist 60\n`;
}

/** A door whose path is the same as another's but for its case. */
function door(name: string): Door {
  return sshd.unixDoor(undefined, sshd.folder.at(name));
}

for (const token of ["%h", "%n", "%k", "%C", "%r@%h:%p"]) {
  test(`with ControlPath ~/.ssh/cm-${token} an address is connected to, and a second ssh shares the connection`, async () => {
    const door = sshd.unixDoor();
    await using user = new User(sharing(token));
    await user.install("--alias", `vm=unix${door.path}`);
    for (let n = 1; n <= 2; n++) await user.connect(`unix${door.path}`);
    assertEquals(door.visitors, 1);
    for (let n = 1; n <= 2; n++) await user.connect("vm");
    assertEquals(door.visitors, 2);
  });
}

for (const token of ["%h", "%C"]) {
  test(`with ControlPath ~/.ssh/cm-${token}, sockets whose paths differ in case only share no connection`, async () => {
    const name = `case-${token.slice(1).toLowerCase()}`;
    const [lower, upper] = [door(`${name}.sock`), door(`${name}.Sock`)];
    await using user = new User(sharing(token));
    await user.install();
    for (const { path } of [lower, upper, lower, upper]) await user.connect(`unix${path}`);
    // The one with a capital letter does not share with anybody.
    assertEquals([lower.visitors, upper.visitors], [1, 2]);
    // As scp has them, ssh keeps their case.
    for (const { path } of [lower, upper, lower, upper]) await user.connect(`unix%${path.slice(1)}`);
    assertEquals([lower.visitors, upper.visitors], [2, 3]);
  });
}

test("aliases share no connection with each other, though a block of the user's has a HostName for both", async () => {
  const [one, other] = [sshd.unixDoor(), sshd.unixDoor()];
  await using user = new User(`Host vma vmb\n  HostName localhost\n${sharing("%C")}`);
  await user.install("--alias", `vma=unix${one.path}`, "--alias", `vmb=unix${other.path}`);
  for (const name of ["vma", "vmb", "vma", "vmb"]) await user.connect(name);
  assertEquals([one.visitors, other.visitors], [1, 1]);
});
