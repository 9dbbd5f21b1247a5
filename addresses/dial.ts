/**
 * From any target to a connected socket.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import type { Socket } from "../ffi/socket.ts";
import { connectTarget } from "./connect.ts";
import { type DialContext, prefixedError } from "./form.ts";
import { formOf, isSocketTarget, type SocketTarget, type Target } from "./forms.ts";
import { formatTarget, isSocketAddress, parseTarget } from "./target.ts";

/**
 * Connects to `target` until the deadline. The next byte that the socket receives is the server's first.
 *
 * @throws {ProxyError}
 */
export async function dial(target: Target, context: DialContext): Promise<Socket> {
  if (isSocketTarget(target)) return await connectTarget(target, context);
  const resolved = await resolveTarget(target, context);
  try {
    return await connectTarget(resolved, context);
  } catch (thrown) {
    throw thrown instanceof ProxyError ? prefixedError(`${formatTarget(target)} is `, thrown) : thrown;
  }
}

/**
 * Returns the target that `target` stands for at this moment: itself, if it is a socket.
 *
 * @throws {ProxyError}
 */
export async function resolveTarget(target: Target, context: DialContext): Promise<SocketTarget> {
  const form = formOf(target);
  if (!("resolve" in form)) return target as SocketTarget;
  const address = await form.resolve(target, { ...context, isSocketAddress });
  try {
    return parseTarget(address, String((target as { port?: number }).port ?? 0)) as SocketTarget;
  } catch (thrown) {
    throw thrown instanceof ProxyError ? prefixedError(`${formatTarget(target)}: `, thrown) : thrown;
  }
}
