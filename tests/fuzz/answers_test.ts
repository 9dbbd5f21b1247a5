/**
 * What comes from the other side of a connection: the multiplexer's answer, systemd-machined's reply, the server's banner.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BANNER, LONGEST_OK_LINE, readReply, requestPort } from "../../addresses/handshake.ts";
import { machineAddress } from "../../addresses/machine_lookup.ts";
import { findMachine, listMachines, parseReply } from "../../addresses/machined.ts";
import { isSocketAddress, parseTarget } from "../../addresses/target.ts";
import type { VsockMuxTarget } from "../../addresses/vsock_mux.ts";
import { findMachines } from "../../commands/list/machines.ts";
import { Deadline } from "../../core/deadline.ts";
import { ProxyError } from "../../core/errors.ts";
import { SystemError } from "../../ffi/errno.ts";
import { awaitBanner } from "../../proxy/banner.ts";
import { CONTAINER, HOST, varlink, VM } from "../support/machined.ts";
import { anyAnswer, anyEarly, anyEnding, inPieces, verdictOn } from "../unit/answers.ts";
import { anyReply, assertTyped } from "../unit/replies.ts";
import { type Ending, StandInSocket } from "../unit/stand_in_socket.ts";
import { assertOneLine, bytes, latin1, standInLibrary } from "../unit/support.ts";
import { fuzz, nearly, triedAtLeast } from "./fuzz.ts";

const MUX: VsockMuxTarget = { kind: "vsock-mux", path: "/vm.sock", port: 22 };
const SOON = new Deadline(2 ** 31);

/** The kind of an error that is one of this program's: one line that a terminal can show, and not a long one. */
function kindOf(thrown: unknown): string {
  if (!(thrown instanceof ProxyError)) throw thrown;
  assertOneLine(thrown);
  // A message shows two texts from outside at most, each character of which takes ten at most.
  assert(thrown.message.length < 4000 && (thrown.hint ?? "").length < 4000, `${thrown.message.length} characters`);
  return thrown.kind;
}

/** Adds one to what was seen. */
function count(seen: Record<string, number>, kind: string): void {
  seen[kind] = (seen[kind] ?? 0) + 1;
}

const OK = [
  "OK 1073741824\nSSH-2.0-x\r\n",
  "OK 22\n",
  "OK 18446744073709551615\n\0",
  "SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n",
];
const nearlyOk = nearly(OK, ["OK ", "OK", "SSH-", "\n", "\r\n", " ", "0", "18446744073709551616", "\0", "\xff"]);
const anyMultiplexer = fc.oneof(anyAnswer, nearlyOk);

{
  const seen = { good: 0, none: 0, "cut off": 0 };
  fuzz("an answer of a multiplexer is what it is byte by byte", {
    full: 400_000,
    inputs: anyMultiplexer,
    seen,
    holds: (answer) => {
      const [reply, verdict] = [readReply(bytes(answer)), verdictOn(answer)];
      if (verdict === "none") assertEquals(reply, { is: "foreign" });
      else if (verdict === "cut off") {
        assertEquals(reply, { is: answer.startsWith("O") ? "partial" : "undecided" });
        assert(answer.length < LONGEST_OK_LINE);
      } else assertEquals(reply, verdict.good === 0 ? { is: "speaks" } : { is: "connected", length: verdict.good });
      seen[typeof verdict === "string" ? verdict : "good"]++;
    },
  });
}

{
  const seen = { good: 0, protocol: 0, unreachable: 0, ETIMEDOUT: 0, ECONNRESET: 0 };
  fuzz("a handshake takes the OK line and nothing else, or fails as its answer demands, however that is cut and ends", {
    full: 150_000,
    inputs: fc.tuple(inPieces(anyMultiplexer), anyEnding, anyEarly),
    seen,
    holds: async ([{ answer, pieces }, ending, early]) => {
      const socket = new StandInSocket(pieces, ending, early);
      let came;
      try {
        await requestPort(socket, MUX, SOON);
        came = "good" as const;
      } catch (thrown) {
        const kind = kindOf(thrown);
        const { cause } = thrown as ProxyError;
        came = cause instanceof SystemError ? cause.code! : kind;
      }
      const verdict = verdictOn(answer);
      if (verdict === "none") assertEquals(came, "protocol");
      else if (verdict === "cut off") {
        const reset = answer === "" || answer.startsWith("O") ? "ECONNRESET" : "protocol";
        const ended = answer === "" ? "unreachable" : "protocol";
        assertEquals(came, { silence: "ETIMEDOUT", reset, end: ended }[ending]);
      } else if (verdict.good === 0 && ending !== "silence") assertEquals(came, "protocol");
      else assertEquals([came, socket.unread], ["good", answer.slice(verdict.good)]);
      assertEquals(socket.sent, ["CONNECT 22\n"]);
      count(seen, came);
    },
  });
}

