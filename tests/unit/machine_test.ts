import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { dial } from "../../addresses/dial.ts";
import type { SocketTarget } from "../../addresses/forms.ts";
import type { MachineTarget } from "../../addresses/machine.ts";
import { machineAddress } from "../../addresses/machine_lookup.ts";
import { findMachine, listMachines, parseReply } from "../../addresses/machined.ts";
import { resolveTarget } from "../../addresses/resolve.ts";
import { isSocketAddress, parseTarget } from "../../addresses/target.ts";
import { Deadline } from "../../core/deadline.ts";
import type { ErrorKind, ProxyError } from "../../core/errors.ts";
import { Library } from "../../ffi/library.ts";
import { NONBLOCKING_SYMBOLS } from "../../ffi/nonblocking.ts";
import { runtimeDirectory } from "../../ffi/socket.ts";
import type { ConnectionCalls } from "../../ffi/symbols.ts";
import {
  type Answer,
  CONTAINER,
  type Description,
  HOST,
  knows,
  Machined,
  varlink,
  VM,
  writeAll,
} from "../support/machined.ts";
import { testWhere } from "../support/tools.ts";
import { anyReply, assertTyped } from "./replies.ts";
import {
  assertFailsLater,
  assertOneLine,
  BoundSocket,
  bytes,
  CHECKOUT,
  Folder,
  latin1,
  LIBRARY_PATH,
  listen,
  openSockets,
  outputOf,
  readSome,
  standInLibrary,
} from "./support.ts";

const SOON = 5_000;
const BRIEF = 200;
const real = Library.open(LIBRARY_PATH, NONBLOCKING_SYMBOLS);

const machine = (name: string): MachineTarget => ({ kind: "machine", name, port: 22 });
const FOO = { name: "foo", class: "vm", service: "systemd-vmspawn", vSockCid: 42, sshAddress: undefined };

/** Asks a systemd-machined that answers so. Nothing stays open, however that ends. */
async function asked<T>(answer: Answer, ask: (path: string) => Promise<T>): Promise<{ got: T; calls: string[] }> {
  using folder = new Folder();
  await using machined = new Machined(folder.path, answer);
  const before = await openSockets(real);
  try {
    return { got: await ask(Machined.socketIn(folder.path)), calls: machined.calls };
  } finally {
    // The server's side of the connection is one of this process too, and it is closed when this one is.
    for (let tries = 1000; await openSockets(real) > before; tries--) {
      assert(tries > 0, "the connection stays open");
      await new Promise((fired) => setTimeout(fired, 1));
    }
  }
}

const find = (name: string, timeout = SOON) => (path: string) => findMachine(real, path, name, new Deadline(timeout));
const list = (timeout = SOON) => (path: string) => listMachines(real, path, new Deadline(timeout));

/** Writes these, one after the other. Whoever reads is given time to see each one by itself. */
function says(...pieces: string[]): Answer {
  return async (connection) => {
    for (const piece of pieces) {
      await writeAll(connection, piece);
      await new Promise((fired) => setTimeout(fired, 1));
    }
  };
}

/** The same, and then closes the connection. */
function saysAndEnds(...pieces: string[]): Answer {
  return async (connection, call) => {
    await says(...pieces)(connection, call);
    connection.close();
  };
}

Deno.test("a machine is asked for by its name, in one varlink call, and described by the fields that tell where it is", async () => {
  const { got, calls } = await asked(knows(HOST, VM, CONTAINER), find("foo"));
  assertEquals(got, FOO);
  assertEquals(calls, ['{"method":"io.systemd.Machine.List","parameters":{"name":"foo"}}\0']);
});

Deno.test("a name that is not known is no machine", async () => {
  assertEquals((await asked(knows(HOST), find("foo"))).got, undefined);
});

Deno.test("all machines are asked for with more, and come in the order of the answer", async () => {
  const { got, calls } = await asked(knows(HOST, VM, CONTAINER), list());
  assertEquals(got.map(({ name, class: kind, vSockCid }) => [name, kind, vSockCid]), [
    [".host", "host", 1],
    ["foo", "vm", 42],
    ["box", "container", undefined],
  ]);
  assertEquals(calls, ['{"method":"io.systemd.Machine.List","parameters":{},"more":true}\0']);
});

