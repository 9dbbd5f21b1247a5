import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseTarget } from "../../addresses/target.ts";
import { Deadline } from "../../core/deadline.ts";
import { type ErrorKind, ProxyError } from "../../core/errors.ts";
import { SystemError } from "../../ffi/errno.ts";
import { Library } from "../../ffi/library.ts";
import { NONBLOCKING_SYMBOLS } from "../../ffi/nonblocking.ts";
import { dialWhenUp, isRetryable, waitFor } from "../../proxy/wait.ts";
import { StandInClock } from "./stand_in_clock.ts";
import {
  assertFailsLater,
  BoundSocket,
  bytes,
  Folder,
  latin1,
  LIBRARY_PATH,
  listen,
  millisecondsOf,
  openSockets,
  standInLibrary,
} from "./support.ts";

const BANNER = "SSH-2.0-server";
const library = Library.open(LIBRARY_PATH, NONBLOCKING_SYMBOLS);

/** Waits for an address, and gives what came of it and why each try before failed. */
async function wait(address: string, { time = 20_000, timeout = 5_000, failed = (_: ProxyError) => {} } = {}) {
  const reasons: string[] = [];
  const target = parseTarget(address, "22");
  const { socket, banner } = await waitFor(target, library, {
    end: new Deadline(time),
    timeout,
    failed: (error) => {
      reasons.push(error.message);
      failed(error);
    },
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
    `unix${folder.at("s")}: the socket does not exist (waited 0.2 s)`,
  );
  assert(error.cause instanceof ProxyError && error.hint === error.cause.hint);
});

const MISSING = -2;
const TIMED_OUT = -110;
const RESET = -104;
const REFUSED = -111;

Deno.test("the pauses between two tries double from 50 ms to 1 s, and the last ends with the time", async () => {
  using clock = new StandInClock();
  const { library } = standInLibrary({ connect_unix: () => MISSING });
  const waiting = waitFor(parseTarget("unix/s", "22"), library, {
    end: new Deadline(4_000),
    timeout: 5_000,
    failed: () => {},
  });
  await assertFailsLater("timeout", () => clock.until(waiting), "unix/s: the socket does not exist (waited 4 s)");
  assertEquals(clock.pauses, [50, 100, 200, 400, 800, 1_000, 1_000, 450]);
  assertEquals(clock.now, 4_000);
});

Deno.test("a try has its own time, but no more than is left, and its steps have it together", async () => {
  using clock = new StandInClock();
  const given: number[] = [];
  const { library, closed } = standInLibrary({
    connect_unix: (_path, _length, time) => {
      given.push(millisecondsOf(time as BufferSource));
      clock.now += 300;
      return 42;
    },
    dsp_receive_bytes: (_fd, _into, _length, _flags, time) => {
      given.push(millisecondsOf(time as BufferSource));
      clock.now += 700;
      return TIMED_OUT;
    },
  });
  const waiting = waitFor(parseTarget("unix/s", "22"), library, {
    end: new Deadline(1_500.4),
    timeout: 1_000,
    failed: () => {},
  });
  // The last one, of a millisecond, has nothing to say.
  await assertFailsLater(
    "timeout",
    () => clock.until(waiting),
    "unix/s: connected, but no SSH banner within 1 s (waited",
  );
  assertEquals(given, [1_000, 700, 451, 151]);
  assertEquals(closed, [42, 42]);
});

Deno.test("a try that is cut short does not hide why those before it failed", async () => {
  using clock = new StandInClock();
  const reasons: string[] = [];
  const { library } = standInLibrary({
    connect_unix: () => 42,
    dsp_send_bytes: (_fd, _bytes, length) => Number(length),
    dsp_receive_bytes: (_fd, _into, _length, _flags, time) => {
      // A multiplexer that takes a while to say that nothing listens.
      const left = millisecondsOf(time as BufferSource);
      clock.now += Math.min(left, 20);
      return left < 20 ? TIMED_OUT : RESET;
    },
  });
  const waiting = waitFor(
    parseTarget("vsock-mux/s", "22"),
    library,
    { end: new Deadline(80), timeout: 5_000, failed: ({ message }) => reasons.push(message) },
  );
  const why = "vsock-mux/s port 22: nothing listens on that port in the guest, or it has not booted yet";
  const error = await assertFailsLater("timeout", () => clock.until(waiting), `${why} (waited 0.08 s)`);
  assertStringIncludes(error.hint!, "is the guest up");
  assertEquals(new Set(reasons), new Set([why]));
  // One that is cut short by the time for all of them, and the only one, is the reason.
  const silent = standInLibrary({ connect_unix: () => TIMED_OUT }).library;
  const once = waitFor(parseTarget("unix/s", "22"), silent, {
    end: new Deadline(1.5),
    timeout: 5_000,
    failed: () => {},
  });
  await assertFailsLater("timeout", () => clock.until(once), "unix/s: not accepted within 0.002 s (waited 0.0015 s)");
});

