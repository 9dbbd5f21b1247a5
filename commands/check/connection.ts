/**
 * The steps of a connection, one at a time, from the address to the server's banner.
 *
 * @module
 */

import { connectSocket, performHandshake } from "../../addresses/connect.ts";
import { connectError } from "../../addresses/failure.ts";
import type { DialContext } from "../../addresses/form.ts";
import { formOf, isSocketTarget, type SocketTarget, type Target } from "../../addresses/forms.ts";
import { findObstacle, notSocket } from "../../addresses/obstacle.ts";
import { resolveTarget } from "../../addresses/resolve.ts";
import { formatTarget, parseTarget } from "../../addresses/target.ts";
import { VMADDR_CID_HOST } from "../../addresses/vsock.ts";
import { VSOCK_MODULE_HINT } from "../../addresses/vsock_failure.ts";
import { Deadline } from "../../core/deadline.ts";
import { ProxyError } from "../../core/errors.ts";
import { decodeLatin1, escapeForTerminal } from "../../core/text.ts";
import { SystemError } from "../../ffi/errno.ts";
import { localCid, pathStatus, peerCredentials } from "../../ffi/inspection.ts";
import { processName } from "../../ffi/processes.ts";
import type { Library } from "../../ffi/library.ts";
import type { ReceiveOptions, Socket } from "../../ffi/socket.ts";
import { LONGEST_BANNER, peekBanner } from "../../proxy/banner.ts";
import type { Destination } from "../ssh/destination.ts";
import { modeText, ownerText } from "./owners.ts";
import type { Finding, StepRunner } from "./step.ts";

/** Runs the step from an address to its target. */
export async function readAddress({ address, port }: Destination, run: StepRunner): Promise<Target | undefined> {
  return await run("address", () => {
    const target = parseTarget(address, port);
    return [target, { message: describe(target), facts: { ...target } }];
  });
}

/**
 * Runs the steps of a connection to `target`, until one of them fails. Connecting and the handshake can take `timeout`
 * milliseconds together, and the banner as many. Returns whether the banner came.
 */
export async function examine(library: Library, target: Target, timeout: number, run: StepRunner): Promise<boolean> {
  // Loads the library's functions, which the first step with one would otherwise seem to take the time for.
  pathStatus(library, "/");
  const context = { library, deadline: new Deadline(timeout) };
  const resolved = isSocketTarget(target) ? target : await run(target.kind, async () => {
    const resolved = await resolveTarget(target, context);
    return [resolved, {
      message: `${escapeForTerminal(formatTarget(resolved))}: ${describe(resolved)}`,
      facts: { ...resolved },
    }];
  });
  if (resolved === undefined || !await inspectEndpoint(resolved, context, run)) return false;
  const { family } = formOf(resolved).endpoint(resolved);
  using socket = await run("connect", async () => [
    await connectSocket(resolved, context),
    { message: `connected: ${family === "vsock" ? "something listens" : "a stream socket listens"}` },
  ]);
  if (socket === undefined) return false;
  if (family === "unix") await run("peer", () => [true, peer(library, socket)]);
  const { handshake } = formOf(resolved);
  if (handshake !== undefined) {
    const finding = () => handshakeFinding(socket, resolved, handshake.peer, context.deadline);
    if (!await run("handshake", async () => [true, await finding()])) return false;
  }
  const banner = await run("banner", async () => {
    const banner = await bannerOf(library, socket, resolved, timeout);
    return [banner, bannerFinding(banner)];
  });
  return banner !== undefined;
}

function describe(target: Target): string {
  return formOf(target).describe(target);
}

/** Runs the step about what a connection needs of the kernel or of the file system. Returns whether to go on. */
async function inspectEndpoint(target: SocketTarget, context: DialContext, run: StepRunner): Promise<boolean> {
  const endpoint = formOf(target).endpoint(target);
  if (endpoint.family === "unix") {
    return await run("socket", () => [true, socketStatus(target, endpoint.path, context)]) ?? false;
  }
  await run("vsock", () => [true, vsockSupport(context.library)]);
  return true;
}

/** Returns whether the kernel has AF_VSOCK. It can have it without a device: connecting decides. */
function vsockSupport(library: Library): Finding {
  try {
    const cid = localCid(library);
    return { message: `this machine's CID is ${cid}${cid === VMADDR_CID_HOST ? " (a host)" : ""}`, facts: { cid } };
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    return {
      status: "note",
      message: `this machine has no CID: /dev/vsock: ${thrown.message}`,
      hint: VSOCK_MODULE_HINT,
      facts: { error: thrown.message },
    };
  }
}

