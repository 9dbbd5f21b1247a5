/**
 * A client of systemd-machined: calls `io.systemd.Machine.List` over its varlink socket.
 *
 * A varlink message is a JSON object, followed by a NUL (varlink.org, "Method Call"). `varlinkctl introspect` prints the call
 * and its errors, which are in systemd's src/shared/varlink-io.systemd.Machine.c.
 *
 * @module
 */

import type { Deadline } from "../core/deadline.ts";
import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { Socket } from "../ffi/socket.ts";
import { machinedError, malformedReplyError, varlinkError } from "./machined_errors.ts";

/** The part of a machine's description that says how to reach it. */
export interface Machine {
  /** The name under which the machine is registered. */
  readonly name: string;
  /** `vm`, `container`, or `host` for the system that systemd-machined itself runs on. */
  readonly class: string;
  /** The program that started it, such as `systemd-nspawn`. */
  readonly service: string | undefined;
  /** A virtual machine's CID. */
  readonly vSockCid: number | undefined;
  /** The address of its sshd for `ssh`, as the program that registered it has given it. */
  readonly sshAddress: string | undefined;
}

/** The most bytes of all replies together. A machine has some 500. */
const LONGEST_REPLY = 1 << 20;

/**
 * Returns the machine called `name` that the systemd-machined behind `socketPath` knows; undefined if there is none.
 *
 * @throws {ProxyError} of kind `missing` if no systemd-machined runs there, `usage` if no machine can have this name
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
 * Returns all machines that the systemd-machined behind `socketPath` knows, in its own order. The system's knows the host
 * too, as `.host`.
 *
 * @throws {ProxyError} of kind `missing` if no systemd-machined runs there
 */
export function listMachines(library: Library, socketPath: string, deadline: Deadline): Promise<Machine[]> {
  return list(library, socketPath, { parameters: {}, more: true }, deadline);
}

/** Calls the method, and returns the machines of all replies. */
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
    // Without ignoreBOM, Deno's decoder removes a byte order mark at the beginning of each chunk (seen with 2.9.6).
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const buffer = new Uint8Array(65536);
    /** The beginning of a reply, and the number of bytes so far. */
    let [text, size] = ["", 0];
    for (;;) {
      const count = await socket.receive(buffer, { timeout: deadline.leftForCall });
      size += count;
      if (count === 0 || size > LONGEST_REPLY) {
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

/** A reply: an error, or a machine, and whether more replies follow. */
export type MachinedReply =
  | { readonly error: string }
  | { readonly error?: never; readonly machine: Machine; readonly continues: boolean };

/** Parses a reply to `io.systemd.Machine.List`. Returns undefined for any other text. */
export function parseReply(text: string): MachinedReply | undefined {
  let reply: unknown;
  try {
    // A field without a value is left out or null.
    reply = JSON.parse(text, (_name, value) => value ?? undefined);
  } catch {
    return undefined;
  }
  const { error, parameters, continues }: Fields = Object(reply);
  if (typeof error === "string") return { error };
  const { name, class: kind, service, vSockCid, sshAddress }: Fields = Object(parameters);
  return isText(name) && isText(kind) && isText(service ?? "") && isText(sshAddress ?? "") && isU32(vSockCid ?? 0)
    // The checks above are those of the type.
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
