import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CHECKOUT } from "../../tools/checkout.ts";
import { outputLater, outputOf } from "../../tools/programs.ts";
import { Sshd } from "../../tools/sshd.ts";
import { inTime } from "../../tools/waiting.ts";
import { assertFailed, runAsSsh } from "../support/as_ssh.ts";
import { Client, type Ran } from "../support/client.ts";
import { COMMAND, LIBRARY, PROGRAM, replaced } from "../support/library_document.ts";
import { bytes, latin1, randomBytes, readSome, sha256 } from "../support/sockets.ts";
import { recipe, SecondDisk } from "./disk.ts";
import { Guest, Multiplexer, sshdAnswers } from "./guest.ts";
import type { Result, Trial } from "./in_guest.ts";

const sshd = await Sshd.start();
const multiplexer = await Multiplexer.start(42);
const { address } = multiplexer;
const client = new Client(sshd, "--user=root", multiplexer.alias("guest"));
const { shim } = client.installation;
const disk = new SecondDisk(client.installation, sshd, recipe("A guest without systemd"));
let guest: Guest | undefined;
Deno.test.afterAll(async () => {
  await guest?.[Symbol.asyncDispose]();
  await multiplexer[Symbol.asyncDispose]();
  disk[Symbol.dispose]();
  client[Symbol.dispose]();
  await sshd[Symbol.asyncDispose]();
});

/** The real one, that of Debian's systemd. */
const SYSTEMD_SSH_PROXY = "/usr/lib/systemd/systemd-ssh-proxy";
const NOT_YET = "nothing listens on that port in the guest, or it has not booted yet";

/** Runs `command` in the guest. */
function inGuest(command: string, input?: Uint8Array<ArrayBuffer>): Promise<Ran> {
  return client.run("ssh", ["guest", command], input);
}

/** Tries proxies and the library in the guest. */
async function tryInGuest<Trials extends Trial[]>(...trials: Trials): Promise<Result[]> {
  const program = `${Deno.execPath()} run --no-prompt --allow-ffi /mnt/in_guest.mjs`;
  const { code, out, err } = await inGuest(`${program} '${JSON.stringify(trials)}'`);
  assertEquals(code, 0, err);
  return JSON.parse(out);
}

Deno.test("where no guest is there yet, nothing is handed over, and the message says so", async () => {
  assertFailed(await runAsSsh([shim, address, "22"]), 69, NOT_YET);
});

Deno.test("while a guest boots, each try says that it has not booted yet; then its sshd answers", async () => {
  guest = await Guest.boot(multiplexer, { system: "trixie", kernel: "bookworm", init: "tests-init", disk: disk.path });
  const waited = outputLater(shim, "wait", address);
  const failed = await sshdAnswers(shim, multiplexer);
  assert(failed.length > 0, "it was up at once");
  for (const outcome of failed) assertFailed(outcome, 69, NOT_YET);
  // One that was told to wait needs no other try.
  assertMatch(await inTime(waited), /^SSH-2\.0-OpenSSH_\S+ .* \(after \d+\.\d s\)\n$/);
});

Deno.test("the real multiplexer's answer is the one that the handshake takes", async () => {
  using connection = await Deno.connect({ transport: "unix", path: multiplexer.socket });
  await connection.write(bytes("CONNECT 22\n"));
  assertEquals(latin1(await readSome(connection, 6)), "OK 22\n");
  assertStringIncludes(latin1(await readSome(connection)), "SSH-2.0-OpenSSH_");
});

Deno.test("a command's output and exit status come out of the guest", async () => {
  const { code, out, err } = await client.run("ssh", [`root@${address}`, "cat /proc/1/comm; exit 3"]);
  assertEquals({ code, out, err }, { code: 3, out: "tests-init\n", err: "" });
});

Deno.test("64 MiB go into the guest and out of it at once, unchanged", async () => {
  const sent = randomBytes(64 << 20);
  const { code, bytes, err } = await inGuest("cat", sent);
  assertEquals({ code, err }, { code: 0, err: "" });
  assertEquals(await sha256(bytes), await sha256(sent));
});

Deno.test("scp and sftp reach the guest by an alias", async () => {
  const { folder } = sshd;
  folder.file("file", "a file\n");
  const copied = await client.run("scp", [folder.at("file"), "guest:/tmp/copy"]);
  assertEquals(copied.code, 0, copied.err);
  const batch = new TextEncoder().encode(`get /tmp/copy ${folder.at("back")}\n`);
  const got = await client.run("sftp", ["-b", "-", "guest"], batch);
  assertEquals([got.code, await Deno.readTextFile(folder.at("back"))], [0, "a file\n"], got.err);
});

