/**
 * The error that the modules of this program throw on purpose, and its exit codes.
 *
 * @module
 */

/**
 * Why a connection could not be made or handed over.
 *
 * - `usage`: the address, the port or an option is invalid.
 * - `missing`: the socket's path does not exist.
 * - `unreachable`: nothing answers: refused, reset, no listener in the guest, no such CID or machine.
 * - `defect`: this program has a bug.
 * - `resource`: the system refused a resource, or the native library cannot be loaded.
 * - `handover`: the connection was made, but the client cannot take it; or standard output cannot be written to.
 * - `timeout`: the deadline passed.
 * - `protocol`: the answer of the multiplexer, of systemd-machined or of the server is not of its protocol.
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

/** The exit codes, of the same meaning in sysexits.h. */
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

/** Returns the message of any value that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Options of a {@linkcode ProxyError}. */
export interface ProxyErrorOptions extends ErrorOptions {
  /** What to do, in one line. */
  hint?: string | undefined;
  /** Whether the client is gone, so that a terminal has the prompt of a shell again. */
  isUnattended?: boolean;
}

/**
 * An error for a person: its message says what failed and why, and its hint what to do.
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
  /** The name of the class. */
  override readonly name = "ProxyError";
  /** The kind of failure. */
  readonly kind: ErrorKind;
  /** What to do, in one line; undefined if there is nothing to do. */
  readonly hint: string | undefined;
  /** Whether the client is gone. */
  readonly isUnattended: boolean;

  /** `message` is one line: the subject, a colon, and what happened. */
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