Deno.test("where there is no machine at all, the list is empty", async () => {
  assertEquals((await asked(knows(), list())).got, []);
});

Deno.test("a reply may come a byte at a time, and with characters cut in two", async () => {
  const utf8 = new TextEncoder().encode(varlink({ parameters: { ...VM, service: "ü😀" } }));
  const { got } = await asked(says(...latin1(utf8)), find("foo"));
  assertEquals(got, { ...FOO, service: "ü😀" });
});

Deno.test("a byte order mark is a character like any other, wherever a reply is cut", async () => {
  for (
    const pieces of [['{"parameters":{"name":"', '\xef\xbb\xbffoo","class":"vm"}}\0'], [
      "\xef\xbb\xbf",
      varlink({ parameters: VM }),
    ]]
  ) {
    for (const said of [pieces, [pieces.join("")]]) {
      await assertFailsLater("protocol", () => asked(says(...said), find("foo")), ": the answer was ");
    }
  }
});

Deno.test("two replies in one piece are two, and so are two in pieces that end within them", async () => {
  const both = varlink({ parameters: VM, continues: true }) + varlink({ parameters: CONTAINER });
  const names = async (...pieces: string[]) => (await asked(says(...pieces), list())).got.map(({ name }) => name);
  assertEquals(await names(both), ["foo", "box"]);
  assertEquals(await names(both.slice(0, 10), both.slice(10, -20), both.slice(-20, -1), "\0"), ["foo", "box"]);
});

Deno.test("nothing but true means that more replies follow", async () => {
  for (const continues of [false, null, 1, "true", {}]) {
    const { got } = await asked(says(varlink({ parameters: VM, continues })), list());
    assertEquals(got, [FOO]);
  }
});

Deno.test("a list of a thousand machines is taken, and one that never ends is given up", async () => {
  const thousand = Array.from({ length: 1000 }, (_, index) => ({ ...VM, name: `vm-${index}` }));
  assertEquals((await asked(knows(...thousand), list())).got.length, 1000);
  const endless: Answer = async (connection) => {
    for (const reply = bytes(varlink({ parameters: VM, continues: true }).repeat(100));;) await connection.write(reply);
  };
  await assertFailsLater("protocol", () => asked(endless, list()), "io.systemd.Machine: the answer was ");
});

Deno.test("a reply that never ends is given up, and shown cut", async () => {
  const endless: Answer = async (connection) => {
    for (const text = bytes("x".repeat(65536));;) await connection.write(text);
  };
  const { message } = await assertFailsLater("protocol", () => asked(endless, find("foo")), `was "xxx`);
  assert(message.length < 400, message);
});

Deno.test("of more replies than were asked for the first one counts", async () => {
  const { got } = await asked(says(varlink({ parameters: VM, continues: true }), "nonsense\0"), find("foo"));
  assertEquals(got, FOO);
});

Deno.test("what is no reply to this call is an error of the protocol that shows it", async () => {
  const foreign: [reply: string, shown: string][] = [
    ["nonsense", "nonsense"],
    ["", ""],
    ["\x1b[2J\xff", "\\x1b[2J\uFFFD"],
    ["null", "null"],
    ["42", "42"],
    ['"text"', '"text"'],
    ["[]", "[]"],
    ["{}", "{}"],
    ['{"parameters":null}', "null}"],
    ['{"parameters":[]}', "[]}"],
    ['{"parameters":"foo"}', "foo"],
    ['{"parameters":{"name":"foo"}}', "foo"],
    ['{"parameters":{"name":"foo","class":null}}', "null}}"],
    ['{"parameters":{"class":"vm"}}', "vm"],
    ['{"parameters":{"name":7,"class":"vm"}}', "7"],
    ['{"parameters":{"name":"foo","class":["vm"]}}', "vm"],
    ['{"parameters":{"name":"other","class":"vm"}}', "other"],
    ['{"parameters":{"name":"FOO","class":"vm"}}', "FOO"],
    ['{"parameters":{"name":"foo","class":"vm","service":7}}', "7"],
    ['{"parameters":{"name":"foo","class":"vm","service":{}}}', "{}"],
    ['{"parameters":{"name":"foo","class":"vm","sshAddress":["vsock/3"]}}', "vsock/3"],
    ...["-1", "4294967296", "1.5", '"42"', "[42]", "true", "1e400"].map((cid): [string, string] => [
      `{"parameters":{"name":"foo","class":"vm","vSockCid":${cid}}}`,
      cid,
    ]),
  ];
  for (const [reply, shown] of foreign) {
    const { message } = await assertFailsLater("protocol", () => asked(says(`${reply}\0`), find("foo")));
    assertStringIncludes(message, `: the answer was "`, reply);
    assertStringIncludes(message, shown, reply);
  }
});

