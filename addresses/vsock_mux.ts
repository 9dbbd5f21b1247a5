/**
 * `vsock-mux/PATH`: a guest behind the AF_UNIX socket of a hybrid-vsock multiplexer.
 *
 * @module
 */

import { escapeForTerminal } from "../core/text.ts";
import type { SocketForm } from "./form.ts";
import { requestPort } from "./handshake.ts";
import { parsePath, shortPath } from "./socket_path.ts";

/** A guest behind a hybrid-vsock multiplexer. */
export interface VsockMuxTarget {
  /** The name of the address form. */
  readonly kind: "vsock-mux";
  /** The path of the multiplexer's AF_UNIX socket: absolute, or relative to the working directory from `./` on. */
  readonly path: string;
  /** The port in the guest: 0 to 2^32 − 1. The multiplexers take any. */
  readonly port: number;
}

export const vsockMux: SocketForm<VsockMuxTarget> = {
  name: "vsock-mux",
  argument: "PATH",
  brief: "a guest of Firecracker, Cloud Hypervisor or vhost-device-vsock",
  keepsCase: true,
  takesPort: true,
  completesPaths: true,
  makerHint: "is the virtual machine running? Its multiplexer makes the socket.",
  parse: (text) => ({ kind: "vsock-mux", path: parsePath(text), port: text.port }),
  format: ({ path }) => shortPath(path),
  describe: ({ path, port }) => `a hybrid-vsock multiplexer: ${escapeForTerminal(path)}, port ${port} in the guest`,
  endpoint: ({ path }) => ({ family: "unix", path }),
  atPath: (target, path) => ({ ...target, path }),
  handshake: { peer: "the multiplexer", perform: requestPort },
};
