/**
 * Every step of a connection, one at a time, from the address to the server's banner.
 *
 * @module
 */

import { SystemError } from "../../ffi/errno.ts";
import { localCid, pathStatus, peerCredentials, processName } from "../../ffi/inspection.ts";
import type { Library } from "../../ffi/library.ts";
import type { ReceiveOptions, Socket } from "../../ffi/socket.ts";
import { LONGEST_BANNER, peekBanner } from "../../proxy/banner.ts";
import { connect, requestPort } from "../../addresses/connect.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { ProxyError } from "../../core/errors.ts";
import { connectError, handshakeError, multiplexerError, VSOCK_MODULE_HINT } from "../../addresses/explain.ts";
import { connectRequest, LONGEST_OK_LINE, readReply } from "../../addresses/handshake.ts";
import { decodeLatin1 } from "../../core/text.ts";
import { findObstacle, notSocket } from "../../addresses/obstacle.ts";
import { Deadline } from "../../core/deadline.ts";
import { resolveMachine } from "../../addresses/machine.ts";
import {
  formatTarget,
  parseTarget,
  type SocketTarget,
  type Target,
  type UnixTarget,
  VMADDR_CID_HOST,
  VMADDR_CID_LOCAL,
  type VsockMuxTarget,
} from "../../addresses/target.ts";
import type { Destination } from "../ssh/destination.ts";
import { modeText, ownerText } from "./owners.ts";

/** What a step is called. `ssh` is about the configuration of `ssh`, and `try` has `ssh` itself connect. */
export type StepName =
  | "name"
  | "address"
  | "machine"
  | "vsock"
  | "socket"
  | "connect"
  | "peer"
  | "handshake"
  | "banner"
  | "ssh"
  | "try";

/** What came of a step. */
export interface Step extends Omit<Finding, "status"> {
  readonly name: StepName;
  readonly status: "ok" | "note" | "failed";
  /** How long it took. */
  readonly milliseconds: number;
  /** The exit code of the program, where it failed. */
  readonly exitCode?: number;
}

/** What a step finds out. */
export interface Finding {
  /** The same in one line, for people. */
  readonly says: string;
  /** What to do about it, where it did not go well. */
  readonly hint?: string | undefined;
  /** The same for programs, under names that stay. */
  readonly facts?: Readonly<Record<string, string | number | boolean>>;
  /** It did not go well, and yet it keeps nothing from working. */
  readonly status?: "note";
}

/** Takes a step: gives what the next ones need, or undefined where it failed. */
export type StepRunner = <Value>(
  name: StepName,
  work: () => Promise<[Value, Finding]> | [Value, Finding],
) => Promise<Value | undefined>;

/** What takes steps and tells of each: that it begins, and what came of it. */
export function stepRunner(begins: (name: StepName) => void, ended: (step: Step) => Promise<void>): StepRunner {
  return async (name, work) => {
    begins(name);
    const began = performance.now();
    const end = (rest: Omit<Step, "name" | "milliseconds">) =>
      ended({ name, milliseconds: Math.round((performance.now() - began) * 1000) / 1000, ...rest });
    try {
      const [value, finding] = await work();
      await end({ status: "ok", ...finding });
      return value;
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
      const { message, hint, kind, exitCode } = thrown;
      await end({ status: "failed", says: message, hint, facts: { error: kind }, exitCode });
      return undefined;
    }
  };
}

/** Takes the step from an address to what it stands for. */
export async function readAddress({ address, port }: Destination, take: StepRunner): Promise<Target | undefined> {
  return await take("address", () => {
    const target = parseTarget(address, port);
    return [target, { says: describe(target), facts: { ...target } }];
  });
}

/**
 * Takes the steps of a connection to what was `typed`, until one of them fails. Connecting and the handshake may take
 * `timeout` milliseconds together, and the banner as many. Returns whether the banner came.
 */
