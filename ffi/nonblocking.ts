/**
 * The symbols for a program with an event loop. A separate module, so that one try of the ProxyCommand does not load it.
 *
 * @module
 */

import { CONNECTION_SYMBOLS } from "./symbols.ts";

/** The functions of {@linkcode CONNECTION_SYMBOLS}. Those that can wait run on threads of their own. */
export const NONBLOCKING_SYMBOLS = {
  ...CONNECTION_SYMBOLS,
  connect_unix: { ...CONNECTION_SYMBOLS.connect_unix, nonblocking: true },
  connect_vsock: { ...CONNECTION_SYMBOLS.connect_vsock, nonblocking: true },
  dsp_send_bytes: { ...CONNECTION_SYMBOLS.dsp_send_bytes, nonblocking: true },
  dsp_receive_bytes: { ...CONNECTION_SYMBOLS.dsp_receive_bytes, nonblocking: true },
  send_fd: { ...CONNECTION_SYMBOLS.send_fd, nonblocking: true },
} as const satisfies Deno.ForeignLibraryInterface;
