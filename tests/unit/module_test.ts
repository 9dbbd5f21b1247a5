import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Library } from "../../ffi/library.ts";
import { dial, parseTarget, ProxyError, type Socket } from "../../mod.ts";
import * as module from "../../mod.ts";
import { socketPair } from "../support/process.ts";
import {
  assertFailsLater,
  bytes,
  CHECKOUT,
  Folder,
  inTime,
  latin1,
  LIBRARY_PATH,
  listen,
  openSockets,
  outputLater,
  outputOf,
  readSome,
} from "./support.ts";

const library = Library.open(LIBRARY_PATH);

/** A dialed socket and the server's side of it. */
async function connected(folder: Folder): Promise<{ socket: Socket; server: Deno.UnixConn }> {
  using listener = listen(folder.at("s"));
  const [socket, server] = await Promise.all([dial(parseTarget(`unix${folder.at("s")}`, "22")), listener.accept()]);
  return { socket, server };
}

Deno.test("the module exports what it documents and nothing else", () => {
  assertEquals(Object.keys(module).sort(), ["ProxyError", "dial", "formatTarget", "parseTarget"]);
});

Deno.test("importing the module opens nothing and asks for nothing; dialing does", () => {
  using folder = new Folder();
  const program = folder.file(
    "program.ts",
    `import { dial, formatTarget, parseTarget } from "file://${CHECKOUT}/mod.ts";
    const target = parseTarget("unix/no/such/socket", "22");
    console.log(formatTarget(target));
    console.log(await dial(target).catch((error) => error.kind));`,
  );
  // With no permission at all, opening the library would be an error.
  const output = outputOf(Deno.execPath(), "run", "--no-prompt", "--no-config", "--quiet", program);
  assertEquals(output, "unix/no/such/socket\npermission\n");
});

Deno.test("the event loop goes on while a multiplexer is silent", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("vm"));
  let ended = false;
  const dialing = dial({ kind: "vsock-mux", path: folder.at("vm"), port: 22 }, { timeout: 3000 })
    .finally(() => ended = true);
  const serve = async () => {
    const server = await listener.accept();
    assertEquals(latin1(await readSome(server)), "CONNECT 22\n");
    await new Promise((fired) => setTimeout(fired, 1));
    // In a loop that is blocked, no timer fires before the dial has ended.
    assertEquals(ended, false);
    await server.write(bytes("OK 1\nSSH-"));
    return server;
  };
  const [server, socket] = await Promise.all([serve(), dialing]);
  using _server = server;
  using _socket = socket;
  const into = new Uint8Array(9);
  assertEquals(latin1(into.subarray(0, await socket.receive(into))), "SSH-");
});

Deno.test("the event loop goes on while a socket waits for bytes", async () => {
  using folder = new Folder();
  const { socket, server } = await connected(folder);
  using _socket = socket;
  using _server = server;
  const into = new Uint8Array(9);
  const sendLate = async () => {
    await new Promise((fired) => setTimeout(fired, 1));
    await server.write(bytes("late"));
  };
  const [count] = await Promise.all([socket.receive(into, { timeout: 3000 }), sendLate()]);
  assertEquals(latin1(into.subarray(0, count)), "late");
});

Deno.test("an abort ends the wait with its reason, and what was being connected is closed once it is", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("vm"));
  const before = await openSockets(library);
  {
    const controller = new AbortController();
    const target = { kind: "vsock-mux", path: folder.at("vm"), port: 22 } as const;
    const dialing = dial(target, { timeout: 3000, signal: controller.signal });
    using server = await listener.accept();
    await readSome(server);
    const reason = new Error("enough");
    controller.abort(reason);
    assert(await dialing.catch((thrown) => thrown) === reason);
    // The system call that was under way ends well, and nobody is there to take what it connected.
    await server.write(bytes("OK 1\n"));
    assertEquals(await readSome(server), new Uint8Array());
  }
  assertEquals(await openSockets(library), before);
});

Deno.test("an abort whose dial then fails all the same is the end of it", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("vm"));
  const controller = new AbortController();
  const target = { kind: "vsock-mux", path: folder.at("vm"), port: 22 } as const;
  const dialing = dial(target, { timeout: 3000, signal: controller.signal });
  using server = await listener.accept();
  await readSome(server);
  controller.abort();
  assertEquals((await dialing.catch((thrown) => thrown)).name, "AbortError");
  // This refuses the port. Were the error nobody's, Deno would end the test with it.
  await server.closeWrite();
  assertEquals(await readSome(server), new Uint8Array());
});

