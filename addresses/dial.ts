/**
 * From any target to a connected socket.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import type { Socket } from "../ffi/socket.ts";
import { connectTarget } from "./connect.ts";
import type { DialContext } from "./form.ts";
import { isSocketTarget, type Target } from "./forms.ts";

/**
 * Connects to `target` until the deadline. The next byte that the socket receives is the server's first.
 *
 * @throws {ProxyError}
 */
export async function dial(target: Target, context: DialContext): Promise<Socket> {
  if (isSocketTarget(target)) return await connectTarget(target, context);
  const { resolvedError, resolveTarget } = await import("./resolve.ts");
  const resolved = await resolveTarget(target, context);
  try {
    return await connectTarget(resolved, context);
  } catch (thrown) {
    throw thrown instanceof ProxyError ? resolvedError(target, thrown) : thrown;
  }
}
