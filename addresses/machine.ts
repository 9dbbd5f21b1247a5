/**
 * `machine/NAME`: a virtual machine or container that systemd-machined knows.
 *
 * @module
 */

import { parseUint32 } from "../core/numbers.ts";
import { escapeForTerminal } from "../core/text.ts";
import { type AddressText, invalidAddress, type NameForm } from "./form.ts";

/** A machine by the name under which it is registered with systemd-machined. */
export interface MachineTarget {
  /** The name of the address form. */
  readonly kind: "machine";
  /** The name, as systemd-machined has it. */
  readonly name: string;
  /** The port of a virtual machine, over AF_VSOCK or behind a multiplexer: 0 to 2^32 − 1. A container's socket has none. */
  readonly port: number;
}

export const machine: NameForm<MachineTarget> = {
  name: "machine",
  argument: "NAME",
  brief: "a virtual machine or container that systemd-machined knows",
  keepsCase: true,
  takesPort: true,
  hasThisMachine: true,
  parse: (text) => ({ kind: "machine", name: parseName(text), port: text.port }),
  format: ({ name }) => name,
  describe: ({ name }) => `a machine that systemd-machined knows: ${escapeForTerminal(name)}`,
  async resolve(target, context) {
    const { resolveMachine } = await import("./machine_lookup.ts");
    return await resolveMachine(target, context);
  },
};

/**
 * Parses the rest of an address as a machine's name. systemd-machined refuses other names that cannot be one. A `/` or a
 * leading dot would lead to another path where the name is a part of one.
 */
function parseName({ address, rest }: AddressText): string {
  const port = rest.lastIndexOf(":") === -1 ? undefined : parseUint32(rest.slice(rest.lastIndexOf(":") + 1));
  if (rest === "" || rest.startsWith(".") || rest.includes("/") || port !== undefined || !isPlain(rest)) {
    throw invalidAddress(
      address,
      "not a machine's name",
      "a machine's name has letters, digits and '-', '_', '.' in it",
    );
  }
  return rest;
}

/** Returns whether `text` has no control character, and no U+FFFD, with which Deno replaces bytes that are not UTF-8. */
function isPlain(text: string): boolean {
  return !text.includes("\uFFFD") && escapeForTerminal(text, Infinity) === text;
}
