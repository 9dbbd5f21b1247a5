/**
 * The errors of asking systemd-machined.
 *
 * @module
 */

import { type Deadline, formatSeconds } from "../core/deadline.ts";
import { ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";
import type { SystemError } from "../ffi/errno.ts";
import type { Reason } from "./form.ts";
import { explainUnixFailure } from "./unix_failure.ts";

export const NO_MACHINED = "systemd-machined does not run";
export const MACHINED_HINT = "systemctl start systemd-machined (on Debian, the package systemd-container has it)";

/** Returns the error for a system error of the socket at `path` of a systemd-machined. */
export function machinedError(path: string, cause: SystemError, deadline: Deadline): ProxyError {
  const [kind, why, hint] = machinedReason(path, cause, deadline) ?? ["resource", cause.message];
  return new ProxyError(kind, `${escapeForTerminal(path)}: ${why}`, { cause, hint });
}

function machinedReason(path: string, cause: SystemError, deadline: Deadline): Reason | undefined {
  switch (cause.code) {
    case "ENOENT":
    case "ENOTDIR":
    case "ECONNREFUSED":
      return ["missing", NO_MACHINED, MACHINED_HINT];
    case "ETIMEDOUT":
      return ["timeout", `no answer within ${formatSeconds(deadline)}`];
    default:
      return explainUnixFailure({ path }, cause, deadline);
  }
}

/** Returns the error for a varlink error with which a systemd-machined replies. */
export function varlinkError(path: string, error: string): ProxyError {
  const [kind, why, hint]: Reason = error === "org.varlink.service.InvalidParameter"
    ? ["usage", "no machine can have this name"]
    : error === "org.varlink.service.MethodNotFound"
    ? ["unreachable", "this systemd-machined cannot be asked", "that of systemd 257 and later can"]
    : ["protocol", `the answer was the error ${escapeForTerminal(error)}`];
  return new ProxyError(kind, `${escapeForTerminal(path)}: ${why}`, { hint });
}

/** Returns the error for a malformed reply; undefined stands for a connection that was closed without one. */
export function malformedReplyError(path: string, reply: string | undefined): ProxyError {
  const [kind, why] = reply === undefined
    ? ["unreachable", "closed without an answer"] as const
    : ["protocol", `the answer was "${escapeForTerminal(reply)}", not one of systemd-machined's`] as const;
  return new ProxyError(kind, `${escapeForTerminal(path)}: ${why}`);
}
