/**
 * The symbols for a program that has more to do than to wait. Apart from the others, because the ProxyCommand reads what it
 * does not need for nothing.
 *
 * @module
 */

import { CONNECTION } from "./symbols.ts";

/** The functions of {@linkcode CONNECTION}, with those that may wait on threads of their own. */
export const CONNECTION_NONBLOCKING = {
  ...CONNECTION,
  connect_unix: { ...CONNECTION.connect_unix, nonblocking: true },
  connect_vsock: { ...CONNECTION.connect_vsock, nonblocking: true },
  dsp_send_bytes: { ...CONNECTION.dsp_send_bytes, nonblocking: true },
  dsp_receive_bytes: { ...CONNECTION.dsp_receive_bytes, nonblocking: true },
  send_fd: { ...CONNECTION.send_fd, nonblocking: true },
} as const satisfies Deno.ForeignLibraryInterface;
