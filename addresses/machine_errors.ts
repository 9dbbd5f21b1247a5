/**
 * The errors of looking up a machine.
 *
 * @module
 */

import type { Deadline } from "../core/deadline.ts";
import { ProxyError } from "../core/errors.ts";
import { formatSeconds } from "../core/deadline.ts";
import { escapeForTerminal } from "../core/text.ts";
import type { SystemError } from "../ffi/errno.ts";
import { prefixedError, type Reason } from "./form.ts";
import type { MachineTarget } from "./machine.ts";
import type { Machine } from "./machined.ts";
import { explainUnixFailure } from "./unix_failure.ts";

const NO_MACHINED = "systemd-machined does not run";
const MACHINED_HINT = "systemctl start systemd-machined (on Debian, the package systemd-container has it)";

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

/** Returns the error for a systemd-machined that could not be asked about `target`. */
export function machineError({ name }: MachineTarget, error: ProxyError): ProxyError {
  return prefixedError(`machine/${name}: `, error);
}

/** Returns the error for a name that no systemd-machined knows, or, unless one `answered`, that none could be asked about. */
export function unknownMachineError(target: MachineTarget, answered: boolean): ProxyError {
  return answered
    ? unreachable(target, "no such machine", "machinectl list shows those there are")
    : unreachable(target, NO_MACHINED, MACHINED_HINT);
}

/** Returns the error for a container without a socket at `path`, where systemd-nspawn would make it. */
export function containerError(target: MachineTarget, path: string): ProxyError {
  return unreachable(
    target,
    `${escapeForTerminal(path)} does not exist`,
    "is the container up, with systemd 256 or later and an sshd in it?",
  );
}

/** Returns the error for a known machine without a local address. */
export function unreachableMachineError(target: MachineTarget, machine: Machine): ProxyError {
  const { class: kind, service, sshAddress } = machine;
  if (kind === "host") return unreachable(target, "it is this machine itself", "write .host");
  return sshAddress === undefined
    ? unreachable(
      target,
      `a ${escapeForTerminal(kind)}${
        service ? ` of ${escapeForTerminal(service)}` : ""
      } with neither a CID nor an address for ssh`,
      "where you know the path of its socket, write unix/PATH",
    )
    : unreachable(
      target,
      `its address for ssh is '${escapeForTerminal(sshAddress)}', not that of a local socket`,
      "where it is a host's name, ssh reaches that without this program",
    );
}

function unreachable(target: MachineTarget, why: string, hint: string): ProxyError {
  return new ProxyError("unreachable", `${addressOf(target)}: ${why}`, { hint });
}

function addressOf({ name }: MachineTarget): string {
  return escapeForTerminal(`machine/${name}`);
}
