import { assert, assertEquals, assertInstanceOf, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { connectTarget } from "../../addresses/connect.ts";
import type { SocketTarget } from "../../addresses/forms.ts";
import { requestPort } from "../../addresses/handshake.ts";
import type { VsockMuxTarget } from "../../addresses/vsock_mux.ts";
import { Deadline } from "../../core/deadline.ts";
import { ProxyError } from "../../core/errors.ts";
import { SystemError } from "../../ffi/errno.ts";
import { Library } from "../../ffi/library.ts";
import { NONBLOCKING_SYMBOLS } from "../../ffi/nonblocking.ts";
import type { ReceiveOptions } from "../../ffi/socket.ts";
import { anyAnswer, anyEarly, anyEnding, inPieces, verdictOn } from "./answers.ts";
import { type Ending, StandInSocket } from "./stand_in_socket.ts";
import {
  assertFailsLater,
  assertOneLine,
  BoundSocket,
  bytes,
  closeAnyway,
  Folder,
  inTime,
  latin1,
  LIBRARY_PATH,
  listen,
  millisecondsOf,
  openSockets,
  readSome,
  standInLibrary,
} from "./support.ts";

const MUX: VsockMuxTarget = { kind: "vsock-mux", path: "/vm.sock", port: 22 };
const SOON = 5_000;

const ETIMEDOUT = -110;
const ECONNRESET = -104;
const EPROTOTYPE = -91;
const EPIPE = -32;

/** How shaking hands went: what is left for `ssh`, or what kind of error it was. */
async function outcome(socket: StandInSocket): Promise<string> {
  try {
    await requestPort(socket, MUX, new Deadline(SOON));
    return `good: ${JSON.stringify(socket.unread)}`;
  } catch (thrown) {
    assertInstanceOf(thrown, ProxyError);
    assertOneLine(thrown);
    return thrown.cause instanceof SystemError ? `${thrown.cause.code}` : thrown.kind;
  }
}

/** What must come of `answer`, by the whole of it. */
function expected(answer: string, ending: Ending): string {
  const verdict = verdictOn(answer);
  if (verdict === "none") return "protocol";
  // A server that speaks with no OK line, and hangs up, is no multiplexer.
  if (typeof verdict === "object" && verdict.good === 0 && ending !== "silence") return "protocol";
  if (verdict !== "cut off") return `good: ${JSON.stringify(answer.slice(verdict.good))}`;
  if (ending === "silence") return "ETIMEDOUT";
  if (answer === "") return ending === "end" ? "unreachable" : "ECONNRESET";
  // A reset that follows on "S", "SS" or "SSH", which nobody takes, is seen as an end.
  return ending === "reset" && answer.startsWith("O") ? "ECONNRESET" : "protocol";
}

const anySplit = inPieces(anyAnswer);

Deno.test("no split of an answer changes what comes of it, and what follows the OK line is left for ssh", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(anySplit, anyEnding, anyEarly, async ({ answer, pieces }, ending, early) => {
      const came = await outcome(new StandInSocket(pieces, ending, early));
      assertEquals(came, expected(answer, ending), JSON.stringify({ pieces, ending, early }));
      const kind = came.replace(/:.*$/s, "");
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }),
    { numRuns: 5000 },
  );
  for (const kind of ["good", "protocol", "unreachable", "ETIMEDOUT", "ECONNRESET"]) {
    assert((seen.get(kind) ?? 0) > 20, `${kind}: ${seen.get(kind)}`);
  }
});

Deno.test("an answer that is cut off fails wherever it is cut", async () => {
  for (const whole of ["OK 1073741824\n", "OK 0\n", "SSH-"]) {
    for (let length = 0; length < whole.length; length++) {
      const answer = whole.slice(0, length);
      for (const pieces of [[answer], answer.split("")]) {
        const came = await outcome(new StandInSocket(pieces, "end"));
        assertEquals(came, length === 0 ? "unreachable" : "protocol", JSON.stringify(pieces));
      }
    }
  }
});

Deno.test("an answer that is none is refused with its first wrong byte, wherever it is cut", async () => {
  for (const pieces of [["SO"], ["S", "O"], ["SS", "h"], ["O", "k"], ["OK", "\n"], ["OK 1", "x"], ["\0"]]) {
    assertEquals(await outcome(new StandInSocket(pieces, "silence")), "protocol", JSON.stringify(pieces));
  }
});

