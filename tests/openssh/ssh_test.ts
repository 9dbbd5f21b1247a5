import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { needsAlias } from "../../commands/ssh/needs_alias.ts";
import { CHECKOUT } from "../../tools/checkout.ts";
import { outputLater, outputOf } from "../../tools/programs.ts";
import { type Door, Sshd } from "../../tools/sshd.ts";
import { inTime } from "../../tools/waiting.ts";
import { Client } from "../support/client.ts";
import { type Fd, openFile, start } from "../support/process.ts";
import { randomBytes, sha256 } from "../support/sockets.ts";
import { testWhere, testWith } from "../support/tools.ts";
import { hasLoopback, LoopbackListener } from "../support/vsock.ts";
import { misbehaving, multiplexer } from "./multiplexer.ts";

const sshd = await Sshd.start();
const aliased = sshd.unixDoor();
const client = new Client(sshd, "--alias", `alias=unix${aliased.path}`);
Deno.test.afterAll(async () => {
  client[Symbol.dispose]();
  await sshd[Symbol.asyncDispose]();
});
const address = `unix${sshd.socket}`;

Deno.test("a command and its exit status come through a socket with capital letters in its path", async () => {
  const { code, out, err } = await client.run("ssh", [address, "echo hello; exit 3"]);
  assertEquals({ code, out, err }, { code: 3, out: "hello\n", err: "" });
});

Deno.test("a percent sign is as good as the first slash", async () => {
  assertEquals((await client.run("ssh", [`unix%${sshd.socket.slice(1)}`, "echo hello"])).out, "hello\n");
});

Deno.test("a name with a character of known_hosts patterns is the same one that check says needs an alias", async () => {
  for (const character of "?*#[]|~^!%+=:") {
    const path = `${sshd.socket}${character}s`;
    Deno.symlinkSync(sshd.socket, path);
    const { code, out, err } = await client.run("ssh", [`unix${path}`, "echo hello"]);
    assertEquals([code, out], needsAlias(`unix${path}`) ? [255, ""] : [0, "hello\n"], `${path}: ${err}`);
  }
});

Deno.test("the form of an address may be in capitals, and its path keeps its case", async () => {
  for (const form of ["Unix/", "UNIX/", "Unix%", "UNIX%"]) {
    const { out, err } = await client.run("ssh", [`${form}${sshd.socket.slice(1)}`, "echo hello"]);
    assertEquals({ out, err }, { out: "hello\n", err: "" }, form);
  }
});

for (const answer of [["OK 1073741824\n"], ["OK 22\n"], [..."OK 1073741824\n"], []]) {
  const { path } = multiplexer(sshd, ...answer);
  Deno.test(`a multiplexer that answers ${JSON.stringify(answer)} leads to the sshd`, async () => {
    const { code, out, err } = await client.run("ssh", [`vsock-mux${path}`, "echo hello"]);
    assertEquals({ code, out, err }, { code: 0, out: "hello\n", err: "" });
  });
}

for (
  const [what, { path }, says, ...options] of [
    ["closes", misbehaving(sshd, "closes"), "nothing listens on that port in the guest, or it has not booted yet"],
    [
      "says nothing",
      misbehaving(sshd, "silent"),
      "the multiplexer did not answer within 0.3 s",
      "-o",
      `ProxyCommand=${client.installation.shim} %h %p --as-typed %n --timeout 0.3`,
    ],
    ["never ends its OK line", misbehaving(sshd, "endless", "OK ", "1"), "not an OK line"],
    ["ends within its OK line", misbehaving(sshd, "closes", "OK 10"), `was "OK 10", and then the end, not an OK line`],
    ["is a web server", misbehaving(sshd, "closes", "HTTP/1.1 400 Bad Request\r\n\r\n"), `was "HTTP/1.1 400 Bad Requ`],
  ] as [string, Door, string, ...string[]][]
) {
  Deno.test(`a multiplexer that ${what} ends ssh, and the message reaches the user`, async () => {
    const { code, out, err } = await client.run("ssh", [...options, `vsock-mux${path}`, "echo hello"]);
    assertEquals({ code, out }, { code: 255, out: "" });
    const [message, hint] = err.split("\n");
    assert(message!.startsWith(`deno-ssh-proxy: vsock-mux${path} port 22: `), err);
    assertStringIncludes(message!, says);
    assert(hint!.startsWith("  "), err);
  });
}

Deno.test("with --wait, ssh gets through to a guest that is not up at first", async () => {
  let boots = 0;
  const door = sshd.unixDoor(async (connection) => {
    await connection.read(new Uint8Array(64));
    if (++boots < 4) return false;
    await connection.write(new TextEncoder().encode("OK 22\n"));
    // Up, but its sshd is not.
    return boots > 4;
  });
  const wait = `ProxyCommand=${client.installation.shim} %h %p --as-typed %n --wait=30`;
  const { code, out, err } = await client.run("ssh", ["-o", wait, `vsock-mux${door.path}`, "echo hello"]);
  assertEquals({ code, out, err, boots }, { code: 0, out: "hello\n", err: "", boots: 5 });
});

