/**
 * `unix/PATH`: an AF_UNIX stream socket.
 *
 * @module
 */

import { escapeForTerminal } from "../core/text.ts";
import type { SocketForm } from "./form.ts";
import { parsePath, shortPath } from "./socket_path.ts";

/** An AF_UNIX stream socket. */
export interface UnixTarget {
  /** The name of the address form. */
  readonly kind: "unix";
  /** Its path: absolute, or relative to the working directory from `./` on. */
  readonly path: string;
}

export const unix: SocketForm<UnixTarget> = {
  name: "unix",
  argument: "PATH",
  brief: "an AF_UNIX socket",
  keepsCase: true,
  takesPort: false,
  completesPaths: true,
  makerHint: "is the server running?",
  parse: (text) => ({ kind: "unix", path: parsePath(text) }),
  format: ({ path }) => shortPath(path),
  describe: ({ path }) => `an AF_UNIX socket: ${escapeForTerminal(path)}`,
  guess(text) {
    if (text.startsWith("/")) return `unix${text}`;
    if (!text.startsWith("./") && !text.startsWith("../")) return undefined;
    return `unix/${text.startsWith("./") ? "" : "./"}${text}`;
  },
  endpoint: ({ path }) => ({ family: "unix", path }),
  atPath: (_target, path) => ({ kind: "unix", path }),
  silenceHint: ({ path }) => `For a multiplexer, write ${escapeForTerminal(`vsock-mux/${shortPath(path)}`)}`,
  async explainSilence(target, library) {
    const { findMultiplexer } = await import("./multiplexer_probe.ts");
    return await findMultiplexer(target, library);
  },
};
