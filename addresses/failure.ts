/**
 * Explains a failed connection: the kind of error, its message, and a hint. Only a connection that has failed loads this.
 *
 * @module
 */

import { type Deadline, formatSeconds } from "../core/deadline.ts";
import { ProxyError } from "../core/errors.ts";
import { SystemError } from "../ffi/errno.ts";
import type { Reason } from "./form.ts";
import { formOf, type SocketTarget } from "./forms.ts";
import type { Obstacle } from "./obstacle.ts";
import { formatTarget, targetLabel } from "./target.ts";
import { explainObstacle, explainUnixFailure, type UnixSubject } from "./unix_failure.ts";
import { explainVsockFailure } from "./vsock_failure.ts";

export { findObstacle } from "./obstacle.ts";

/** Returns the error for a connection that could not be made; `obstacle` is what {@linkcode findObstacle} found. */
export function connectError(
  target: SocketTarget,
  cause: SystemError,
  deadline: Deadline,
  obstacle?: Obstacle,
): ProxyError {
  const [kind, why, hint] = reasonFor(target, cause, deadline, obstacle) ?? ["resource", cause.message];
  // A directory does not become a socket by itself. A regular file can: one is mounted over it.
  const lasting = obstacle?.is === "directory" ? SystemError.named("ENOTSOCK") : cause;
  return new ProxyError(kind, `${targetLabel(target)}: ${why}`, { cause: lasting, hint });
}

/** Returns the error for a system error in the handshake of `target`'s form, unless the form has its own. */
export function handshakeError(target: SocketTarget, cause: SystemError, deadline: Deadline): ProxyError {
  const [kind, why, hint] = handshakeReason(formOf(target).handshake!.peer, cause, deadline);
  return new ProxyError(kind, `${targetLabel(target)}: ${why}`, { cause, hint });
}

function handshakeReason(peer: string, cause: SystemError, deadline: Deadline): Reason {
  switch (cause.code) {
    case "ECONNRESET":
    case "EPIPE":
      return ["unreachable", `${peer} ended the connection in the handshake`];
    case "ETIMEDOUT":
      return ["timeout", `${peer} did not answer within ${formatSeconds(deadline)}`];
    default:
      return ["resource", cause.message];
  }
}

function reasonFor(
  target: SocketTarget,
  cause: SystemError,
  deadline: Deadline,
  obstacle: Obstacle | undefined,
): Reason | undefined {
  const form = formOf(target);
  const socket = form.endpoint(target);
  if (socket.family === "vsock") {
    return explainVsockFailure({ ...socket, address: formatTarget(target) }, cause, deadline);
  }
  const subject: UnixSubject = {
    path: socket.path,
    makerHint: form.makerHint,
    addressed: {
      address: formatTarget(target),
      form: form.name,
      usage: `${form.name}/${form.argument}`,
      takesPort: form.takesPort,
      withPath: form.atPath && ((path) => formatTarget(form.atPath!(target, path) as SocketTarget)),
    },
  };
  return obstacle === undefined ? explainUnixFailure(subject, cause, deadline) : explainObstacle(subject, obstacle);
}