Deno.test("an abort that comes before the dial, or after its failure, does no harm", async () => {
  using folder = new Folder();
  using _listener = listen(folder.at("s"));
  const target = parseTarget(`unix${folder.at("s")}`, "22");
  const before = await openSockets(library);
  const reason = new Error("enough");
  assert(await dial(target, { signal: AbortSignal.abort(reason) }).catch((thrown) => thrown) === reason);
  const controller = new AbortController();
  const { signal } = controller;
  await assertFailsLater("missing", () => dial({ ...target, path: folder.at("none") } as typeof target, { signal }));
  controller.abort(reason);
  assertEquals(await openSockets(library), before);
});

Deno.test("an abort after the connection is made leaves it alone", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  const controller = new AbortController();
  using socket = await dial(parseTarget(`unix${folder.at("s")}`, "22"), { signal: controller.signal });
  using server = await listener.accept();
  controller.abort();
  await socket.send(bytes("still here"));
  assertEquals(latin1(await readSome(server)), "still here");
});

Deno.test("a socket that is passed on is the same connection, in one byte and one descriptor", async () => {
  using folder = new Folder();
  const { socket, server } = await connected(folder);
  using _server = server;
  const [channel, far] = socketPair();
  using _channel = channel;
  using _far = far;
  await socket.passTo(channel.number);
  socket.close();
  const { bytes: carrier, fds } = await inTime(far.receive());
  assertEquals([...carrier], [0]);
  assertEquals(fds.length, 1);
  using passed = fds[0]!;
  await server.write(bytes("SSH-"));
  assertEquals(latin1(await inTime(passed.read(4))), "SSH-");
  await passed.write(bytes("SSH-2"));
  assertEquals(latin1(await readSome(server)), "SSH-2");
  channel.close();
  assertEquals((await inTime(far.receive())).bytes.length, 0);
});

Deno.test("passing on over what can carry nothing is an error, and the socket stays usable", async () => {
  using folder = new Folder();
  const { socket, server } = await connected(folder);
  using _socket = socket;
  using _server = server;
  await assertRejects(() => socket.passTo(2 ** 31 - 1), Error, "EBADF");
  await socket.send(bytes("x"));
  assertEquals(latin1(await readSome(server)), "x");
});

Deno.test("a scope that ends closes its socket", async () => {
  using folder = new Folder();
  const { socket, server } = await connected(folder);
  using _server = server;
  {
    using scoped = socket;
    assert(scoped.fd > 2);
  }
  assertEquals(await readSome(server), new Uint8Array());
});

Deno.test("a second close does nothing", async () => {
  using folder = new Folder();
  const { socket, server } = await connected(folder);
  using _server = server;
  socket.close();
  assertEquals(await readSome(server), new Uint8Array());
  socket.close();
  socket[Symbol.dispose]();
});

Deno.test("a closed socket has no descriptor, and neither sends, receives nor passes itself on", async () => {
  using folder = new Folder();
  const { socket, server } = await connected(folder);
  using _server = server;
  socket.close();
  assertThrows(() => socket.fd, TypeError, "it is closed");
  await assertRejects(() => socket.send(bytes("x")), TypeError, "it is closed");
  await assertRejects(() => socket.receive(new Uint8Array(1)), TypeError, "it is closed");
  await assertRejects(() => socket.passTo(1), TypeError, "it is closed");
});

Deno.test("peeking leaves the bytes, and for a whole buffer it waits until it is full or the end has come", async () => {
  using folder = new Folder();
  const { socket, server } = await connected(folder);
  using _socket = socket;
  using _server = server;
  await server.write(bytes("SS"));
  const into = new Uint8Array(4);
  assertEquals(await socket.receive(into, { peek: "some" }), 2);
  const whole = socket.receive(into, { peek: "whole" });
  await server.write(bytes("H-2"));
  assertEquals([await whole, latin1(into)], [4, "SSH-"]);
  assertEquals([await socket.receive(into), latin1(into)], [4, "SSH-"]);
  server.closeWrite();
  assertEquals(await socket.receive(into, { peek: "whole" }), 1);
  assertEquals([await socket.receive(into), await socket.receive(into)], [1, 0]);
});

