import { assert, assertEquals, assertInstanceOf, assertMatch, assertStringIncludes } from "@std/assert";
import { examine, readAddress } from "../../commands/check/connection.ts";
import { type Step, stepRunner } from "../../commands/check/step.ts";
import type { Library } from "../../ffi/library.ts";
import { RECEIVE_WHOLE } from "../../ffi/symbols.ts";
import { StandInClock } from "./stand_in_clock.ts";
import { bytes, millisecondsOf, type StandInCalls, standInLibrary } from "./support.ts";

const ENOENT = -2;
const ENODEV = -19;
const ETIMEDOUT = -110;

/** What the library tells of paths, processes and this machine. */
type Inspection = Record<string, (...args: never[]) => number | bigint>;

/** A socket of root's that process 77 listens on, which is called a name. */
function inspected(name: string, more: Inspection = {}): Inspection {
  return {
    dsp_path_status: (_path: unknown, _length: unknown, into: Uint8Array<ArrayBuffer>) => {
      new BigUint64Array(into.buffer).set([0o140755n, 0n, 0n, 1n, 1n]);
      return 0;
    },
    dsp_peer_credentials: (_fd: unknown, into: Uint8Array<ArrayBuffer>) => {
      new Uint32Array(into.buffer).set([77, 0, 0]);
      return 0;
    },
    dsp_proc_text: (_pid: unknown, _which: unknown, into: Uint8Array) => {
      into.set(bytes(`${name}\n`));
      return name.length + 1;
    },
    ...more,
  };
}

/** A server that says this, a piece a call, and then nothing more. */
function says(text: string): NonNullable<StandInCalls["dsp_receive_bytes"]> {
  return (_fd, into, _length, flags) => {
    const part = bytes(text).subarray(0, (into as Uint8Array).length);
    (into as Uint8Array).set(part);
    if (flags === 0) text = text.slice(part.length);
    const enough = (flags & RECEIVE_WHOLE) !== 0 ? (into as Uint8Array).length : 1;
    return part.length < enough ? ETIMEDOUT : part.length;
  };
}

/** The steps that are taken for an address, and what was closed. */
async function stepsOf(
  address: string,
  calls: StandInCalls,
  inspection: Inspection = inspected("sshd"),
  timeout = 5_000,
) {
  const steps: Step[] = [];
  const begun: string[] = [];
  const { library, closed } = standInLibrary(calls);
  Object.assign(library, { load: () => inspection });
  const take = stepRunner((name) => begun.push(name), (step) => Promise.resolve(void steps.push(step)));
  const target = await readAddress({ address, port: "22" }, take);
  if (target !== undefined) await examine(library as Library, target, timeout, take);
  assertEquals(begun, steps.map(({ name }) => name));
  const step = (name: string) => steps.find((one) => one.name === name)!;
  return { outcomes: steps.map(({ name, status }) => `${name}: ${status}`), step, closed };
}

const SERVER = { connect_unix: () => 42, dsp_receive_bytes: says("SSH-2.0-x\r\n") };

Deno.test("a CID is said in words where it has some, and this machine's own is looked for", async () => {
  const calls = { connect_vsock: () => ENODEV };
  for (const [cid, text] of [["42", ""], ["1", " (this machine)"], ["2", " (the host)"]]) {
    const { step } = await stepsOf(`vsock/${cid}`, calls, inspected("", { dsp_local_cid: () => 3n }));
    assertEquals(step("address").message, `AF_VSOCK: CID ${cid}${text}, port 22`);
    assertEquals([step("vsock").message, step("vsock").facts], ["this machine's CID is 3", { cid: 3 }]);
    assertEquals([step("connect").exitCode, step("connect").facts], [69, { error: "unreachable" }]);
  }
  const { step } = await stepsOf("vsock/42", calls, inspected("", { dsp_local_cid: () => 2n }));
  assertEquals(step("vsock").message, "this machine's CID is 2 (a host)");
});

