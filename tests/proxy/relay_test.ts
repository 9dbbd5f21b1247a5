import { assertEquals, assertMatch } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { outputLater, pathOf } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { Installation } from "../support/installation.ts";
import { type Fd, openFile, pipe, socketPair, start, type Started, terminal } from "../support/process.ts";
import { bytes, closeAnyway, latin1, listen, randomBytes, readSome, sha256 } from "../support/sockets.ts";
import { CAN_TRACE, testWhere } from "../support/tools.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;

/** What the program has as fd 0 and 1, and what a client that started it has of them. */
interface Ends {
  input: Fd;
  output: Fd;
  writes: Fd;
  reads: Fd;
}

function pipes(): Ends {
  const [input, writes] = pipe();
  const [reads, output] = pipe();
  return { input, output, writes, reads };
}

function oneSocket(): Ends {
  const [client, program] = socketPair();
  return { input: program, output: program, writes: client, reads: client };
}

function oneTerminal(): Ends {
  const [client, program] = terminal();
  return { input: program, output: program, writes: client, reads: client };
}

/** The program under way with a client that wants bytes, and the server that it is connected to. */
class Relayed implements AsyncDisposable {
  readonly #listener: Deno.UnixListener;
  readonly #program: Started;
  readonly #errors: Fd;
  readonly writes: Fd;
  readonly reads: Fd;
  #server: Deno.UnixConn | undefined;
  #ended: Promise<{ code: number; stderr: string }> | undefined;

  /** Starts `words` with an address of `path`, where a server listens. */
  constructor(path: string, { input, output, writes, reads }: Ends, words: string[]) {
    this.#listener = listen(path);
    const [errors, stderr] = pipe();
    this.#program = start(words, [input, output, stderr], {});
    for (const fd of new Set([input, output, stderr])) fd.close();
    this.#errors = errors;
    this.writes = writes;
    this.reads = reads;
  }

  /** The server's side of the connection; where the program ends before that, what it says. */
  async server(): Promise<Deno.UnixConn> {
    const ended = this.ended().then((how) => {
      throw new Error(JSON.stringify(how));
    });
    ended.catch(() => {});
    return this.#server ??= await inTime(Promise.race([this.#listener.accept(), ended]));
  }

  get pid(): number {
    return this.#program.pid;
  }

  kill(signal: Deno.Signal): void {
    Deno.kill(this.pid, signal);
  }

  /** How the program ends. */
  ended(): Promise<{ code: number; stderr: string }> {
    return this.#ended ??= (async () => {
      const [code, said] = await Promise.all([this.#program.ended, this.#errors.read()]);
      return { code, stderr: latin1(said) };
    })();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#program.kill();
    await this.#program.ended;
    this.#listener.close();
    closeAnyway(this.#server);
    for (const fd of [this.#errors, this.writes, this.reads]) fd.close();
  }
}

const IN_ORDER = { code: 0, stderr: "" };

/** That both sides get what the other sends, each the other's end, and the program ends. */
async function assertRelays(relayed: Relayed, first = ""): Promise<void> {
  const server = await relayed.server();
  await server.write(bytes("from the server"));
  const got = await inTime(relayed.reads.read(`${first}from the server`.length));
  assertEquals(latin1(got), `${first}from the server`);
  await relayed.writes.write(bytes("from the client"));
  assertEquals(latin1(await readSome(server)), "from the client");
  server.close();
  assertEquals(await inTime(relayed.ended()), IN_ORDER);
}

/** All that comes in until the other side ends. The connection stays open. */
async function readAll(connection: Deno.UnixConn): Promise<Uint8Array<ArrayBuffer>> {
  const all: number[] = [];
  for (let some = await readSome(connection, 65536); some.length > 0; some = await readSome(connection, 65536)) {
    all.push(...some);
  }
  return Uint8Array.from(all);
}

for (
  const [what, ends, ...options] of [
    ["pipes as fd 0 and 1 get bytes", pipes],
    ["so do pipes that --relay is given for", pipes, "--relay"],
    ["with --relay a socket gets bytes, and no connection", oneSocket, "--relay"],
  ] as [string, () => Ends, ...string[]][]
) {
  Deno.test(what, async () => {
    using folder = new Folder();
    const path = folder.at("s");
    await using relayed = new Relayed(path, ends(), [shim, `unix${path}`, "22", ...options]);
    await assertRelays(relayed);
    // And nothing else: no message, and no end that comes twice.
    assertEquals(latin1(await relayed.reads.read()), "");
  });
}

Deno.test("the server's end reaches a client with pipes at once, and it still sends", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  await using relayed = new Relayed(path, pipes(), [shim, `unix${path}`, "22"]);
  const server = await relayed.server();
  await server.write(bytes("all there is"));
  await server.closeWrite();
  assertEquals(latin1(await inTime(relayed.reads.read())), "all there is");
  await relayed.writes.write(bytes("an answer"));
  assertEquals(latin1(await readSome(server)), "an answer");
  relayed.writes.close();
  assertEquals(latin1(await readSome(server)), "");
  assertEquals(await inTime(relayed.ended()), IN_ORDER);
});

Deno.test("a terminal gets bytes, and its end of input is the server's end", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  await using relayed = new Relayed(path, oneTerminal(), [shim, `unix${path}`, "22"]);
  const server = await relayed.server();
  await server.write(bytes("SSH-2.0-server\n"));
  assertEquals(latin1(await inTime(relayed.reads.read(16))), "SSH-2.0-server\r\n");
  await relayed.writes.write(bytes("a line\n"));
  assertEquals(latin1(await readSome(server)), "a line\n");
  await relayed.writes.write(bytes("\x04"));
  assertEquals(latin1(await readSome(server)), "");
  server.close();
  assertEquals(await inTime(relayed.ended()), IN_ORDER);
});

Deno.test("a file gets all that the server sends, and one as input is sent whole", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  const [sent, received] = [randomBytes(300_000), randomBytes(400_000)];
  Deno.writeFileSync(folder.at("in"), sent);
  const [input, output] = [openFile(folder.at("in"), 0), openFile(folder.file("out", ""), 1)];
  const [reads, writes] = pipe();
  await using relayed = new Relayed(path, { input, output, writes, reads }, [shim, `unix${path}`, "22"]);
  const server = await relayed.server();
  const arriving = readAll(server);
  for (let at = 0; at < received.length;) at += await server.write(received.subarray(at));
  await server.closeWrite();
  assertEquals(await inTime(relayed.ended()), IN_ORDER);
  assertEquals(await sha256(await arriving), await sha256(sent));
  assertEquals(await sha256(Deno.readFileSync(folder.at("out"))), await sha256(received));
});

