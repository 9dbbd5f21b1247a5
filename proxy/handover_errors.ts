/**
 * The errors of handing a connection over.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import type { SystemError } from "../ffi/errno.ts";

/** Returns the error for an fd that can take neither a connection nor bytes; `description` says what it is. */
export function unusableFdError(fd: number, description: string): ProxyError {
  return new ProxyError("handover", `fd ${fd}: it is ${description}, which cannot take a connection`, {
    hint: "run this as the ProxyCommand of an SSH client",
  });
}

/** Returns the error for a connection that could not be passed on. */
export function handoverError(fd: number, cause: SystemError): ProxyError {
  const isUnattended = cause.code === "EPIPE" || cause.code === "ECONNRESET";
  const why = isUnattended ? "ssh is gone" : cause.message;
  return new ProxyError(
    isExhausted(cause) ? "resource" : "handover",
    `fd ${fd}: the connection could not be passed on: ${why}`,
    {
      cause,
      hint: cause.code === "ETOOMANYREFS"
        ? "programs of this user have sent more file descriptors than ulimit -n allows, which nobody has received (unix(7))"
        : undefined,
      isUnattended,
    },
  );
}

/** Returns whether the system refused a resource. */
function isExhausted({ code = "EIO" }: SystemError): boolean {
  return ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ETOOMANYREFS"].includes(code);
}

/** Returns the error for a relay that broke. */
export function relayError(cause: SystemError): ProxyError {
  return new ProxyError("handover", `the relay broke: ${cause.message}`, { cause });
}
