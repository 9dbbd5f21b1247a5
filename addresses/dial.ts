/**
 * From any target to a connected socket: find out where a machine is, if it is one, and dial.
 *
 * @module
 */

import type { Library } from "../ffi/library.ts";
import type { Socket } from "../ffi/socket.ts";
import { connectTarget } from "./connect.ts";
import { ProxyError } from "../core/errors.ts";
import { machineError } from "./explain.ts";
import { resolveMachine } from "./machine.ts";
import type { Deadline } from "../core/deadline.ts";
import type { Target } from "./target.ts";

/**
 * Connects to `target` until `deadline`. The next byte that the socket gives is the server's first.
 *
 * @throws {ProxyError}
 */
export async function dial(target: Target, library: Library, deadline: Deadline): Promise<Socket> {
  if (target.kind !== "machine") return await connectTarget(target, library, deadline);
  const place = await resolveMachine(target, library, deadline);
  try {
    return await connectTarget(place, library, deadline);
  } catch (thrown) {
    throw thrown instanceof ProxyError ? machineError(target, thrown, place) : thrown;
  }
}