const BANNERS = [
  "SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n",
  "Welcome\r\nSSH-2.0-x\n\0\0\0",
  "SSH-2.0-" + "x".repeat(300) + "\n",
];
const nearlyBanner = fc.oneof(
  nearly(BANNERS, ["SSH-", "SS", "\n", "\r\n", "\r", "\0", "\x1b[2J", "x".repeat(8190), "\n".repeat(1023)]),
  fc.tuple(fc.integer({ min: 200, max: 1030 }), fc.constantFrom("", "SSH-2.0-x\n")).map(([lines, banner]) =>
    "\n".repeat(lines) + banner
  ),
  fc.tuple(fc.integer({ min: 8190, max: 8195 }), fc.constantFrom("\n", "\r\n", "\r", "")).map(([length, end]) =>
    `${"x".repeat(length)}${end}SSH-2.0-x\n`
  ),
  anyAnswer,
);

/** What must come of all that a server said: by the rules of OpenSSH's client for each line, and for how many there are. */
function bannerOf(said: string, ending: Ending): { banner: string | undefined } | { kind: string } {
  const whole = said.split("\n");
  const rest = whole.pop()!;
  for (const [at, ended] of whole.entries()) {
    const line = ended.replace(/\r$/, "");
    if (at === 1024 || line.length > 8192) return { kind: "protocol" };
    if (line.startsWith(BANNER)) return { banner: line };
  }
  if (whole.length >= 1024 || rest.length > 8193) return { kind: "protocol" };
  if (ending !== "silence") return { kind: said === "" ? "unreachable" : "protocol" };
  if (whole.length >= 256 || said.length >= 65536) return { banner: undefined };
  return { kind: BANNER.startsWith(said.slice(0, 4)) ? "timeout" : "protocol" };
}

{
  const seen = { banner: 0, hidden: 0, protocol: 0, unreachable: 0, timeout: 0 };
  fuzz("a banner is the first line that begins as one, and is left where it is", {
    full: 60_000,
    inputs: fc.tuple(
      nearlyBanner,
      fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9000 })), { maxLength: 20 }),
      anyEnding,
      anyEarly,
    ),
    seen,
    holds: async ([said, lengths, ending, early]) => {
      const pieces = [];
      let rest = said;
      for (const length of lengths) {
        pieces.push(rest.slice(0, length));
        rest = rest.slice(length);
      }
      const socket = new StandInSocket([...pieces, rest].filter((piece) => piece !== ""), ending, early);
      let came: { banner: string | undefined } | { kind: string };
      try {
        came = { banner: await awaitBanner(socket, MUX, SOON) };
      } catch (thrown) {
        came = { kind: kindOf(thrown) };
      }
      assertEquals(came, bannerOf(said, ending));
      assertEquals(socket.unread, said);
      count(seen, "kind" in came ? came.kind : came.banner === undefined ? "hidden" : "banner");
    },
  });
}

/** A library on which a connection to anything gives these bytes, and then ends so. */
function answering(pieces: readonly Uint8Array[], ending: Ending) {
  const coming = [...pieces];
  return standInLibrary({
    connect_unix: () => 42,
    dsp_send_bytes: (_fd, _bytes, length) => Number(length),
    dsp_receive_bytes: (_fd, into, length) => {
      const [piece] = coming;
      if (piece === undefined) return { end: 0, silence: -110, reset: -104 }[ending];
      const taken = piece.subarray(0, Number(length));
      if (taken.length === piece.length) coming.shift();
      else coming[0] = piece.subarray(taken.length);
      (into as Uint8Array).set(taken);
      return taken.length;
    },
    dsp_runtime_directory: () => -34,
    dsp_is_datagram_socket: () => 0,
  });
}