Deno.test("a reply that is nested deeper than anybody reads is foreign too", async () => {
  for (const depth of [10_000, 500_000]) {
    await assertFailsLater("protocol", () => asked(says(`${"[".repeat(depth)}${"]".repeat(depth)}\0`), find("foo")));
  }
});

Deno.test("a field without a value may be null, and one that nobody knows may be anything", async () => {
  const reply = { parameters: { ...VM, service: null, sshAddress: null, vSockCid: null, x: [{}] } };
  const { got } = await asked(says(varlink(reply)), find("foo"));
  assertEquals(got, { name: "foo", class: "vm", service: undefined, vSockCid: undefined, sshAddress: undefined });
});

Deno.test("each error that machined answers with is of a kind of its own", async () => {
  const errors: [error: string, kind: ErrorKind, says: string][] = [
    ["org.varlink.service.InvalidParameter", "usage", "no machine can have this name"],
    ["org.varlink.service.MethodNotFound", "unreachable", "this systemd-machined cannot be asked"],
    ["org.varlink.service.ExpectedMore", "protocol", "the answer was the error org.varlink.service.ExpectedMore"],
    ["\x1b[2J", "protocol", "the answer was the error \\x1b[2J"],
  ];
  for (const [error, kind, text] of errors) {
    await assertFailsLater(kind, () => asked(says(varlink({ error, parameters: {} })), find("foo")), `: ${text}`);
  }
  await assertFailsLater("usage", () => asked(knows(), find("a/b")), ": no machine can have this name");
});

Deno.test("a connection that is closed without an answer, or within one, is no answer", async () => {
  const reply = varlink({ parameters: VM });
  await assertFailsLater("unreachable", () => asked(saysAndEnds(), find("foo")), ": closed without an answer");
  await assertFailsLater("protocol", () => asked(saysAndEnds(reply.slice(0, 9)), find("foo")), `was "{"paramet"`);
  await assertFailsLater("protocol", () => asked(saysAndEnds(reply.slice(0, -1)), find("foo")), `was "{"parame`);
  const more = varlink({ parameters: VM, continues: true });
  await assertFailsLater("unreachable", () => asked(saysAndEnds(more), list()), ": closed without an answer");
});

Deno.test("a systemd-machined that says nothing, or stops within a reply, is waited for until the deadline", async () => {
  for (const pieces of [[], ['{"parameters":{"name":"foo"']]) {
    await assertFailsLater("timeout", () => asked(says(...pieces), find("foo", BRIEF)), ": no answer within 0.2 s");
    await assertFailsLater("timeout", () => asked(says(...pieces), list(BRIEF)), ": no answer within 0.2 s");
  }
});

Deno.test("where nobody listens, systemd-machined does not run", async () => {
  using folder = new Folder();
  new BoundSocket("stream", folder.at("stale")).close();
  folder.file("file", "");
  for (const name of ["none", "none/socket", "file/socket", "file", "stale"]) {
    for (const ask of [find("foo"), list()]) {
      const { hint } = await assertFailsLater("missing", () => ask(folder.at(name)), "systemd-machined does not run");
      assertStringIncludes(hint!, "systemctl start systemd-machined");
    }
  }
});

