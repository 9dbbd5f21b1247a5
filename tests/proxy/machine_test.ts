import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { inTime } from "../../tools/waiting.ts";
import { assertFailed, assertPassed, type Outcome, runAsSsh } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
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
import { canBecomeNobody, NOBODY, OWN_MOUNTS } from "../support/ordinary_user.ts";
import { bytes, latin1, listen, readSome } from "../support/sockets.ts";
import { testWhere, testWith } from "../support/tools.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;

const { vSockCid: _, ...BARE } = VM;

/** A user who has a systemd-machined and a runtime folder. */
class User implements AsyncDisposable {
  readonly folder = new Folder();
  readonly machined: Machined;

  constructor(answer: Answer) {
    this.machined = new Machined(this.folder.path, answer);
  }

  /** Runs the program as `ssh` does for this user. */
  run(words: string[], timeout = 0): Promise<Outcome> {
    return runAsSsh([shim, ...words], { env: { XDG_RUNTIME_DIR: this.folder.path }, timeout });
  }

  /** Listens at `path` in the runtime folder, in folders that are made. */
  listen(path: string): Deno.UnixListener {
    Deno.mkdirSync(this.folder.at(path.slice(0, path.lastIndexOf("/"))), { recursive: true });
    return listen(this.folder.at(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machined[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** That the program passed a connection to `listener`. */
async function assertReached(outcome: Outcome, listener: Deno.UnixListener): Promise<void> {
  using passed = assertPassed(outcome);
  using connection = await inTime(listener.accept());
  await connection.write(bytes("SSH-2.0-there"));
  assertEquals(latin1(await inTime(passed.read(13))), "SSH-2.0-there");
  await passed.write(bytes("SSH-2.0-here"));
  assertEquals(latin1(await readSome(connection)), "SSH-2.0-here");
}

/** A row of names, as ssh gives them, that reach the container called Box. */
for (
  const [sentence, words] of [
    ["a container is reached by its name, in the case in which it was typed", [
      "machine/box",
      "22",
      "--as-typed",
      "machine/Box",
    ]],
    ["so it is with a percent sign for the slash, which ssh leaves in its case", [
      "machine%Box",
      "22",
      "--as-typed",
      "machine%Box",
    ]],
  ] as [string, string[]][]
) {
  Deno.test(sentence, async () => {
    await using user = new User(knows({ ...CONTAINER, name: "Box" }));
    using listener = user.listen("systemd/nspawn/Box/unix-export/ssh");
    await assertReached(await user.run(words), listener);
    assertEquals(user.machined.calls, ['{"method":"io.systemd.Machine.List","parameters":{"name":"Box"}}\0']);
  });
}

Deno.test("a container's socket is reached where older systemd has it", async () => {
  await using user = new User(knows(CONTAINER));
  using listener = user.listen("systemd/nspawn/unix-export/box/ssh");
  await assertReached(await user.run(["machine/box", "22"]), listener);
});

Deno.test("a virtual machine without a CID is reached at the address that was registered for ssh", async () => {
  let address = "";
  await using user = new User((connection, call) => knows({ ...BARE, sshAddress: address })(connection, call));
  using listener = user.listen("vm/ssh");
  address = `unix${user.folder.at("vm/ssh")}`;
  await assertReached(await user.run(["machine/foo", "22"]), listener);
});

Deno.test("so is one behind a multiplexer, which is asked for ssh's port", async () => {
  let address = "";
  await using user = new User((connection, call) => knows({ ...BARE, sshAddress: address })(connection, call));
  using listener = user.listen("vm/mux");
  address = `vsock-mux${user.folder.at("vm/mux")}`;
  const running = user.run(["machine/foo", "2222"]);
  using connection = await inTime(listener.accept());
  assertEquals(latin1(await readSome(connection)), "CONNECT 2222\n");
  await connection.write(bytes("OK 1\nSSH-"));
  using passed = assertPassed(await running);
  assertEquals(latin1(await inTime(passed.read(4))), "SSH-");
});

/** A row of what the user's systemd-machined does, and what comes of it. */
function givesUp(
  sentence: string,
  answer: Answer,
  { code, says, words = ["machine/foo", "22"], timeout }: {
    code: number;
    says: string | ((folder: string) => string);
    words?: string[];
    timeout?: number;
  },
): void {
  Deno.test(sentence, async () => {
    await using user = new User(answer);
    const options = timeout === undefined ? [] : ["--timeout", `${timeout / 1000}`];
    const outcome = await user.run([...words, ...options], timeout);
    assertFailed(outcome, code, typeof says === "string" ? says : says(user.folder.path), timeout);
    if (timeout !== undefined) assert(outcome.took >= timeout, `it gave up after ${outcome.took} ms`);
  });
}

const says = (text: string): Answer => (connection) => writeAll(connection, text);
const described = (machine: Description) => says(varlink({ parameters: machine }));

givesUp("a machine that nobody knows is said to be none", knows(HOST), {
  code: 69,
  says: "deno-ssh-proxy: machine/foo: no such machine",
});
givesUp("a name that systemd-machined does not take is a usage error", knows(), {
  code: 64,
  says: "io.systemd.Machine: no machine can have this name",
  words: ["machine/a..b", "22"],
});
givesUp("an answer that is none is shown, and cannot steer a terminal", says('{"parameters":"\x1b[2J\n"}\0'), {
  code: 76,
  says: (folder) =>
    `machine/foo: ${
      Machined.socketIn(folder)
    }: the answer was "{"parameters":"\\x1b[2J\\x0a"}", not one of systemd-machined's`,
});
givesUp("an answer without an end is given up at the deadline", says('{"parameters":'), {
  code: 75,
  says: (folder) => `machine/foo: ${Machined.socketIn(folder)}: no answer within 0.3 s`,
  timeout: 300,
});
givesUp("a container without a socket is named with the place where it should be", knows(CONTAINER), {
  code: 69,
  says: (folder) => `machine/box: ${folder}/systemd/nspawn/box/unix-export/ssh does not exist`,
  words: ["machine/box", "22"],
});
givesUp("an address of a network is not followed, and named", described({ ...BARE, sshAddress: "192.0.2.7" }), {
  code: 69,
  says: "machine/foo: its address for ssh is '192.0.2.7', not that of a local socket",
});
givesUp("a machine whose place is not there is named with it", described({ ...BARE, sshAddress: "unix/no/s" }), {
  code: 66,
  says: "machine/foo is unix/no/s: the socket does not exist",
});

for (const [what, name] of [["an empty name", ""], ["a name with a slash", "a/b"], ["a path", "../x"]] as const) {
  Deno.test(`${what} is refused before anybody is asked`, async () => {
    await using user = new User(knows());
    assertFailed(await user.run([`machine/${name}`, "22"]), 64, `'machine/${name}': not a machine's name`);
    assertFailed(await user.run(["machine/foo", "x"]), 64, "port 'x': not a port");
    assertEquals(user.machined.calls, []);
  });
}

/** Runs the program where `folder` is /run/systemd, in a namespace of mounts that nobody else sees. */
async function runOnSystem(folder: string, words: string[], env: Record<string, string> = {}): Promise<Outcome> {
  Deno.mkdirSync(folder, { recursive: true });
  const script = `mount -t tmpfs tmpfs /run && mkdir /run/systemd && mount --bind "$0" /run/systemd && exec "$@"`;
  return await runAsSsh([...OWN_MOUNTS, "sh", "-c", script, folder, shim, ...words], { env });
}

/** A test of the system's own systemd-machined. */
function testOnSystem(sentence: string, fn: () => Promise<void>): void {
  testWith("unshare", sentence, fn, [...OWN_MOUNTS.slice(1), "sh", "-c", "mount -t tmpfs tmpfs /run"]);
}

testOnSystem(
  "the system's machine is reached where the user has no systemd-machined, or one that does not know it",
  async () => {
    await using user = new User(knows(HOST));
    using folder = new Folder();
    await using _system = new Machined(folder.path, knows(CONTAINER));
    Deno.mkdirSync(folder.at("systemd/nspawn/box/unix-export"), { recursive: true });
    using listener = listen(folder.at("systemd/nspawn/box/unix-export/ssh"));
    const environments: Record<string, string>[] = [
      {},
      { XDG_RUNTIME_DIR: user.folder.path },
      { XDG_RUNTIME_DIR: folder.at("none") },
      { XDG_RUNTIME_DIR: "relative" },
      { XDG_RUNTIME_DIR: `/${"long/".repeat(1000)}` },
    ];
    for (const env of environments) {
      await assertReached(await runOnSystem(folder.at("systemd"), ["machine/box", "22"], env), listener);
    }
    assertEquals(user.machined.calls.length, 1);
  },
);

/** A test of what root does with a folder that is another user's. */
function testAsRoot(sentence: string, fn: () => Promise<void>): void {
  if (canBecomeNobody()) testOnSystem(sentence, fn);
  else testWhere(false, "only root can give a folder to another user", sentence, fn);
}

testAsRoot(
  "root with the XDG_RUNTIME_DIR of another user does not ask that user's systemd-machined",
  async () => {
    await using user = new User(knows(VM));
    using folder = new Folder();
    const env = { XDG_RUNTIME_DIR: user.folder.path };
    Deno.chownSync(user.folder.path, NOBODY, NOBODY);
    const outcome = await runOnSystem(folder.at("systemd"), ["machine/foo", "22"], env);
    assertFailed(outcome, 69, "machine/foo: systemd-machined does not run");
    assertEquals(user.machined.calls, []);
    // Its own is asked.
    await using own = new User(knows(HOST));
    assertFailed(await own.run(["machine/foo", "22"]), 69, "machine/foo: ");
    assertEquals(own.machined.calls.length, 1);
  },
);

testOnSystem("where no systemd-machined runs at all, that is said, and how to have one", async () => {
  using folder = new Folder();
  const outcome = await runOnSystem(folder.at("systemd"), ["machine/foo", "22"]);
  assertFailed(outcome, 69, "machine/foo: systemd-machined does not run");
  assertStringIncludes(outcome.stderr, "\n  systemctl start systemd-machined (");
});

testOnSystem("a machine that neither knows is said to be none", async () => {
  await using user = new User(knows(CONTAINER));
  using folder = new Folder();
  await using system = new Machined(folder.path, knows(HOST));
  const env = { XDG_RUNTIME_DIR: user.folder.path };
  assertFailed(await runOnSystem(folder.at("systemd"), ["machine/foo", "22"], env), 69, "machine/foo: no such machine");
  assertEquals([user.machined.calls.length, system.calls.length], [1, 1]);
});