const REPLIES = [
  varlink({ parameters: VM }),
  varlink({ parameters: { ...VM, sshAddress: "vsock/42" } }),
  varlink({ parameters: VM, continues: true }) + varlink({ parameters: CONTAINER, continues: true }) +
  varlink({ parameters: HOST }),
  varlink({ parameters: { ...CONTAINER, name: "../../x" }, continues: true }) + varlink({ parameters: VM }),
  varlink({ error: "io.systemd.Machine.NoSuchMachine", parameters: {} }),
  varlink({ error: "org.varlink.service.InvalidParameter", parameters: { parameter: "name" } }),
].map((reply) => latin1(new TextEncoder().encode(reply)));
const TOKENS = [
  ...[
    "\0",
    "\0\0\0",
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e999",
    "-0",
    "4294967296",
    "\\ud800",
    "\\u0000",
  ],
  ...[
    '"__proto__":',
    '"constructor":{},',
    '"name":"foo",',
    '"error":"x",',
    '"error":null,',
    '"continues":true,',
    "../",
  ],
  ...["\xef\xbb\xbf", "\xed\xa0\x80", "\xf0\x9f\x98\x80", "\xc3", "[".repeat(3000), "\x1b[2J", "e".repeat(2000)],
];
const anyVarlink = fc.oneof(
  nearly(REPLIES, TOKENS),
  anyReply.map((reply) => `${latin1(new TextEncoder().encode(reply))}\0`),
  fc.uint8Array({ maxLength: 200 }).map(latin1),
);

{
  const seen = { machine: 0, error: 0, foreign: 0 };
  fuzz("a reply of systemd-machined has the types that it promises, or is none", {
    full: 200_000,
    inputs: fc.oneof(anyReply, nearly(REPLIES, TOKENS).map((reply) => reply.split("\0")[0]!)),
    seen,
    holds: (text) => {
      const reply = parseReply(text);
      if (reply === undefined) seen.foreign++;
      else if (reply.error === undefined) {
        assertTyped(reply.machine);
        assertEquals(typeof reply.continues, "boolean");
        seen.machine++;
      } else {
        assertEquals(typeof reply.error, "string");
        seen.error++;
      }
    },
  });
}

/** What must come of asking for the machine `foo` where this is answered: its own JSON says so. */
function foundIn(answer: Uint8Array, ending: Ending): string {
  const end = answer.indexOf(0);
  if (end === -1) {
    if (ending !== "end") return { silence: "timeout", reset: "unreachable" }[ending];
    // The beginning of a character is none yet.
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(answer, { stream: true }) === ""
      ? "unreachable"
      : "protocol";
  }
  let reply;
  try {
    reply = JSON.parse(new TextDecoder("utf-8", { ignoreBOM: true }).decode(answer.subarray(0, end)));
  } catch {
    return "protocol";
  }
  const field = (of: unknown, name: string): unknown =>
    typeof of === "object" && of !== null && Object.hasOwn(of, name)
      ? (of as Record<string, unknown>)[name]
      : undefined;
  const error = field(reply, "error");
  switch (error) {
    case "io.systemd.Machine.NoSuchMachine":
      return "no machine";
    case "org.varlink.service.InvalidParameter":
      return "usage";
    case "org.varlink.service.MethodNotFound":
      return "unreachable";
  }
  if (typeof error === "string") return "protocol";
  const parameters = field(reply, "parameters");
  const [name, kind, cid] = ["name", "class", "vSockCid"].map((name) => field(parameters, name));
  const isText = (name: string) => ["string", "undefined"].includes(typeof (field(parameters, name) ?? undefined));
  const isCid = cid === undefined || cid === null ||
    typeof cid === "number" && Number.isInteger(cid) && cid >= 0 && cid <= 4294967295;
  const isMachine = typeof kind === "string" && isText("service") && isText("sshAddress") && isCid;
  return name === "foo" && isMachine ? "machine" : "protocol";
}

/** How deep JSON may be nested until it is up to the stack whether it can be read. */
const DEEP = 1500;

/** A byte order mark, which Deno's decoder took away where a piece began with it. */
const MARKED = ['{"parameters":{"name":"', '\xef\xbb\xbffoo","class":"vm"}}\0'];