Deno.test("a multiplexer is asked before, and its OK line is no part of what is relayed", async () => {
  using folder = new Folder();
  const path = folder.at("vm");
  await using relayed = new Relayed(path, pipes(), [shim, `vsock-mux${path}`, "22"]);
  const server = await relayed.server();
  assertEquals(latin1(await readSome(server)), "CONNECT 22\n");
  await server.write(bytes("OK 1073741824\nSSH-2.0-server\r\n"));
  await assertRelays(relayed, "SSH-2.0-server\r\n");
});

Deno.test("with --wait it relays too, from the banner on", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  await using relayed = new Relayed(path, pipes(), [shim, `unix${path}`, "22", "--wait=30", "--relay"]);
  const server = await relayed.server();
  await server.write(bytes("SSH-2.0-server\r\n"));
  await assertRelays(relayed, "SSH-2.0-server\r\n");
});

Deno.test("what cannot be connected to writes nothing to the client", async () => {
  using folder = new Folder();
  const [ends, path] = [pipes(), folder.at("s")];
  await using relayed = new Relayed(folder.at("other"), ends, [shim, `unix${path}`, "22"]);
  assertEquals((await inTime(relayed.ended())).code, 66);
  assertEquals(latin1(await relayed.reads.read()), "");
});

Deno.test("a client that leaves ends it in order, and its last bytes reach the server", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  await using relayed = new Relayed(path, pipes(), [shim, `unix${path}`, "22"]);
  const server = await relayed.server();
  await relayed.writes.write(bytes("last words"));
  relayed.writes.close();
  relayed.reads.close();
  assertEquals(latin1(await readSome(server)), "last words");
  assertEquals(latin1(await readSome(server)), "");
  assertEquals(await inTime(relayed.ended()), IN_ORDER);
});

Deno.test("a signal such as ssh sends at its end ends it at once, and the server sees that", async () => {
  for (const signal of ["SIGHUP", "SIGTERM", "SIGINT"] as const) {
    using folder = new Folder();
    const path = folder.at("s");
    await using relayed = new Relayed(path, pipes(), [shim, `unix${path}`, "22"]);
    const server = await relayed.server();
    await server.write(bytes("x"));
    assertEquals(latin1(await inTime(relayed.reads.read(1))), "x");
    relayed.kill(signal);
    assertEquals(latin1(await readSome(server)), "");
    const { code, stderr } = await inTime(relayed.ended());
    assertEquals([code, stderr], [{ SIGHUP: 129, SIGTERM: 143, SIGINT: 130 }[signal], ""]);
  }
});

/** strace with `options`, and its log of each thread. */
function traced(folder: Folder, ...options: string[]) {
  const words = [pathOf("strace"), "-f", "-qq", "-o", folder.at("log"), ...options];
  return { words, calls: () => Deno.readTextFileSync(folder.at("log")).split("\n") };
}

function traces(name: string, fn: () => Promise<void>): void {
  testWhere(CAN_TRACE, "there is no strace here, or it may not trace", name, fn);
}

/** 3 MiB to the server, and back from there. */
async function assertCarries(relayed: Relayed): Promise<void> {
  const server = await relayed.server();
  const echoing = server.readable.pipeTo(server.writable).catch(() => {});
  const sent = randomBytes(3 << 20);
  const sending = relayed.writes.write(sent).then(() => relayed.writes.close());
  assertEquals(await sha256(await inTime(relayed.reads.read())), await sha256(sent));
  await sending;
  await echoing;
  assertEquals(await inTime(relayed.ended()), IN_ORDER);
}

