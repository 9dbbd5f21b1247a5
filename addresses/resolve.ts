/**
 * Looks up the target that a name stands for.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";
import { type AnyTarget, type DialContext, prefixedError } from "./form.ts";
import { formOf, isSocketTarget, type SocketTarget, type Target } from "./forms.ts";
import { formatTarget, isSocketAddress, parseTarget } from "./target.ts";

/**
 * Returns the target that `target` stands for at this moment: itself, if it is a socket.
 *
 * @throws {ProxyError}
 */
export async function resolveTarget(target: Target, context: DialContext): Promise<SocketTarget> {
  const form = formOf(target);
  if (!("resolve" in form)) return target as SocketTarget;
  const address = await form.resolve(target, { ...context, isSocketAddress });
  let resolved;
  try {
    resolved = parseTarget(address, String((target as AnyTarget).port));
  } catch (thrown) {
    throw thrown instanceof ProxyError ? prefixedError(formatTarget(target), thrown) : thrown;
  }
  if (isSocketTarget(resolved)) return resolved;
  throw resolvedError(
    target,
    new ProxyError("configuration", `${escapeForTerminal(formatTarget(resolved))}, which is a name too`),
  );
}

/** Returns the error of a connection to the target that `target` stands for. */
export function resolvedError(target: Target, error: ProxyError): ProxyError {
  return prefixedError(formatTarget(target), error, " is ");
}
