import { assert, assertEquals } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { works } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { assertFailed, assertPassed, runAsSsh } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
import { CONTAINER, knows, Machined, VM } from "../support/machined.ts";
import { OWN_MOUNTS } from "../support/ordinary_user.ts";
import { pipe, start } from "../support/process.ts";
import { bytes, latin1, listen, readSome } from "../support/sockets.ts";
import { CAN_TRACE, testWhere } from "../support/tools.ts";
import { isFor, isUnder, type Listed, listedFiles, type Places } from "./listed_files.ts";
import { readTrace, type Trace, traced } from "./trace.ts";

const installation = new Installation();
const folder = new Folder();
Deno.test.afterAll(() => {
  folder[Symbol.dispose]();
  installation[Symbol.dispose]();
});
const { prefix, shim } = installation;
const PROGRAM = installation.program;
const LISTED = listedFiles();

/** A way to reach something, of which the system calls are traced. */
interface Way {
  /** Its environment beside HOME. */
  env?: Record<string, string>;
  /** Runs the words that trace the shim, with a server at `path`. */
  run: (tracing: string[], path: string, env: Record<string, string>) => Promise<unknown>;
  /** Where it connects, in order: paths, given that of the server. */
  connects: (path: string) => string[];
}

/** Runs the shim with these words to its end, and has `serve` serve the one who connects to `path`. */
async function connected(
  words: string[],
  path: string,
  env: Record<string, string>,
  serve: (connection: Deno.UnixConn) => unknown = () => {},
): Promise<void> {
  using listener = listen(path);
  const running = runAsSsh(words, { env, timeout: 10_000 });
  // Where it fails before it connects, what it says is what the test says.
  const ended = running.then(assertPassed);
  const accepting = inTime(listener.accept());
  using connection = await Promise.race([accepting, ended.then(() => accepting)]);
  await serve(connection);
  (await ended).close();
}

/** Runs the shim as a client does that takes no file descriptor, with one byte each way. */
async function relayed(words: string[], path: string, env: Record<string, string>): Promise<void> {
  using listener = listen(path);
  const [[input, writes], [reads, output], [errors, stderr]] = [pipe(), pipe(), pipe()];
  const program = start(words, [input, output, stderr], env);
  for (const fd of [input, output, stderr]) fd.close();
  {
    using connection = await inTime(listener.accept());
    await connection.write(bytes("s"));
    assertEquals(latin1(await inTime(reads.read(1))), "s");
    await writes.write(bytes("c"));
    assertEquals(latin1(await readSome(connection)), "c");
  }
  writes.close();
  assertEquals([await inTime(program.ended), latin1(await errors.read())], [0, ""]);
  for (const fd of [reads, errors]) fd.close();
}

/** What systemd-machined is to those who ask it: in the runtime folder that `path` is in. */
function machinedSocket(path: string): string {
  return Machined.socketIn(path.slice(0, path.indexOf("/run/") + "/run".length));
}

const BANNER = bytes("SSH-2.0-x\r\n");

const WAYS: Record<string, Way> = {
  "unix/": {
    run: (tracing, path, env) => connected([...tracing, shim, `unix${path}`, "22", "--as-typed", "x"], path, env),
    connects: (path) => [path],
  },
  "unix/ with no environment": {
    run: (tracing, path) => connected([...tracing, shim, `unix${path}`, "22"], path, {}),
    connects: (path) => [path],
  },
  "unix/ with directories for Deno's cache": {
    run: (tracing, path, env) => connected([...tracing, shim, `unix${path}`, "22"], path, env),
    env: { DENO_DIR: folder.at("cache"), XDG_CACHE_HOME: folder.at("caches") },
    connects: (path) => [path],
  },
  "vsock-mux/": {
    run: (tracing, path, env) =>
      connected([...tracing, shim, `vsock-mux${path}`, "22"], path, env, async (connection) => {
        await readSome(connection);
        await connection.write(bytes("OK 1\n"));
      }),
    connects: (path) => [path],
  },
  "a path where nothing is": {
    async run(tracing, path, env) {
      assertFailed(await runAsSsh([...tracing, shim, `unix${path}`, "22"], { env, timeout: 10_000 }), 66, "not exist");
    },
    connects: (path) => [path],
  },
  "a virtual machine by its name": {
    async run(tracing, path, env) {
      await using _machined = new Machined(
        env["XDG_RUNTIME_DIR"]!,
        knows({ ...VM, vSockCid: undefined, sshAddress: `unix${path}` }),
      );
      await connected([...tracing, shim, "machine/foo", "22"], path, env);
    },
    connects: (path) => [machinedSocket(path), path],
  },
  "a container by its name": {
    async run(tracing, _path, env) {
      await using _machined = new Machined(env["XDG_RUNTIME_DIR"]!, knows(CONTAINER));
      const exported = `${env["XDG_RUNTIME_DIR"]}/systemd/nspawn/box/unix-export`;
      Deno.mkdirSync(exported, { recursive: true });
      await connected([...tracing, shim, "machine/box", "22"], `${exported}/ssh`, env);
    },
    // A container's socket is looked for before it is connected to, with a socket of another type.
    connects: (
      path,
    ) => [machinedSocket(path), ...Array(2).fill(path.replace(/[^/]*$/, "systemd/nspawn/box/unix-export/ssh"))],
  },
  "--wait": {
    run: (tracing, path, env) =>
      connected([...tracing, shim, `unix${path}`, "22", "--wait"], path, env, (it) => it.write(BANNER)),
    connects: (path) => [path],
  },
  "--relay": {
    run: (tracing, path, env) => relayed([...tracing, shim, `unix${path}`, "22", "--relay"], path, env),
    connects: (path) => [path],
  },
};

