import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { Installation } from "../support/installation.ts";
import { bytes, latin1, listen, readSome } from "../support/sockets.ts";
import { SshWith } from "./ssh_with.ts";
import { asText, InTerminal, run } from "./typed.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;
const PATH = outputOf("sh", "-c", "echo $PATH").trim();

/** A multiplexer whose guest has not booted `times` times, and then has. Gives what it was asked for. */
async function boots(listener: Deno.UnixListener, times: number, banner: string): Promise<string> {
  while (times-- > 0) (await inTime(listener.accept())).close();
  using connection = await inTime(listener.accept());
  const asked = latin1(await readSome(connection));
  await connection.write(bytes(`OK 22\n${banner}`));
  // Until the program has hung up, which resets the connection: it has not taken the banner.
  await connection.read(new Uint8Array(1)).catch(() => {});
  return asked;
}

Deno.test("wait prints the banner and the time that it took, and why it waited", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  const booting = boots(listener, 2, "SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n");
  const { code, out, err } = await run([shim, "wait", `vsock-mux${folder.at("s")}`, "2222"]);
  assertEquals(await booting, "CONNECT 2222\n");
  assertEquals(code, 0, err);
  assertMatch(out, /^SSH-2\.0-OpenSSH_10\.0p2 Debian-7 \(after \d+\.\d s\)\n$/);
  // The same reason once, however often it was met.
  assertEquals(
    err,
    `deno-ssh-proxy: vsock-mux${folder.at("s")} port 2222: nothing listens on that port in the guest, ` +
      `or it has not booted yet\n`,
  );
});

Deno.test("wait prints a banner behind a long greeting, and says so where the banner cannot be seen behind it", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  const greeted = async (pieces: string[]) => {
    const running = run([shim, "wait", `unix${folder.at("s")}`]);
    using connection = await inTime(listener.accept());
    const writing = async () => {
      for (const piece of pieces) await connection.write(bytes(piece));
    };
    // The program hangs up in the middle.
    writing().catch(() => {});
    return await running;
  };
  const seen = await greeted(["Welcome\r\n".repeat(1000), "SSH-2.0-x\r\n"]);
  assertMatch(seen.out, /^SSH-2\.0-x \(after \d+\.\d s\)\n$/);
  const hidden = await greeted([...Array(1000).fill("Welcome\r\n"), "SSH-2.0-x\r\n"]);
  assertEquals([seen.code, hidden.code, hidden.err], [0, 0, ""]);
  assertMatch(hidden.out, /^an answer, with more lines before its SSH banner than fit here \(after \d+\.\d s\)\n$/);
});

Deno.test("wait takes a name that ssh has an address for, with its port and a user before it", async () => {
  using folder = new Folder();
  const path = folder.at("S.sock");
  const { out: fragment } = await run([shim, "config", "--alias", `vm=vsock-mux${path}:2222`]);
  using ssh = new SshWith(fragment);
  using listener = listen(path);
  for (const [words, request] of [[["vm"], "CONNECT 2222\n"], [["root@vm", "23"], "CONNECT 23\n"]] as const) {
    const running = run([shim, "wait", ...words], ssh.env);
    using connection = await inTime(listener.accept());
    const asked = new Uint8Array(64);
    const length = await connection.read(asked);
    assertEquals(new TextDecoder().decode(asked.subarray(0, length ?? 0)), request);
    await connection.write(bytes("OK 1\nSSH-2.0-x\r\n"));
    const { code, out, err } = await running;
    assertEquals([code, err], [0, ""]);
    assertMatch(out, /^SSH-2\.0-x /);
  }
});

Deno.test("wait fails with the last reason when its time is over", async () => {
  using folder = new Folder();
  const address = `unix${folder.at("s")}`;
  const { code, out, err } = await run([shim, "wait", address, "--timeout", "0.2"]);
  assertEquals([code, out], [75, ""]);
  // The reason once: where nothing is drawn anew, the line that told it is still there.
  const [waiting, message, hint] = err.split("\n");
  assertEquals(waiting, `deno-ssh-proxy: ${address}: the socket does not exist`);
  assertEquals(message, `deno-ssh-proxy: ${address}: gave up after 0.2 s`);
  assertMatch(hint!, /^ {2}is the server running\?/);
});