function socketStatus(target: SocketTarget, path: string, { library, deadline }: DialContext): Finding {
  let status;
  try {
    status = pathStatus(library, path);
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    throw connectError(target, thrown, deadline, findObstacle(library, path, thrown));
  }
  const { mode, uid, gid } = status;
  const owner = ownerText(uid, gid);
  const obstacle = notSocket(status, path);
  if (obstacle !== undefined) throw connectError(target, SystemError.named("ECONNREFUSED"), deadline, obstacle);
  const facts = { mode: modeText(mode), permissions: (mode & 0o7777).toString(8).padStart(4, "0"), uid, gid, owner };
  return { message: `${modeText(mode)} ${owner}`, facts };
}

/** Returns the process that listened when the socket began to, with the name that the process has now. */
function peer(library: Library, { fd }: Socket): Finding {
  try {
    const { pid, uid, gid } = peerCredentials(library, fd);
    const owner = ownerText(uid, gid);
    const name = pid === 0 ? undefined : processName(library, pid);
    const facts = { pid, uid, gid, owner, ...(name === undefined ? {} : { process: name }) };
    const process = pid === 0
      ? "a process that cannot be seen from here (of a container?)"
      : name === undefined
      ? `process ${pid}, which has ended`
      : `${escapeForTerminal(name)}, process ${pid}`;
    return { message: `${process}, of ${owner}`, facts };
  } catch (thrown) {
    if (!(thrown instanceof SystemError)) throw thrown;
    return { status: "note", message: `it cannot be told: ${thrown.message}` };
  }
}

/** Performs the handshake with `peer`, and records the bytes that it takes out of the socket. */
async function handshakeFinding(
  socket: Socket,
  target: SocketTarget,
  peer: string,
  deadline: Deadline,
): Promise<Finding> {
  let taken = "";
  const recorder = {
    send: socket.send.bind(socket),
    async receive(into: Uint8Array<ArrayBuffer>, options: ReceiveOptions) {
      const count = await socket.receive(into, options);
      if (options.peek === undefined) taken += decodeLatin1(into.subarray(0, count));
      return count;
    },
  };
  await performHandshake(target, recorder, deadline);
  const reply = escapeForTerminal(taken.trimEnd());
  const message = reply === "" ? "no answer of its own: the server speaks at once" : `${peer} answers "${reply}"`;
  return { message, facts: { reply } };
}

/** How long a server can send nothing before its form is asked for the reason, in milliseconds. */
const SILENCE_MS = 1_000;

/**
 * Waits for the banner. If the server is silent, asks the form of its address for the reason, on a second connection. The
 * first connection is left as it is, and keeps its time.
 */
async function bannerOf(library: Library, socket: Socket, target: SocketTarget, timeout: number): Promise<string> {
  const deadline = new Deadline(timeout);
  const form = formOf(target);
  if (form.explainSilence === undefined) return await peekBanner(socket, target, deadline);
  try {
    return await peekBanner(socket, target, new Deadline(Math.min(SILENCE_MS, timeout)));
  } catch (thrown) {
    if (!(thrown instanceof ProxyError && thrown.kind === "timeout")) throw thrown;
  }
  const reason = await form.explainSilence(target, library);
  if (reason !== undefined) throw reason;
  return await peekBanner(socket, target, deadline);
}

/** Splits a banner into its parts (RFC 4253, section 4.2): `SSH-protoversion-softwareversion SP comments`. */
function bannerFinding(banner: string): Finding {
  const [, protocol = "", software = "", comments = ""] = /^SSH-([^-]*)-([^ ]*)(?: (.*))?$/s.exec(banner) ?? [];
  const shown = escapeForTerminal(banner, LONGEST_BANNER);
  const facts = {
    banner: shown,
    protocol: escapeForTerminal(protocol),
    software: escapeForTerminal(software),
    comments: escapeForTerminal(comments),
  };
  // 1.99 is 2.0 with support for version 1 (RFC 4253, section 5.1).
  if (protocol === "2.0" || protocol === "1.99") return { message: shown, facts };
  return { status: "note", message: shown, facts, hint: "ssh speaks protocol version 2.0 only" };
}
