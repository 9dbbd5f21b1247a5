import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { outputOf } from "../../tools/programs.ts";
import { Sshd } from "../../tools/sshd.ts";
import { script } from "../sandbox/recipes.ts";
import { Client } from "../support/client.ts";
import { recipe, SecondDisk } from "./disk.ts";
import { Guest, Multiplexer, sshdAnswers } from "./guest.ts";

const sshd = await Sshd.start();
const newer = await Multiplexer.start(42);
const older = await Multiplexer.start(43);
const client = new Client(sshd, "--user=root", newer.alias("newer"), older.alias("older"));
const { shim } = client.installation;
const disk = new SecondDisk(client.installation, sshd);
// Both boot at the same time.
const [systemd257, systemd252] = await Promise.all([
  Guest.boot(newer, { system: "trixie", kernel: "trixie", init: "systemd", disk: disk.path, options: credential() }),
  Guest.boot(older, { system: "bookworm", kernel: "bookworm", init: "systemd", disk: disk.path }),
]);
Deno.test.afterAll(async () => {
  await Promise.all([systemd257[Symbol.asyncDispose](), systemd252[Symbol.asyncDispose]()]);
  await Promise.all([newer[Symbol.asyncDispose](), older[Symbol.asyncDispose]()]);
  disk[Symbol.dispose]();
  client[Symbol.dispose]();
  await sshd[Symbol.asyncDispose]();
});

/** QEMU's option that gives a guest the key of the sshd, as docs/guest.md has it. */
function credential(): string[] {
  Deno.mkdirSync(sshd.folder.at("home/.ssh"), { recursive: true });
  Deno.copyFileSync(`${sshd.key}.pub`, sshd.folder.at("home/.ssh/id_ed25519.pub"));
  const printing = `${recipe("A guest with systemd 256 or later")}printf %s "$qemu_option"`;
  return outputOf("env", `HOME=${sshd.folder.at("home")}`, "sh", "-c", printing).split(" ");
}

/** What `command` prints in a guest. It must succeed. */
async function inGuest(name: "newer" | "older", command: string): Promise<string> {
  const { code, out, err } = await client.run("ssh", [name, command]);
  assertEquals({ code, err }, { code: 0, err: "" }, `${command}: ${out}`);
  return out;
}

Deno.test("a guest with systemd 257 and an sshd is reached with nothing done in it", async () => {
  await sshdAnswers(shim, newer);
  assertStringIncludes(await inGuest("newer", "systemctl --version"), "systemd 257");
  assertStringIncludes(await inGuest("newer", "systemctl show --property=Listen sshd-vsock.socket"), "vsock::22");
  await inGuest("newer", "mount -o ro /dev/vda /mnt && sh /mnt/prepare");
});

/** Says which machine it is run on. */
const WHICH = "cat /proc/sys/kernel/random/boot_id";

Deno.test("in such a guest, .host is the guest itself, whose host key is kept", async () => {
  const guest = await inGuest("newer", WHICH);
  assertEquals(await inGuest("newer", `ssh -o StrictHostKeyChecking=accept-new .host ${WHICH}`), guest);
  assertEquals(await inGuest("newer", `ssh -o StrictHostKeyChecking=yes .host ${WHICH}`), guest);
  assertEquals(await inGuest("newer", `ssh -o StrictHostKeyChecking=accept-new machine/.host ${WHICH}`), guest);
});

Deno.test("in such a guest, CID 1 and its own CID lead to the sshd that systemd bound, once vsock_loopback is there", async () => {
  const { code, err } = await client.run("ssh", ["newer", `ssh vsock/42 ${WHICH}`]);
  assertEquals(code, 255);
  assertStringIncludes(err, "vsock/42 port 22: no such CID: no such device (ENODEV)");
  const guest = await inGuest("newer", `modprobe vsock_loopback && ${WHICH}`);
  for (const cid of [1, 42]) assertEquals(await inGuest("newer", `ssh vsock/${cid} ${WHICH}`), guest);
});

/** The words that have `ssh` in the guest use a script which is there, for `address`. */
const through = (place: string, address: string) =>
  `ssh -o StrictHostKeyChecking=no -o ProxyUseFdpass=yes -o ProxyCommand="${place} '%h' '%p'" ${address} ${WHICH}`;

/** Puts the script of docs/permissions.md into the guest, with these directives besides, and another program in the end. */
async function putScript(place: string, directives = "", program = `${shim} "$@"`): Promise<void> {
  const text = script("With systemd", [['-- /usr/local/bin/deno-ssh-proxy "$@"', `${directives} -- ${program}`]]);
  await inGuest("newer", `cat >${place} <<'END'\n${text}END\nchmod 755 ${place}`);
}

Deno.test("in such a guest, a connection is passed under systemd's directives, and the relay works under them", async () => {
  const guest = await inGuest("newer", WHICH);
  await putScript("/root/box");
  for (const address of [".host", "unix/run/ssh-unix-local/socket", "vsock/1"]) {
    assertEquals(await inGuest("newer", through("/root/box", address)), guest, address);
  }
  assertStringIncludes(await inGuest("newer", "/root/box .host 22 --relay </dev/null"), "SSH-2.0-");
  const { code, err } = await client.run("ssh", ["newer", "/root/box unix/no/such 22"]);
  assertEquals([code, err.split("\n")[0]], [
    66,
    "deno-ssh-proxy: unix/no/such: the socket does not exist: there is no directory /no",
  ]);
});