Deno.test("a socket waits for as long as it is told, and says what it waited for", async () => {
  using folder = new Folder();
  const { socket, server } = await connected(folder);
  using _socket = socket;
  using _server = server;
  for (const timeout of [0.5, 1]) {
    const error = await assertRejects(() => socket.receive(new Uint8Array(1), { timeout }), Error, "ETIMEDOUT");
    assertMatch(error.message, /^timed out \(ETIMEDOUT\)$/);
  }
});

/** What plain JavaScript can give in the place of a number of milliseconds. */
const NO_TIMES: unknown[] = [0, -0, -5, NaN, Infinity, -Infinity, 2 ** 32, "5", "", null, true, 5n, {}, [5]];

/** What is no argument at all is a usage error of every function, whatever its type says. */
const REFUSED: [what: string, says: string, values: unknown[], call: (value: never, socket: Socket) => unknown][] = [
  ["dial, timeout", "not a time", NO_TIMES, (timeout) => dial(parseTarget("unix/no/such/socket", "22"), { timeout })],
  ["send, timeout", "not a time", NO_TIMES, (timeout, socket) => socket.send(bytes("x"), { timeout })],
  ["receive, timeout", "not a time", NO_TIMES, (timeout, socket) => socket.receive(new Uint8Array(1), { timeout })],
  ["passTo, timeout", "not a time", NO_TIMES, (timeout, socket) => socket.passTo(1, { timeout })],
  [
    "passTo, channel",
    "not a file descriptor",
    [NaN, -1, 1.5, 2 ** 31, 2 ** 32 + 1, Infinity, "1", null, undefined, 1n, {}],
    (channel, socket) => socket.passTo(channel),
  ],
  [
    "send, bytes",
    "not bytes",
    ["x", null, undefined, 1, [1], new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), new Uint16Array(1)],
    (value, socket) => socket.send(value),
  ],
  [
    "receive, bytes",
    "not bytes",
    ["x", null, undefined, 1, [1], new ArrayBuffer(1)],
    (value, socket) => socket.receive(value),
  ],
  ["receive, length", "not a length", [new Uint8Array(0)], (into, socket) => socket.receive(into)],
  [
    "receive, peek",
    "not a way to peek",
    [true, "", "all", 1, null],
    (peek, socket) => socket.receive(new Uint8Array(1), { peek }),
  ],
  [
    "dial, target",
    ": ",
    [
      undefined,
      null,
      "unix/run/s",
      {},
      { kind: "tcp", path: "/s" },
      { kind: "toString", path: "/s" },
      { kind: "unix" },
      { kind: "unix", path: "" },
      { kind: "unix", path: "s" },
      { kind: "unix", path: "/a\0b" },
      { kind: "unix", path: 5 },
      { kind: "vsock-mux", path: "/s" },
      ...[NaN, -1, 1.5, 2 ** 32, Infinity, "22", null].flatMap((number) => [
        { kind: "vsock-mux", path: "/s", port: number },
        { kind: "machine", name: "foo", port: number },
        { kind: "vsock", cid: 42, port: number },
        { kind: "vsock", cid: number, port: 22 },
      ]),
      { kind: "vsock", cid: 2 ** 32 - 1, port: 22 },
      { kind: "vsock", cid: 42, port: 2 ** 32 - 1 },
      ...["", "..", "a/b", ".host", 5, null].map((name) => ({ kind: "machine", name, port: 22 })),
    ],
    (target) => dial(target),
  ],
  [
    "dial, library",
    "no absolute path",
    [5, null, {}, "s.so"],
    (library) => dial(parseTarget("unix/no/such/socket", "22"), { library }),
  ],
  [
    "dial, signal",
    "no AbortSignal",
    [5, null, {}, "x", { aborted: false }],
    (signal) => dial(parseTarget("unix/no/such/socket", "22"), { signal }),
  ],
  ["parseTarget, host", "not text", [5, null, undefined, {}], (host) => parseTarget(host, "22")],
  ["parseTarget, port", "not text", [22, NaN, null, undefined, {}], (port) => parseTarget("unix/s", port)],
];