Deno.test("the request is sent once, in one piece, whatever is answered", async () => {
  await fc.assert(
    fc.asyncProperty(anySplit, anyEnding, async ({ pieces }, ending) => {
      const socket = new StandInSocket(pieces, ending);
      await outcome(socket);
      assertEquals(socket.sent, ["CONNECT 22\n"]);
    }),
  );
});

Deno.test("no call may wait for longer than the deadline leaves", async () => {
  await fc.assert(
    fc.asyncProperty(anySplit, anyEnding, async ({ pieces }, ending) => {
      const socket = new StandInSocket(pieces, ending);
      await outcome(socket);
      for (const timeout of socket.timeouts) assert(timeout !== undefined && timeout <= SOON, `${timeout}`);
    }),
  );
});

Deno.test("what was answered counts even where the request could not be sent any more", async () => {
  class Closed extends StandInSocket {
    override send(): Promise<void> {
      return Promise.reject(new SystemError("send_bytes", EPIPE));
    }
  }
  assertEquals(await outcome(new Closed(["SSH-2.0-x"], "silence")), 'good: "SSH-2.0-x"');
  assertEquals(await outcome(new Closed(["OK 22\nSSH-"], "end")), 'good: "SSH-"');
  assertEquals(await outcome(new Closed([], "end")), "unreachable");
});

Deno.test("an SSH server that hangs up on the request is called one, and one that waits for ssh is passed on", async () => {
  const banner = "SSH-2.0-OpenSSH_10.0p2\r\n";
  const refusal = "Invalid SSH identification string.\r\n";
  for (const pieces of [[banner], [banner, refusal], [banner + refusal], ["S", "SH-", "2.0-x\n", refusal]]) {
    for (const ending of ["end", "reset"] as const) {
      const handshake = () => requestPort(new StandInSocket(pieces, ending), MUX, new Deadline(SOON));
      const { hint } = await assertFailsLater("protocol", handshake, "vm.sock port 22: it is an SSH server itself");
      assertEquals(hint, "use unix/vm.sock");
    }
    const socket = new StandInSocket(pieces, "silence");
    assertEquals(await outcome(socket), `good: ${JSON.stringify(pieces.join(""))}`);
    assertEquals(socket.timeouts.at(-1), 1_000);
  }
  // With its key exchange, it says more than any farewell.
  const long = banner + "\0".repeat(1500);
  assertEquals(await outcome(new StandInSocket([long], "end")), `good: ${JSON.stringify(long)}`);
  // Half of the time that is left is kept for handing over.
  const brief = new StandInSocket([banner], "silence");
  await requestPort(brief, MUX, new Deadline(100));
  assert(brief.timeouts.at(-1)! <= 50);
});

Deno.test("an answer that somebody else takes first ends the handshake", async () => {
  class Shared extends StandInSocket {
    override receive(into: Uint8Array, options: ReceiveOptions): Promise<number> {
      return options.peek === undefined ? Promise.resolve(0) : super.receive(into, options);
    }
  }
  assertEquals(await outcome(new Shared(["OK 22\n"], "end")), "unreachable");
});

Deno.test("any other failure to send the request is the end", async () => {
  class Broken extends StandInSocket {
    override send(): Promise<void> {
      return Promise.reject(new SystemError("send_bytes", ETIMEDOUT));
    }
  }
  assertEquals(await outcome(new Broken(["OK 22\n"], "end")), "ETIMEDOUT");
});

Deno.test("an error shows the answer that is none, and whether it had ended", async () => {
  const message = async (answer: string) => {
    const socket = new StandInSocket([answer], "end");
    return (await assertFailsLater("protocol", () => requestPort(socket, MUX, new Deadline(SOON)))).message;
  };
  assertStringIncludes(await message("HTTP/1.1 \x1b[2J"), 'was "HTTP/1.1 \\x1b[2J", not an OK line');
  assertStringIncludes(await message("OK 10"), 'was "OK 10", and then the end, not an OK line');
  assertStringIncludes(await message("SS"), 'was "SS", and then the end, not an OK line');
});

