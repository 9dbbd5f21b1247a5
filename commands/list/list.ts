/**
 * `list`: what on this machine can be reached, each with the address to type.
 *
 * @module
 */

import { nspawnDirectory, SYSTEM_RUNTIME_DIRECTORY } from "../../addresses/machine_lookup.ts";
import { THIS_MACHINE_TARGET } from "../../addresses/this_machine.ts";
import { ProxyError } from "../../core/errors.ts";
import { formatError } from "../../core/report.ts";
import { SystemError } from "../../ffi/errno.ts";
import { command } from "../command.ts";
import { permissionHint } from "../permission.ts";
import { needsAlias } from "../ssh/needs_alias.ts";
import { type ListEntry, toJson, toTable, toTsv } from "./entry.ts";
import { findMachines } from "./machines.ts";
import { findContainers, findHost, findMonitors, type MonitorSearch, nameProcesses } from "./search.ts";

const NSPAWN_DIRECTORY = nspawnDirectory(SYSTEM_RUNTIME_DIRECTORY);

export const list = command({
  name: "list",
  brief: "lists what ssh can reach on this machine, by address",
  description: `Lists what on this machine ssh can reach, with the address to type: containers,
virtual machines, and this machine itself. It connects to none of them: it asks
systemd-machined, and looks at processes and at the folders of systemd-nspawn.

On a terminal it is a table. Elsewhere it is a line for each, with tabs: the
address, what it is, its name, and whether ssh needs an alias for it.`,
  arguments: [],
  options: { json: { brief: "prints a JSON array, with names that stay the same" } },
  async run({ out, err, library }, { json }) {
    const found: ListEntry[] = [];
    /** What may be missing in the list, and why. */
    const warnings: ProxyError[] = [];
    const machines = await findMachines(library);
    found.push(...machines.found);
    warnings.push(...machines.warnings);
    try {
      found.push(...await findContainers(library, NSPAWN_DIRECTORY));
    } catch (thrown) {
      warnings.push(directoryWarning(thrown));
    }
    try {
      const monitors = await findMonitors(library);
      found.push(...monitors.found, ...findHost(library));
      warnings.push(...monitorWarnings(monitors));
    } catch (thrown) {
      warnings.push(processWarning(thrown));
    }

    const all = distinct(found.filter(({ address }) => !machines.addresses.has(address)));
    if (json) await out.write(toJson(all));
    else await out.write(out.isTerminal && all.length > 0 ? toTable(all, out.columns) : toTsv(all));
    if (all.length === 0) await err.write(NOTHING);
    else if (out.isTerminal && !json && all.some(({ address }) => needsAlias(address))) await err.write(ALIAS);
    // What this program was not allowed to look at is an error; what this user is not, is as it should be.
    const failure = warnings.find(({ cause }) => cause instanceof Deno.errors.NotCapable);
    for (const warning of warnings) if (warning !== failure) await err.write(formatError(warning));
    if (failure !== undefined) throw failure;
    return 0;
  },
});

const NOTHING = formatError({
  message: "nothing was found that ssh could reach",
  hint: "looked for were machines of systemd-machined, containers of systemd-nspawn, Firecracker, Cloud Hypervisor, " +
    `vhost-device-vsock and QEMU with a vsock, and ${THIS_MACHINE_TARGET.path}`,
});

const ALIAS = formatError({
  message: "ssh does not take every one of these addresses as a host name",
  hint: "deno-ssh-proxy config --install --alias NAME=ADDRESS gives such a one a name",
});

/** Each address once: as what was found first. */
function distinct(found: readonly ListEntry[]): ListEntry[] {
  const addresses = new Set<string>();
  return found.filter(({ address }) => !addresses.has(address) && addresses.add(address));
}

function directoryWarning(thrown: unknown): ProxyError {
  if (thrown instanceof Deno.errors.NotCapable) {
    return new ProxyError("permission", `${NSPAWN_DIRECTORY}: Deno was not allowed to look for containers there`, {
      cause: thrown,
      hint: permissionHint(`--allow-read=${NSPAWN_DIRECTORY}`),
    });
  }
  if (!(thrown instanceof Deno.errors.PermissionDenied)) throw thrown;
  return new ProxyError("permission", `${NSPAWN_DIRECTORY}: this user may not look for containers there`, {
    cause: thrown,
    hint: "root may",
  });
}

function processWarning(thrown: unknown): ProxyError {
  if (!(thrown instanceof SystemError)) throw thrown;
  return new ProxyError("resource", `the processes of this machine: they cannot be looked at: ${thrown.message}`, {
    cause: thrown,
    hint: "only Linux has them in /proc, where virtual machines are looked for",
  });
}

function monitorWarnings({ hidden, configured, skipped }: MonitorSearch): ProxyError[] {
  const warnings: ProxyError[] = [];
  if (hidden.length > 0) {
    warnings.push(
      new ProxyError("permission", `${nameProcesses(hidden)}: of another user, so what listens there cannot be seen`, {
        hint: "root sees it",
      }),
    );
  }
  if (configured.length > 0) {
    warnings.push(
      new ProxyError("resource", `${nameProcesses(configured)}: which of its sockets is for ssh is in its own file`, {
        hint: "the address is vsock-mux and the path that stands at uds_path in the file of its --config",
      }),
    );
  }
  for (const [reason, processes] of Map.groupBy(skipped, ({ reason }) => reason)) {
    warnings.push(
      new ProxyError("resource", `${nameProcesses(processes)}: not all of it is listed: ${reason}`, {
        hint: "its user can see to that, and root can end it: ps -o user,pid,args -p PID",
      }),
    );
  }
  return warnings;
}