Deno.test("whatever a reply is, reading it throws nothing, and what it gives has the types that it says", () => {
  const seen = { machine: 0, error: 0, foreign: 0 };
  fc.assert(
    fc.property(anyReply, (text) => {
      const reply = parseReply(text);
      if (reply === undefined) {
        seen.foreign++;
        return;
      }
      if (reply.error !== undefined) {
        assertEquals(typeof reply.error, "string");
        assertEquals(JSON.parse(text).error, reply.error);
        seen.error++;
        return;
      }
      assertTyped(reply.machine);
      assertEquals(typeof reply.continues, "boolean");
      seen.machine++;
    }),
    { numRuns: 3000 },
  );
  // A generator that only makes replies of one sort would prove little.
  assert(Object.values(seen).every((count) => count > 100), JSON.stringify(seen));
});

/**
 * The real library on a system of the test's own: /run is `folder`/run, and the user's runtime folder is `folder`/user, or
 * nowhere.
 */
function systemIn(folder: Folder, hasUserFolder = true): Library {
  const moved = (path: Parameters<ConnectionCalls["connect_unix"]>[0]): [Uint8Array<ArrayBuffer>, bigint] => {
    const text = new TextDecoder().decode(path as Uint8Array);
    const bytes = new TextEncoder().encode(text.startsWith("/run/") ? folder.at(text.slice(1)) : text);
    return [bytes, BigInt(bytes.length)];
  };
  const { dsp_close_fd, dsp_is_datagram_socket } = real.rare;
  const library = {
    load: real.load.bind(real),
    calls: {
      ...real.calls,
      connect_unix: (path: BufferSource | null, _length: bigint, time: BufferSource) =>
        real.calls.connect_unix(...moved(path), time),
    },
    rare: {
      dsp_close_fd,
      dsp_is_datagram_socket: (path: BufferSource | null) => dsp_is_datagram_socket(...moved(path)),
      dsp_runtime_directory: (into: Uint8Array) =>
        hasUserFolder ? new TextEncoder().encodeInto(folder.at("user"), into).written : -34,
    },
  };
  return library as unknown as Library;
}

/** A system with these systemd-machineds, either of which may not run. */
class System implements AsyncDisposable {
  readonly folder = new Folder();
  readonly library: Library;
  readonly #machineds: Machined[] = [];

  constructor({ user, system }: { user?: Answer; system?: Answer }, hasUserFolder = true) {
    this.library = systemIn(this.folder, hasUserFolder);
    if (user) this.#machineds.push(new Machined(this.folder.at("user"), user));
    if (system) this.#machineds.push(new Machined(this.folder.at("run"), system));
  }

  resolve(name: string, timeout = SOON): Promise<SocketTarget> {
    return resolveTarget(machine(name), { library: this.library, deadline: new Deadline(timeout) });
  }

