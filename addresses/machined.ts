/**
 * Asking systemd-machined for the machines that it knows: `io.systemd.Machine.List` over its varlink socket.
 *
 * A varlink message is one JSON object with a NUL behind it (varlink.org, "Method Call"). The call and its errors are those of
 * systemd's src/shared/varlink-io.systemd.Machine.c; `varlinkctl introspect` prints them.
 *
 * @module
 */

import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { Socket } from "../ffi/socket.ts";
import { machinedError, malformedReplyError, varlinkError } from "./machined_errors.ts";
import type { Deadline } from "../core/deadline.ts";

/** A machine as systemd-machined describes it: the part that tells how to reach it. */
export interface Machine {
  /** The name under which it is registered. */
  readonly name: string;
  /** `vm`, `container`, or `host` for the system that systemd-machined itself runs on. */
  readonly class: string;
  /** What started it, such as `systemd-nspawn`. */
  readonly service: string | undefined;
  /** A virtual machine's CID. */
  readonly vSockCid: number | undefined;
  /** Where its sshd is, as whoever registered it wrote it for `ssh`. */
  readonly sshAddress: string | undefined;
}

/** The most that is taken as an answer, in bytes. A machine has some 500. */
const LONGEST_ANSWER = 1 << 20;

/**
 * The machine with this name that the systemd-machined behind `socketPath` knows; undefined where it knows none.
 *
 * @throws {ProxyError} of kind `missing` where no systemd-machined runs there, `usage` where no machine can have this name
 */
export async function findMachine(
  library: Library,
  socketPath: string,
  name: string,
  deadline: Deadline,
): Promise<Machine | undefined> {
  return (await list(library, socketPath, { parameters: { name } }, deadline))[0];
}

/**
 * All machines that the systemd-machined behind `socketPath` knows, in its own order. The system's knows the host too, as
 * `.host`.
 *
 * @throws {ProxyError} of kind `missing` where no systemd-machined runs there
 */
export function listMachines(library: Library, socketPath: string, deadline: Deadline): Promise<Machine[]> {
  return list(library, socketPath, { parameters: {}, more: true }, deadline);
}

/** Every machine of the answer to a call. */
async function list(
  library: Library,
  path: string,
  call: { parameters: { name?: string }; more?: true },
  deadline: Deadline,
): Promise<Machine[]> {
  const request = new TextEncoder().encode(`${JSON.stringify({ method: "io.systemd.Machine.List", ...call })}\0`);
  const { name } = call.parameters;
  const machines: Machine[] = [];
  let socket;
  try {
    socket = await Socket.connectUnix(library, path, { timeout: deadline.leftForCall });
    await socket.send(request, { timeout: deadline.leftForCall });
    // Otherwise Deno's takes each byte order mark that begins a piece away (seen with 2.9.6).
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const buffer = new Uint8Array(65536);
    /** The beginning of a reply, and how many bytes there have been in all. */
    let [text, size] = ["", 0];
    for (;;) {
      const count = await socket.receive(buffer, { timeout: deadline.leftForCall });
      size += count;
      if (count === 0 || size > LONGEST_ANSWER) {
        throw malformedReplyError(path, count === 0 && text === "" ? undefined : text);
      }
      const [end = "", ...more] = decoder.decode(buffer.subarray(0, count), { stream: true }).split("\0");
      text += end;
      for (const next of more) {
        const reply = parseReply(text);
        if (reply?.error === "io.systemd.Machine.NoSuchMachine") return machines;
        if (reply?.error !== undefined) throw varlinkError(path, reply.error);
        if (!reply || name !== undefined && name !== reply.machine.name) throw malformedReplyError(path, text);
        machines.push(reply.machine);
        if (!call.more || !reply.continues) return machines;
        text = next;
      }
    }
  } catch (thrown) {
    throw thrown instanceof SystemError ? machinedError(path, thrown, deadline) : thrown;
  } finally {
    socket?.close();
  }
}

/** What a reply says: what is wrong, or one machine, and whether more of them follow. */
export type Reply =
  | { readonly error: string }
  | { readonly error?: never; readonly machine: Machine; readonly continues: boolean };

/** What `text` says, where it is a reply to `io.systemd.Machine.List`; undefined where it is none. */
export function parseReply(text: string): Reply | undefined {
  let reply: unknown;
  try {
    // A field that has no value may be left out, or be null.
    reply = JSON.parse(text, (_name, value) => value ?? undefined);
  } catch {
    return undefined;
  }
  const { error, parameters, continues }: Fields = Object(reply);
  if (typeof error === "string") return { error };
  const { name, class: kind, service, vSockCid, sshAddress }: Fields = Object(parameters);
  return isText(name) && isText(kind) && isText(service ?? "") && isText(sshAddress ?? "") && isU32(vSockCid ?? 0)
    // Which has made sure that they are.
    ? { machine: { name, class: kind, service, vSockCid, sshAddress } as Machine, continues: continues === true }
    : undefined;
}

type Fields = Record<string, unknown>;

function isText(field: unknown): field is string {
  return typeof field === "string";
}

function isU32(field: unknown): field is number {
  return typeof field === "number" && field >>> 0 === field;
}
