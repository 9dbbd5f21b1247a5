import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { Sshd } from "../../tools/sshd.ts";
import { hasNamespaces, Home, type Ran } from "../support/home.ts";
import { Installation } from "../support/installation.ts";
import { testWhere } from "../support/tools.ts";
import { multiplexer } from "./multiplexer.ts";

const canRun = hasNamespaces();
const installation = canRun ? new Installation() : undefined;
const sshd = await Sshd.start();
Deno.test.afterAll(async () => {
  installation?.[Symbol.dispose]();
  await sshd[Symbol.asyncDispose]();
});

/** The programs of OpenSSH as somebody runs them who has an sshd's key and has typed `config --install`. */
class User implements Disposable {
  readonly home = new Home();

  constructor() {
    const name = outputOf("id", "-un").trim();
    this.home.file("~/.ssh/config", `IdentityFile ${sshd.key}\nIdentitiesOnly yes\nBatchMode yes\nUser ${name}\n`);
  }

  run(...words: string[]): Promise<Ran> {
    return this.home.run(words);
  }

  /** That it succeeds. */
  async does(...words: string[]): Promise<string> {
    const { code, out, err } = await this.run(...words);
    assertEquals(code, 0, err);
    return out;
  }

  /** `config --install`, with more arguments. */
  install(...args: string[]): Promise<string> {
    return this.does(installation!.shim, "config", "--install", ...args);
  }

  /** The names that are in the file of host keys. */
  get known(): string[] {
    const text = Deno.readTextFileSync(this.home.at("~/.ssh/deno-ssh-proxy.known_hosts"));
    return [...text.matchAll(/^(\S+) /gm)].map(([, name]) => name!);
  }

  [Symbol.dispose](): void {
    this.home[Symbol.dispose]();
  }
}

function test(name: string, fn: (user: User) => Promise<void>): void {
  testWhere(canRun, "no user and mount namespaces can be made here", name, async () => {
    using user = new User();
    await fn(user);
  });
}

const address = `unix${sshd.socket}`;

test("an alias of a path with capital letters works for ssh, scp, sftp and rsync", async (user) => {
  assert(/[A-Z]/.test(address));
  const mux = `vsock-mux${multiplexer(sshd, "OK 1\n").path}`;
  assertStringIncludes(
    await user.install("--alias", `vm=${address}`, "--alias", `vm.mux=${mux}:22`),
    "ssh uses it for .host, unix/1, vsock/1, vsock-mux/1, machine/1, vm, vm.mux\n",
  );
  using folder = new Folder();
  const file = folder.file("file", "a file\n");
  for (const name of ["vm", "vm.mux"]) {
    assertEquals(await user.does("ssh", name, "echo hello"), "hello\n");
    await user.does("scp", "-q", `${name}:${file}`, folder.at(`scp.${name}`));
    await user.does("scp", "-q", file, `${name}:${folder.at(`to.${name}`)}`);
    await user.does("sftp", "-q", `${name}:${file}`, folder.at(`sftp.${name}`));
    await user.does("rsync", "-a", `${name}:${file}`, folder.at(`rsync.${name}`));
    for (const way of ["scp", "to", "sftp", "rsync"]) {
      assertEquals(Deno.readTextFileSync(folder.at(`${way}.${name}`)), "a file\n");
    }
  }
});

test("an alias whose address has what a shell and ssh_config take for their own reaches it", async (user) => {
  const door = sshd.unixDoor(undefined, `${sshd.folder.path}/it's "100%" \\ $HOME.sock`);
  await user.install("--alias", `vm=unix${door.path}`);
  assertEquals(await user.does("ssh", "vm", "echo hello"), "hello\n");
  assertEquals(door.visitors, 1);
});

test("with --host-keys tofu the first key of an address is kept, and another one is refused", async (user) => {
  await using other = await Sshd.start();
  const door = sshd.unixDoor();
  const at = `unix${door.path}`;
  await user.install("--host-keys", "tofu", "--alias", `vm=${at}`, "--alias", `vm2=${at}:2222`);
  assertStringIncludes((await user.run("ssh", at, "true")).err, "Permanently added");
  assertEquals((await user.run("ssh", at, "true")).err, "");
  assertEquals(user.known, [at]);
  // The alias is the same server.
  assertEquals((await user.run("ssh", "vm", "true")).err, "");
  assertStringIncludes((await user.run("ssh", "vm2", "true")).err, "Permanently added");
  assertEquals((await user.run("ssh", "-p", "2222", at, "true")).err, "");
  assertEquals(user.known, [at, `[${at}]:2222`]);
  // Another server comes to the same place.
  Deno.renameSync(other.unixDoor().path, door.path);
  for (const name of [at, "vm", "vm2"]) {
    const { code, err } = await user.run("ssh", name, "true");
    assertEquals(code, 255);
    assertStringIncludes(err, "Host key verification failed.");
  }
  // As the fragment says it.
  const known = user.home.at("~/.ssh/deno-ssh-proxy.known_hosts");
  await user.does("ssh-keygen", "-R", at, "-f", known);
  const { err } = await user.run("ssh", "-i", other.key, at, "true");
  assertStringIncludes(err, "Permanently added");
  assertEquals(Object.keys(user.home.all("~/.ssh")).filter((name) => name.startsWith("known_hosts")), []);
});

test("with --host-keys tofu a path with capital letters keeps its key under the same name as its alias", async (user) => {
  await user.install("--host-keys", "tofu", "--alias", `vm=${address}`);
  assertStringIncludes((await user.run("ssh", address, "true")).err, "Permanently added");
  assertEquals(user.known, [address.toLowerCase()]);
  assertEquals((await user.run("ssh", "vm", "true")).err, "");
  assertEquals(user.known.length, 1);
});

test("with --host-keys strict only a server whose key was put there is connected to", async (user) => {
  await user.install("--host-keys", "strict", "--alias", `vm=${address}`);
  for (const name of [address, "vm"]) {
    const { code, err } = await user.run("ssh", name, "true");
    assertEquals(code, 255);
    assertStringIncludes(err, "Host key verification failed.");
  }
  const key = Deno.readTextFileSync(sshd.folder.at("host.pub"));
  const lower = address.toLowerCase();
  user.home.file("~/.ssh/deno-ssh-proxy.known_hosts", `${lower},${lower.replace("/", "%")} ${key}`);
  for (const name of [address, "vm", address.replace("/", "%")]) {
    assertEquals(await user.run("ssh", name, "echo hello"), { code: 0, out: "hello\n", err: "" });
  }
});

test("with --host-keys ephemeral nothing is kept, and any key is taken", async (user) => {
  await user.install("--alias", `vm=${address}`);
  for (const name of [address, "vm"]) assertEquals(await user.does("ssh", name, "echo hello"), "hello\n");
  const names = Object.keys(user.home.all("~/.ssh"));
  assertEquals(names, ["config", "config.before-deno-ssh-proxy", "deno-ssh-proxy.conf"]);
});
