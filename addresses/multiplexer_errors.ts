/**
 * The errors of a handshake with a hybrid-vsock multiplexer.
 *
 * @module
 */

import { type Deadline, formatSeconds } from "../core/deadline.ts";
import { ProxyError } from "../core/errors.ts";
import { escapeForTerminal, quoteBytes } from "../core/text.ts";
import type { SystemError } from "../ffi/errno.ts";
import { type PortOfSocket, shortPath } from "./socket_path.ts";
import { guestHint } from "./vsock_failure.ts";

/** Returns the error for a multiplexer that ends the connection instead of answering. */
export function closedByMultiplexerError(target: PortOfSocket, cause?: SystemError): ProxyError {
  return new ProxyError(
    "unreachable",
    `${labelOf(target)}: nothing listens on that port in the guest, or it has not booted yet`,
    { cause, hint: guestHint(target.port) },
  );
}

/** Returns the error for a system error while the multiplexer is asked. */
export function handshakeError(target: PortOfSocket, cause: SystemError, deadline: Deadline): ProxyError {
  switch (cause.code) {
    case "ECONNRESET":
    case "EPIPE":
      return closedByMultiplexerError(target, cause);
    case "ETIMEDOUT":
      return new ProxyError(
        "timeout",
        `${labelOf(target)}: the multiplexer did not answer within ${formatSeconds(deadline)}`,
        {
          cause,
          hint: "the guest may still be booting: Firecracker's socket listens, but stays silent, until it is up",
        },
      );
    default:
      return new ProxyError("resource", `${labelOf(target)}: ${cause.message}`, { cause });
  }
}

/** Returns the error for an answer that is not the protocol's; `ended` says whether the connection ended after it. */
export function protocolError(target: PortOfSocket, answer: Uint8Array, ended: boolean): ProxyError {
  const end = ended ? ", and then the end" : "";
  return new ProxyError(
    "protocol",
    `${labelOf(target)}: the answer to CONNECT was "${quoteBytes(answer)}"${end}, not an OK line`,
    { hint: `is that the socket of a hybrid-vsock multiplexer? For an sshd, write ${unixAddress(target)}` },
  );
}

/** Returns the error for an SSH server without a multiplexer, which takes the request for its client's banner. */
export function sshServerError(target: PortOfSocket): ProxyError {
  return new ProxyError("protocol", `${labelOf(target)}: it is an SSH server itself, not a multiplexer`, {
    hint: `use ${unixAddress(target)}`,
  });
}

/** Returns the error for a multiplexer behind `unix/PATH`; `reply` is its answer to CONNECT. */
export function multiplexerError({ path }: { readonly path: string }, reply: string): ProxyError {
  const [address, other] = ["unix", "vsock-mux"].map((form) => escapeForTerminal(`${form}/${shortPath(path)}`));
  return new ProxyError("protocol", `${address}: it is a multiplexer, which answers CONNECT with ${reply}`, {
    hint: `use ${other}`,
  });
}

function labelOf({ kind, path, port }: PortOfSocket): string {
  return `${escapeForTerminal(`${kind}/${shortPath(path)}`)} port ${port}`;
}

function unixAddress({ path }: PortOfSocket): string {
  return escapeForTerminal(`unix/${shortPath(path)}`);
}
