import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { inTime } from "../../tools/waiting.ts";
import { assertFailed, assertPassed, runAsSsh } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
import { AS_NOBODY, canBecomeNobody } from "../support/ordinary_user.ts";
import { type Fd, openFile, type Place } from "../support/process.ts";
import { BoundSocket, bytes, closeAnyway, latin1, listen, readSome } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;

/** What a server does with a connection. It stays open until the program has ended, unless this closes it. */
type Serve = (connection: Deno.UnixConn) => Promise<unknown>;

/** A multiplexer that takes the request and does this. */
function asked(then: (connection: Deno.UnixConn) => unknown, port = 22): Serve {
  return async (connection) => {
    assertEquals(latin1(await readSome(connection)), `CONNECT ${port}\n`);
    await then(connection);
  };
}

/** Says nothing. */
const silence: Serve = () => Promise.resolve();

/** Writes these, one after the other. Whoever reads is given time to see each one by itself. */
function writes(...pieces: string[]): Serve {
  return async (connection) => {
    for (const piece of pieces) {
      await connection.write(bytes(piece));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
}

/** Runs the program with one server for it to reach, and gives what came of it and the server's side. */
async function runServed(path: string, serve: Serve, words: string[], timeout = 0) {
  using listener = listen(path);
  const running = runAsSsh([shim, ...words], { timeout });
  const accepting = listener.accept().catch(() => undefined);
  // Where it never connects, it ends; and what it ends with is what the test is to say.
  const connection = await Promise.race([accepting, running.then(() => undefined)]);
  try {
    if (connection !== undefined) await inTime(serve(connection));
  } catch (thrown) {
    // The program hung up: likewise.
    if (!(thrown instanceof Deno.errors.BrokenPipe || thrown instanceof Deno.errors.ConnectionReset)) throw thrown;
  }
  return { outcome: await running, connection };
}

/** That `ssh` and the server are connected by this: what the server said first, and then what each says. */
async function assertConnected(passed: Fd, connection: Deno.UnixConn | undefined, first = ""): Promise<void> {
  assert(connection !== undefined, "it did not connect");
  using _passed = passed;
  using _connection = connection;
  await connection.write(bytes("from the server"));
  assertEquals(latin1(await inTime(passed.read(`${first}from the server`.length))), `${first}from the server`);
  await passed.write(bytes("from ssh"));
  assertEquals(latin1(await readSome(connection)), "from ssh");
  passed.close();
  // Nobody else has it open: the program is gone, and left nothing behind.
  assertEquals(latin1(await readSome(connection)), "");
}

/** A row of addresses that are reached. `words` gives the command line for a server at `path`. */
function reaches(sentence: string, words: (path: string) => string[], serve: Serve, first = "", name = "s"): void {
  Deno.test(sentence, async () => {
    using folder = new Folder();
    const { outcome, connection } = await runServed(folder.at(name), serve, words(folder.at(name)));
    await assertConnected(assertPassed(outcome), connection, first);
  });
}

const unix = (path: string) => [`unix${path}`, "22"];
const mux = (path: string) => [`vsock-mux${path}`, "22"];
const BANNER = "SSH-2.0-server\r\n";

reaches("a unix socket is passed, and nothing is written to it or read from it", unix, writes(BANNER), BANNER);
reaches("Firecracker's OK line is taken, and the server's first byte is left", mux, asked(writes("OK 1073741824\n")));
reaches(
  "an OK line in one segment with the server's first bytes is taken without them",
  mux,
  asked(writes(`OK 1073741824\n${BANNER}`)),
  BANNER,
);
reaches("an OK line a byte at a time is taken", mux, asked(writes(..."OK 1073741824\n", ...BANNER)), BANNER);
reaches("a server that speaks with no OK line is passed, and nothing is taken", mux, asked(writes(BANNER)), BANNER);
reaches(
  "so is one that does not wait to be asked",
  mux,
  async (connection) => {
    await connection.write(bytes(BANNER));
    assertEquals(latin1(await readSome(connection)), "CONNECT 22\n");
  },
  BANNER,
);
reaches(
  "the highest port there is can be asked for",
  (path) => [`vsock-mux${path}`, "4294967295"],
  asked(writes("OK 1\n"), 4294967295),
);
reaches("a percent sign is as good as the first slash", (path) => [`unix%${path.slice(1)}`, "22"], silence);
reaches("a percent sign after that is part of the path", (path) => [`unix${path}`, "22"], silence, "", "a%b");
reaches(
  "a path with capital letters, which ssh makes small, is found as it was typed",
  (path) => [`unix${path.toLowerCase()}`, "22", "--as-typed", `unix${path}`],
  silence,
  "",
  "Mixed.Case",
);
reaches(
  "so is one whose form was typed in capital letters",
  (path) => [`unix${path.toLowerCase()}`, "22", "--as-typed", `UNIX${path}`],
  silence,
  "",
  "Mixed.Case",
);
reaches(
  "so is one whose form ssh has left in capital letters, as it does where a name has a percent sign",
  (path) => [`Unix%${path.slice(1)}`, "22", "--as-typed", `Unix%${path.slice(1)}`],
  silence,
  "",
  "Mixed.Case",
);
reaches(
  "an alias as the name that was typed changes nothing",
  (path) => [`unix${path}`, "22", "--as-typed", "alias"],
  silence,
);

Deno.test("a path of more than the 107 bytes that an address holds is reached", async () => {
  using folder = new Folder();
  const deep = folder.at("d".repeat(100));
  Deno.mkdirSync(deep);
  // bind(2) cannot write it down either, so it is bound elsewhere.
  using listener = listen(folder.at("short"));
  Deno.renameSync(folder.at("short"), `${deep}/long`);
  assert(`${deep}/long`.length > 107);
  const outcome = await runAsSsh([shim, `unix${deep}/long`, "22"]);
  await assertConnected(assertPassed(outcome), await listener.accept());
});

/** A row of multiplexers that are given up. */
function givesUp(
  sentence: string,
  serve: Serve,
  { code, says, timeout }: { code: number; says: string; timeout?: number },
): void {
  Deno.test(sentence, async () => {
    using folder = new Folder();
    const path = folder.at("vm");
    const words = [...mux(path), ...(timeout === undefined ? [] : ["--timeout", `${timeout / 1000}`])];
    const { outcome, connection } = await runServed(path, serve, words, timeout);
    closeAnyway(connection);
    assertFailed(outcome, code, `vsock-mux${path} port 22: ${says}`, timeout);
    if (timeout !== undefined) assert(outcome.took >= timeout, `it gave up after ${outcome.took} ms`);
  });
}

const NOT_THERE = { code: 69, says: "nothing listens on that port in the guest, or it has not booted yet" };
const TOO_LATE = { code: 75, says: "the multiplexer did not answer within 0.3 s", timeout: 300 };

givesUp("a multiplexer that says nothing is given up at the deadline", asked(silence), TOO_LATE);
givesUp("a multiplexer that stops within the OK line is given up at the deadline", asked(writes("OK 10737")), TOO_LATE);
givesUp(
  "an OK line with no end is no OK line, and nobody waits for its end",
  asked(async (connection) => {
    await connection.write(bytes("OK "));
    // Until the program hangs up.
    for (const ones = bytes("1".repeat(4096));;) await connection.write(ones);
  }),
  { code: 76, says: `the answer to CONNECT was "OK ${"1".repeat(21)}", not an OK line` },
);
givesUp("a multiplexer that closes when it is asked means that nothing listens", asked((it) => it.close()), NOT_THERE);
givesUp("a multiplexer that ends its side and waits means the same", asked((it) => it.closeWrite()), NOT_THERE);
givesUp(
  "an OK line cut off by the end is no OK line",
  asked(async (connection) => {
    await connection.write(bytes("OK 10737"));
    connection.close();
  }),
  { code: 76, says: `the answer to CONNECT was "OK 10737", and then the end, not an OK line` },
);
givesUp(
  "what answers in another protocol is no multiplexer",
  asked(writes("HTTP/1.1 400 Bad Request\r\n\x1b[2J")),
  { code: 76, says: `the answer to CONNECT was "HTTP/1.1 400 Bad Request", not an OK line` },
);
givesUp(
  "what it answers cannot steer a terminal",
  asked(writes("\x1b[2J\x9b\n")),
  { code: 76, says: `the answer to CONNECT was "\\x1b[2J\\x9b\\x0a", not an OK line` },
);

Deno.test("a multiplexer that closes without reading the request means that nothing listens", async () => {
  using folder = new Folder();
  const path = folder.at("vm");
  using listener = new BoundSocket("stream", path);
  listener.listen(1);
  const running = runAsSsh([shim, ...mux(path)]);
  {
    using connection = await listener.accept();
    // The request is there: closing now is a reset.
    await connection.arrival();
  }
  assertFailed(await running, 69, `vsock-mux${path} port 22: ${NOT_THERE.says}`);
});

/** A row of what is at a path and cannot be connected to. */
function cannotConnect(
  sentence: string,
  place: (path: string) => Disposable | void,
  code: number,
  says: (path: string) => string,
): void {
  Deno.test(sentence, async () => {
    for (const form of ["unix", "vsock-mux"]) {
      using folder = new Folder();
      using _placed = place(folder.at("s")) ?? undefined;
      assertFailed(await runAsSsh([shim, `${form}${folder.at("s")}`, "22"]), code, says(folder.at("s")));
    }
  });
}

cannotConnect(
  "a datagram socket is refused as one",
  (path) => new BoundSocket("datagram", path),
  69,
  () => ": it is a datagram socket",
);
cannotConnect(
  "a seqpacket socket is refused as one",
  (path) => {
    const socket = new BoundSocket("seqpacket", path);
    socket.listen(1);
    return socket;
  },
  69,
  () => ": it is a seqpacket socket",
);
cannotConnect("a path where nothing is, is missing", () => {}, 66, () => ": the socket does not exist");
cannotConnect(
  "a directory, as a tool leaves it that cuts the name at a slash, is no socket",
  (path) => Deno.mkdirSync(path),
  69,
  () => ": it is a directory, not a socket",
);
cannotConnect(
  "a file is no socket",
  (path) => Deno.writeTextFileSync(path, ""),
  69,
  () => ": it is a regular file, not a socket",
);
cannotConnect(
  "links that lead round in a circle are called that",
  (path) => Deno.symlinkSync("s", path),
  66,
  () => ": the path leads through too many symbolic links",
);

Deno.test("a path that goes on behind a file is missing, and it is said where the file is", async () => {
  using folder = new Folder();
  const path = `${folder.file("file", "")}/more/s`;
  const outcome = await runAsSsh([shim, `unix${path}`, "22"]);
  assertFailed(outcome, 66, `unix${path}: the socket does not exist: ${folder.at("file")} is not a directory`);
});

testWhere(
  canBecomeNobody(),
  "root cannot become somebody else here",
  "to a user who may not write to it, a directory is no socket all the same",
  async () => {
    using folder = new Folder();
    Deno.chmodSync(folder.path, 0o755);
    Deno.chmodSync(installation.prefix, 0o755);
    const outcome = await runAsSsh([...AS_NOBODY, shim, `unix${folder.path}`, "22"]);
    assertFailed(outcome, 69, `unix${folder.path}: it is a directory, not a socket`);
    assertStringIncludes(outcome.stderr, "deno-ssh-proxy config --install --alias NAME=unix/PATH\n");
    const file = folder.file("file", "");
    assertFailed(await runAsSsh([...AS_NOBODY, shim, `unix${file}`, "22"]), 69, `unix${file}: it is a regular file`);
    // What is a socket is a matter of permissions as before.
    using _listener = listen(folder.at("s"));
    Deno.chmodSync(folder.at("s"), 0o755);
    assertFailed(await runAsSsh([...AS_NOBODY, shim, ...unix(folder.at("s"))]), 77, ": permission denied");
  },
);

cannotConnect(
  "a socket that its server has left behind is not answered",
  (path) => new BoundSocket("stream", path).close(),
  69,
  () => ": nothing listens there",
);

Deno.test("a server that accepts nobody is given up at the deadline", async () => {
  using folder = new Folder();
  const path = folder.at("busy");
  using listener = new BoundSocket("stream", path);
  listener.listen(0);
  // It takes the one place that there is.
  using _waiting = await Deno.connect({ transport: "unix", path });
  const outcome = await runAsSsh([shim, `unix${path}`, "22", "--timeout", "0.3"], { timeout: 300 });
  assertFailed(outcome, 75, `unix${path}: not accepted within 0.3 s`, 300);
  assert(outcome.took >= 300, `it gave up after ${outcome.took} ms`);
});

/** That nobody has connected to `listener`: the next one who does is this. */
async function assertNobodyCame(listener: Deno.UnixListener, path: string): Promise<void> {
  using probe = await Deno.connect({ transport: "unix", path });
  await probe.write(bytes("the test"));
  using first = await inTime(listener.accept());
  assertEquals(latin1(await readSome(first)), "the test");
}

/** A row of command lines that are refused before anything is connected. */
function refuses(sentence: string, words: (path: string) => string[], says: (path: string) => string): void {
  Deno.test(sentence, async () => {
    using folder = new Folder();
    const path = folder.at("s");
    using listener = listen(path);
    assertFailed(await runAsSsh([shim, ...words(path)]), 64, says(path));
    await assertNobodyCame(listener, path);
  });
}

for (
  const [what, port, shown = port] of [
    ["a word", "abc"],
    ["a negative number", "-1"],
    ["a number over 32 bits", "4294967296"],
    ["an empty text", ""],
    ["a number and another line", "22\nX", "22\\x0aX"],
    ["a number in hexadecimal", "0x2"],
    ["a number with a leading zero", "02"],
    ["a number with a leading space", " 2"],
  ] as const
) {
  for (const form of ["unix", "vsock-mux"]) {
    refuses(
      `${what} as the port of ${form}/ is refused before connecting`,
      (path) => [`${form}${path}`, port],
      () => `port '${shown}': not a port`,
    );
  }
  const cid = `vsock/${port}`;
  refuses(
    `${what} as a CID is refused before connecting`,
    () => [cid, "22"],
    () => `'vsock/${shown}': not a CID`,
  );
}
refuses("the CID that stands for any is refused", () => ["VSOCK%4294967295", "22"], () => ": it stands for any CID");
refuses(
  "the port that stands for any is refused over vsock",
  () => ["vsock/4294967294", "4294967295"],
  () => "port '4294967295': it stands for any port",
);
refuses("a form of address that there is not is refused", () => ["tcp/host", "22"], () => "'tcp/host': not an address");
refuses("a missing port is refused", (path) => [`unix${path}`], () => ": no port given");
refuses("one argument too many is refused", (path) => [`unix${path}`, "22", "more"], () => "'more': one argument");
refuses(
  "an unknown option is refused",
  (path) => [`unix${path}`, "22", "--no-such"],
  () => "--no-such: no such option",
);
refuses(
  "a timeout that is no time is refused",
  (path) => [`unix${path}`, "22", "--timeout", "soon"],
  () => "--timeout 'soon': not a time",
);
refuses("a timeout of nothing is refused", (path) => [`unix${path}`, "22", "--timeout", "0"], () => "'0': not a time");

Deno.test("only the first percent sign stands for a slash: unix%run%a is /run%a", async () => {
  assertFailed(await runAsSsh([shim, "unix%run%a", "22"]), 66, "unix/run%a: the socket does not exist");
});

/** A row of standard outputs that can take neither a connection nor its bytes. */
function cannotTake(sentence: string, what: string, open: () => Place): void {
  Deno.test(sentence, async () => {
    using folder = new Folder();
    const path = folder.at("s");
    using listener = listen(path);
    const output = open();
    const outcome = await runAsSsh([shim, ...unix(path)], { output });
    if (output !== "closed") output.close();
    assertFailed(outcome, 74, `fd 1: it is ${what}, which cannot take a connection`);
    await assertNobodyCame(listener, path);
  });
}

cannotTake("a closed fd 1 is refused before connecting", "closed, or /dev/null", () => "closed");
cannotTake(
  "/dev/null as fd 1 is refused before connecting",
  "closed, or /dev/null",
  () => openFile("/dev/null", 1),
);
cannotTake(
  "a device that takes bytes in its own way is refused before connecting",
  "neither a socket, a pipe, a terminal nor a file",
  () => openFile("/dev/zero", 1),
);

Deno.test("a connection that nobody is there to take is a failure", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  assertFailed(await runAsSsh([shim, ...unix(folder.at("s"))], { abandoned: true }), 74, "ssh is gone");
  using connection = await listener.accept();
  assertEquals(latin1(await readSome(connection)), "");
});

for (
  const [sentence, open] of [
    ["a closed stderr", () => "closed"],
    ["a stderr that takes nothing", () => openFile("/dev/full", 1)],
  ] as [string, () => Place][]
) {
  Deno.test(`${sentence} changes nothing but that there is no message`, async () => {
    using folder = new Folder();
    const path = folder.at("s");
    const errors = open();
    using _errors = errors === "closed" ? undefined : errors;
    const { code, messages } = await runAsSsh([shim, ...unix(path)], { errors });
    assertEquals({ code, messages }, { code: 66, messages: [] });
    using listener = listen(path);
    const outcome = await runAsSsh([shim, ...unix(path)], { errors });
    await assertConnected(assertPassed(outcome), await listener.accept());
  });
}
