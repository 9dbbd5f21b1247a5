/**
 * The errors of looking up a machine.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";
import { prefixedError } from "./form.ts";
import type { Machine } from "./machined.ts";
import { MACHINED_HINT, NO_MACHINED } from "./machined_errors.ts";

/** A machine by its name. */
type NamedMachine = Pick<Machine, "name">;

/** Returns the error for a systemd-machined that could not be asked about `target`. */
export function machineError({ name }: NamedMachine, error: ProxyError): ProxyError {
  return prefixedError(`machine/${name}`, error);
}

/** Returns the error for a name that no systemd-machined knows, or, unless one `answered`, that none could be asked about. */
export function unknownMachineError(target: NamedMachine, answered: boolean): ProxyError {
  return answered
    ? unreachable(target, "no such machine", "machinectl list shows those there are")
    : unreachable(target, NO_MACHINED, MACHINED_HINT);
}

/** Returns the error for a container without a socket at `path`, where systemd-nspawn would make it. */
export function containerError(target: NamedMachine, path: string): ProxyError {
  return unreachable(
    target,
    `${escapeForTerminal(path)} does not exist`,
    "is the container up, with systemd 256 or later and an sshd in it?",
  );
}

/** Returns the error for a known machine without a local address. */
export function unreachableMachineError(machine: Machine): ProxyError {
  const { class: kind, service, sshAddress } = machine;
  if (kind === "host") return unreachable(machine, "it is this machine itself", "write .host");
  return sshAddress === undefined
    ? unreachable(
      machine,
      `a ${escapeForTerminal(kind)}${
        service ? ` of ${escapeForTerminal(service)}` : ""
      } with neither a CID nor an address for ssh`,
      "where you know the path of its socket, write unix/PATH",
    )
    : unreachable(
      machine,
      `its address for ssh is '${escapeForTerminal(sshAddress)}', not that of a local socket`,
      "where it is a host's name, ssh reaches that without this program",
    );
}

function unreachable(target: NamedMachine, why: string, hint: string): ProxyError {
  return new ProxyError("unreachable", `${addressOf(target)}: ${why}`, { hint });
}

function addressOf({ name }: NamedMachine): string {
  return escapeForTerminal(`machine/${name}`);
}
