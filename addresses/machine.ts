/**
 * From a machine's name to where its sshd is, as systemd-machined tells it: the user's, then the system's.
 *
 * @module
 */

import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { isDatagramSocket, runtimeFolder } from "../ffi/socket.ts";
import { ProxyError } from "../core/errors.ts";
import { containerError, machineError, unknownMachineError, unreachableMachineError } from "./explain.ts";
import { findMachine, type Machine } from "./machined.ts";
import type { Deadline } from "../core/deadline.ts";
import { anyPortError, type MachineTarget, parseTarget, type SocketTarget, VMADDR_ANY } from "./target.ts";

/** The runtime folder of the system's own programs. */
export const SYSTEM_RUNTIME_DIRECTORY = "/run";

/** The socket of the systemd-machined that has its sockets in the runtime folder `folder`. */
export function machinedSocketPath(folder: string): string {
  return `${folder}/systemd/machine/io.systemd.Machine`;
}

/**
 * What the name of `target` stands for at this moment. A user's systemd-machined that does not run, cannot be asked or
 * does not know the name is no obstacle.
 *
 * @throws {ProxyError}
 */
export async function resolveMachine(
  target: MachineTarget,
  library: Library,
  deadline: Deadline,
): Promise<SocketTarget> {
  let answered = false;
  for (const folder of [runtimeFolder(library), SYSTEM_RUNTIME_DIRECTORY]) {
    if (folder === undefined) continue;
    let machine;
    try {
      machine = await findMachine(library, machinedSocketPath(folder), target.name, deadline);
      answered = true;
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
      const passable = folder === SYSTEM_RUNTIME_DIRECTORY ? ["missing"] : ["missing", "unreachable", "permission"];
      if (!passable.includes(thrown.kind)) throw machineError(target, thrown);
    }
    if (machine !== undefined) return resolveEndpoint(target, machine, folder, library);
  }
  throw unknownMachineError(target, answered);
}

/**
 * Where `machine`, of the systemd-machined with the runtime folder `folder`, is reached.
 *
 * @throws {ProxyError} where it is not
 */
export function resolveEndpoint(
  target: MachineTarget,
  machine: Machine,
  folder: string,
  library: Library,
): SocketTarget {
  const { name, port } = target;
  if (machine.class === "container" && machine.service === "systemd-nspawn") {
    const newer = `${folder}/systemd/nspawn/${name}/unix-export/ssh`;
    const older = `${folder}/systemd/nspawn/unix-export/${name}/ssh`;
    const path = [newer, older].find((path) => isThere(path, library));
    if (path === undefined) throw containerError(target, newer);
    return { kind: "unix", path };
  }
  const place = vsockOf(machine) ?? addressOf(machine);
  if (place === undefined) throw unreachableMachineError(target, machine);
  if (place.kind === "unix") return place;
  if (place.kind === "vsock" && port === VMADDR_ANY) throw machineError(target, anyPortError());
  return { ...place, port };
}

/** Where a virtual machine with a CID is. VMADDR_CID_ANY is none: systemd writes it where a machine has no CID. */
function vsockOf({ class: kind, vSockCid = VMADDR_ANY }: Machine): SocketTarget | undefined {
  return kind === "vm" && vSockCid !== VMADDR_ANY ? { kind: "vsock", cid: vSockCid, port: 0 } : undefined;
}

/** The address that was registered for `ssh`, where it is one of ours. It may be anything that `ssh` takes. */
function addressOf({ sshAddress = "" }: Machine): SocketTarget | undefined {
  try {
    const place = parseTarget(sshAddress, "0");
    return place.kind === "machine" ? undefined : place;
  } catch {
    return undefined;
  }
}

/** Whether there is anything at `path`, as far as this user may know. */
function isThere(path: string, library: Library): boolean {
  try {
    isDatagramSocket(library, path);
    return true;
  } catch (thrown) {
    return !(thrown instanceof SystemError && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR"));
  }
}
