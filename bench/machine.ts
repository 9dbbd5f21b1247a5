/**
 * What the measurements were made on, and with which versions.
 *
 * @module
 */

import { CHECKOUT } from "../tools/checkout.ts";
import { outputLater } from "../tools/programs.ts";
import type { Peers } from "./peers.ts";

/** A machine, and what is installed there. */
export interface Machine {
  processor: string;
  cores: number;
  /** In MiB. */
  memory: number;
  /** Whether the machine is a virtual one. */
  virtual: boolean;
  kernel: string;
  distribution: string;
  versions: Record<string, string>;
  date: string;
  commit: string;
}

/** Looks at this one. */
export async function lookAtMachine({ versions }: Peers): Promise<Machine> {
  const cpu = Deno.readTextFileSync("/proc/cpuinfo");
  return {
    processor: cpu.match(/^model name\s*: (.*)$/m)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memory: Math.round(Deno.systemMemoryInfo().total / 2 ** 20),
    virtual: /^flags\b.* hypervisor\b/m.test(cpu),
    kernel: `Linux ${Deno.osRelease()}`,
    distribution: Deno.readTextFileSync("/etc/os-release").match(/^PRETTY_NAME="?(.*?)"?$/m)?.[1] ?? "unknown",
    versions: Object.fromEntries(
      await Promise.all(Object.entries(versions).map(async ([name, words]) => [name, await versionOf(words)] as const)),
    ),
    date: new Date().toISOString().slice(0, 10),
    commit: (await outputLater("git", "-C", CHECKOUT, "describe", "--always", "--dirty", "--abbrev=12")).trim(),
  };
}

/** The first version that a command prints, wherever it prints it; nc says it, and fails. */
async function versionOf(words: string[]): Promise<string> {
  const [program, ...args] = words;
  const { stdout, stderr } = await new Deno.Command(program!, { args }).output();
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  return said.match(/\d+(?:[.-]\d+)*(?:p\d+)?/)?.[0] ?? "unknown";
}

/** `machine` in a line or two. */
export function describe(machine: Machine): string {
  const { processor, cores, memory, virtual, kernel, distribution, versions, date, commit } = machine;
  const installed = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ");
  return `Measured on ${date}, commit ${commit}, on ${cores} cores of ${processor}${
    virtual ? " (a virtual machine)" : ""
  }, ` +
    `${(memory / 1024).toFixed(0)} GiB of memory, ${kernel}, ${distribution}; ${installed}.\n`;
}