Deno.test("an sshd with no multiplexer before it is called one, with the address to write", async () => {
  const proxy = `ProxyCommand=${client.installation.shim} %h %p --as-typed %n`;
  for (const command of [proxy, `${proxy} --wait=30`]) {
    const { code, out, err } = await client.run("ssh", ["-o", command, `vsock-mux${sshd.socket}`, "echo hello"]);
    assertEquals({ code, out }, { code: 255, out: "" });
    const message = `deno-ssh-proxy: vsock-mux${sshd.socket} port 22: it is an SSH server itself, not a multiplexer`;
    assertEquals(err.split("\n").slice(0, 2), [message, `  use unix${sshd.socket}`]);
  }
  const { shim } = client.installation;
  const { code, stderr } = await new Deno.Command(shim, { args: ["wait", `vsock-mux${sshd.socket}`] }).output();
  assertEquals(code, 76);
  assertStringIncludes(new TextDecoder().decode(stderr), `it is an SSH server itself, not a multiplexer\n  use unix/`);
});

Deno.test("with --wait, ssh reads a thousand lines before the banner, which the program could not see", async () => {
  const door = sshd.unixDoor(async (connection) => {
    for (let line = 1; line <= 1000; line++) await connection.write(new TextEncoder().encode(`line ${line}\r\n`));
    return true;
  });
  const wait = `ProxyCommand=${client.installation.shim} %h %p --as-typed %n --wait=30`;
  const { code, out, err } = await client.run("ssh", ["-o", wait, `unix${door.path}`, "echo hello"]);
  assertEquals({ code, out, err }, { code: 0, out: "hello\n", err: "" });
});

Deno.test("a path that is missing says so before ssh does", async () => {
  const { code, err } = await client.run("ssh", ["unix/no/such/socket", "true"]);
  assertEquals(code, 255);
  assert(
    err.startsWith("deno-ssh-proxy: unix/no/such/socket: the socket does not exist: there is no directory /no\n"),
    err,
  );
});

Deno.test("a Host block of the user's own with this program as its ProxyCommand works, as README has it", () => {
  const readme = Deno.readTextFileSync(`${CHECKOUT}/README.md`);
  const block = /^ {4}Host myvm\n(?: {8}.*\n)+/m.exec(readme)?.[0] ?? "";
  const own = block.replace(/ {8}User .*\n/, "").replace(
    "deno-ssh-proxy vsock/42",
    `${client.installation.shim} ${address}`,
  );
  assert(own.includes(`ProxyCommand ${client.installation.shim} ${address} %p\n`), block);
  const config = sshd.folder.file("own", `${own}${Deno.readTextFileSync(client.config)}`);
  const unchecked = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
  assertEquals(outputOf("ssh", "-F", config, ...unchecked, "myvm", "echo hello"), "hello\n");
});

for (
  const [way, to] of [["a unix socket", address], ["a multiplexer", `vsock-mux${multiplexer(sshd, "OK 1\n").path}`]]
) {
  Deno.test(`64 MiB go both ways through ${way} unchanged`, async () => {
    const sent = randomBytes(64 << 20);
    const { code, bytes } = await client.run("ssh", [to!, "cat"], sent);
    assertEquals(code, 0);
    assertEquals(await sha256(bytes), await sha256(sent));
  });
}

Deno.test("scp and sftp work with an alias", async () => {
  const { folder } = sshd;
  folder.file("file", "a file\n");
  const copied = await client.run("scp", [`alias:${folder.at("file")}`, folder.at("copy")]);
  assertEquals([copied.code, await Deno.readTextFile(folder.at("copy"))], [0, "a file\n"], copied.err);
  const batch = new TextEncoder().encode(`get ${folder.at("file")} ${folder.at("got")}\n`);
  const got = await client.run("sftp", ["-b", "-", "alias"], batch);
  assertEquals([got.code, await Deno.readTextFile(folder.at("got"))], [0, "a file\n"], got.err);
});

testWith("rsync", "rsync copies a tree there and back", async () => {
  const { folder } = sshd;
  Deno.mkdirSync(folder.at("tree/deep"), { recursive: true });
  folder.file("tree/deep/file", "in a tree\n");
  folder.file("tree/empty", "");
  const rsync = (from: string, to: string) => outputLater("rsync", "-a", "-e", `ssh -F ${client.config}`, from, to);
  await rsync(folder.at("tree/"), `alias:${folder.at("there/")}`);
  await rsync(`alias:${folder.at("there/")}`, folder.at("back/"));
  assertEquals(await Deno.readTextFile(folder.at("back/deep/file")), "in a tree\n");
  assertEquals(await Deno.readTextFile(folder.at("back/empty")), "");
});

