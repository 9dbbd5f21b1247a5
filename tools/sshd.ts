/**
 * A real sshd of the tests' own, and the ways to it: its AF_UNIX socket, and doors before that.
 *
 * @module
 */

import { Folder } from "./checkout.ts";
import { outputOf } from "./programs.ts";
import { Tied } from "./tied.ts";
import { connectWhenThere } from "./waiting.ts";

/** An sshd that socat starts for every connection to a socket. Whoever has the key logs in as whoever runs the tests. */
export class Sshd implements AsyncDisposable {
  /** Where its keys and its socket are. */
  readonly folder = new Folder();
  /** The command line with which it serves its standard input. */
  readonly words: string[];
  #socat: Tied | undefined;
  readonly #doors: Door[] = [];

  private constructor(program: string) {
    this.words = [program, "-i", "-f", this.folder.at("sshd_config")];
  }

  static async start(): Promise<Sshd> {
    const sshd = new Sshd(outputOf("sh", "-c", "PATH=$PATH:/usr/sbin command -v sshd").trim());
    const { folder } = sshd;
    for (const name of ["host", "user"]) {
      outputOf("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.at(name));
    }
    folder.file(
      "sshd_config",
      `HostKey ${folder.at("host")}\nAuthorizedKeysFile ${folder.at("user.pub")}\nStrictModes no\nUsePAM no\n` +
        `PermitRootLogin yes\nSubsystem sftp internal-sftp\n`,
    );
    // Privilege separation wants this folder, which a package's start-up script makes otherwise.
    outputOf("sh", "-c", '[ "$(id -u)" != 0 ] || mkdir -p -m 755 /run/sshd');
    sshd.#socat = new Tied(
      ["socat", `UNIX-LISTEN:${sshd.socket},fork`, `EXEC:${sshd.words.join(" ")},nofork`],
      folder.at("socat.log"),
    );
    (await sshd.#socat.needed(connectWhenThere(sshd.socket))).close();
    return sshd;
  }

  /** Its socket. The name has capital letters on purpose: ssh lower-cases host names. */
  get socket(): string {
    return this.folder.at("Sshd.sock");
  }

  /** The private key that it lets in. */
  get key(): string {
    return this.folder.at("user");
  }

  connect(): Promise<Deno.UnixConn> {
    return Deno.connect({ transport: "unix", path: this.socket });
  }

  /** A new socket that leads to it. */
  unixDoor(greet?: Greeting, path = this.folder.at(`door${this.#doors.length}.sock`)): Door {
    return this.#open(Deno.listen({ transport: "unix", path }), greet);
  }

  /** A new port of 127.0.0.1 that leads to it. */
  tcpDoor(): Door {
    return this.#open(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  }

  #open(listener: Deno.Listener, greet?: Greeting): Door {
    const door = new Door(listener, this, greet);
    this.#doors.push(door);
    return door;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const door of this.#doors) door.close();
    await this.#socat?.[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** What is said to whoever comes, and whether the sshd follows. */
export type Greeting = (connection: Deno.Conn) => Promise<boolean>;

/** Something that listens, and copies between whoever comes and the sshd. */
export class Door {
  readonly #listener: Deno.Listener;
  /** How many have come so far. */
  visitors = 0;
  /** Those who are still here. */
  readonly #visits = new Set<Promise<unknown>>();

  constructor(listener: Deno.Listener, sshd: Sshd, greet: Greeting = () => Promise.resolve(true)) {
    this.#listener = listener;
    (async () => {
      for await (const connection of listener) {
        this.visitors++;
        // ssh hangs up without waiting for the rest: that is the end, not a failure.
        const visit = this.#serve(connection, sshd, greet).catch(() => {});
        this.#visits.add(visit);
        visit.finally(() => this.#visits.delete(visit));
      }
    })().catch(() => {});
  }

  async #serve(connection: Deno.Conn, sshd: Sshd, greet: Greeting): Promise<void> {
    using visitor = connection;
    if (!await greet(visitor)) return;
    const inside = await sshd.connect();
    await Promise.allSettled([visitor.readable.pipeTo(inside.writable), inside.readable.pipeTo(visitor.writable)]);
  }

  /** The path of a unix door. */
  get path(): string {
    return (this.#listener.addr as Deno.UnixAddr).path;
  }

  /** The port of a TCP door. */
  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Until everybody who came has gone. */
  async empty(): Promise<void> {
    await Promise.all(this.#visits);
  }

  close(): void {
    this.#listener.close();
  }
}