Deno.test("an errno of connecting decides what kind of error it is, for each kind of target", async () => {
  const targets: SocketTarget[] = [{ kind: "unix", path: "/s" }, MUX, { kind: "vsock", cid: 3, port: 22 }];
  for (const target of targets) {
    const noEntry = target.kind === "vsock" ? "resource" : "missing";
    for (const [errno, kind] of [[2, noEntry], [13, "permission"], [110, "timeout"], [111, "unreachable"]] as const) {
      const { library, closed } = standInLibrary({ connect_unix: () => -errno, connect_vsock: () => -errno });
      const error = await assertFailsLater(
        kind,
        () => connectTarget(target, { library, deadline: new Deadline(SOON) }),
      );
      assertInstanceOf(error.cause, SystemError);
      assertEquals(closed, []);
    }
  }
});

Deno.test("an errno of the handshake decides what kind of error it is, and the connection is closed", async () => {
  const examples = [
    [ECONNRESET, "unreachable"],
    [EPIPE, "unreachable"],
    [ETIMEDOUT, "timeout"],
    [-105, "resource"],
  ] as const;
  for (const [errno, kind] of examples) {
    const { library, closed } = standInLibrary({
      connect_unix: () => 42,
      dsp_send_bytes: (_fd, bytes) => (bytes as Uint8Array).length,
      dsp_receive_bytes: () => errno,
    });
    const error = await assertFailsLater(
      kind,
      () => connectTarget(MUX, { library, deadline: new Deadline(SOON) }),
      "vsock-mux/vm.sock port 22: ",
    );
    assertInstanceOf(error.cause, SystemError);
    assertEquals(closed, [42]);
  }
});

Deno.test("a defect is passed on as it is, with the connection closed", async () => {
  const { library, closed } = standInLibrary({
    connect_unix: () => 42,
    dsp_send_bytes: () => {
      throw new RangeError("a defect");
    },
  });
  const thrown = await connectTarget(MUX, { library, deadline: new Deadline(SOON) }).catch((thrown) => thrown);
  assertInstanceOf(thrown, RangeError);
  assertEquals(closed, [42]);
});

Deno.test("a vsock target is connected by its CID and port, with no handshake", async () => {
  const calls: number[][] = [];
  const { library, closed } = standInLibrary({
    connect_vsock: (cid, port, time) => {
      calls.push([cid, port, millisecondsOf(time as BufferSource)]);
      return 42;
    },
  });
  const socket = await connectTarget({ kind: "vsock", cid: 4294967294, port: 2222 }, {
    library,
    deadline: new Deadline(SOON),
  });
  assertEquals(socket.fd, 42);
  assertEquals(calls.map(([cid, port]) => [cid, port]), [[4294967294, 2222]]);
  assert(calls[0]![2]! > 0 && calls[0]![2]! <= SOON);
  assertEquals(closed, []);
});

Deno.test("each step has what is left of the time, not all of it again", async () => {
  const given: number[] = [];
  const realNow = performance.now;
  let now = 0;
  const later = (time: BufferSource | null, returned: number) => {
    given.push(millisecondsOf(time));
    now += 1000;
    return returned;
  };
  const { library } = standInLibrary({
    connect_unix: (_path, _length, time) => later(time as BufferSource, 42),
    dsp_send_bytes: (_fd, _bytes, length, time) => later(time as BufferSource, Number(length)),
    dsp_receive_bytes: (_fd, into, _length, flags, time) => {
      (into as Uint8Array).set(bytes("OK 1\n"));
      return later(time as BufferSource, flags === 0 ? 5 : 6);
    },
  });
  performance.now = () => now;
  try {
    await connectTarget(MUX, { library, deadline: new Deadline(SOON) });
  } finally {
    performance.now = realNow;
  }
  assertEquals(given, [5000, 4000, 3000, 2000]);
});

const library = Library.open(LIBRARY_PATH, NONBLOCKING_SYMBOLS);

/**
 * Dials a multiplexer in a folder of its own. `serve` does what the multiplexer does, and leaves the connection open;
 * `check` looks at what comes of dialing.
 */