{
  const seen = { machine: 0, "no machine": 0, protocol: 0, unreachable: 0, timeout: 0, usage: 0 };
  fuzz("a machine is found where the first message is one with its name, however it is cut and ends", {
    full: 100_000,
    found: [
      [{ answer: MARKED.join(""), pieces: MARKED }, "end"],
      [{ answer: "\xef\xbb\xbf", pieces: ["\xef", "\xbb\xbf"] }, "end"],
    ],
    inputs: fc.tuple(inPieces(anyVarlink), anyEnding),
    seen,
    holds: async ([{ answer, pieces }, ending]) => {
      const { library, closed } = answering(pieces.map(bytes), ending);
      let came;
      try {
        const machine = await findMachine(library, "/m", "foo", SOON);
        if (machine !== undefined) assertTyped(machine);
        came = machine === undefined ? "no machine" : "machine";
      } catch (thrown) {
        came = kindOf(thrown);
      }
      if (answer.split("[").length < DEEP) assertEquals(came, foundIn(bytes(answer), ending));
      assertEquals(closed, [42]);
      count(seen, came);
    },
  });
}

fuzz("a list of machines is the same however it is cut", {
  full: 40_000,
  found: [[{ answer: MARKED.join(""), pieces: MARKED }, "end"]],
  inputs: fc.tuple(inPieces(anyVarlink), anyEnding),
  holds: async ([{ answer, pieces }, ending]) => {
    const outcome = async (pieces: string[]) => {
      const { library, closed } = answering(pieces.map(bytes), ending);
      try {
        const machines = await listMachines(library, "/m", SOON);
        machines.forEach(assertTyped);
        return machines;
      } catch (thrown) {
        return kindOf(thrown);
      } finally {
        assertEquals(closed, [42]);
      }
    };
    assertEquals(await outcome(pieces), await outcome(answer === "" ? [] : [answer]));
  },
});

const anyName = fc.oneof(
  fc.array(fc.constantFrom(".", "..", "/", "a", "-", "\0", "\n", "%", "\u202e", "\ud800", ".host", "é"), {
    maxLength: 6,
  })
    .map((pieces) => pieces.join("")),
  fc.string({ unit: "binary", maxLength: 20 }),
);

{
  const seen = { taken: 0, refused: 0 };
  fuzz("no machine's name leads out of the folder of machines", {
    full: 60_000,
    inputs: anyName,
    seen,
    holds: (name) => {
      let target;
      try {
        target = parseTarget(`machine/${name}`, "22");
      } catch (thrown) {
        assertEquals(kindOf(thrown), "usage");
        seen.refused++;
        return;
      }
      seen.taken++;
      if (target.kind !== "machine") return assertEquals(name, ".host");
      const machine = parseReply(JSON.stringify({ parameters: { ...CONTAINER, name } }));
      assert(machine?.error === undefined && machine !== undefined);
      const { library } = answering([], "end");
      const known = { machine: machine.machine, directory: "/run" };
      const place = parseTarget(machineAddress(known, { library, isSocketAddress }), "0");
      assert(place.kind === "unix");
      const parts = place.path.split("/");
      assertEquals([parts.length, parts[4], parts.includes("..")], [7, name, false]);
    },
  });
}

{
  const seen = { listed: 0, none: 0 };
  fuzz("each machine that is listed can be connected to by what the list says", {
    full: 20_000,
    found: [[["../..", CONTAINER]], [["", VM]]],
    inputs: fc.array(
      fc.tuple(fc.oneof(anyName, fc.constantFrom("foo", "bar")), fc.constantFrom(VM, CONTAINER, HOST)),
      { maxLength: 4 },
    ),
    seen,
    holds: async (machines) => {
      const replies = machines.map(([name, machine], at) =>
        varlink({ parameters: { ...machine, name }, continues: at < machines.length - 1 })
      );
      const answer = new TextEncoder().encode(
        replies.join("") || varlink({ error: "io.systemd.Machine.NoSuchMachine" }),
      );
      const { found, warnings } = await findMachines(answering([answer], "end").library);
      assertEquals(warnings, []);
      for (const { address, name } of found) {
        assertEquals(parseTarget(address, "22"), { kind: "machine", name: name!, port: 22 });
      }
      seen[found.length > 0 ? "listed" : "none"]++;
    },
  });
}

triedAtLeast(1_000_000);
