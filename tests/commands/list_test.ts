import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import type { Ran } from "../support/home.ts";
import { Installation } from "../support/installation.ts";
import { type Answer, CONTAINER, HOST, knows, Machined, varlink, VM, writeAll } from "../support/machined.ts";
import { listen } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";
import { denoWith } from "./grants.ts";
import { compile, StandIn } from "./monitors.ts";
import { asText, InTerminal, run } from "./typed.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;

const USER = Number(outputOf("id", "-u"));
const PATH = outputOf("sh", "-c", "echo $PATH").trim();
const IS_ROOT = USER === 0;
/** A user that is nobody's. */
const OTHER_USER = 54321;

function succeeds(...words: string[]): boolean {
  return new Deno.Command(words[0]!, { args: words.slice(1), stdout: "null", stderr: "null" }).outputSync().success;
}

const HAS_CC = succeeds("sh", "-c", "command -v cc");
const HAS_NAMESPACES = IS_ROOT &&
  succeeds("unshare", "--mount", "--pid", "--fork", "--mount-proc", "mount", "-t", "tmpfs", "tmpfs", "/run");

/** One of the array that `list --json` prints. */
interface Reachable {
  address: string;
  kind: string;
  source: string;
  name: string | null;
  cid: number | null;
  pid: number | null;
  uid: number | null;
  needsAlias: boolean;
}

/** What `list --json` has of the things that are in `folder`. There may be others on this machine. */
async function listed(folder: Folder, ...before: string[]): Promise<Reachable[]> {
  const { code, out, err } = await run([...before, shim, "list", "--json"]);
  assertEquals(code, 0, err);
  return (JSON.parse(out) as Reachable[]).filter(({ address }) => address.includes(folder.path));
}

function addresses(all: Reachable[]): string[] {
  return all.map(({ address }) => address).sort();
}

function testList(name: string, fn: () => Promise<void>, canRun = true, why = ""): void {
  testWhere(HAS_CC && canRun, HAS_CC ? why : "there is no cc here", name, fn);
}

testList("Firecracker's vsock is listed and its API is not, and nobody connects to either", async () => {
  using folder = new Folder();
  compile(folder, "firecracker");
  const paths = ["api.sock", "v.sock"].map((name) => folder.at(name));
  const args = ["--id", "vm7", "--api-sock", paths[0]!];
  await using standIn = await StandIn.start(folder.at("firecracker"), paths, { args });
  assertEquals(await listed(folder), [{
    address: `vsock-mux${paths[1]}`,
    kind: "virtual-machine",
    source: "firecracker",
    name: "vm7",
    cid: null,
    pid: standIn.pid,
    uid: USER,
    needsAlias: false,
  }]);
  assertEquals(standIn.visitors, 0);
});

testList("Cloud Hypervisor's vsock is listed by its command line, and without one by what else there is", async () => {
  using folder = new Folder();
  compile(folder, "cloud-hypervisor");
  const paths = (number: number) => [`api${number}`, `serial${number}`, `v${number}`].map((name) => folder.at(name));
  const [api1, serial1, vsock1] = paths(1);
  const [api2, serial2, vsock2] = paths(2);
  const program = folder.at("cloud-hypervisor");
  await using _named = await StandIn.start(program, paths(1), {
    args: ["--api-socket", `path=${api1}`, "--vsock", `cid=5,socket=${vsock1}`],
  });
  await using _unnamed = await StandIn.start(program, paths(2), {
    args: ["--api-socket", `path=${api2}`, "--serial", `socket=${serial2}`],
  });
  const all = await listed(folder);
  assertEquals(addresses(all), [`vsock-mux${vsock1}`, `vsock-mux${vsock2}`]);
  assert(!addresses(all).includes(`vsock-mux${serial1}`));
  assertEquals(all.map(({ source, cid }) => [source, cid]).sort(), [["cloud-hypervisor", null], [
    "cloud-hypervisor",
    5,
  ]]);
});

testList("a QEMU with a vhost-vsock device is listed by its CID", async () => {
  using folder = new Folder();
  compile(folder, "qemu-system-x86_64");
  const name = folder.path.replaceAll(",", "");
  await using standIn = await StandIn.start(folder.at("qemu-system-x86_64"), [], {
    args: ["-name", `guest=${name},debug-threads=on`, "-device", '{"driver":"vhost-vsock-pci","guest-cid":4294967290}'],
  });
  const { out } = await run([shim, "list", "--json"]);
  const [qemu] = (JSON.parse(out) as Reachable[]).filter((one) => one.name === name);
  const { address, source, cid, pid } = qemu!;
  assertEquals({ address, source, cid, pid }, {
    address: "vsock/4294967290",
    source: "qemu",
    cid: 4294967290,
    pid: standIn.pid,
  });
});