async function dialServed(
  serve: (connection: Deno.UnixConn) => void | Promise<void>,
  check: (dialing: ReturnType<typeof connectTarget>) => Promise<unknown>,
  timeout = SOON,
): Promise<void> {
  using folder = new Folder();
  using listener = listen(folder.at("vm"));
  const before = await openSockets(library);
  const checked = check(connectTarget({ ...MUX, path: folder.at("vm") }, { library, deadline: new Deadline(timeout) }));
  // With `checked` among them, so that what goes wrong there is what the test says.
  const accepting = listener.accept();
  const connection = await Promise.race([accepting, checked.then(() => accepting)]);
  try {
    await inTime(Promise.all([serve(connection), checked]));
  } finally {
    closeAnyway(connection);
  }
  assertEquals(await openSockets(library), before, "a socket is left open");
}

Deno.test("a path where nothing is, is missing", async () => {
  using folder = new Folder();
  for (const kind of ["unix", "vsock-mux"] as const) {
    for (const path of [folder.at("none"), folder.at("none/s"), `${folder.file("file", "")}/s`]) {
      const error = await assertFailsLater(
        "missing",
        () => connectTarget({ kind, path, port: 22 }, { library, deadline: new Deadline(SOON) }),
      );
      assertEquals(error.exitCode, 66);
      assertStringIncludes(error.message, ": the socket does not exist");
    }
  }
});

Deno.test("a socket that nothing listens on any more, and what is no socket, are unreachable, and each is called what it is", async () => {
  using folder = new Folder();
  // Closing a bound socket leaves its file.
  new BoundSocket("stream", folder.at("stale")).close();
  Deno.symlinkSync(".", folder.at("link"));
  const before = await openSockets(library);
  for (
    const [path, says] of [
      [folder.at("stale"), "nothing listens there"],
      [folder.file("file", "text"), "it is a regular file, not a socket"],
      [folder.path, "it is a directory, not a socket"],
      [folder.at("link"), "it is a directory, not a socket"],
      ["/dev/null", "it is not a socket"],
    ] as const
  ) {
    for (const kind of ["unix", "vsock-mux"] as const) {
      const target = { kind, path, port: 22 };
      const error = await assertFailsLater(
        "unreachable",
        () => connectTarget(target, { library, deadline: new Deadline(SOON) }),
        says,
      );
      assertEquals(error.exitCode, 69);
    }
  }
  assertEquals(await openSockets(library), before, "a socket is left open");
});

Deno.test("a path through a file is missing, and the message says which part is no directory", async () => {
  using folder = new Folder();
  Deno.symlinkSync("file", folder.at("link"));
  for (const part of [folder.file("file", ""), folder.at("link")]) {
    for (const path of [`${part}/s`, `${part}/deep/s`, `${part}/`]) {
      const target = { kind: "unix", path } as const;
      const says = `the socket does not exist: ${part} is not a directory`;
      await assertFailsLater("missing", () => connectTarget(target, { library, deadline: new Deadline(SOON) }), says);
    }
  }
});

Deno.test("links that lead round in a circle are missing, as a link to nothing is", async () => {
  using folder = new Folder();
  Deno.symlinkSync("loop", folder.at("loop"));
  const target = { kind: "unix", path: folder.at("loop") } as const;
  const error = await assertFailsLater(
    "missing",
    () => connectTarget(target, { library, deadline: new Deadline(SOON) }),
  );
  assertStringIncludes(error.message, `: the path leads through too many symbolic links`);
});

Deno.test("where the path cannot be looked at, what connecting said is told", async () => {
  const cannotLoad = () => {
    throw new ProxyError("resource", "the library: it cannot be loaded");
  };
  for (
    const [errno, kind, says] of [
      [13, "permission", "denied"],
      [111, "unreachable", "nothing listens"],
      [20, "missing", "a part of its path is not a directory"],
      [2, "missing", "the socket does not exist"],
    ] as const
  ) {
    const { library: stat } = standInLibrary({ connect_unix: () => -errno, dsp_path_status: () => -13 });
    const load = { ...standInLibrary({ connect_unix: () => -errno }).library, load: cannotLoad };
    for (const library of [stat, load as unknown as Library]) {
      await assertFailsLater(
        kind,
        () => connectTarget({ kind: "unix", path: "/a/s" }, { library, deadline: new Deadline(SOON) }),
        says,
      );
    }
  }
});

