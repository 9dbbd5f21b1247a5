/**
 * Lists the machines that systemd-machined knows: the user's, then the system's.
 *
 * @module
 */

import { machineAddress, machinedSocketPath, SYSTEM_RUNTIME_DIRECTORY } from "../../addresses/machine_lookup.ts";
import { listMachines } from "../../addresses/machined.ts";
import { formatTarget, isSocketAddress, parseTarget } from "../../addresses/target.ts";
import { Deadline } from "../../core/deadline.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Library } from "../../ffi/library.ts";
import { runtimeDirectory } from "../../ffi/socket.ts";
import type { ListEntry } from "./entry.ts";

/** The timeout for each systemd-machined, in milliseconds. */
const TIMEOUT = 3_000;

/** The machines, and warnings about what may be missing. */
export interface MachineSearch {
  readonly found: readonly ListEntry[];
  /** The addresses that the machines stand for, which are not listed a second time. */
  readonly addresses: ReadonlySet<string>;
  readonly warnings: readonly ProxyError[];
}

/** The longest name of a machine, that of a host (systemd's hostname_is_valid()). */
const LONGEST_NAME = 64;

/** Lists the machines with an address for `ssh`. A systemd-machined that does not run knows none. */
export async function findMachines(library: Library): Promise<MachineSearch> {
  const found = new Map<string, ListEntry>();
  const addresses = new Set<string>();
  const warnings: ProxyError[] = [];
  for (const directory of new Set([runtimeDirectory(library), SYSTEM_RUNTIME_DIRECTORY])) {
    if (directory === undefined) continue;
    try {
      for (const machine of await listMachines(library, machinedSocketPath(directory), new Deadline(TIMEOUT))) {
        // This machine itself, or a name that no machine can have.
        if (machine.class === "host" || machine.name.length > LONGEST_NAME) continue;
        try {
          const target = parseTarget(`machine/${machine.name}`, "22");
          const address = formatTarget(target);
          // A name for something else, or one that the user's systemd-machined has too.
          if (target.kind !== "machine" || found.has(address)) continue;
          const known = { machine, directory };
          const resolved = machineAddress(known, { library, isSocketAddress });
          addresses.add(formatTarget(parseTarget(resolved, String(target.port))));
          const kind = machine.class === "container" ? "container" : "virtual-machine";
          const what = kind === "container" ? "container" : "virtual machine";
          found.set(address, { address, kind, source: "machined", what, name: machine.name, cid: machine.vSockCid });
        } catch (thrown) {
          // Its name cannot be an address, or it has no address for ssh.
          if (!(thrown instanceof ProxyError)) throw thrown;
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
      if (thrown.kind !== "missing") warnings.push(thrown);
    }
  }
  return { found: [...found.values()], addresses, warnings };
}