Deno.test("a machine with no CID is connected from all the same, and nobody asks who is at the other end", async () => {
  const { outcomes, step, closed } = await stepsOf(
    "vsock/42",
    { connect_vsock: () => 42, dsp_receive_bytes: says("SSH-2.0-x\n") },
    { dsp_path_status: inspected("")["dsp_path_status"]!, dsp_local_cid: () => BigInt(ENOENT) },
  );
  assertEquals(outcomes, ["address: ok", "vsock: note", "connect: ok", "banner: ok"]);
  assertMatch(step("vsock").message, /^this machine has no CID: \/dev\/vsock: .*ENOENT/);
  assertStringIncludes(step("vsock").hint!, "vhost_vsock");
  assertEquals(step("connect").message, "connected: something listens");
  assertEquals(closed, [42]);
});

Deno.test("a missing kernel module is named alike, whichever step finds it missing", async () => {
  const EAFNOSUPPORT = -97;
  const { step } = await stepsOf(
    "vsock/42",
    { connect_vsock: () => EAFNOSUPPORT },
    inspected("", { dsp_local_cid: () => BigInt(ENOENT) }),
  );
  assertEquals(step("connect").hint, step("vsock").hint);
  for (const module of ["vhost_vsock on a host", "vmw_vsock_virtio_transport in a guest"]) {
    assertStringIncludes(step("vsock").hint!, `modprobe ${module}`);
  }
});

Deno.test("who listens is told by name, fit for a terminal, or why that cannot be told", async () => {
  const known = await stepsOf("unix/s", SERVER, inspected("ss\x1b[2Jd"));
  assertEquals(known.step("peer").message, "ss\\x1b[2Jd, process 77, of root:root");
  const ended = await stepsOf("unix/s", SERVER, inspected("", { dsp_proc_text: () => ENOENT }));
  assertEquals(ended.step("peer").message, "process 77, which has ended, of root:root");
  assertEquals(ended.step("peer").facts, { pid: 77, uid: 0, gid: 0, owner: "root:root" });
  const never: Inspection = { dsp_proc_text: () => assert(false, "process 0 is none") as never };
  const hidden = await stepsOf("unix/s", SERVER, inspected("", { dsp_peer_credentials: () => 0, ...never }));
  assertMatch(hidden.step("peer").message, /^a process that cannot be seen from here .*, of root:root$/);
  const unknown = await stepsOf("unix/s", SERVER, inspected("", { dsp_peer_credentials: () => ENODEV }));
  assertEquals(unknown.outcomes.slice(-2), ["peer: note", "banner: ok"]);
  assertMatch(unknown.step("peer").message, /^it cannot be told: .*ENODEV/);
});

Deno.test("what stands in an address is shown fit for a terminal", async () => {
  const shown = "/run/\\x1b[2J\\x9b5n";
  for (
    const [form, text] of [["unix", `an AF_UNIX socket: ${shown}`], [
      "vsock-mux",
      `a hybrid-vsock multiplexer: ${shown}, port 22 in the guest`,
    ]]
  ) {
    const { step } = await stepsOf(`${form}/run/\x1b[2J\x9b5n`, { connect_unix: () => ENOENT });
    assertEquals(step("address").message, text);
  }
  const file = (_path: never, _length: never, into: Uint8Array<ArrayBuffer>) => {
    new BigUint64Array(into.buffer).set([0o100644n, 0n, 0n, 1n, 1n]);
    return 0;
  };
  const { step } = await stepsOf("unix/run/\x1b[2J\x9b5n", {}, inspected("", { dsp_path_status: file as never }));
  assertEquals(step("socket").message, `unix${shown}: it is a regular file, not a socket`);
});

Deno.test("a multiplexer that lets the server speak at once has no answer of its own", async () => {
  const calls = { ...SERVER, dsp_send_bytes: () => 11, dsp_receive_bytes: says("SSH-2.0-x\r\n") };
  const { outcomes, step } = await stepsOf("vsock-mux/s", calls);
  assertEquals(outcomes.slice(-2), ["handshake: ok", "banner: ok"]);
  assertEquals(step("handshake").message, "no answer of its own: the server speaks at once");
  assertEquals(step("handshake").facts, { reply: "" });
});