traces("between pipes and the socket not a byte goes through the program's memory", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  const { words, calls } = traced(folder, "-e", "trace=splice,read,write,recvfrom,recvmsg,sendto,sendmsg");
  await using relayed = new Relayed(path, pipes(), [...words, shim, `unix${path}`, "22"]);
  await assertCarries(relayed);
  const log = calls();
  const moved = log.flatMap((line) => /splice\(.*= (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  assertEquals(moved.reduce((sum, count) => sum + count, 0), 2 * (3 << 20));
  const first = log.findIndex((line) => line.includes("splice("));
  const [thread] = log[first]!.split(" ");
  // The empty one asks whether the server still reads.
  const copied = log.slice(first).filter((line) =>
    line.startsWith(`${thread} `) && !/splice|sendto\(.*"", 0|\+\+\+/.test(line)
  );
  assertEquals(copied, []);
});

for (const error of ["EINVAL", "ENOSYS", "EPERM"]) {
  traces(`where splice(2) ends in ${error} everything arrives all the same`, async () => {
    for (const ends of [pipes, oneSocket]) {
      using folder = new Folder();
      const path = folder.at("s");
      const { words } = traced(folder, "-e", "trace=splice", "-e", `inject=splice:error=${error}`);
      await using relayed = new Relayed(path, ends(), [...words, shim, `unix${path}`, "22", "--relay"]);
      if (ends === pipes) await assertCarries(relayed);
      else await assertRelays(relayed);
    }
  });
}

for (
  const [what, ends, inject] of [
    ["another error of splice(2)", pipes, "error=EIO"],
    // Those bytes are in the relay's own pipe by then.
    ["one that comes when bytes would be lost by another way", oneSocket, "error=EINVAL:when=2"],
  ] as [string, () => Ends, string][]
) {
  traces(`${what} is one of the relay`, async () => {
    using folder = new Folder();
    const path = folder.at("s");
    const { words } = traced(folder, "-e", "trace=splice", "-e", `inject=splice:${inject}`);
    await using relayed = new Relayed(path, ends(), [...words, shim, `unix${path}`, "22", "--relay"]);
    await (await relayed.server()).write(bytes("x"));
    const { code, stderr } = await inTime(relayed.ended());
    assertEquals(code, 74);
    assertMatch(stderr, /^deno-ssh-proxy: the relay broke: .+ \(E[A-Z]+\)\n$/);
  });
}

/** Until the program waits for something. One that keeps looking whether it is there never does. */
async function sleeps(relayed: Relayed): Promise<void> {
  // Without its name in parentheses, the state is what follows the process id: proc(5).
  while (!/^\d+ \(.*\) S /.test(await outputLater("cat", `/proc/${relayed.pid}/stat`)));
}

traces("while a client does not read, the relay sleeps, but for what the other direction needs", async () => {
  // Its process id stays the program's.
  const copied = ["-D", "-e", "trace=splice", "-e", "inject=splice:error=EINVAL"];
  for (const [ends, ...options] of [[pipes], [oneSocket], [pipes, ...copied]] as [() => Ends, ...string[]][]) {
    using folder = new Folder();
    const path = folder.at("s");
    const words = options.length > 0 ? traced(folder, ...options).words : [];
    await using relayed = new Relayed(path, ends(), [...words, shim, `unix${path}`, "22", "--relay"]);
    const server = await relayed.server();
    // More than all the buffers on the way hold: it stays under way until the client reads.
    const sent = randomBytes(8 << 20);
    const sending = (async () => {
      for (let at = 0; at < sent.length;) at += await server.write(sent.subarray(at));
    })();
    for (let echo = 0; echo < 50; echo++) {
      // Room for one page, which must not be taken for room for more.
      if (echo === 10) assertEquals(await inTime(relayed.reads.read(4096)), sent.subarray(0, 4096));
      await relayed.writes.write(bytes("x"));
      assertEquals(latin1(await readSome(server)), "x");
    }
    await inTime(sleeps(relayed));
    const rest = sent.slice(4096);
    assertEquals(await sha256(await inTime(relayed.reads.read(rest.length))), await sha256(rest));
    await sending;
    server.close();
    assertEquals(await inTime(relayed.ended()), IN_ORDER);
  }
});

Deno.test("while a server does not read what a client that has left sent, the relay sleeps", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  await using relayed = new Relayed(path, pipes(), [shim, `unix${path}`, "22"]);
  const server = await relayed.server();
  // More than the socket holds, and together with it less than with the pipe; the rest is in there when its writer leaves.
  const sent = randomBytes(270_000);
  await inTime(relayed.writes.write(sent));
  relayed.writes.close();
  await inTime(sleeps(relayed));
  assertEquals(await sha256(await readAll(server)), await sha256(sent));
  server.close();
  assertEquals(await inTime(relayed.ended()), IN_ORDER);
});
