import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Library } from "../../ffi/library.ts";
import { CONNECTION_NONBLOCKING } from "../../ffi/symbols.ts";
import { SystemError } from "../../ffi/errno.ts";
import { type ErrorKind, ProxyError } from "../../proxy/errors.ts";
import { Deadline, isWorthAnotherTry } from "../../proxy/patience.ts";
import { parseTarget } from "../../proxy/target.ts";
import { waitFor } from "../../proxy/wait.ts";
import { assertFailsLater, BoundSocket, bytes, Folder, latin1, LIBRARY_PATH, listen, openSockets } from "./support.ts";

const BANNER = "SSH-2.0-server";
const library = Library.open(LIBRARY_PATH, CONNECTION_NONBLOCKING);

/** Waits for an address, and gives what came of it and why each try before failed. */
async function wait(address: string, { time = 20_000, timeout = 5_000, failed = (_: ProxyError) => {} } = {}) {
  const reasons: string[] = [];
  const target = parseTarget(address, "22");
  const { socket, banner } = await waitFor(target, library, new Deadline(time), timeout, (error) => {
    reasons.push(error.message);
    failed(error);
  });
  return { socket, banner, reasons };
}

/** Serves each connection with the next of these, and closes it; the last one stays open. */
async function serve(listener: Deno.UnixListener, answers: string[]): Promise<Deno.UnixConn> {
  for (const [at, answer] of answers.entries()) {
    const connection = await listener.accept();
    if (answer.startsWith("OK")) await connection.read(new Uint8Array(64));
    if (answer !== "") await connection.write(bytes(answer));
    if (at === answers.length - 1) return connection;
    connection.close();
  }
  throw new Error("there is nothing to say");
}

Deno.test("a socket is waited for: while its path is missing, while nothing listens, and until the server speaks", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  let listening: Promise<Deno.UnixConn> | undefined;
  let server: BoundSocket | undefined;
  const { socket, banner, reasons } = await wait(`unix${path}`, {
    failed: ({ kind }) => {
      // Each step of a server's start is taken when the one before was seen.
      if (kind === "missing") server = new BoundSocket("stream", path);
      else if (server !== undefined) {
        server.close();
        server = undefined;
        Deno.removeSync(path);
        listening = serve(listen(path), ["", "", `${BANNER}\r\nrest`]);
      }
    },
  });
  using _connection = await listening;
  using _socket = socket;
  assertEquals(banner, BANNER);
  assertStringIncludes(reasons[0]!, "does not exist");
  assertStringIncludes(reasons[1]!, "nothing listens");
  assertStringIncludes(reasons.at(-1)!, "closed before an SSH banner came");
  // All of it is still there for ssh.
  const said = new Uint8Array(64);
  assertEquals(latin1(said.subarray(0, await socket.receive(said))), `${BANNER}\r\nrest`);
});

Deno.test("a guest behind a multiplexer that closes is waited for, and no try leaves a socket open", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  const before = await openSockets(library);
  const serving = serve(listener, ["", "", "OK 22\n", `OK 22\n${BANNER}\n`]);
  const { socket, banner, reasons } = await wait(`vsock-mux${path}`);
  (await serving).close();
  socket.close();
  assertEquals([banner, reasons.length], [BANNER, 3]);
  assertStringIncludes(reasons[0]!, "nothing listens on that port in the guest");
  assertStringIncludes(reasons[2]!, "closed before an SSH banner came");
  assertEquals(await openSockets(library), before);
});

Deno.test("a server that is silent is left for another try after the time of one", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  const serving = (async () => {
    using _silent = await listener.accept();
    return await serve(listener, [`${BANNER}\n`]);
  })();
  const { socket, banner, reasons } = await wait(`unix${path}`, { timeout: 50 });
  (await serving).close();
  socket.close();
  assertEquals(banner, BANNER);
  assertStringIncludes(reasons[0]!, "no SSH banner within 0.05 s");
});

Deno.test("at the end of the time the last reason is told, with how long was waited", async () => {
  using folder = new Folder();
  const error = await assertFailsLater(
    "timeout",
    () => wait(`unix${folder.at("s")}`, { time: 200 }),
    `unix${folder.at("s")}: ${folder.at("s")} does not exist (waited 0.2 s)`,
  );
  assert(error.cause instanceof ProxyError && error.hint === error.cause.hint);
});

Deno.test("what a person has to mend ends the waiting at once", async () => {
  using folder = new Folder();
  const never = { failed: () => assert(false, "it tried again") };
  using _datagram = new BoundSocket("datagram", folder.at("d"));
  await assertFailsLater("unreachable", () => wait(`unix${folder.at("d")}`, never), "datagram socket");
  using listener = listen(folder.at("s"));
  const serving = serve(listener, ["OK no\n"]);
  await assertFailsLater("protocol", () => wait(`vsock-mux${folder.at("s")}`, never), "the answer to CONNECT");
  (await serving).close();
});

Deno.test("only what may come up by itself is worth another try", () => {
  const worth: Record<ErrorKind, boolean> = {
    usage: false,
    missing: true,
    unreachable: true,
    defect: false,
    resource: false,
    handover: false,
    timeout: true,
    protocol: false,
    permission: false,
    configuration: false,
  };
  for (const [kind, expected] of Object.entries(worth) as [ErrorKind, boolean][]) {
    assertEquals(isWorthAnotherTry(new ProxyError(kind, "a: b")), expected, kind);
  }
  const wrongType = new SystemError("connect_unix", -91);
  assertEquals(isWorthAnotherTry(new ProxyError("unreachable", "a: b", { cause: wrongType })), false);
});
