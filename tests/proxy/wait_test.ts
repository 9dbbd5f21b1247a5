import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { inTime } from "../../tools/waiting.ts";
import { assertFailed, assertPassed, runAsSsh } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
import { type Fd, terminal } from "../support/process.ts";
import { bytes, latin1, listen, readSome } from "../support/sockets.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;
const BANNER = "SSH-2.0-server\r\n";

/** What `near`, the side that shows a terminal, shows until `text` is there. */
async function shows(near: Fd, text: string): Promise<string> {
  let shown = "";
  while (!shown.includes(text)) shown += latin1(await inTime(near.read(1)));
  return shown;
}

Deno.test("a guest that is booting is waited for in silence, and its banner is left to ssh", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  const running = runAsSsh([shim, `vsock-mux${path}`, "22", "--wait"], { timeout: 10_000 });
  for (let boot = 0; boot < 3; boot++) (await inTime(listener.accept())).close();
  using connection = await inTime(listener.accept());
  await connection.write(bytes(`OK 22\n${BANNER}`));
  using passed = assertPassed(await running);
  await connection.write(bytes("more"));
  assertEquals(latin1(await inTime(passed.read(BANNER.length + 4))), `${BANNER}more`);
});

Deno.test("a program that waits ends when ssh does, and not only when its own time is over", async () => {
  using folder = new Folder();
  const words = [shim, `unix${folder.at("s")}`, "22", "--wait=60"];
  assertFailed(await runAsSsh(words, { abandoned: true, timeout: 5_000 }), 74, "ssh is gone");
});

/** Writes `pieces` one after the other, as whoever reads takes them. Gives how many were written so far. */
function dribble(connection: Deno.UnixConn, pieces: string[]): { written: () => number; done: Promise<void> } {
  let written = 0;
  const write = async () => {
    for (const piece of pieces) {
      for (let rest = bytes(piece); rest.length > 0;) rest = rest.subarray(await connection.write(rest));
      written++;
    }
  };
  const done = write();
  // Where the program hangs up, what comes of it is what the test says.
  done.catch(() => {});
  return { written: () => written, done };
}

for (
  const [sentence, lines] of [
    ["as many lines as ssh takes before a banner are left to it", Array(1000).fill("Welcome to the guest\r\n")],
    ["so are lines as long as ssh takes them", Array(40).fill(`${"x".repeat(8190)}\r\n`)],
  ] as const
) {
  Deno.test(`${sentence}, though they fill the socket`, async () => {
    using folder = new Folder();
    using listener = listen(folder.at("s"));
    const running = runAsSsh([shim, `unix${folder.at("s")}`, "22", "--wait=30"], { timeout: 30_000 });
    using connection = await inTime(listener.accept());
    const said = dribble(connection, [...lines, BANNER]);
    using passed = assertPassed(await running);
    // It could not say all of it before ssh read: this is about a banner that nobody could have seen.
    assert(said.written() < lines.length, `${said.written()}`);
    const all = [...lines, BANNER].join("");
    let read = "";
    while (read.length < all.length) {
      read += latin1(await inTime(passed.read(Math.min(all.length - read.length, 4096))));
    }
    await said.done;
    assertEquals(read, all);
  });
}

Deno.test("on a terminal it says after two seconds what it waits for, and how that ends", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  const [near, errors] = terminal();
  using _near = near;
  const running = runAsSsh([shim, `unix${path}`, "22", "--wait=30"], { errors, timeout: 30_000 });
  const shown = await shows(near, "Ctrl-C ends that");
  errors.close();
  assertStringIncludes(
    shown,
    `deno-ssh-proxy: unix${path}: the socket does not exist\r\n  trying again, for 30 s in all`,
  );
  // The condition that the program waits for is made only now that it was seen to wait.
  using listener = listen(path);
  using connection = await inTime(listener.accept());
  await connection.write(bytes(BANNER));
  using passed = assertPassed(await running);
  assertEquals(latin1(await inTime(passed.read(BANNER.length))), BANNER);
});

Deno.test("it says so while a server that has taken the connection is silent, too", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  const [near, errors] = terminal();
  using _near = near;
  const running = runAsSsh([shim, `unix${path}`, "22", "--wait", "--timeout=30"], { errors, timeout: 30_000 });
  using connection = await inTime(listener.accept());
  assertStringIncludes(await shows(near, "Ctrl-C ends that"), `deno-ssh-proxy: unix${path}: no answer yet\r\n`);
  errors.close();
  await connection.write(bytes(BANNER));
  using passed = assertPassed(await running);
  assertEquals(latin1(await inTime(passed.read(BANNER.length))), BANNER);
});

Deno.test("what can take no connection is not waited for", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  const outcome = await runAsSsh([shim, `unix${path}`, "22", "--wait=30"], { output: "closed" });
  assertFailed(outcome, 74, "fd 1: it is closed, or /dev/null, which cannot take a connection");
  // Nobody has come before this one.
  using probe = await Deno.connect({ transport: "unix", path });
  await probe.write(bytes("the test"));
  using first = await inTime(listener.accept());
  assertEquals(latin1(await readSome(first)), "the test");
});

Deno.test("at the end of the time it fails with the last reason", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  const outcome = await runAsSsh([shim, `unix${path}`, "22", "--wait=0.3"]);
  assertFailed(outcome, 75, `unix${path}: the socket does not exist (waited 0.3 s)`, 300);
  assert(outcome.took >= 300);
});

Deno.test("what will not come up by itself is not waited for", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  for (
    const [words, code, says] of [
      [["vsock/x", "22", "--wait"], 64, "not a CID"],
      [["--wait", "unix/s", "x"], 64, "not a port"],
      [[`unix${path}`, "22", "--wait=x"], 64, "--wait 'x': not a time"],
    ] as [string[], number, string][]
  ) assertFailed(await runAsSsh([shim, ...words]), code, says);
  Deno.symlinkSync("loop", folder.at("loop"));
  for (
    const [words, code, says] of [
      [`unix${folder.path}`, 69, "is a directory, not a socket"],
      [`unix${folder.at("loop")}`, 66, "too many symbolic links"],
    ] as const
  ) assertFailed(await runAsSsh([shim, words, "22", "--wait=30"]), code, says);
  using listener = listen(path);
  const running = runAsSsh([shim, `unix${path}`, "22", "--wait=30"]);
  using connection = await inTime(listener.accept());
  await connection.write(bytes("220 ftp\r\n"));
  connection.closeWrite();
  const outcome = await running;
  assertFailed(outcome, 76, 'the server said "220 ftp\\x0d\\x0a", and then the end, not an SSH banner');
  assertMatch(outcome.stderr, /\n {2}is it an sshd that listens there\?\n$/);
});