Deno.test("a port that nothing listens on in the guest is said to be one", async () => {
  assertFailed(await runAsSsh([shim, address, "4711"]), 69, NOT_YET);
  const { code, err } = await client.run("ssh", ["-p", "4711", address, "true"]);
  assertEquals(code, 255);
  assert(err.startsWith(`deno-ssh-proxy: ${address} port 4711: ${NOT_YET}\n`), err);
});

Deno.test("ten connections at once all get into the guest", async () => {
  const all = await Promise.all(Array.from({ length: 10 }, (_, n) => inGuest(`echo ${n}`)));
  assertEquals(all.map(({ out, err }) => out + err), Array.from({ length: 10 }, (_, n) => `${n}\n`));
});

Deno.test("in a guest without vsock_loopback, CID 1 is said to need it", async () => {
  const [ours, theirs] = await tryInGuest(
    { proxy: [shim, "vsock/1", "22", "--timeout", "1"] },
    { proxy: [SYSTEMD_SSH_PROXY, "vsock/1", "22"] },
  );
  assertFailedAt(ours!, 75, "vsock/1 port 22: no answer within 1 s", "vsock_loopback");
  assertEquals([theirs!.code, theirs!.passed], [1, []], theirs!.said);
  const { code, err } = await inGuest("modprobe vsock_loopback");
  assertEquals(code, 0, err);
});

for (const name of ["vsock/1", "vsock/local"]) {
  Deno.test(`in a guest, ${name} is the guest itself, for ssh with either proxy`, async () => {
    const { code, out, err } = await inGuest(`ssh ${name} 'cat /proc/1/comm; exit 3'`);
    assertEquals({ code, out, err }, { code: 3, out: "tests-init\n", err: "" });
    const theirs = await inGuest(`ssh -o ProxyCommand='${SYSTEMD_SSH_PROXY} %h %p' ${name} cat /proc/1/comm`);
    assertEquals(theirs.out, "tests-init\n", theirs.err);
  });
}

Deno.test("in a guest, scp takes vsock%1", async () => {
  const { out, err } = await inGuest("scp vsock%1:/usr/sbin/tests-init /tmp/copied && sha256sum </tmp/copied");
  assertEquals(out, (await inGuest("sha256sum </usr/sbin/tests-init")).out, err);
});

Deno.test("in a guest, ssh that takes no fd has 8 MiB relayed over AF_VSOCK there and back, and the exit status", async () => {
  const there = "ssh -o ProxyUseFdpass=no vsock/1";
  const { code, out, err } = await inGuest(
    `head -c 8388608 /dev/urandom >/tmp/sent && ${there} 'cat; exit 3' </tmp/sent >/tmp/back; echo $?; cmp /tmp/sent /tmp/back`,
  );
  assertEquals({ code, out, err }, { code: 0, out: "3\n", err: "" });
});

Deno.test("from a guest, vsock/2 is the host", async () => {
  sshd.unixDoor(undefined, multiplexer.hostSocket(22));
  const user = outputOf("id", "-un").trim();
  const file = sshd.folder.file("on-the-host", "this is the host\n");
  for (const proxy of [[], ["-o", `ProxyCommand='${SYSTEMD_SSH_PROXY} %h %p'`]]) {
    const { code, out, err } = await inGuest(["ssh", ...proxy, `${user}@vsock/2`, `'cat ${file}; exit 3'`].join(" "));
    assertEquals({ code, out, err }, { code: 3, out: "this is the host\n", err: "" });
  }
});

Deno.test("in a guest, what can be reached and what cannot is the same as for systemd-ssh-proxy, with our codes", async () => {
  const late = "no answer within 1 s";
  const cases: [host: string, port: string, code: number, says?: string, hint?: string][] = [
    ["vsock/1", "22", 0],
    ["vsock/42", "22", 0],
    ["vsock/2", "22", 0],
    ["vsock/host", "22", 0],
    ["vsock/1", "4711", 69, "vsock/1 port 4711: nothing listens on that port", "kernel module vsock_loopback loaded"],
    // The multiplexer drops what nobody on the host listens for.
    ["vsock/2", "4711", 75, `vsock/2 port 4711: ${late}`, "does the host's sshd listen on vsock port 4711?"],
    ["vsock/77", "22", 75, `vsock/77 port 22: ${late}`, "is the guest up"],
    [
      "unix/run/no-such-socket",
      "22",
      66,
      "unix/run/no-such-socket: the socket does not exist",
      "is the server running?",
    ],
  ];
  const results = await tryInGuest(...cases.flatMap(([host, port]) => [
    { proxy: [shim, host, port, "--timeout", "1"] },
    { proxy: [SYSTEMD_SSH_PROXY, host, port] },
    { host, port, timeout: 1000 },
  ]));
  for (const [n, [host, port, code, says = "", hint = ""]] of cases.entries()) {
    const [ours, theirs, library] = results.slice(3 * n) as [Result, Result, Result];
    const passed = code === 0 ? ["SSH-2.0-"] : [];
    assertEquals([theirs.code, theirs.passed], [code === 0 ? 0 : 1, passed], `${host} ${port}: ${theirs.said}`);
    assertEquals([library.code, library.said, library.passed], [code, says, passed], `${host} ${port}`);
    if (code === 0) assertEquals([ours.code, ours.said, ours.passed], [0, "", passed], `${host} ${port}`);
    else assertFailedAt(ours, code, says, hint);
  }
});