Deno.test("an SSH server itself, which hangs up on the handshake, is called one", async () => {
  const said = bytes("SSH-2.0-x\r\nInvalid SSH identification string.\r\n");
  const hangsUp: NonNullable<StandInCalls["dsp_receive_bytes"]> = (_fd, into) => {
    const part = said.subarray(0, (into as Uint8Array).length);
    (into as Uint8Array).set(part);
    return part.length;
  };
  const { outcomes, step } = await stepsOf("vsock-mux/s", {
    ...SERVER,
    dsp_send_bytes: () => 11,
    dsp_receive_bytes: hangsUp,
  });
  assertEquals([outcomes.at(-1), step("handshake").exitCode], ["handshake: failed", 76]);
  assertStringIncludes(step("handshake").message, "it is an SSH server itself, not a multiplexer");
  assertEquals(step("handshake").hint, "use unix/s");
});

Deno.test("a multiplexer that is silent fails the handshake, and the connection is closed", async () => {
  const { outcomes, step, closed } = await stepsOf("vsock-mux/s", {
    connect_unix: () => 42,
    dsp_send_bytes: () => 11,
    dsp_receive_bytes: () => ETIMEDOUT,
  });
  assertEquals([outcomes.at(-1), step("handshake").exitCode], ["handshake: failed", 75]);
  assertStringIncludes(step("handshake").message, "the multiplexer did not answer within 5 s");
  assertEquals(closed, [42]);
});

Deno.test("connecting and the handshake have their time together, and the banner its own", async () => {
  using clock = new StandInClock();
  const given: number[] = [];
  const later = <Value>(time: unknown, value: Value): Value => {
    given.push(millisecondsOf(time as BufferSource));
    clock.now += 1_000.0004;
    return value;
  };
  const answer = says("OK 1\nSSH-2.0-x\r\n");
  const { outcomes, step } = await stepsOf("vsock-mux/s", {
    connect_unix: (_path, _length, time) => later(time, 42),
    dsp_send_bytes: (_fd, _bytes, length, time) => later(time, Number(length)),
    dsp_receive_bytes: (fd, into, length, flags, time) => later(time, answer(fd, into, length, flags, time) as number),
  });
  assertEquals(outcomes.at(-1), "banner: ok");
  // Each is rounded up to whole milliseconds for the library.
  assertEquals(given.slice(0, 5), [5_000, 4_000, 3_000, 2_000, 5_000]);
  assertEquals(step("connect").milliseconds, 1_000);
});

Deno.test("a banner is shown whole, as long as it may be, and version 1.99 is as good as 2.0", async () => {
  const long = `SSH-1.99-x ${"y".repeat(255 - 13)}`;
  const { step } = await stepsOf("unix/s", { ...SERVER, dsp_receive_bytes: says(`${long}\r\n`) });
  assertEquals([step("banner").status, step("banner").message], ["ok", long]);
  assertEquals(step("banner").facts?.["banner"], long);
  const { step: hostile } = await stepsOf("unix/s", { ...SERVER, dsp_receive_bytes: says("SSH-\x1b[2J-\x9bx\n") });
  const facts = { banner: "SSH-\\x1b[2J-\\x9bx", protocol: "\\x1b[2J", software: "\\x9bx", comments: "" };
  assertEquals([hostile("banner").status, hostile("banner").facts], ["note", facts]);
});

Deno.test("a defect is passed on as it is, with the connection closed, and is no step", async () => {
  const defect = () => {
    throw new RangeError("a defect");
  };
  const { library, closed } = standInLibrary({ connect_unix: () => 42, dsp_receive_bytes: defect });
  Object.assign(library, { load: () => inspected("sshd") });
  const take = stepRunner(() => {}, () => Promise.resolve());
  const thrown = await examine(library, { kind: "unix", path: "/s" }, 5_000, take).catch((thrown) => thrown);
  assertInstanceOf(thrown, RangeError);
  assertEquals(closed, [42]);
});
