import { assert, assertEquals } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { inTime } from "../../tools/waiting.ts";
import { assertFailed, assertPassed, runAsSsh } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
import { libc } from "../support/libc.ts";
import { type Fd, pipe, socketPair, start } from "../support/process.ts";
import { BoundSocket, bytes, latin1 } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;

const MSG_OOB = 1;

/** Sends one byte out of band, and returns whether this kernel has such bytes for AF_UNIX sockets (Linux 5.15). */
function sendOutOfBand(socket: Fd): boolean {
  return libc.send(socket.number, bytes("!"), 1n, MSG_OOB) === 1n;
}

function hasOutOfBand(): boolean {
  const [one, other] = socketPair();
  using _other = other;
  using _one = one;
  return sendOutOfBand(one);
}

function testOutOfBand(name: string, fn: () => Promise<void>): void {
  testWhere(hasOutOfBand(), "this kernel has no MSG_OOB for AF_UNIX sockets", name, fn);
}

function listenAt(path: string): BoundSocket {
  const listener = new BoundSocket("stream", path);
  listener.listen(1);
  return listener;
}

/** How long each of these waits, in milliseconds. */
const WAIT = 3_000;

/** That a program that waited for {@linkcode WAIT} had a processor for a small part of it. Starting takes some of it too. */
function assertSlept(cpuTime: number): void {
  assert(cpuTime < WAIT / 3, `it had a processor for ${cpuTime} ms`);
}

for (
  const [what, words] of [
    ["--wait", (path: string) => [`unix${path}`, "22", `--wait=${WAIT / 1000}`]],
    ["a multiplexer's answer", (path: string) => [`vsock-mux${path}`, "22", "--timeout", `${WAIT / 1000}`]],
  ] as const
) {
  testOutOfBand(`a byte out of band takes no processor of ${what}, which ends when its time is over`, async () => {
    using folder = new Folder();
    using listener = listenAt(folder.at("s"));
    const running = runAsSsh([shim, ...words(folder.at("s"))], { timeout: WAIT });
    using connection = await listener.accept();
    assert(sendOutOfBand(connection));
    const outcome = await running;
    assertFailed(outcome, 75, folder.at("s"), WAIT);
    assertSlept(outcome.cpuTime);
  });
}

testOutOfBand("a byte out of band takes no processor of check, which ends when its time is over", async () => {
  using folder = new Folder();
  using listener = listenAt(folder.at("s"));
  const [nothing, unused] = socketPair();
  using _nothing = nothing;
  using _unused = unused;
  const [printed, output] = pipe();
  using _printed = printed;
  const program = start(
    [shim, "check", `unix${folder.at("s")}`, "--timeout", `${WAIT / 1000}`],
    [nothing, output, output],
    { HOME: folder.path, PATH: "/usr/bin:/bin" },
  );
  output.close();
  using connection = await listener.accept();
  assert(sendOutOfBand(connection));
  const said = latin1(await inTime(printed.read(), 4 * WAIT));
  assertEquals([await program.ended, /no SSH\s+banner/.test(said)], [75, true], said);
  assertSlept(await program.cpuTime);
});

testOutOfBand("a banner that comes after a byte out of band is found, and is left to ssh", async () => {
  using folder = new Folder();
  using listener = listenAt(folder.at("s"));
  const running = runAsSsh([shim, `vsock-mux${folder.at("s")}`, "22", "--wait=10"], { timeout: 10_000 });
  using connection = await listener.accept();
  assert(sendOutOfBand(connection));
  assertEquals(latin1(await connection.read(11)), "CONNECT 22\n");
  await connection.write(bytes("OK 1\nSSH-2.0-x\r\n"));
  using passed = assertPassed(await running);
  assertEquals(latin1(await inTime(passed.read(11))), "SSH-2.0-x\r\n");
});

testOutOfBand("bytes out of band take no processor of a relay, and are not relayed", async () => {
  using folder = new Folder();
  using listener = listenAt(folder.at("s"));
  const [[input, writes], [reads, output], [errors, stderr]] = [pipe(), pipe(), pipe()];
  const program = start([shim, `unix${folder.at("s")}`, "22", "--relay"], [input, output, stderr], {});
  for (const fd of [input, output, stderr]) fd.close();
  using connection = await listener.accept();
  assert(sendOutOfBand(connection));
  // There is nothing to be waited for: it is to be idle.
  await new Promise((resolve) => setTimeout(resolve, WAIT));
  await connection.write(bytes("data"));
  assertEquals(latin1(await inTime(reads.read(4))), "data");
  connection.end();
  for (const fd of [writes, reads]) fd.close();
  assertEquals([await inTime(program.ended), latin1(await errors.read())], [0, ""]);
  assertSlept(await program.cpuTime);
  errors.close();
});