  /** Listens at `path` of the test's own folder, in folders that are made. */
  listen(path: string): Deno.UnixListener {
    Deno.mkdirSync(this.folder.at(path.slice(0, path.lastIndexOf("/"))), { recursive: true });
    return listen(this.folder.at(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machined of this.#machineds) await machined[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

Deno.test("the runtime folder of the real library is an absolute path", () => {
  assertEquals(runtimeDirectory(real)!.slice(0, 1), "/");
});

Deno.test("a runtime folder that is too long for a path is none", () => {
  const { library } = standInLibrary({ dsp_runtime_directory: () => -34 });
  assertEquals(runtimeDirectory(library), undefined);
});

Deno.test("the user's machine is found first, and nobody else is asked", async () => {
  let others = 0;
  await using system = new System({ user: knows(VM), system: () => others++ });
  assertEquals(await system.resolve("foo"), { kind: "vsock", cid: 42, port: 22 });
  assertEquals(others, 0);
});

Deno.test("a machine that the user's systemd-machined does not know is the system's", async () => {
  await using system = new System({ user: knows(CONTAINER), system: knows({ ...VM, vSockCid: 43 }) });
  assertEquals(await system.resolve("foo"), { kind: "vsock", cid: 43, port: 22 });
});

Deno.test("a user's systemd-machined that is absent, refuses, closes or cannot be asked is no obstacle", async () => {
  const found = { kind: "vsock", cid: 42, port: 22 } as const;
  {
    await using system = new System({ system: knows(VM) });
    assertEquals(await system.resolve("foo"), found);
    Deno.mkdirSync(system.folder.at("user/systemd/machine"), { recursive: true });
    new BoundSocket("stream", Machined.socketIn(system.folder.at("user"))).close();
    assertEquals(await system.resolve("foo"), found);
  }
  {
    await using system = new System({ system: knows(VM) }, false);
    assertEquals(await system.resolve("foo"), found);
  }
  for (const user of [saysAndEnds(), says(varlink({ error: "org.varlink.service.MethodNotFound" }))]) {
    await using system = new System({ user, system: knows(VM) });
    assertEquals(await system.resolve("foo"), found);
  }
});

Deno.test("one that this user may not ask is none either, and the system's is one", async () => {
  const denied = (place: string) => {
    const { library } = standInLibrary({
      connect_unix: (path) => new TextDecoder().decode(path as Uint8Array).startsWith(place) ? -13 : -2,
      dsp_runtime_directory: (into) => new TextEncoder().encodeInto("/user", into as Uint8Array).written,
    });
    return resolveTarget(machine("foo"), { library, deadline: new Deadline(SOON) });
  };
  await assertFailsLater("unreachable", () => denied("/user/"), "machine/foo: systemd-machined does not run");
  const says = "machine/foo: /run/systemd/machine/io.systemd.Machine: permission denied";
  await assertFailsLater("permission", () => denied("/run/"), says);
});

Deno.test("a machine that nobody knows is unreachable, and the hint says how to list those there are", async () => {
  for (const running of [{ user: knows(VM), system: knows(HOST) }, { user: knows(VM) }, { system: knows(HOST) }]) {
    await using system = new System(running);
    const error = await assertFailsLater("unreachable", () => system.resolve("bar"), "machine/bar: no such machine");
    assertStringIncludes(error.hint!, "machinectl list");
    assertEquals(error.exitCode, 69);
  }
});

Deno.test("where no systemd-machined runs at all, that is said, and how to have one", async () => {
  await using system = new System({});
  const { hint } = await assertFailsLater(
    "unreachable",
    () => system.resolve("foo"),
    "machine/foo: systemd-machined does not run",
  );
  assertStringIncludes(hint!, "systemctl start systemd-machined");
  assertStringIncludes(hint!, "systemd-container");
});

Deno.test("an answer that is none, a refused name and a silent systemd-machined end it, the user's and the system's", async () => {
  const endings: [answer: Answer, kind: ErrorKind, says: string][] = [
    [says("nonsense\0"), "protocol", 'io.systemd.Machine: the answer was "nonsense"'],
    [says(varlink({ error: "org.varlink.service.InvalidParameter" })), "usage", "no machine can have this name"],
    [says(), "timeout", "io.systemd.Machine: no answer within 0.2 s"],
  ];
  for (const [answer, kind, text] of endings) {
    for (const running of [{ user: answer, system: knows(VM) }, { user: knows(), system: answer }]) {
      await using system = new System(running);
      const { message } = await assertFailsLater(kind, () => system.resolve("foo", BRIEF), text);
      assertStringIncludes(message, "machine/foo: ");
    }
  }
});

Deno.test("the system's systemd-machined that closes, or is too old, is what is wrong", async () => {
  const endings: [answer: Answer, says: string][] = [
    [saysAndEnds(), "/run/systemd/machine/io.systemd.Machine: closed without an answer"],
    [says(varlink({ error: "org.varlink.service.MethodNotFound" })), "this systemd-machined cannot be asked"],
  ];
  for (const [answer, text] of endings) {
    await using system = new System({ user: knows(), system: answer });
    await assertFailsLater("unreachable", () => system.resolve("foo"), text);
  }
});

Deno.test("both are asked within one deadline", async () => {
  const slow: Answer = async (connection, call) => {
    await new Promise((fired) => setTimeout(fired, BRIEF));
    await knows()(connection, call);
  };
  await using system = new System({ user: slow, system: says() });
  const started = performance.now();
  await assertFailsLater("timeout", () => system.resolve("foo", 2 * BRIEF), "no answer within 0.4 s");
  const took = performance.now() - started;
  // With a deadline for each it would be three times as long.
  assert(took < 3 * BRIEF, `it took ${took} ms`);
});

const NEWER = "systemd/nspawn/box/unix-export/ssh";
const OLDER = "systemd/nspawn/unix-export/box/ssh";

Deno.test("a container of systemd-nspawn is its socket, in the runtime folder of whoever knows it", async () => {
  await using system = new System({ user: knows(CONTAINER), system: knows({ ...CONTAINER, name: "other" }) });
  {
    using _socket = system.listen(`user/${NEWER}`);
    assertEquals(await system.resolve("box"), { kind: "unix", path: system.folder.at(`user/${NEWER}`) });
  }
  using _socket = system.listen(`run/${NEWER.replace("box", "other")}`);
  assertEquals(await system.resolve("other"), { kind: "unix", path: `/run/${NEWER.replace("box", "other")}` });
});

Deno.test("a container's socket is absolute below a runtime folder with a dot in its path", async () => {
  await using system = new System({});
  using _socket = system.listen(`user/${NEWER}`);
  const directory = `/.${system.folder.at("user")}`;
  const container = { name: "box", class: "container", service: "systemd-nspawn", vSockCid: undefined };
  const known = { machine: { ...container, sshAddress: undefined }, directory };
  const address = machineAddress(known, { library: real, isSocketAddress });
  assertEquals(parseTarget(address, "22"), { kind: "unix", path: `${directory}/${NEWER}` });
});

Deno.test("a container's socket may be where older systemd has it, and where both are the newer place counts", async () => {
  await using system = new System({ system: knows(CONTAINER) });
  using _older = system.listen(`run/${OLDER}`);
  assertEquals(await system.resolve("box"), { kind: "unix", path: `/run/${OLDER}` });
  using newer = system.listen(`run/${NEWER}`);
  assertEquals(await system.resolve("box"), { kind: "unix", path: `/run/${NEWER}` });
  // To see that it is there was no connection.
  const accepting = newer.accept();
  using socket = await dial(machine("box"), { library: system.library, deadline: new Deadline(SOON) });
  using connection = await accepting;
  await socket.send(bytes("ssh"));
  assertEquals(latin1(await readSome(connection)), "ssh");
});

Deno.test("a container without a socket is unreachable, and the message says where it should be", async () => {
  await using system = new System({ system: knows(CONTAINER) });
  const { hint } = await assertFailsLater("unreachable", () => system.resolve("box"), `machine/box: /run/${NEWER} `);
  assertStringIncludes(hint!, "systemd 256 or later");
});

Deno.test("a place that this user may not look into is left to connecting to it", async () => {
  await using system = new System({ system: knows(CONTAINER) });
  Object.assign(system.library.rare, { dsp_is_datagram_socket: () => -13 });
  assertEquals(await system.resolve("box"), { kind: "unix", path: `/run/${NEWER}` });
});

Deno.test("a virtual machine is its CID with the port, and where it has none, the address that was registered for ssh", async () => {
  const { vSockCid: _, ...bare } = VM;
  const addresses: [address: string, place: SocketTarget][] = [
    ["vsock/7", { kind: "vsock", cid: 7, port: 22 }],
    ["vsock%7", { kind: "vsock", cid: 7, port: 22 }],
    ["unix/run/vm/ssh", { kind: "unix", path: "/run/vm/ssh" }],
    ["vsock-mux/run/vm.sock", { kind: "vsock-mux", path: "/run/vm.sock", port: 22 }],
  ];
  for (const [sshAddress, place] of addresses) {
    await using system = new System({ system: knows({ ...bare, sshAddress }, { ...VM, name: "both", sshAddress }) });
    assertEquals(await system.resolve("foo"), place);
    assertEquals(await system.resolve("both"), { kind: "vsock", cid: 42, port: 22 });
  }
});

Deno.test("the CID that stands for any is no CID of a machine, in either field", async () => {
  const any = { ...VM, vSockCid: 4294967295 };
  await using system = new System({
    system: knows(any, { ...any, name: "both", sshAddress: "unix/run/vm/ssh" }, {
      ...any,
      name: "twice",
      sshAddress: "vsock/4294967295",
    }),
  });
  await assertFailsLater("unreachable", () => system.resolve("foo"), "with neither a CID nor an address for ssh");
  assertEquals(await system.resolve("both"), { kind: "unix", path: "/run/vm/ssh" });
  const says = "machine/twice: its address for ssh is 'vsock/4294967295', ";
  await assertFailsLater("unreachable", () => system.resolve("twice"), says);
});

Deno.test("the port that stands for any is refused for a machine that is reached over vsock, and for no other", async () => {
  const { vSockCid: _, ...bare } = VM;
  await using system = new System({
    system: knows(
      VM,
      { ...bare, name: "addressed", sshAddress: "VSOCK/7" },
      { ...bare, name: "socket", sshAddress: "unix/run/vm/ssh" },
      { ...bare, name: "behind", sshAddress: "vsock-mux/run/vm" },
    ),
  });
  const resolve = (name: string) =>
    resolveTarget({ ...machine(name), port: 2 ** 32 - 1 }, { library: system.library, deadline: new Deadline(SOON) });
  for (const name of ["foo", "addressed"]) {
    await assertFailsLater("usage", () => resolve(name), `machine/${name}: port '4294967295': it stands for any port`);
  }
  assertEquals(await resolve("socket"), { kind: "unix", path: "/run/vm/ssh" });
  assertEquals(await resolve("behind"), { kind: "vsock-mux", path: "/run/vm", port: 2 ** 32 - 1 });
});

Deno.test("an address that is none of a local socket is named, and so is one that leads to another name", async () => {
  const { vSockCid: _, ...bare } = VM;
  for (
    const sshAddress of ["192.0.2.7", "root@vm.example", "", "vsock/x", "unix/", "machine/foo", "machine/bar", "\x1b"]
  ) {
    await using system = new System({ system: knows({ ...bare, sshAddress }) });
    const shown = sshAddress.replace("\x1b", "\\x1b");
    await assertFailsLater(
      "unreachable",
      () => system.resolve("foo"),
      `machine/foo: its address for ssh is '${shown}', `,
    );
  }
});

Deno.test("a machine of which nobody knows where its sshd is, is said to be what it is", async () => {
  const { vSockCid: _, ...bare } = VM;
  const machines: [machine: Description, says: string, hint: string][] = [
    [bare, "a vm of systemd-vmspawn with neither a CID nor an address for ssh", "unix/PATH"],
    [{ name: "foo", class: "vm" }, "a vm with neither a CID", "unix/PATH"],
    [{ ...CONTAINER, name: "foo", service: "libvirt-lxc" }, "a container of libvirt-lxc with neither", "unix/PATH"],
    [{ name: "foo", class: "container" }, "a container with neither", "unix/PATH"],
    [{ name: "foo", class: "\x1b[2J", service: "\n" }, "a \\x1b[2J of \\x0a with neither", "unix/PATH"],
    [{ ...HOST, name: "foo" }, "it is this machine itself", "write .host"],
    [{ name: "foo", class: "container", vSockCid: 42 }, "a container with neither", "unix/PATH"],
  ];
  for (const [machine, text, hinted] of machines) {
    await using system = new System({ system: knows(machine) });
    const { hint } = await assertFailsLater("unreachable", () => system.resolve("foo"), `machine/foo: ${text}`);
    assertStringIncludes(hint!, hinted);
  }
});

Deno.test("a container of another program is reached by the address that was registered for ssh", async () => {
  await using system = new System({ system: knows({ name: "foo", class: "container", sshAddress: "unix/run/lxc" }) });
  assertEquals(await system.resolve("foo"), { kind: "unix", path: "/run/lxc" });
});

Deno.test("a machine whose place cannot be connected to is named with that place", async () => {
  const { vSockCid: _, ...bare } = VM;
  await using system = new System({ system: knows({ ...bare, sshAddress: "unix/no/such/socket" }) });
  const failing = () => dial(machine("foo"), { library: system.library, deadline: new Deadline(SOON) });
  const { message, cause } = await assertFailsLater("missing", failing);
  assertEquals(message, "machine/foo is unix/no/such/socket: the socket does not exist: there is no directory /no");
  assert(cause instanceof Error);
});

Deno.test("a machine behind a multiplexer is asked for with the port, and named with both where that fails", async () => {
  const { vSockCid: _, ...bare } = VM;
  await using system = new System({ system: (connection, call) => knows(behind)(connection, call) });
  using listener = system.listen("mux/vm.sock");
  const behind: Description = { ...bare, sshAddress: `vsock-mux${system.folder.at("mux/vm.sock")}` };
  const accepting = listener.accept();
  const failing = dial({ ...machine("foo"), port: 2222 }, {
    library: system.library,
    deadline: new Deadline(SOON),
  }) as Promise<unknown>;
  const serve = async () => {
    using connection = await accepting;
    assertEquals(latin1(await readSome(connection)), "CONNECT 2222\n");
  };
  const [error] = await Promise.all([failing.catch((thrown) => thrown as ProxyError), serve()]);
  assertOneLine(error as ProxyError);
  const { kind, message } = error as ProxyError;
  assertEquals(kind, "unreachable");
  assertStringIncludes(
    message,
    `machine/foo is vsock-mux${system.folder.at("mux/vm.sock")} port 2222: nothing listens`,
  );
});

Deno.test("a machine's CID is connected to with what is left of the deadline", async () => {
  const connected: [cid: number, port: number][] = [];
  await using system = new System({ system: knows(VM) });
  Object.assign(system.library.calls, {
    connect_vsock: (cid: number, port: number) => {
      connected.push([cid, port]);
      return -19;
    },
  });
  const failing = () =>
    dial({ ...machine("foo"), port: 2222 }, { library: system.library, deadline: new Deadline(SOON) });
  await assertFailsLater("unreachable", failing, "machine/foo is vsock/42 port 2222: no such CID");
  assertEquals(connected, [[42, 2222]]);
});

testWhere(
  Deno.build.os === "linux",
  "only Linux tells what a process was started with",
  "the runtime folder is that of the start, whatever a worker sets the variable to meanwhile",
  () => {
    using folder = new Folder();
    for (const name of ["start", "later"]) Deno.mkdirSync(folder.at(name));
    const worker = folder.file(
      "worker.ts",
      `self.onmessage = ({ data }) => {
        Deno.env.set("XDG_RUNTIME_DIR", data);
        postMessage(Deno.env.get("XDG_RUNTIME_DIR"));
      };`,
    );
    const program = folder.file(
      "program.ts",
      `import { Library } from "file://${CHECKOUT}/ffi/library.ts";
      import { runtimeDirectory } from "file://${CHECKOUT}/ffi/socket.ts";
      const worker = new Worker("file://${worker}", { type: "module" });
      const set = new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
      worker.postMessage(${JSON.stringify(folder.at("later"))});
      console.log(await set);
      console.log(runtimeDirectory(Library.open(${JSON.stringify(LIBRARY_PATH)})));
      worker.terminate();`,
    );
    const environment = [
      "env",
      "-i",
      `XDG_RUNTIME_DIR=${folder.at("start")}`,
      `DENO_DIR=${folder.at("cache")}`,
    ] as const;
    const output = outputOf(...environment, Deno.execPath(), "run", "--no-config", "--quiet", "-A", program);
    assertEquals(output, `${folder.at("later")}\n${folder.at("start")}\n`);
  },
);