export async function examine(library: Library, typed: Target, timeout: number, take: StepRunner): Promise<boolean> {
  // Loads what the first step with it would otherwise seem to take the time for.
  pathStatus(library, "/");
  const deadline = new Deadline(timeout);
  const target = typed.kind !== "machine" ? typed : await take("machine", async () => {
    const place = await resolveMachine(typed, library, deadline);
    return [place, { says: `${escapeForTerminal(formatTarget(place))}: ${describe(place)}`, facts: { ...place } }];
  });
  if (target === undefined) return false;
  if (target.kind === "vsock") await take("vsock", () => [true, vsockSupport(library)]);
  else if (!await take("socket", () => [true, socketStatus(library, target, deadline)])) return false;
  using socket = await take("connect", async () => {
    const socket = await connect(target, library, deadline);
    return [socket, {
      says: `connected: ${target.kind === "vsock" ? "something listens" : "a stream socket listens"}`,
    }];
  });
  if (socket === undefined) return false;
  if (target.kind !== "vsock") await take("peer", () => [true, peer(library, socket)]);
  if (target.kind === "vsock-mux" && !await take("handshake", () => handshake(socket, target, deadline))) return false;
  const banner = await take("banner", async () => {
    const banner = await bannerOf(library, socket, target, timeout);
    return [banner, bannerFinding(banner)];
  });
  return banner !== undefined;
}

function describe(target: Target): string {
  switch (target.kind) {
    case "unix":
      return `an AF_UNIX socket: ${escapeForTerminal(target.path)}`;
    case "vsock":
      return `AF_VSOCK: CID ${target.cid}${cidText(target.cid)}, port ${target.port}`;
    case "vsock-mux":
      return `a hybrid-vsock multiplexer: ${escapeForTerminal(target.path)}, port ${target.port} in the guest`;
    case "machine":
      return `a machine that systemd-machined knows: ${escapeForTerminal(target.name)}`;
  }
}

function cidText(cid: number): string {
  return cid === VMADDR_CID_LOCAL ? " (this machine)" : cid === VMADDR_CID_HOST ? " (the host)" : "";
}

/** What the kernel has that AF_VSOCK needs. It may have it all without a device: connecting tells in the end. */
function vsockSupport(library: Library): Finding {
  try {
    const cid = localCid(library);
    return { says: `this machine's CID is ${cid}${cid === VMADDR_CID_HOST ? " (a host)" : ""}`, facts: { cid } };
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    return {
      status: "note",
      says: `this machine has no CID: /dev/vsock: ${thrown.message}`,
      hint: VSOCK_MODULE_HINT,
      facts: { error: thrown.message },
    };
  }
}

function socketStatus(library: Library, target: UnixTarget | VsockMuxTarget, deadline: Deadline): Finding {
  let status;
  try {
    status = pathStatus(library, target.path);
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    throw connectError(target, thrown, deadline, findObstacle(library, target.path, thrown));
  }
  const { mode, uid, gid } = status;
  const owner = ownerText(uid, gid);
  const obstacle = notSocket(status, target.path);
  if (obstacle !== undefined) throw connectError(target, SystemError.named("ECONNREFUSED"), deadline, obstacle);
  const facts = { mode: modeText(mode), permissions: (mode & 0o7777).toString(8).padStart(4, "0"), uid, gid, owner };
  return { says: `${modeText(mode)} ${owner}`, facts };
}

/** Who listens: whoever did so when the socket began to, and under which name it runs now. */
function peer(library: Library, { fd }: Socket): Finding {
  try {
    const { pid, uid, gid } = peerCredentials(library, fd);
    const owner = ownerText(uid, gid);
    const name = pid === 0 ? undefined : processName(library, pid);
    const facts = { pid, uid, gid, owner, ...(name === undefined ? {} : { process: name }) };
    const who = pid === 0
      ? "a process that cannot be seen from here (of a container?)"
      : name === undefined
      ? `process ${pid}, which has ended`
      : `${escapeForTerminal(name)}, process ${pid}`;
    return { says: `${who}, of ${owner}`, facts };
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    return { status: "note", says: `it cannot be told: ${thrown.message}` };
  }
}

