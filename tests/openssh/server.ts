/**
 * A real sshd behind an AF_UNIX socket, a hybrid-vsock multiplexer before it, and the configuration with which the real
 * ssh reaches both through this program.
 *
 * @module
 */

const checkout = new URL("../../", import.meta.url).pathname;

async function run(command: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** A folder with an sshd of its own. It ends with its scope. */
export class Server implements AsyncDisposable {
  readonly folder: string;
  readonly #socat: Deno.ChildProcess;
  readonly #listeners: Deno.Listener[] = [];

  private constructor(folder: string, socat: Deno.ChildProcess) {
    this.folder = folder;
    this.#socat = socat;
  }

  /** The sshd's socket. Its name has capital letters on purpose: ssh lower-cases host names. */
  get socket(): string {
    return `${this.folder}/Sshd.sock`;
  }

  static async start(): Promise<Server> {
    const folder = await Deno.makeTempDir({ prefix: "deno-ssh-proxy-" });
    for (const name of ["host", "user"]) {
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${name}`]);
    }
    await Deno.writeTextFile(
      `${folder}/sshd_config`,
      `HostKey ${folder}/host\nAuthorizedKeysFile ${folder}/user.pub\nStrictModes no\nUsePAM no\n` +
        `PermitRootLogin yes\nSubsystem sftp internal-sftp\n`,
    );
    const library = `${checkout}rust/target/release/libdeno_ssh_proxy.so`;
    const fragment = await run(Deno.execPath(), [
      "run",
      "--no-prompt",
      `--allow-ffi=${library}`,
      `${checkout}cli.ts`,
      "config",
    ]);
    // Privilege separation wants this folder, which a package's start-up script makes otherwise.
    if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true, mode: 0o755 });
    await Deno.writeTextFile(
      `${folder}/ssh_config`,
      `Host alias\n    HostName unix${folder.toLowerCase()}/lower.sock\n` +
        `Host *\n    IdentityFile ${folder}/user\n    BatchMode yes\n    LogLevel ERROR\n\n${fragment}`,
    );
    const sshd = (await run("sh", ["-c", "PATH=$PATH:/usr/sbin command -v sshd"])).trim();
    const socat = new Deno.Command("socat", {
      args: [`UNIX-LISTEN:${folder}/Sshd.sock,fork`, `EXEC:${sshd} -i -f ${folder}/sshd_config,nofork`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const server = new Server(folder, socat);
    for (;;) {
      try {
        (await Deno.connect({ transport: "unix", path: server.socket })).close();
        return server;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  /** A multiplexer that answers `CONNECT 22` with `answer` in those pieces, and then is the sshd; or closes. */
  multiplexer(answer: string[] | "closes"): string {
    const path = `${this.folder}/mux${this.#listeners.length}.sock`;
    const listener = Deno.listen({ transport: "unix", path });
    this.#listeners.push(listener);
    (async () => {
      for await (const connection of listener) this.#multiplex(connection, answer).catch(() => {});
    })().catch(() => {});
    return path;
  }

  async #multiplex(connection: Deno.Conn, answer: string[] | "closes"): Promise<void> {
    const request = new Uint8Array(64);
    const length = await connection.read(request) ?? 0;
    if (answer === "closes" || new TextDecoder().decode(request.subarray(0, length)) !== "CONNECT 22\n") {
      return connection.close();
    }
    for (const piece of answer) await connection.write(new TextEncoder().encode(piece));
    const sshd = await Deno.connect({ transport: "unix", path: this.socket });
    // ssh hangs up without waiting for the rest: that is the end, not a failure.
    await Promise.allSettled([connection.readable.pipeTo(sshd.writable), sshd.readable.pipeTo(connection.writable)]);
  }

  /** `program` (ssh, scp, sftp) with this server's configuration. */
  async run(program: string, args: string[], input?: Uint8Array<ArrayBuffer>) {
    const child = new Deno.Command(program, {
      args: ["-F", `${this.folder}/ssh_config`, ...args],
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const sending = input === undefined ? undefined : new Blob([input]).stream().pipeTo(child.stdin);
    const [{ code, stdout, stderr }] = await Promise.all([child.output(), sending]);
    return { code, bytes: stdout, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    this.#socat.kill("SIGTERM");
    await this.#socat.status;
    await Deno.remove(this.folder, { recursive: true });
  }
}
