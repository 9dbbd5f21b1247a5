/**
 * The one error that this program's own modules throw on purpose, and the exit codes that its kinds have.
 *
 * @module
 */

import { escapeForTerminal } from "./text.ts";

/**
 * Why a connection could not be made or handed over.
 *
 * - `usage`: the address, the port or an option is not one.
 * - `missing`: the socket's path does not exist.
 * - `unreachable`: nothing answers there: refused, reset, no listener in the guest, no such CID or machine.
 * - `defect`: this program is wrong.
 * - `resource`: the system refused a resource, or the native library cannot be loaded.
 * - `handover`: the connection was made, but whoever asked for it cannot take it; or standard output takes nothing.
 * - `timeout`: the deadline passed.
 * - `protocol`: the multiplexer's, or systemd-machined's, answer is not one of its protocol.
 * - `permission`: the socket's mode, or Deno's `--allow-ffi`, does not allow it.
 * - `configuration`: `ssh` is configured not to use this program.
 */
export type ErrorKind =
  | "usage"
  | "missing"
  | "unreachable"
  | "defect"
  | "resource"
  | "handover"
  | "timeout"
  | "protocol"
  | "permission"
  | "configuration";

/** The exit codes are those of sysexits.h that mean the same. */
const EXIT_CODES: Record<ErrorKind, number> = {
  usage: 64,
  missing: 66,
  unreachable: 69,
  defect: 70,
  resource: 71,
  handover: 74,
  timeout: 75,
  protocol: 76,
  permission: 77,
  configuration: 78,
};

/** More of an error than its kind and message. */
export interface ProxyErrorOptions extends ErrorOptions {
  /** What to do about it, where something can be done. */
  hint?: string | undefined;
  /** Whether whoever asked is gone, so that a terminal has the prompt of a shell again by now. */
  isUnattended?: boolean;
}

/**
 * An error with what a person needs: what failed, why, and what to do about it.
 *
 * @example
 * ```ts
 * import { ProxyError } from "@deno-ssh-proxy/deno-ssh-proxy";
 *
 * const error = new ProxyError("missing", "unix/run/app.sock: it does not exist", { hint: "start the app" });
 * console.assert(error.exitCode === 66);
 * ```
 */
export class ProxyError extends Error {
  /** Tells this error from others where only its name is at hand. */
  override readonly name = "ProxyError";
  /** What kind of failure it is. */
  readonly kind: ErrorKind;
  /** What to do about it, in one line, where something can be done. */
  readonly hint: string | undefined;
  /** Whether whoever asked is gone. */
  readonly isUnattended: boolean;

  /** `message` is one line: what failed, a colon, and why. */
  constructor(kind: ErrorKind, message: string, options: ProxyErrorOptions = {}) {
    super(message, options);
    this.kind = kind;
    this.hint = options.hint;
    this.isUnattended = options.isUnattended ?? false;
  }

  /** The exit code of a program that fails with this error, as in sysexits.h. */
  get exitCode(): number {
    return EXIT_CODES[this.kind];
  }
}

/** `thrown` itself, or where it is no `ProxyError` (which is a defect here), one that says so. */
export function asProxyError(thrown: unknown): ProxyError {
  if (thrown instanceof ProxyError) return thrown;
  const what = thrown instanceof Error
    ? `${thrown.name}: ${thrown.message}`
    : typeof thrown === "object"
    ? Deno.inspect(thrown)
    : String(thrown);
  return new ProxyError("defect", `a defect in this program: ${escapeForTerminal(what)}`, {
    cause: thrown,
    hint: "please report it with the command line that led to it",
  });
}

/**
 * What a person reads of `error` on stderr: one line, and a second one where there is something to do. Names in it are cut by
 * whoever put them there; here nothing of the whole is let through that could steer a terminal.
 */
export function formatError({ message, hint }: Pick<ProxyError, "message" | "hint">): string {
  const line = (text: string) => `${escapeForTerminal(text, Infinity)}\n`;
  return `deno-ssh-proxy: ${line(message)}${hint === undefined ? "" : `  ${line(hint)}`}`;
}

/** Tells a person on stderr what was `thrown`, and gives the exit code that goes with it. */
export function reportError(thrown: unknown): number {
  const error = asProxyError(thrown);
  if (!(error.isUnattended && Deno.stderr.isTerminal())) writeStderr(formatError(error));
  return error.exitCode;
}

/** Writes `text` to stderr. Where that is closed or full it is lost: the exit code still says how things went. */
export function writeStderr(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // As it says.
  }
}