Deno.test("the reason is the last one that there was, of a try with time and of one that needed none", async () => {
  using clock = new StandInClock();
  const silentFrom = (from: number, before: number) =>
    standInLibrary({
      connect_unix: (_path, _length, time) => {
        if (clock.now < from) return before;
        clock.now += millisecondsOf(time as BufferSource);
        return TIMED_OUT;
      },
    }).library;
  const target = parseTarget("unix/s", "22");
  // A server that takes nobody is what there is in the end, whether a try could have been longer or not.
  for (const [timeout, tried] of [[5_000, "2.95"], [200, "0.2"]] as const) {
    const end = clock.now + 3_000;
    const waiting = waitFor(target, silentFrom(clock.now + 1, MISSING), {
      end: new Deadline(3_000),
      timeout,
      failed: () => {},
    });
    await assertFailsLater("timeout", () => clock.until(waiting), `not accepted within ${tried} s (waited 3 s)`);
    assert(clock.now >= end);
  }
  const gone = clock.now + 90;
  const { library } = standInLibrary({ connect_unix: () => clock.now < gone ? MISSING : REFUSED });
  const waiting = waitFor(target, library, { end: new Deadline(100), timeout: 5_000, failed: () => {} });
  await assertFailsLater("timeout", () => clock.until(waiting), "nothing listens there (waited 0.1 s)");
});

/** What `dialWhenUp` says, and when, with a stderr that is a terminal or not and a server that is up after a time. */
async function said(
  isTerminal: boolean,
  upAfter: number,
): Promise<{ said: [at: number, text: string][]; left: number }> {
  using clock = new StandInClock();
  const said: [number, string][] = [];
  const { stderr } = Deno;
  const { isTerminal: realIsTerminal, writeSync } = stderr;
  stderr.isTerminal = () => isTerminal;
  stderr.writeSync = (text) => {
    said.push([clock.now, new TextDecoder().decode(text)]);
    return text.length;
  };
  try {
    const { library } = standInLibrary({
      connect_unix: () => clock.now < upAfter ? MISSING : 42,
      dsp_receive_bytes: (_fd, into) => {
        (into as Uint8Array).set(bytes("SSH-2.0-x\n").subarray(0, (into as Uint8Array).length));
        return Math.min((into as Uint8Array).length, 10);
      },
    });
    const dialing = dialWhenUp(parseTarget("unix/s", "22"), library, { wait: 60_000, timeout: 10_000 })
      .then(({ fd }) => assertEquals(fd, 42), ({ message }) => void said.push([clock.now, message]));
    await clock.until(dialing);
    return { said, left: clock.waiting };
  } finally {
    stderr.isTerminal = realIsTerminal;
    stderr.writeSync = writeSync;
  }
}

Deno.test("a terminal, and nothing else, is told once after two seconds what is waited for", async () => {
  const text = "deno-ssh-proxy: unix/s: the socket does not exist\n  trying again, for 60 s in all; Ctrl-C ends that\n";
  assertEquals(await said(true, 30_000), { said: [[2_000, text]], left: 0 });
  assertEquals(await said(false, 30_000), { said: [], left: 0 });
  assertEquals(await said(true, 1_000), { said: [], left: 0 });
});

Deno.test("who was told the reason is not told it again at the end of the time", async () => {
  const { said: toTerminal } = await said(true, Infinity);
  assertEquals(toTerminal.map(([, text]) => text).slice(1), ["unix/s: gave up after 60 s"]);
  const { said: elsewhere } = await said(false, Infinity);
  assertEquals(elsewhere.map(([, text]) => text), ["unix/s: the socket does not exist (waited 60 s)"]);
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
    assertEquals(isRetryable(new ProxyError(kind, "a: b")), expected, kind);
  }
  const wrongType = new SystemError("connect_unix", -91);
  assertEquals(isRetryable(new ProxyError("unreachable", "a: b", { cause: wrongType })), false);
});