Deno.test("fifty connections at once all come through", async () => {
  const all = await Promise.all(Array.from({ length: 50 }, (_, n) => client.run("ssh", [address, `echo ${n}`])));
  assertEquals(all.map(({ out }) => out), Array.from({ length: 50 }, (_, n) => `${n}\n`));
});

Deno.test("a second session goes over the master's connection, which ends when it is told to", async () => {
  const door = sshd.unixDoor();
  const control = ["-o", "ControlMaster=auto", "-o", `ControlPath=${sshd.folder.at("c")}`, "-o", "ControlPersist=60"];
  const ssh = (...args: string[]) => client.run("ssh", [...control, `unix${door.path}`, ...args]);
  for (const word of ["one", "two"]) {
    const { code, out, err } = await ssh(`echo ${word}`);
    assertEquals({ code, out, err }, { code: 0, out: `${word}\n`, err: "" });
  }
  assertEquals(door.visitors, 1);
  assertStringIncludes((await ssh("-O", "check")).err, "Master running");
  assertEquals((await ssh("-O", "exit")).code, 0);
  await inTime(door.empty());
  assertEquals((await ssh("-O", "check")).code, 255);
});

Deno.test("an alias of a unix socket is a jump host", async () => {
  const [before, target] = [aliased.visitors, sshd.tcpDoor()];
  // Not the address itself: ssh takes no slash in a -J.
  const args = ["-J", "alias", "-p", `${target.port}`, "127.0.0.1", "echo hello"];
  const { code, out, err } = await client.run("ssh", args);
  assertEquals({ code, out, err }, { code: 0, out: "hello\n", err: "" });
  assertEquals([aliased.visitors - before, target.visitors], [1, 1]);
});

Deno.test("the program is gone before ssh has even seen the server's key", async () => {
  const { folder } = sshd;
  // ssh runs this before the key exchange. Every process of the program has these words among its arguments, and the
  // brackets keep it from finding itself.
  const hook = folder.file(
    "hook",
    `#!/bin/sh
grep -las '[-]-as-typed' /proc/[0-9]*/cmdline | xargs -r grep -lasF '${folder.path}' >>${folder.at("seen")}
exit 0
`,
  );
  Deno.chmodSync(hook, 0o755);
  const { code, err } = await client.run("ssh", ["-o", `KnownHostsCommand=${hook}`, address, "true"]);
  assertEquals({ code, err }, { code: 0, err: "" });
  assertEquals(await Deno.readTextFile(folder.at("seen")), "");
});

/** The kinds of all that an ssh has open while its session runs. */
async function openDuringSession(args: string[]): Promise<string[]> {
  const ssh = client.start("ssh", [...args, "echo ready; read line"], "piped");
  const output = ssh.stdout.getReader();
  assertEquals(new TextDecoder().decode((await inTime(output.read())).value), "ready\n");
  const listed = outputOf("find", `/proc/${ssh.pid}/fd`, "-type", "l", "-printf", "%l\\n");
  const [, { code }] = await Promise.all([ssh.stdin.close(), ssh.status, output.cancel(), ssh.stderr.cancel()]);
  assert(code !== 255);
  return listed.trimEnd().split("\n").map((link) => link.replace(/:\[[0-9]+\]$/, "")).sort();
}

Deno.test("ssh has nothing open that it has not where there is no ProxyCommand", async () => {
  const direct = await openDuringSession(["-p", `${sshd.tcpDoor().port}`, "127.0.0.1"]);
  assert(direct.includes("socket"), direct.join(" "));
  assertEquals(await openDuringSession([address]), direct);
  assertEquals(await openDuringSession([`vsock-mux${multiplexer(sshd, "OK 1\n").path}`]), direct);
});

/** Serves one connection with an sshd. */
async function serveOne(listener: Fd): Promise<void> {
  using connection = await listener.accept();
  using nowhere = openFile("/dev/null", 2);
  const serving = start(sshd.words, [connection, connection, nowhere], { PATH: "/usr/bin:/bin" });
  connection.close();
  await serving.ended;
}

testWhere(hasLoopback(), "there is no vsock loopback here", "a CID is reached: this machine's own", async () => {
  using listener = LoopbackListener.open()!;
  for (const cid of ["1", "local"]) {
    const [{ code, out, err }] = await Promise.all([
      client.run("ssh", ["-p", `${listener.port}`, `vsock/${cid}`, "echo hello"]),
      inTime(serveOne(listener)),
    ]);
    assertEquals({ code, out, err }, { code: 0, out: "hello\n", err: "" });
  }
});
