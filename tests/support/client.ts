/**
 * The real ssh, and what runs it, configured with the installed program.
 *
 * @module
 */

import { outputOf } from "../../tools/programs.ts";
import type { Sshd } from "../../tools/sshd.ts";
import { Installation } from "./installation.ts";

/** How a program ended and what it printed. */
export interface Ran {
  code: number;
  bytes: Uint8Array<ArrayBuffer>;
  out: string;
  err: string;
}

/** The configuration of a user who has an sshd's key, and this program's fragment with aliases. */
export class Client implements Disposable {
  /** What is installed. */
  readonly installation = new Installation();
  /** The path of the configuration. */
  readonly config: string;

  /** `options` are those of `config`. */
  constructor(sshd: Sshd, ...options: readonly string[]) {
    const { prefix, shim } = this.installation;
    const fragment = options.length === 0
      ? `${prefix}/share/deno-ssh-proxy/ssh_config`
      : sshd.folder.file("fragment", outputOf(shim, "config", ...options));
    this.config = sshd.folder.file(
      "ssh_config",
      `Host 127.0.0.1\n    StrictHostKeyChecking no\n    UserKnownHostsFile /dev/null\n` +
        `Host *\n    IdentityFile ${sshd.key}\n    IdentitiesOnly yes\n    BatchMode yes\n    LogLevel ERROR\n` +
        `Include "${fragment}"\n`,
    );
  }

  /** Starts `program` (ssh, scp, sftp) with this configuration. */
  start(program: string, args: string[], stdin: "null" | "piped" = "null"): Deno.ChildProcess {
    return new Deno.Command(program, {
      args: ["-F", this.config, ...args],
      stdin,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** Runs it to its end. */
  async run(program: string, args: string[], input?: Uint8Array<ArrayBuffer>): Promise<Ran> {
    const child = this.start(program, args, input === undefined ? "null" : "piped");
    const sending = input === undefined ? undefined : new Blob([input]).stream().pipeTo(child.stdin);
    const [{ code, stdout, stderr }] = await Promise.all([child.output(), sending]);
    return { code, bytes: stdout, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  }

  [Symbol.dispose](): void {
    this.installation[Symbol.dispose]();
  }
}