testList("a socket that was bound to a relative path has its whole one", async () => {
  using folder = new Folder();
  compile(folder, "firecracker");
  Deno.mkdirSync(folder.at("below"));
  await using _standIn = await StandIn.start(folder.at("firecracker"), ["./v.sock", "w.sock"], {
    cwd: folder.at("below"),
  });
  assertEquals(
    addresses(await listed(folder)),
    ["v.sock", "w.sock"].map((name) => `vsock-mux${folder.at("below")}/${name}`),
  );
});

testList(
  "a socket in the jailer's chroot has the path that it has out here",
  async () => {
    using folder = new Folder();
    compile(folder, "firecracker");
    Deno.mkdirSync(folder.at("root/run"), { recursive: true });
    const jail = folder.at("root");
    await using _standIn = await StandIn.start(folder.at("firecracker"), ["/run/v.sock", "w.sock"], { jail });
    assertEquals(addresses(await listed(folder)), [`vsock-mux${jail}/run/v.sock`, `vsock-mux${jail}/w.sock`]);
  },
  HAS_NAMESPACES,
  "only root can change the root of a process",
);

testList("a socket whose path is gone is none", async () => {
  using folder = new Folder();
  compile(folder, "firecracker");
  await using standIn = await StandIn.start(folder.at("firecracker"), [folder.at("v.sock"), folder.at("w.sock")]);
  Deno.removeSync(folder.at("v.sock"));
  assert(!(await run([shim, "list"])).err.includes(`${standIn.pid}`));
  assertEquals(addresses(await listed(folder)), [`vsock-mux${folder.at("w.sock")}`]);
});

testList(
  "root is told whose process it is, where that is another user's",
  async () => {
    using folder = new Folder();
    compile(folder, "firecracker");
    Deno.mkdirSync(folder.at("theirs"));
    Deno.chownSync(folder.at("theirs"), OTHER_USER, OTHER_USER);
    const before = ["setpriv", "--reuid", `${OTHER_USER}`, "--regid", `${OTHER_USER}`, "--clear-groups"];
    const path = folder.at("theirs/v.sock");
    await using standIn = await StandIn.start(folder.at("firecracker"), [path], { before });
    const { out } = await run([shim, "list"]);
    assertStringIncludes(out, `vsock-mux${path}\tFirecracker (pid ${standIn.pid}, uid ${OTHER_USER})\t\t\n`);
    assertEquals((await listed(folder)).map(({ uid }) => uid), [OTHER_USER]);
  },
  IS_ROOT,
  "only root can start a process as another user",
);

testList(
  "of a process that may not be looked into there is what its command line says, and a word about the rest",
  async () => {
    using folder = new Folder();
    compile(folder, "firecracker", "cloud-hypervisor");
    const [hidden, known, stale] = ["f.sock", "c.sock", "none.sock"].map((name) => folder.at(name));
    await using firecracker = await StandIn.start(folder.at("firecracker"), [hidden!]);
    await using _told = await StandIn.start(folder.at("cloud-hypervisor"), [known!], {
      args: ["--vsock", `cid=3,socket=${known}`],
    });
    await using _silent = await StandIn.start(folder.at("cloud-hypervisor"), [], {
      args: ["--vsock", `cid=4,socket=${stale}`],
    });
    // To root without this capability they are what another user's are to anybody.
    const before = ["setpriv", "--inh-caps=-sys_ptrace", "--bounding-set=-sys_ptrace"];
    const { code, err, out } = await run([...before, shim, "list"]);
    assertEquals(code, 0);
    assertMatch(
      err,
      new RegExp(`^deno-ssh-proxy: .*Firecracker \\(pid ${firecracker.pid}\\).*: of another user, `, "m"),
    );
    assert(!err.includes("Cloud Hypervisor") && !out.includes(hidden!) && !out.includes(stale!), err + out);
    assertEquals(addresses(await listed(folder, ...before)), [`vsock-mux${known}`]);
  },
  IS_ROOT && succeeds("setpriv", "--inh-caps=-sys_ptrace", "--bounding-set=-sys_ptrace", "true"),
  "only root can do without what root may",
);

testList(
  "a vhost-device-vsock with a configuration file is mentioned, and none of its sockets is guessed at",
  async () => {
    using folder = new Folder();
    compile(folder, "vhost-device-vsock");
    const paths = ["q.sock", "v.sock"].map((name) => folder.at(name));
    await using standIn = await StandIn.start(folder.at("vhost-device-vsock"), paths, {
      args: ["--config=vsock.yaml"],
    });
    const { code, out, err } = await run([shim, "list"]);
    assertEquals([code, out.includes(folder.path)], [0, false]);
    assertMatch(err, new RegExp(`vhost-device-vsock \\(pid ${standIn.pid}\\).*: which of its sockets`));
    assertStringIncludes(err, "uds_path");
  },
);