for (const [what, says, values, call] of REFUSED) {
  Deno.test(`${what}: what is none is a usage error, and the socket stays usable`, async () => {
    using folder = new Folder();
    const { socket, server } = await connected(folder);
    using _socket = socket;
    using _server = server;
    for (const value of values) {
      // deno-lint-ignore require-await
      await assertFailsLater("usage", async () => call(value as never, socket), says);
    }
    await socket.send(bytes("still here"));
    assertEquals(latin1(await readSome(server)), "still here");
  });
}

Deno.test("a machine is dialed by its name, whether a systemd-machined runs here or not", async () => {
  const name = `no-machine-${crypto.randomUUID()}`;
  await assertFailsLater("unreachable", () => dial(parseTarget(`machine/${name}`, "22")), `machine/${name}: `);
});

Deno.test("a library that is named is the one that is opened, once, and others are opened too", async () => {
  using folder = new Folder();
  using _listener = listen(folder.at("s"));
  const target = parseTarget(`unix${folder.at("s")}`, "22");
  for (const library of [folder.at("a.so"), folder.at("b.so")]) {
    const missing = await assertFailsLater("resource", () => dial(target, { library }), `${library}: `);
    assertMatch(missing.message, /is missing$/);
    Deno.copyFileSync(LIBRARY_PATH, library);
    (await dial(target, { library })).close();
    const { dlopen } = Deno;
    try {
      Object.assign(Deno, { dlopen: () => assert(false, "it is opened again") });
      (await dial(target, { library })).close();
    } finally {
      Object.assign(Deno, { dlopen });
    }
  }
});

Deno.test("a library whose path is not absolute is a usage error, though Deno might find one there", async () => {
  for (const library of ["", "libc.so.6", "rust/target/release/libdeno_ssh_proxy.so", "./\x1b[2J.so"]) {
    const work = () => dial(parseTarget("unix/no/such/socket", "22"), { library });
    const error = await assertFailsLater("usage", work, "no absolute path");
    assertMatch(error.hint ?? "", /--allow-ffi/);
  }
});

/** What a program says that has this module from a server, as it would from a registry, and dials `address`. */
async function dialedFromServer(address: string, options: string): Promise<string> {
  using folder = new Folder();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async ({ url }) => {
    const { pathname } = new URL(url);
    const type = pathname.endsWith(".json") ? "application/json" : "application/typescript";
    return new Response(await Deno.readTextFile(CHECKOUT + pathname), { headers: { "content-type": type } });
  });
  const origin = `127.0.0.1:${server.addr.port}`;
  const program = folder.file(
    "program.ts",
    `import { dial, parseTarget } from "http://${origin}/mod.ts";
    try {
      using socket = await dial(parseTarget("${address}", "22"), ${options});
      console.log(socket.fd > 2);
    } catch (error) {
      console.log([error.kind, error.message, error.hint].join("\\n"));
    }`,
  );
  return await outputLater(
    ...[
      "env",
      `DENO_DIR=${folder.at("cache")}`,
      Deno.execPath(),
      "run",
      "--no-prompt",
      "--no-config",
      "--quiet",
    ] as const,
    ...[`--allow-import=${origin}`, `--allow-ffi=${LIBRARY_PATH}`, program],
  );
}

Deno.test("from a server, the module has no library of its own, and the hint says what to give", async () => {
  assertEquals(
    await dialedFromServer("unix/no/such/socket", "{}"),
    "resource\nthe native library: a module that comes from a registry has none beside it\ngive dial() the path of an " +
      "installed one as 'library', such as /usr/local/lib/deno-ssh-proxy/current/libdeno_ssh_proxy.so\n",
  );
});

Deno.test("from a server, the module dials with the library that it is given", async () => {
  using folder = new Folder();
  using _listener = listen(folder.at("s"));
  assertEquals(await dialedFromServer(`unix${folder.at("s")}`, `{ library: "${LIBRARY_PATH}" }`), "true\n");
});

Deno.test("an error of a dial is one that the module exports", async () => {
  const error = await assertRejects(() => dial(parseTarget("unix/no/such/socket", "22")), ProxyError);
  assertEquals([error.kind, error.exitCode], ["missing", 66]);
});