Deno.test("in such a guest, AF_UNIX and AF_VSOCK are reached with no network, and V8 needs to write what it executes", async () => {
  const guest = await inGuest("newer", WHICH);
  await putScript("/root/alone", "-p PrivateNetwork=yes");
  for (const address of [".host", "vsock/1"]) {
    assertEquals(await inGuest("newer", through("/root/alone", address)), guest, address);
  }
  await putScript("/root/strict", "-p MemoryDenyWriteExecute=yes");
  const { code } = await client.run("ssh", ["newer", "/root/strict .host 22 --relay </dev/null"]);
  assert(code !== 0, "docs/permissions.md says that it does not work");
});

/** What root in the guest can do, and what runs under the directives cannot. */
const KEPT = {
  "writes a file": "touch /var/tmp/x",
  "opens a network connection": "socat -u /dev/null TCP4-LISTEN:2022,bind=127.0.0.1,accept-timeout=0.1",
  "makes a namespace": "unshare --mount true",
  "mounts a file system": "mount -t tmpfs tmpfs /media",
  "uses a device": "test -e /dev/vsock",
  "changes the name of the machine": "hostname x",
};

Deno.test("in such a guest, systemd's directives keep the program from what root can do", async () => {
  await putScript("/root/other", "", "/bin/sh /root/tries");
  const tries = Object.entries(KEPT).map(([what, command]) => `${command} 2>/dev/null && echo "it ${what}"`);
  await inGuest("newer", `cat >/root/tries <<'END'\n${tries.join("\n")}\necho end\nEND`);
  assertEquals((await inGuest("newer", "/root/other")).trim().split("\n"), ["end"]);
  const did = [...Object.keys(KEPT).map((what) => `it ${what}`), "end"];
  assertEquals((await inGuest("newer", "sh /root/tries; umount /media")).trim().split("\n"), did);
});

/** Calls the real machined. In `parameters` a shell replaces what it knows. */
function callMachined(method: string, parameters: string): Promise<string> {
  const machined = "/run/systemd/machine/io.systemd.Machine";
  const quoted = parameters.replaceAll('"', '\\"');
  return inGuest("newer", `varlinkctl call ${machined} io.systemd.Machine.${method} "${quoted}"`);
}

/** Registers a machine, with a process of its own as its first one. */
async function register(name: string, fields: string): Promise<void> {
  await inGuest("newer", `systemd-run --quiet --unit=leader-of-${name} sleep infinity`);
  const leader = `$(systemctl show --property=MainPID --value leader-of-${name})`;
  await callMachined("Register", `{"name":"${name}","leader":${leader},"allocateUnit":true,${fields}}`);
}

Deno.test("in such a guest, the real machined knows its CID, and that of a virtual machine that was registered", async () => {
  await inGuest("newer", "systemctl start systemd-machined");
  await register("foo", `"class":"vm","vSockCid":42`);
  for (const [name, kind, cid] of [["foo", "vm", 42], [".host", "host", 1]] as const) {
    const machine = JSON.parse(await callMachined("List", `{"name":"${name}"}`));
    assertEquals([machine.class, machine.vSockCid], [kind, cid]);
  }
});

Deno.test("in such a guest, ssh reaches by its name what the real machined knows: a virtual machine and a container", async () => {
  const guest = await inGuest("newer", WHICH);
  assertEquals(await inGuest("newer", `ssh machine/foo ${WHICH}`), guest);
  await register("Box", `"class":"container","service":"systemd-nspawn"`);
  const place = "/run/systemd/nspawn/Box/unix-export";
  await inGuest("newer", `mkdir -p ${place} && ln -s /run/ssh-unix-local/socket ${place}/ssh`);
  assertEquals(await inGuest("newer", `ssh machine/Box ${WHICH}`), guest);
});

Deno.test("in such a guest, list has what the real machined and systemd have for ssh, each once", async () => {
  const lines = (await inGuest("newer", `${shim} list`)).split("\n").sort();
  assertEquals(lines, [
    "",
    ".host\tthis machine\t\t",
    "machine/Box\tcontainer\tBox\t",
    "machine/foo\tvirtual machine\tfoo\t",
  ]);
});

Deno.test("in such a guest, a name that the real machined does not know, or does not take, is said to be none", async () => {
  for (
    const [name, says] of [
      ["none", "machine/none: no such machine"],
      ["foo..", "machine/foo..: /run/systemd/machine/io.systemd.Machine: no machine can have this name"],
    ] as const
  ) {
    const { code, err } = await client.run("ssh", ["newer", `ssh machine/${name} true`]);
    assertEquals(code, 255);
    assertStringIncludes(err, `deno-ssh-proxy: ${says}\n`);
  }
});

Deno.test("a guest with systemd 252 is reached when the recipe is pasted at its console", async () => {
  await systemd252.shows("login:");
  await systemd252.type("root\n");
  const greeted = await systemd252.shows(":~# ");
  await systemd252.type("mount -o ro /dev/vda /mnt && sh /mnt/prepare\n");
  await systemd252.shows(":~# ", greeted.length);
  await systemd252.type(recipe("A guest with an older systemd"));
  await sshdAnswers(shim, older);
  assertStringIncludes(await inGuest("older", "systemctl --version"), "systemd 252");
});
