/**
 * Starts the `ssh` on PATH. No other module of the commands starts a program.
 *
 * @module
 */

import { messageOf, ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { permissionHint } from "../permission.ts";
import { NO_SSH, sshCommand } from "./user_environment.ts";

/** The timeout for an ssh that does not connect, in milliseconds. It can look up names. */
const TIMEOUT_MS = 10_000;

/**
 * Runs ssh, for at most `timeout` milliseconds. Returns its exit status and output.
 *
 * @throws {ProxyError} of kind `missing` without ssh, `permission`, `timeout`, `resource`
 */
export async function runSsh(args: readonly string[], timeout: number = TIMEOUT_MS): Promise<Deno.CommandOutput> {
  const signal = AbortSignal.timeout(timeout);
  const output = await spawn(args, { stdout: "piped", signal }).output();
  if (output.code === NO_SSH) throw missingSsh();
  if (!signal.aborted) return output;
  throw new ProxyError("timeout", `ssh: it did not end within ${timeout / 1000} s`);
}

/**
 * Starts ssh with a pipe for its stderr. Discards its standard output.
 *
 * @throws {ProxyError} of kind `missing` without ssh, `permission`, `resource`
 */
export function startSsh(args: readonly string[]): Deno.ChildProcess {
  return spawn(args, { stdout: "null" });
}

type Options = Pick<Deno.CommandOptions, "stdout" | "signal" | "env">;

function spawn(args: readonly string[], options: Options): Deno.ChildProcess {
  const [command, ...first] = sshCommand();
  try {
    return new Deno.Command(command, { args: [...first, ...args], stdin: "null", stderr: "piped", ...options }).spawn();
  } catch (thrown) {
    const reason = messageOf(thrown);
    if (thrown instanceof Deno.errors.NotFound) throw missingSsh(thrown);
    // Without PATH, Deno reports a missing ssh before a missing permission.
    const isDenied = Deno.permissions.querySync({ name: "run", command }).state !== "granted";
    if (thrown instanceof Deno.errors.NotCapable || isDenied) {
      // Deno starts no program with variables that could load code into it. Empty values load nothing.
      const loaders = reason.match(/\b(?:LD|DYLD)_\w+/g) ?? [];
      if (loaders.length > 0 && options.env === undefined) {
        return spawn(args, { ...options, env: Object.fromEntries(loaders.map((name) => [name, ""])) });
      }
      throw new ProxyError("permission", "ssh: Deno was not allowed to start it", {
        cause: thrown,
        hint: loaders.length > 0 ? `unset ${loaders.join(" ")}` : permissionHint("--allow-run=ssh"),
      });
    }
    throw new ProxyError("resource", `ssh: it cannot be started: ${escapeForTerminal(reason)}`, { cause: thrown });
  }
}

function missingSsh(cause?: unknown): ProxyError {
  return new ProxyError("missing", "ssh: it is not on PATH", {
    cause,
    hint: "on Debian: apt-get install openssh-client",
  });
}
