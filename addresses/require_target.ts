/**
 * Targets that a program has made by itself. A separate module, so that the ProxyCommand's bundle does not contain it.
 *
 * @module
 */

import { escapeForTerminal } from "../core/text.ts";
import { ProxyError } from "../core/errors.ts";
import { formatTarget, parseTarget, type Target } from "./target.ts";

/**
 * Returns `target`, where {@linkcode parseTarget} could have made it.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function requireTarget(target: Target): Target {
  const fields: Partial<Record<string, unknown>> = Object(target);
  const { kind, path, name, port = "0" } = fields;
  const isOne = kind === "vsock" || kind === "machine" && typeof name === "string" ||
    (kind === "unix" || kind === "vsock-mux") && typeof path === "string";
  if (isOne && (kind === "unix" || typeof port === "number")) {
    const parsed = parseTarget(formatTarget(target), kind === "unix" ? "0" : String(port));
    if (Object.entries(parsed).every(([field, value]) => fields[field] === value)) return parsed;
  }
  throw new ProxyError("usage", `target ${escapeForTerminal(Deno.inspect(target))}: not a target`, {
    hint: "parseTarget makes one of an address and a port",
  });
}