const [UNSHARE = "", ...MOUNTS] = OWN_MOUNTS;
if (works(UNSHARE, [...MOUNTS, "mount", "-t", "tmpfs", "tmpfs", "/run"])) {
  WAYS[".host"] = {
    run(tracing, path, env) {
      // Where systemd has the socket of this machine's own sshd.
      const script = "mount -t tmpfs tmpfs /run && mkdir /run/ssh-unix-local && " +
        'ln -s "$0" /run/ssh-unix-local/socket && exec "$@"';
      const words = [...OWN_MOUNTS, "sh", "-c", script, path, ...tracing, shim, ".host", "22"];
      return connected(words, path, env);
    },
    connects: () => ["/run/ssh-unix-local/socket"],
  };
}

/** What one of these did, traced once, and where it had its things. */
interface Traced {
  readonly trace: Trace;
  readonly places: Places;
  readonly path: string;
  readonly home: string;
}

const done = new Map<string, Promise<Traced>>();

function tracedOnce(name: string): Promise<Traced> {
  const { run, env = {} } = WAYS[name]!;
  let once = done.get(name);
  if (once === undefined) {
    once = (async () => {
      const log = `log${done.size}`;
      const home = folder.at(`home${done.size}`);
      Deno.mkdirSync(`${home}/run`, { recursive: true });
      const path = `${home}/run/s`;
      const all = { HOME: home, XDG_RUNTIME_DIR: `${home}/run`, ...env };
      await run(traced(folder.at(log)), path, all);
      const trace = readTrace(folder, log);
      const DENO = Deno.realPathSync(`${PROGRAM}/deno`);
      return { trace, places: { PREFIX: prefix, PROGRAM, DENO }, path, home };
    })();
    done.set(name, once);
  }
  return once;
}

function isListed(path: string, places: Places): boolean {
  return LISTED.some((line) => isFor(line, path, places));
}

function testTraced(name: string, fn: () => Promise<void>): void {
  testWhere(CAN_TRACE, "there is no strace here, or it may not trace", name, fn);
}

for (const [name, { connects }] of Object.entries(WAYS)) {
  testTraced(`${name}: it opens what docs/permissions.md lists, and nothing else`, async () => {
    const { trace, places, path, home } = await tracedOnce(name);
    assertEquals([...trace.opened].filter((one) => !isListed(one, places)), []);
    const always = LISTED.filter(({ when }) => when === "always");
    const touched = [...trace.opened, ...trace.seen];
    assertEquals(always.filter((line) => !touched.some((one) => isFor(line, one, places))), []);
    const ours = [...trace.opened].filter((one) => one.startsWith(prefix));
    assertEquals(
      ours.sort(),
      [".npmrc", "proxy.mjs", "libdeno_ssh_proxy.so"].map((name) => `${PROGRAM}/${name}`).sort(),
    );
    // What it only looks at are the same, the folders on the way, and those on the way to the socket.
    const ways = (one: string) =>
      isListed(one, places) || LISTED.some((line) => isUnder(line, one, places)) || `${path}/`.startsWith(`${one}/`) ||
      one.startsWith(`${home}/run/`) || one === Deno.cwd() || one === "/";
    assertEquals([...trace.seen].filter((one) => !ways(one)), []);
  });

  testTraced(`${name}: it opens no file for writing, and makes, renames and removes none`, async () => {
    const { trace } = await tracedOnce(name);
    // Deno tries to make its cache in the starter, which is a file.
    const cache = `${PROGRAM}/deno-ssh-proxy`;
    assertEquals([...trace.changed].filter((one) => one !== cache && !one.startsWith(`${cache}/`)), []);
  });

  testTraced(`${name}: its sockets are AF_UNIX, and connected to what it is to reach alone`, async () => {
    const { trace, path } = await tracedOnce(name);
    assertEquals([...trace.families], ["AF_UNIX"]);
    const paths = trace.addresses.map((address) => /sun_path="([^"]*)"/.exec(address)?.[1] ?? address);
    assertEquals(paths, connects(path));
  });

  testTraced(`${name}: it starts no child, and Deno in the place of the starter`, async () => {
    const { trace } = await tracedOnce(name);
    assertEquals([...trace.programs], [shim, `${PROGRAM}/deno`]);
    assertEquals([...trace.children, ...trace.others], []);
  });
}

testTraced("nothing stands in that list that none of these opens", async () => {
  const all = await Promise.all(Object.keys(WAYS).map(tracedOnce));
  const isOpened = (line: Listed) =>
    all.some(({ trace, places }) => [...trace.opened, ...trace.seen].some((path) => isFor(line, path, places)));
  assert(LISTED.length > 20, "there is no list");
  assertEquals(LISTED.filter((line) => !line.when.startsWith("some") && !isOpened(line)), []);
});