testList("a terminal has a table, and is told where an alias is needed", async () => {
  using folder = new Folder();
  compile(folder, "firecracker");
  await using standIn = await StandIn.start(folder.at("firecracker"), [folder.at("a b\x1b[2J.sock")]);
  const words = (columns: number) => ["/bin/sh", "-c", `stty cols ${columns} && exec "$@"`, "sh", shim, "list"];
  using terminal = new InTerminal(words(300), { PATH });
  assertEquals(await terminal.end(), 0);
  const text = asText(terminal.shown);
  assertMatch(text, /^ADDRESS +WHAT +NAME +NEEDS\n/);
  const address = `vsock-mux${folder.at("a b\\x1b[2J.sock")}`;
  assert(text.includes(`${address}  Firecracker`), text);
  assertStringIncludes(text, " an alias\n");
  assertStringIncludes(text, "\n  deno-ssh-proxy config --install --alias NAME=ADDRESS gives such a one a name\n");
  assert(!terminal.shown.includes("\x1b"), terminal.shown);
  // Nothing is cut where there is less room: the rest is below the address.
  using narrow = new InTerminal(words(50), { PATH });
  assertEquals(await narrow.end(), 0);
  assertStringIncludes(asText(narrow.shown), `${address}\n  Firecracker (pid ${standIn.pid}), needs an alias\n`);
  assertEquals((await listed(folder)).map(({ pid, needsAlias }) => [pid, needsAlias]), [[standIn.pid, true]]);
});

/** Runs `list` in namespaces where nothing else is, with a new /run, after `setUp`. */
function runAlone(setUp: string, ...args: string[]) {
  const script = `mount -t tmpfs tmpfs /run && { ${setUp || ":"}; } && shift 1 && "$@"`;
  return run([
    ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-ec", script, "sh", "-"],
    ...[shim, "list", ...args],
  ]);
}

function testAlone(name: string, fn: () => Promise<void>): void {
  testList(name, fn, HAS_NAMESPACES, "only root can have a /run of its own");
}

testAlone("where there is nothing, it says so in words, and it is no failure", async () => {
  const { code, out, err } = await runAlone("");
  assertEquals([code, out], [0, ""]);
  assertMatch(err, /^deno-ssh-proxy: nothing was found .*\n(?: {2}.*\n)+$/);
  const json = await runAlone("", "--json");
  assertEquals([json.code, json.out, json.err], [0, "[]\n", err]);
});

/** Runs `list` as a user whose systemd-machined does this, in the runtime folder `folder`. */
async function listedBy(answer: Answer, folder: Folder): Promise<Ran> {
  await using _machined = new Machined(folder.path, answer);
  return await run([shim, "list", "--json"], { XDG_RUNTIME_DIR: folder.path });
}

/** Those that systemd-machined told of. */
function machines({ out }: Ran): Reachable[] {
  return (JSON.parse(out) as Reachable[]).filter(({ source }) => source === "machined");
}

testList("the machines of systemd-machined are listed by their names, those that ssh can reach", async () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.at("systemd/nspawn/box/unix-export"), { recursive: true });
  using _listener = listen(folder.at("systemd/nspawn/box/unix-export/ssh"));
  const bare = { name: "bare", class: "vm", service: "libvirt-qemu" };
  const muxed = { ...bare, name: "muxed", sshAddress: "vsock-mux/run/muxed.sock" };
  const host = { ...HOST, sshAddress: "unix/run/ssh-unix-local/socket" };
  const again = { ...VM, vSockCid: 43 };
  const typed = await listedBy(
    knows(host, VM, again, CONTAINER, { ...CONTAINER, name: "unexported" }, bare, muxed),
    folder,
  );
  const rest = { source: "machined", pid: null, uid: null, needsAlias: false };
  assertEquals([typed.code, machines(typed)], [0, [
    { address: "machine/foo", kind: "virtual-machine", name: "foo", cid: 42, ...rest },
    { address: "machine/box", kind: "container", name: "box", cid: null, ...rest },
    { address: "machine/muxed", kind: "virtual-machine", name: "muxed", cid: null, ...rest },
  ]]);
});

