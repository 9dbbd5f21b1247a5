/**
 * What `--help` tells before the list of commands: the form that `ssh` uses.
 *
 * @module
 */

import { DEFAULT_TIMEOUT, DEFAULT_WAIT } from "../proxy/patience.ts";
import type { Option } from "./command.ts";

/** The form that is no command: what proxy/invocation.ts reads. */
export const PROXY_FORM = {
  usage: "deno-ssh-proxy HOST PORT",
  options: {
    "as-typed": { brief: "the host name before ssh lower-cased it: %n", value: "NAME" },
    relay: { brief: "carries bytes where fd 1 is a socket, for libssh" },
    timeout: {
      brief: `for connecting and all answers on the way (default ${DEFAULT_TIMEOUT / 1000})`,
      value: "SECONDS",
    },
    wait: { brief: `tries again until an SSH server answers (default ${DEFAULT_WAIT / 1000})`, value: "[=SECONDS]" },
  } satisfies Record<string, Option> as Record<string, Option>,
};

const OPTIONS = Object.entries(PROXY_FORM.options).map(([name, { brief, value = "" }]) =>
  `  ${`--${name}${value.startsWith("[") ? "" : " "}${value}`.padEnd(19)}${brief}`
);

/** Lines of at most 80 characters. */
export const DESCRIPTION = `Connects ssh to virtual machines, containers and local sockets.

As the ProxyCommand of ssh (best with ProxyUseFdpass yes), with these options:

  ${PROXY_FORM.usage}

  HOST is one of
    unix/PATH       an AF_UNIX socket
    vsock/CID       a virtual machine, or local, host, hypervisor
    vsock-mux/PATH  a virtual machine behind the socket of Firecracker,
                    Cloud Hypervisor or vhost-device-vsock
    machine/NAME    a virtual machine or container that systemd-machined knows
    .host           this machine's own sshd (systemd 256 and later)
  PORT is the vsock port.

${OPTIONS.join("\n")}

By hand there are the commands below, and --version (-V).

Exit codes: 0 handed over, 64 usage, 66 no such path, 69 nothing answers,
71 system or library, 74 not handed over, 75 deadline passed,
76 no multiplexer, 77 permission denied, 78 ssh is configured otherwise.`;
