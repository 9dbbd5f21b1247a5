/**
 * A systemd-machined of the tests' own: it serves varlink at a socket in the place that the real one has in a runtime
 * folder, and answers with the bytes that the real one was seen to answer with.
 *
 * @module
 */

import { bytes, closeAnyway } from "./sockets.ts";

/** A machine as systemd-machined describes it. */
export type Description = { name: string; class: string } & Record<string, unknown>;

/** What the real one, of systemd 257, said of a virtual machine that was registered with it. */
export const VM: Description = {
  name: "foo",
  class: "vm",
  service: "systemd-vmspawn",
  unit: "machine-foo.scope",
  leader: { pid: 221 },
  supervisor: { pid: 223 },
  timestamp: { realtime: 1763907000123456, monotonic: 21234567 },
  vSockCid: 42,
  UID: 0,
};

/** And of the system that it runs on. */
export const HOST: Description = {
  name: ".host",
  id: "0123456789abcdef0123456789abcdef",
  class: "host",
  rootDirectory: "/",
  unit: "-.slice",
  vSockCid: 1,
  UID: 0,
};

/** A container that systemd-nspawn started. */
export const CONTAINER: Description = {
  name: "box",
  class: "container",
  service: "systemd-nspawn",
  unit: "machine-box.scope",
  leader: { pid: 300 },
  rootDirectory: "/var/lib/machines/box",
  UID: 0,
};

/** A call as it came. */
export interface Call {
  method: string;
  parameters: { name?: string };
  more?: boolean;
}

/** What is done with a call. The connection stays open until the caller closes it, unless this does. */
export type Answer = (connection: Deno.UnixConn, call: Call) => unknown;

/** `message` as varlink has it on the wire. */
export function varlink(message: unknown): string {
  return `${JSON.stringify(message)}\0`;
}

/** Writes all of `text`: one call may write less. */
export async function writeAll(connection: Deno.UnixConn, text: string): Promise<void> {
  for (let rest = bytes(text); rest.length > 0;) rest = rest.subarray(await connection.write(rest));
}

/** Answers as the real one does that knows `machines`. */
export function knows(...machines: Description[]): Answer {
  return async (connection, { method, parameters: { name }, more }) => {
    const found = machines.filter((machine) => name === undefined || machine.name === name);
    const replies = method !== "io.systemd.Machine.List"
      ? [{ error: "org.varlink.service.MethodNotFound", parameters: { method } }]
      : name !== undefined && /[^\w.-]|\.\./.test(name)
      ? [{ error: "org.varlink.service.InvalidParameter", parameters: { parameter: "name" } }]
      : name === undefined && !more
      ? [{ error: "org.varlink.service.ExpectedMore" }]
      : found.length === 0
      ? [{ error: "io.systemd.Machine.NoSuchMachine" }]
      : found.map((machine, index) =>
        index < found.length - 1 ? { parameters: machine, continues: true } : { parameters: machine }
      );
    for (const reply of replies) await writeAll(connection, varlink(reply));
  };
}

/** A server in the place of a systemd-machined. */
export class Machined implements AsyncDisposable {
  /** Every call that came, as its bytes were. */
  readonly calls: string[] = [];
  readonly #listener: Deno.UnixListener;
  readonly #served = new Map<Deno.UnixConn, Promise<void>>();
  readonly #accepting: Promise<void>;

  /** Serves in the runtime folder `folder`. */
  constructor(folder: string, answer: Answer) {
    Deno.mkdirSync(`${folder}/systemd/machine`, { recursive: true });
    this.#listener = Deno.listen({ transport: "unix", path: Machined.socketIn(folder) });
    this.#accepting = this.#accept(answer);
  }

  static socketIn(folder: string): string {
    return `${folder}/systemd/machine/io.systemd.Machine`;
  }

  async #accept(answer: Answer): Promise<void> {
    for await (const connection of this.#listener) {
      const served = this.#serve(connection, answer);
      this.#served.set(connection, served);
      // What went wrong is thrown at the end.
      served.catch(() => {});
    }
  }

  async #serve(connection: Deno.UnixConn, answer: Answer): Promise<void> {
    const into = new Uint8Array(4096);
    let call = "";
    try {
      for (let count; (count = await connection.read(into)) !== null;) {
        call += new TextDecoder().decode(into.subarray(0, count));
        if (!call.endsWith("\0")) continue;
        this.calls.push(call);
        await answer(connection, JSON.parse(call.slice(0, -1)));
        call = "";
      }
    } catch (thrown) {
      // The caller hung up, or the answer was to close the connection.
      const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
      if (![BadResource, BrokenPipe, ConnectionReset, Interrupted].some((gone) => thrown instanceof gone)) throw thrown;
    } finally {
      closeAnyway(connection);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#served.keys()) closeAnyway(connection);
    await Promise.all(this.#served.values());
  }
}