testList("what is no machine's name is not listed, wherever it would lead", async () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.at("unix-export"));
  using _listener = listen(folder.at("unix-export/ssh"));
  const names = ["../..", "a/b", "", ".host", "a\x1b[2J"];
  const typed = await listedBy(knows(...names.flatMap((name) => [{ ...CONTAINER, name }, { ...VM, name }])), folder);
  assertEquals([typed.code, machines(typed)], [0, []]);
});

testList(
  "a virtual machine that systemd-machined knows is listed once, though its monitor is a process too",
  async () => {
    using folder = new Folder();
    using other = new Folder();
    compile(folder, "qemu-system-x86_64");
    await using _qemu = await StandIn.start(folder.at("qemu-system-x86_64"), [], {
      args: ["-device", "vhost-vsock-pci,guest-cid=4294967291"],
    });
    const typed = await listedBy(knows({ ...VM, vSockCid: 4294967291 }), folder);
    const all = JSON.parse(typed.out) as Reachable[];
    assertEquals(all.filter(({ cid }) => cid === 4294967291).map(({ address }) => address), ["machine/foo"]);
    const without = await listedBy(knows({ ...VM, vSockCid: 4294967292 }), other);
    const others = JSON.parse(without.out) as Reachable[];
    assertEquals(others.filter(({ cid }) => cid === 4294967291).map(({ address }) => address), ["vsock/4294967291"]);
  },
);

testList("a systemd-machined that knows nothing is no failure, and what one did not tell is said", async () => {
  using folder = new Folder();
  const none = await listedBy(knows(), folder);
  assertEquals([none.code, machines(none)], [0, []]);
  assert(!none.err.includes(folder.path), none.err);
  using other = new Folder();
  const refused = await listedBy((connection) => writeAll(connection, varlink({ error: "io.example.No" })), other);
  assertEquals([refused.code, machines(refused)], [0, []]);
  assertStringIncludes(refused.err, `deno-ssh-proxy: ${Machined.socketIn(other.path)}: `);
});

/** Has the stand-in listen on these. */
function sockets(folder: Folder, ...paths: string[]): string {
  const folders = paths.map((path) => path.replace(/\/[^/]*$/, ""));
  const there = paths.map((path) => `[ -S ${path} ]`).join(" && ");
  return `mkdir -p ${folders.join(" ")}; LISTEN='${paths.join("\n")}' ${folder.at("server")} >/dev/null & ` +
    `until ${there}; do sleep 0.02; done`;
}

testAlone("the containers of systemd-nspawn are listed, wherever its version has their sockets", async () => {
  using folder = new Folder();
  compile(folder, "server");
  const [older, newer] = ["/run/systemd/nspawn/unix-export/old/ssh", "/run/systemd/nspawn/new/unix-export/ssh"];
  const noSocket =
    "mkdir -p /run/systemd/nspawn/locks /run/systemd/nspawn/unix-export/off; : >/run/systemd/nspawn/file";
  const { code, out, err } = await runAlone(`${sockets(folder, older!, newer!)}; ${noSocket}`);
  assertEquals([code, err], [0, ""]);
  assertEquals(out, `unix${newer}\tcontainer\tnew\t\nunix${older}\tcontainer\told\t\n`);
  const strange = await runAlone("mkdir -p /run/systemd/nspawn; : >/run/systemd/nspawn/unix-export");
  assertEquals([strange.code, strange.out], [0, ""]);
});

testAlone("this machine is listed where its sshd listens on systemd's socket, and not where nobody does", async () => {
  using folder = new Folder();
  compile(folder, "server");
  const socket = "/run/ssh-unix-local/socket";
  const { code, out } = await runAlone(sockets(folder, socket));
  assertEquals([code, out], [0, ".host\tthis machine\t\t\n"]);
  const left = await runAlone(`${sockets(folder, socket)}; kill $!; wait $! || :`);
  assertEquals([left.code, left.out], [0, ""]);
});

Deno.test("with one permission less it names the flag, and lists what it can", async () => {
  const [program, library] = ["cli.mjs", "libdeno_ssh_proxy.so"].map((name) => `${installation.program}/${name}`);
  const start = (...grants: string[]) => run([...denoWith(grants), program!, "list", "--json"]);
  const [ffi, read] = [`--allow-ffi=${library}`, "--allow-read=/run/systemd/nspawn"];
  assertEquals((await start(ffi, read)).code, 0);
  const noRead = await start(ffi);
  assertEquals(noRead.code, 77);
  assertStringIncludes(noRead.err, `run it with ${read}\n`);
  assert(Array.isArray(JSON.parse(noRead.out)));
  const noFfi = await start(read);
  assertEquals([noFfi.code, noFfi.out], [77, ""]);
  assertStringIncludes(noFfi.err, `run it with ${ffi}`);
});
