/**
 * Reports errors on stderr. Only failures need this.
 *
 * @module
 */

import { ProxyError } from "./errors.ts";
import { escapeForTerminal } from "./text.ts";

/** Returns `thrown` if it is a {@linkcode ProxyError}, and otherwise one of kind `defect` for it. */
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

/** Formats an error for stderr: a line for the message, and another one for the hint. Escapes both for a terminal. */
export function formatError({ message, hint }: Pick<ProxyError, "message" | "hint">): string {
  const line = (text: string) => `${escapeForTerminal(text, Infinity)}\n`;
  return `deno-ssh-proxy: ${line(message)}${hint === undefined ? "" : `  ${line(hint)}`}`;
}

/** Writes `thrown` to stderr, and returns its exit code. */
export function reportError(thrown: unknown): number {
  const error = asProxyError(thrown);
  if (!(error.isUnattended && Deno.stderr.isTerminal())) writeStderr(formatError(error));
  return error.exitCode;
}

/** Writes `text` to stderr. If that is closed or full, the text is lost, and the exit code has to do. */
export function writeStderr(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // The text is lost.
  }
}
