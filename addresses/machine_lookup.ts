/**
 * Looks up the address of a machine: first with the user's systemd-machined, then with the system's.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import { SystemError } from "../ffi/errno.ts";
import type { Library } from "../ffi/library.ts";
import { isDatagramSocket, runtimeDirectory } from "../ffi/socket.ts";
import type { ResolveContext } from "./form.ts";
import { containerError, machineError, unknownMachineError, unreachableMachineError } from "./machine_errors.ts";
import { findMachine, type Machine } from "./machined.ts";
import { shortPath } from "./socket_path.ts";
import { VMADDR_ANY } from "./vsock.ts";

/** The runtime directory of the system's own programs. */
export const SYSTEM_RUNTIME_DIRECTORY = "/run";

/** Returns the path of the socket of the systemd-machined with this runtime directory. */
export function machinedSocketPath(runtimeDirectory: string): string {
  return `${runtimeDirectory}/systemd/machine/io.systemd.Machine`;
}

/** Returns the directory in which systemd-nspawn makes the sockets of its containers. */
export function nspawnDirectory(runtimeDirectory: string): string {
  return `${runtimeDirectory}/systemd/nspawn`;
}

/**
 * Returns the address that the name of `target` stands for at this moment. A user's systemd-machined that does not run,
 * cannot be asked or does not know the name is skipped.
 *
 * @throws {ProxyError}
 */
export async function resolveMachine(target: { readonly name: string }, context: ResolveContext): Promise<string> {
  const { library, deadline } = context;
  let answered = false;
  for (const directory of [runtimeDirectory(library), SYSTEM_RUNTIME_DIRECTORY]) {
    if (directory === undefined) continue;
    let machine;
    try {
      machine = await findMachine(library, machinedSocketPath(directory), target.name, deadline);
      answered = true;
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
      const skipped = directory === SYSTEM_RUNTIME_DIRECTORY ? ["missing"] : ["missing", "unreachable", "permission"];
      if (!skipped.includes(thrown.kind)) throw machineError(target, thrown);
    }
    if (machine !== undefined) return machineAddress({ machine, directory }, context);
  }
  throw unknownMachineError(target, answered);
}

/** A machine, and the runtime directory of the systemd-machined that knows it. */
export interface KnownMachine {
  readonly machine: Machine;
  readonly directory: string;
}

/**
 * Returns the address of a known machine.
 *
 * @throws {ProxyError} where the machine has none
 */
export function machineAddress(
  { machine, directory }: KnownMachine,
  { library, isSocketAddress }: Pick<ResolveContext, "library" | "isSocketAddress">,
): string {
  const { name, class: kind, service, vSockCid = VMADDR_ANY, sshAddress = "" } = machine;
  if (kind === "container" && service === "systemd-nspawn") {
    const newer = `${nspawnDirectory(directory)}/${name}/unix-export/ssh`;
    const older = `${nspawnDirectory(directory)}/unix-export/${name}/ssh`;
    const path = [newer, older].find((path) => exists(path, library));
    if (path === undefined) throw containerError(machine, newer);
    return `unix/${shortPath(path)}`;
  }
  // systemd registers VMADDR_CID_ANY for a virtual machine without a CID.
  if (kind === "vm" && vSockCid !== VMADDR_ANY) return `vsock/${vSockCid}`;
  // A machine can be registered with anything that ssh takes.
  if (isSocketAddress(sshAddress)) return sshAddress;
  throw unreachableMachineError(machine);
}

/** Returns whether `path` exists, as far as this user can see. */
function exists(path: string, library: Library): boolean {
  try {
    isDatagramSocket(library, path);
    return true;
  } catch (thrown) {
    return !(thrown instanceof SystemError && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR"));
  }
}
