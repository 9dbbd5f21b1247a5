import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { createServer, type Socket } from "node:net";
import { serveDemo } from "../../demo/demo.ts";
import { answerToCommand, answerToShell } from "../../demo/greeting.ts";
import { multiplex, readRequest } from "../../demo/multiplexer.ts";
import { assertFailsLater, bytes, Folder, inTime, latin1, readSome } from "./support.ts";

Deno.test("the demo's multiplexer reads one line with a port in decimal, and nothing beside it", () => {
  const examples: [request: string, read: ReturnType<typeof readRequest>][] = [
    ["CONNECT 22\n", 22],
    ["CONNECT 0\n", 0],
    ["CONNECT 4294967295\n", 4294967295],
    ["", "partial"],
    ["CONNECT 22", "partial"],
    ["CONNECT 4294967296\n", "odd"],
    ["CONNECT 99999999999\n", "odd"],
    ["CONNECT 022\n", "odd"],
    ["CONNECT 0x16\n", "odd"],
    ["CONNECT -1\n", "odd"],
    ["CONNECT  22\n", "odd"],
    ["CONNECT 22 \n", "odd"],
    ["CONNECT 22\r\n", "odd"],
    ["CONNECT \n", "odd"],
    ["CONNECT\n", "odd"],
    ["\n", "odd"],
    ["\nCONNECT 22\n", "odd"],
    ["CONNECT 22\n\n", "odd"],
    ["CONNECT 22\nSSH-2.0-x", "odd"],
    ["SSH-2.0-OpenSSH_9.9\r\n", "odd"],
    ["x".repeat(31), "partial"],
    ["x".repeat(32), "odd"],
    ["x".repeat(1000), "odd"],
  ];
  for (const [request, read] of examples) assertEquals(readRequest(request), read, JSON.stringify(request));
});

Deno.test("the demo's multiplexer reads every port, and waits for the end of its line", () => {
  fc.assert(fc.property(fc.nat(2 ** 32 - 1), fc.nat(18), (port, cut) => {
    const request = `CONNECT ${port}\n`;
    assertEquals(readRequest(request), port);
    if (cut < request.length) assertEquals(readRequest(request.slice(0, cut)), "partial");
  }));
});

/** A multiplexer before a guest that says `hello` and then repeats on port 22 what it is told. */
class Multiplexer implements AsyncDisposable {
  readonly #folder = new Folder();
  readonly #path = this.#folder.at("mux.sock");
  readonly #server = createServer((connection) => {
    multiplex(connection, 22, guest);
    connection.on("data", () => this.heard?.());
  }).listen(this.#path);
  /** Called when something has come in. */
  heard: (() => void) | undefined;

  async ask(request: string): Promise<Deno.UnixConn> {
    const connection = await Deno.connect({ transport: "unix", path: this.#path });
    if (request !== "") await connection.write(bytes(request));
    return connection;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
    this.#folder[Symbol.dispose]();
  }
}

function guest(connection: Socket): void {
  connection.write("hello");
  connection.pipe(connection);
}

/** What comes in until `length` bytes are there, or the other side ends. */
async function readUpTo(connection: Deno.UnixConn, length: number): Promise<string> {
  let text = "";
  while (text.length < length) {
    const piece = await readSome(connection, length - text.length);
    if (piece.length === 0) break;
    text += latin1(piece);
  }
  return text;
}

Deno.test("the demo's multiplexer answers, and all that follows is between client and guest", async () => {
  await using multiplexer = new Multiplexer();
  using connection = await multiplexer.ask("CONNECT 22\n");
  const answer = "OK 1073741824\nhello";
  assertEquals(await readUpTo(connection, answer.length), answer);
  await connection.write(bytes("CONNECT 23\n"));
  assertEquals(await readUpTo(connection, 11), "CONNECT 23\n");
});

Deno.test("the demo's multiplexer takes a request in pieces", async () => {
  await using multiplexer = new Multiplexer();
  using connection = await multiplexer.ask("");
  for (const piece of "CONNECT 22\n") {
    const heard = new Promise<void>((resolve) => multiplexer.heard = resolve);
    await connection.write(bytes(piece));
    await inTime(heard);
  }
  assertEquals(await readUpTo(connection, 3), "OK ");
});

Deno.test("the demo's multiplexer closes every other request without a word", async () => {
  await using multiplexer = new Multiplexer();
  for (const request of ["CONNECT 23\n", "CONNECT 22\nx", "x".repeat(32), "CONNECT 2"]) {
    using connection = await multiplexer.ask(request);
    assertEquals(await inTime(readUpTo(connection, 1)), "", request);
  }
});

Deno.test("the demo's answer names the address, and the command in a form that steers no terminal", () => {
  const answer = answerToCommand("unix/run/\x1b[2J.sock", "\x1b]0;x\x07\nrm -r /");
  assertStringIncludes(answer, "you reached unix/run/\\x1b[2J.sock and asked for '\\x1b]0;x\\x07\\x0arm -r /'");
  assertEquals(answer.indexOf("\n"), answer.length - 1);
  assertEquals(answerToCommand("unix/x", "hello"), "hello from the demo server: you reached unix/x\n");
  assert(answerToShell("unix/run/x.sock").startsWith("hello from the demo server: you reached unix/run/x.sock\r\n"));
});

Deno.test("the demo serves in no folder that others may enter", async () => {
  using folder = new Folder();
  for (const mode of [0o701, 0o710, 0o755]) {
    await Deno.chmod(folder.path, mode);
    await assertFailsLater("usage", () => serveDemo(folder.path), "others may enter it");
  }
  assertEquals([...Deno.readDirSync(folder.path)], []);
});