async function handshake(socket: Socket, target: VsockMuxTarget, deadline: Deadline): Promise<[true, Finding]> {
  let taken = "";
  const recorder = {
    send: socket.send.bind(socket),
    async receive(into: Uint8Array<ArrayBuffer>, options: ReceiveOptions) {
      const count = await socket.receive(into, options);
      if (options.peek === undefined) taken += String.fromCharCode(...into.subarray(0, count));
      return count;
    },
  };
  try {
    await requestPort(recorder, target, deadline);
  } catch (thrown) {
    throw thrown instanceof SystemError ? handshakeError(target, thrown, deadline) : thrown;
  }
  const reply = escapeForTerminal(taken.trimEnd());
  const says = reply === "" ? "no answer of its own: the server speaks at once" : `the multiplexer answers "${reply}"`;
  return [true, { says, facts: { reply } }];
}

/** The port that `ssh` asks for where it is told none. */
const SSH_PORT = 22;

/** How long a server at a socket may be silent, in milliseconds, before it is asked whether it is a multiplexer. */
const SILENT_MS = 1_000;

/** How long a multiplexer may take to be connected to, and to answer, in milliseconds. */
const ANSWERS_WITHIN = 500;

/**
 * Waits for the banner. If the server at an address of a socket is silent, asks it for a port on a second connection: a
 * multiplexer waits for that, and its answer tells what it is. The first connection is left as it is, and keeps its time.
 */
async function bannerOf(library: Library, socket: Socket, target: SocketTarget, timeout: number): Promise<string> {
  const deadline = new Deadline(timeout);
  if (target.kind !== "unix") return await peekBanner(socket, target, deadline);
  try {
    return await peekBanner(socket, target, new Deadline(Math.min(SILENT_MS, timeout)));
  } catch (thrown) {
    if (!(thrown instanceof ProxyError && thrown.kind === "timeout")) throw thrown;
  }
  const answer = await answerToConnect(library, target);
  if (answer !== undefined) throw multiplexerError(target, answer);
  return await peekBanner(socket, target, deadline);
}

/** Returns the line with which a multiplexer at `target` answers; undefined if nothing comes that is one. */
async function answerToConnect(library: Library, target: UnixTarget): Promise<string | undefined> {
  const answer = new Uint8Array(LONGEST_OK_LINE);
  try {
    using socket = await connect(target, library, new Deadline(ANSWERS_WITHIN));
    await socket.send(connectRequest(SSH_PORT), { timeout: ANSWERS_WITHIN });
    const count = await socket.receive(answer, { timeout: ANSWERS_WITHIN });
    const reply = readReply(answer.subarray(0, count));
    return reply.is === "connected" ? decodeLatin1(answer.subarray(0, reply.length)).trimEnd() : undefined;
  } catch (thrown) {
    if (thrown instanceof SystemError || thrown instanceof ProxyError) return undefined;
    throw thrown;
  }
}

/** A banner, taken apart (RFC 4253, section 4.2): `SSH-protoversion-softwareversion SP comments`. */
function bannerFinding(banner: string): Finding {
  const [, protocol = "", software = "", comments = ""] = /^SSH-([^-]*)-([^ ]*)(?: (.*))?$/s.exec(banner) ?? [];
  const shown = escapeForTerminal(banner, LONGEST_BANNER);
  const facts = {
    banner: shown,
    protocol: escapeForTerminal(protocol),
    software: escapeForTerminal(software),
    comments: escapeForTerminal(comments),
  };
  // 1.99 is 2.0 that would take version 1 as well (RFC 4253, section 5.1).
  if (protocol === "2.0" || protocol === "1.99") return { says: shown, facts };
  return { status: "note", says: shown, facts, hint: "ssh speaks protocol version 2.0 only" };
}