Deno.test("a connection that succeeds looks at no path", async () => {
  const look = () => {
    throw new Error("it looked");
  };
  const { library } = standInLibrary({ connect_unix: () => 42, dsp_path_status: look, dsp_is_datagram_socket: look });
  assertEquals((await connectTarget({ kind: "unix", path: "/s" }, { library, deadline: new Deadline(SOON) })).fd, 42);
});

Deno.test("a socket of another type is unreachable, and the message says which type it is", async () => {
  using folder = new Folder();
  using _datagram = new BoundSocket("datagram", folder.at("datagram"));
  using seqpacket = new BoundSocket("seqpacket", folder.at("seqpacket"));
  seqpacket.listen(1);
  const before = await openSockets(library);
  for (const type of ["datagram", "seqpacket"]) {
    for (const kind of ["unix", "vsock-mux"] as const) {
      const target = { kind, path: folder.at(type), port: 22 };
      await assertFailsLater(
        "unreachable",
        () => connectTarget(target, { library, deadline: new Deadline(SOON) }),
        `is a ${type} socket`,
      );
    }
  }
  assertEquals(await openSockets(library), before, "a socket is left open");
});

Deno.test("a datagram socket that talks to one peer only is unreachable too", async () => {
  using folder = new Folder();
  using _peer = new BoundSocket("datagram", folder.at("peer"));
  using datagram = new BoundSocket("datagram", folder.at("datagram"));
  // From now on connecting to it is an EPERM, whatever the type of the socket that asks.
  datagram.connect(folder.at("peer"));
  const target = { kind: "unix", path: folder.at("datagram") } as const;
  await assertFailsLater("unreachable", () => connectTarget(target, { library, deadline: new Deadline(SOON) }));
});

Deno.test("a socket of another type that is gone before it is asked for its type is unreachable too", async () => {
  const { library } = standInLibrary({ connect_unix: () => EPROTOTYPE, dsp_is_datagram_socket: () => -2 });
  await assertFailsLater(
    "unreachable",
    () => connectTarget({ kind: "unix", path: "/s" }, { library, deadline: new Deadline(SOON) }),
  );
});

Deno.test("a multiplexer that closes instead of answering means that nothing listens in the guest", async () => {
  const refused = async (dialing: Promise<unknown>) => {
    const error = await assertFailsLater("unreachable", () => dialing, "nothing listens on that port in the guest");
    assertEquals(error.exitCode, 69);
  };
  await dialServed((connection) => connection.close(), refused);
  await dialServed(async (connection) => {
    await readSome(connection);
    connection.close();
  }, refused);
  await dialServed((connection) => connection.closeWrite(), refused);
});

Deno.test("a multiplexer that goes away before it accepts the connection is unreachable", async () => {
  using folder = new Folder();
  const listener = listen(folder.at("vm"));
  // With calls that block, the connection is made before `connectTarget` first gives way, and the request is not sent yet.
  const dialing = connectTarget({ ...MUX, path: folder.at("vm") }, {
    library: Library.open(LIBRARY_PATH),
    deadline: new Deadline(SOON),
  });
  listener.close();
  await assertFailsLater("unreachable", () => dialing, "nothing listens on that port in the guest");
});

Deno.test("a multiplexer that stays silent is given up at the deadline", async () => {
  await dialServed(() => {}, async (dialing) => {
    const error = await assertFailsLater("timeout", () => dialing, "the multiplexer did not answer within 0.05 s");
    assertEquals(error.exitCode, 75);
  }, 50);
});

Deno.test("a multiplexer that stops within the OK line is given up at the deadline", async () => {
  for (const begun of ["OK 10", "SS"]) {
    await dialServed(
      async (connection) => {
        await readSome(connection);
        await connection.write(bytes(begun));
      },
      (dialing) => assertFailsLater("timeout", () => dialing, "the multiplexer did not answer"),
      50,
    );
  }
});

