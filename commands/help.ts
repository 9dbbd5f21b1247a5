/**
 * The text of `--help`, and the ProxyCommand's options.
 *
 * @module
 */

import { FORMS } from "../addresses/forms.ts";
import { THIS_MACHINE } from "../addresses/this_machine.ts";
import { DEFAULT_TIMEOUT_MS, DEFAULT_WAIT_MS } from "../core/deadline.ts";
import type { Command, Option } from "./command.ts";

/** The command line of the ProxyCommand, which proxy/invocation.ts parses. */
export const PROXY_INVOCATION = {
  usage: "deno-ssh-proxy HOST PORT",
  options: {
    "as-typed": { brief: "the host name before ssh lower-cased it: %n", value: "NAME" },
    relay: { brief: "carries bytes where fd 1 is a socket, for libssh" },
    timeout: {
      brief: `for connecting and all answers on the way (default ${DEFAULT_TIMEOUT_MS / 1000})`,
      value: "SECONDS",
    },
    wait: { brief: `tries again until an SSH server answers (default ${DEFAULT_WAIT_MS / 1000})`, value: "[=SECONDS]" },
  } satisfies Record<string, Option> as Record<string, Option>,
};

/** The forms of addresses. */
const ADDRESSES = [
  ...FORMS.map(({ name, argument, brief }) => [`${name}/${argument}`, brief] as const),
  [THIS_MACHINE.address, THIS_MACHINE.brief],
] as const;

/** Returns the text of `--help`: at most 23 lines of 80 characters, so that a terminal shows it whole, with a prompt. */
export function programHelp(commands: readonly Command[]): string {
  const options = Object.entries(PROXY_INVOCATION.options).map(([name, { brief, value = "" }]) =>
    [`--${name}${value === "" || value.startsWith("[") ? "" : " "}${value}`, brief] as const
  );
  return `Connects ssh to virtual machines, containers and local sockets.

deno-ssh-proxy COMMAND --help  tells what a command takes:
${rows(commands.map(({ name, brief }) => [name, brief]))}
Addresses, as in ssh vsock/42:
${rows(ADDRESSES)}
${PROXY_INVOCATION.usage}  is the ProxyCommand of ssh, with these options:
${rows(options)}
-h, --help; -V, --version; exit codes and more: man deno-ssh-proxy
`;
}

/** Formats a line for each of these, in two columns. */
function rows(all: readonly (readonly [name: string, brief: string])[]): string {
  const width = Math.max(...all.map(([name]) => name.length));
  return all.map(([name, brief]) => `  ${name.padEnd(width)}  ${brief}\n`).join("");
}