Deno.test("on a terminal wait tells the last reason at its end, as the line that showed it is gone", async () => {
  using folder = new Folder();
  const address = `unix${folder.at("s")}`;
  using terminal = new InTerminal([shim, "wait", address, "--timeout", "0.3"]);
  assertEquals(await terminal.end(), 75);
  const told = `deno-ssh-proxy: ${address}: the socket does not exist (waited 0.3 s) `;
  // The line may be broken.
  assertStringIncludes(terminal.shown.replace(/\s+/g, " "), told);
  assertEquals(terminal.shown.includes("gave up"), false);
});

Deno.test("wait asks for port 22 where it is told none, and takes an address as ssh does, with a user", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  const booting = boots(listener, 0, "SSH-2.0-x\n");
  const { code, err } = await run([shim, "wait", `root@vsock-mux${folder.at("s")}`]);
  assertEquals([code, err, await booting], [0, "", "CONNECT 22\n"]);
});

Deno.test("wait does not wait for what is no address, and says what is one", async () => {
  for (const words of [["foo"], ["vsock/x"], ["unix/s", "x"], ["unix/s", "--timeout", "0"], []]) {
    const { code, err } = await run([shim, "wait", ...words]);
    assertEquals(code, 64, err);
    assertMatch(err, /^deno-ssh-proxy: .*: .*\n {2}.+\n$/);
  }
});

Deno.test("on a terminal wait shows what it waits for while nothing has failed, in as many columns as there are", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  using terminal = new InTerminal(["/bin/sh", "-c", 'stty cols 200 && exec "$@"', "sh", shim, "wait", `unix${path}`], {
    PATH,
  });
  using connection = await inTime(listener.accept());
  await terminal.shows(latin1(new TextEncoder().encode(`| unix${path}`)));
  await connection.write(bytes("220 ftp\r\n"));
  connection.closeWrite();
  assertEquals(await terminal.end(), 76);
  // What is told is below the line that moved.
  const [, told] = asText(terminal.shown).split(/\r(?=deno-ssh-proxy: )/);
  assertMatch(told!, /^deno-ssh-proxy: unix\/.*: the server said "220 ftp/);
});

Deno.test("on a terminal wait shows that it goes on in one line, and clears it for the banner", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using terminal = new InTerminal([shim, "wait", `unix${path}`]);
  await terminal.shows("does not exist");
  await terminal.shows("(1 s)");
  using listener = listen(path);
  using connection = await inTime(listener.accept());
  await connection.write(bytes("SSH-2.0-x\x1b[2J\r\n"));
  assertEquals(await terminal.end(), 0);
  const drawn = terminal.shown.split("\r\x1b[K");
  const result = drawn.pop()!;
  assertMatch(result, /^SSH-2\.0-x\\x1b\[2J \(after \d\.\d s\)\r\n$/);
  assert(drawn.length > 10);
  for (const line of drawn) {
    assert([...asText(line)].length < 80, line);
    assert(!line.includes("\n"), line);
  }
  assertStringIncludes(asText(drawn.at(-2)!), `${"|/-\\"[(drawn.length - 3) % 4]!} unix`);
});

for (const [env, what] of [[{ TERM: "dumb" }, "that is dumb"], [{ NO_COLOR: "1" }, "with NO_COLOR"]] as const) {
  Deno.test(`on a terminal ${what} nothing is coloured or drawn anew, and a line says what goes on`, async () => {
    using folder = new Folder();
    const path = folder.at("s");
    using waiting = new InTerminal([shim, "wait", `unix${path}`, "--timeout", "0.5"], env);
    assertEquals(await waiting.end(), 75);
    // The lines are broken where they are too long.
    assertEquals(
      waiting.shown.replaceAll(/\s+/g, " ").split(" deno-ssh-proxy: ").map((line) => line.split(" is the server ")[0]),
      [`deno-ssh-proxy: unix${path}: the socket does not exist`, `unix${path}: gave up after 0.5 s`],
    );
    using checking = new InTerminal([shim, "check", `unix${path}`], env);
    await checking.end();
    assertStringIncludes(asText(checking.shown), " socket ");
    for (const { shown } of [waiting, checking]) assert(!shown.includes("\x1b"), shown);
  });
}