Deno.test("a backlog that is full is given up at the deadline", async () => {
  using folder = new Folder();
  using listener = new BoundSocket("stream", folder.at("busy"));
  listener.listen(0);
  const target = { kind: "unix", path: folder.at("busy") } as const;
  using _waiting = await connectTarget(target, { library, deadline: new Deadline(SOON) });
  const error = await assertFailsLater(
    "timeout",
    () => connectTarget(target, { library, deadline: new Deadline(50) }),
    "not accepted within 0.05 s",
  );
  assertEquals(error.exitCode, 75);
});

Deno.test("an answer that is no OK line is an error, at once and with the connection closed", async () => {
  for (const answer of ["HTTP/1.1 400 Bad Request\r\n", "\0", "OK \n", "SSh"]) {
    await dialServed(async (connection) => {
      await readSome(connection);
      await connection.write(bytes(answer));
    }, async (dialing) => assertEquals((await assertFailsLater("protocol", () => dialing)).exitCode, 76));
  }
});

Deno.test("what a multiplexer is asked is the request and nothing else", async () => {
  await dialServed(async (connection) => {
    const asked = await readSome(connection);
    await connection.write(bytes("OK 1\n"));
    assertEquals(latin1(asked), "CONNECT 22\n");
  }, async (dialing) => (await dialing).close());
});

Deno.test("the first byte after the OK line is the first that the socket gives", async () => {
  for (
    const pieces of [["OK 1073741824\nSSH-2.0-x"], ["O", "K 1073741824\nSSH", "-2.0-x"], ["SSH-2.0-x"], [
      "SS",
      "H-2.0-x",
    ]]
  ) {
    const dialed = Promise.withResolvers<void>();
    await dialServed(async (connection) => {
      await readSome(connection);
      for (const piece of pieces) await connection.write(bytes(piece));
      // One that speaks with no OK line is passed on only if it stays.
      await dialed.promise;
      connection.closeWrite();
    }, async (dialing) => {
      using socket = await dialing.finally(dialed.resolve);
      const into = new Uint8Array(64);
      let got = "";
      for (let count; (count = await socket.receive(into)) > 0;) got += latin1(into.subarray(0, count));
      assertEquals(got, "SSH-2.0-x");
    });
  }
});

Deno.test("a unix target is connected and nothing is sent or taken", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  {
    using socket = await connectTarget({ kind: "unix", path: folder.at("s") }, {
      library,
      deadline: new Deadline(SOON),
    });
    using connection = await listener.accept();
    await connection.write(bytes("OK 1\nSSH-"));
    const into = new Uint8Array(64);
    assertEquals(latin1(into.subarray(0, await socket.receive(into))), "OK 1\nSSH-");
    socket.close();
    assertEquals(await readSome(connection), new Uint8Array());
  }
});

Deno.test("a path of more than the 107 bytes that an address holds connects", async () => {
  using folder = new Folder();
  const deep = folder.at(`${"d".repeat(60)}/${"é".repeat(60)}`);
  Deno.mkdirSync(deep, { recursive: true });
  using listener = listen(folder.at("short"));
  Deno.renameSync(folder.at("short"), `${deep}/long`);
  const target = { kind: "unix", path: `${deep}/long` } as const;
  assert(target.path.length > 107);
  const before = await openSockets(library);
  {
    using socket = await connectTarget(target, { library, deadline: new Deadline(SOON) });
    using connection = await listener.accept();
    await socket.send(bytes("x"));
    assertEquals(latin1(await readSome(connection)), "x");
  }
  assertEquals(await openSockets(library), before);
  await assertFailsLater(
    "missing",
    () => connectTarget({ ...target, path: `${deep}/none` }, { library, deadline: new Deadline(SOON) }),
  );
  await assertFailsLater(
    "usage",
    () => connectTarget({ ...target, path: "/d".repeat(3000) }, { library, deadline: new Deadline(SOON) }),
    "the path is too long",
  );
});

Deno.test("an error about a long path or one that could steer a terminal is one line all the same", async () => {
  for (const path of ["/no/\x1b[31m\n\u202E", `/${"x".repeat(200)}/s`]) {
    const error = await assertFailsLater(
      "missing",
      () => connectTarget({ kind: "unix", path }, { library, deadline: new Deadline(SOON) }),
    );
    assertMatch(error.message, /^.{10,400}$/u);
  }
});