Deno.test("in a guest, docs/library.md's program prints the banner of the virtual machine with CID 42", async () => {
  const program = sshd.folder.file("banner.ts", PROGRAM);
  const bundled = sshd.folder.at("banner.mjs");
  outputOf(Deno.execPath(), "bundle", "--quiet", `--config=${CHECKOUT}/deno.json`, `--output=${bundled}`, program);
  const place = LIBRARY.slice(0, LIBRARY.lastIndexOf("/"));
  const command = replaced(COMMAND, [["deno ", `${Deno.execPath()} `], ["banner.ts", "/tmp/banner.mjs"]]);
  const { code, out, err } = await inGuest(
    `mkdir -p ${place} && ln -s /mnt/libdeno_ssh_proxy.so ${place} && cat >/tmp/banner.mjs && ${command}`,
    Deno.readFileSync(bundled),
  );
  assertEquals([code, err], [0, ""]);
  assertMatch(out, /^SSH-2\.0-OpenSSH_[ -~]+\n$/);
});

Deno.test("in a guest, a connection that nobody answers may take longer than the kernel's own 2 s", async () => {
  const [ours] = await tryInGuest({ proxy: [shim, "vsock/77", "22", "--timeout", "4"] });
  assertFailedAt(ours!, 75, "vsock/77 port 22: no answer within 4 s", "is the guest up");
  assert(ours!.took >= 4000, `it took ${ours!.took} ms`);
});

Deno.test("in a guest, check tells its own CID, and takes every step over AF_VSOCK", async () => {
  const { code, out } = await inGuest(`${shim} check vsock/42 --json`);
  const { steps } = JSON.parse(out) as { steps: { name: string; status: string; facts: Record<string, unknown> }[] };
  assertEquals([code, steps.map(({ name, status }) => `${name}: ${status}`)], [
    0,
    ["address: ok", "vsock: ok", "connect: ok", "banner: ok", "ssh: ok", "try: ok"],
  ]);
  assertEquals(steps[1]!.facts, { cid: 42 });
  assertEquals(steps[4]!.facts["ours"], true);
  const nobody = await inGuest(`${shim} check vsock/1 4711`);
  assertEquals(nobody.code, 69);
  assertMatch(nobody.out, /^[x✗] connect {3}vsock\/1 port 4711: nothing listens on that port/m);
});

Deno.test("in a guest, the library's own AF_VSOCK tests pass", async () => {
  const { code, out } = await inGuest("/mnt/library-tests --ignored");
  assertEquals(code, 0, out);
  assertMatch(out, /ok\. [1-9][0-9]* passed; 0 failed; 0 ignored/);
});

Deno.test("a guest that is switched off ends the ssh that is in it, and is then said to be off", async () => {
  const inside = client.start("ssh", ["guest", "echo ready; exec sleep 1000"]);
  const output = inside.stdout.getReader();
  assertEquals(new TextDecoder().decode((await inTime(output.read())).value), "ready\n");
  // It takes the ssh that says so with it.
  const [{ code }] = await inTime(Promise.all([inside.status, guest!.off, inGuest("echo o >/proc/sysrq-trigger")]));
  assertEquals(code, 255);
  await Promise.all([output.cancel(), inside.stderr.cancel()]);
  assertFailed(await runAsSsh([shim, address, "22"]), 69, NOT_YET);
});

/** That a proxy in the guest passed nothing and failed with this code, one line that ends so, and a hint that says this. */
function assertFailedAt({ code, said, passed }: Result, expected: number, says: string, hint: string): void {
  assertEquals([code, passed], [expected, []], said);
  const [message, advice = ""] = said.split("\n");
  assertEquals(message, `deno-ssh-proxy: ${says}`);
  assertStringIncludes(advice, hint);
}
