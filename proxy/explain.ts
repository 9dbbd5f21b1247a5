/**
 * What a failed step means for the person who typed the address: the kind of error, its one line, and what to do.
 *
 * @module
 */

import type { SystemError } from "../ffi/errno.ts";
import { type ErrorKind, printable, ProxyError } from "./errors.ts";
import type { Deadline } from "./patience.ts";
import { formatTarget, type Target, type VsockMuxTarget } from "./target.ts";

/** `target` as a message names it. */
function nameOf(target: Target): string {
  const address = printable(formatTarget(target));
  return target.kind === "unix" ? address : `${address} port ${target.port}`;
}

/** A connection that could not be made. `socketType` is what stands at the path where it is not a stream socket. */
export function connectError(
  target: Target,
  cause: SystemError,
  deadline: Deadline,
  socketType?: "datagram" | "seqpacket",
): ProxyError {
  const name = nameOf(target);
  const error = (kind: ErrorKind, why: string, hint?: string) =>
    new ProxyError(kind, `${name}: ${why}`, { cause, hint });
  const path = target.kind === "vsock" ? "" : printable(target.path);
  const unix = target.kind !== "vsock";
  switch (cause.code) {
    case "ENOENT":
    case "ENOTDIR":
    case "ELOOP":
      return error("missing", `${path} does not exist`, missingHint(target));
    case "EACCES":
    case "EPERM":
      return unix
        ? error(
          "permission",
          "permission denied",
          `a user needs write permission for ${path} and search permission for the folders that it is in`,
        )
        : error("permission", "permission denied", "something (seccomp, SELinux) keeps this process from AF_VSOCK");
    case "ECONNREFUSED":
      return unix
        ? error(
          "unreachable",
          `nothing listens on ${path}`,
          "it is left over from a server that has ended, or no socket",
        )
        : error("unreachable", "connection refused", guestHint(target.port));
    case "EPROTOTYPE":
      return error("unreachable", `${path} is a ${socketType ?? "different"} socket`, "ssh needs a stream socket");
    case "ECONNRESET":
    case "EPIPE":
      return target.kind === "vsock"
        ? error("unreachable", "nothing listens on that port", guestHint(target.port))
        : error("unreachable", "the connection was reset", "is its server about to end?");
    case "ENODEV":
    case "EADDRNOTAVAIL":
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return error(
        "unreachable",
        `no such CID: ${cause.message}`,
        "is the virtual machine running, with a vsock device of this CID? (on a host: the vhost_vsock kernel module)",
      );
    case "EAFNOSUPPORT":
      return Deno.build.os === "linux"
        ? error("resource", "this kernel has no AF_VSOCK", "load it: modprobe vhost_vsock on a host, vsock in a guest")
        : error("resource", "not supported on this system", "AF_VSOCK needs Linux");
    case "ETIMEDOUT":
      return unix
        ? error("timeout", `not accepted within ${seconds(deadline)}`, `the server behind ${path} is busy or stopped`)
        : error("timeout", `no answer within ${seconds(deadline)}`, guestHint(target.port));
    case "ENAMETOOLONG":
      return error("usage", `the path is too long`, "the kernel takes paths of 4095 bytes, with /proc mounted");
    default:
      return error("resource", cause.message);
  }
}

/** A multiplexer that ended the connection instead of answering. */
export function closedError(target: VsockMuxTarget, cause?: SystemError): ProxyError {
  return new ProxyError(
    "unreachable",
    `${nameOf(target)}: nothing listens on that port in the guest, or it has not booted yet`,
    { cause, hint: guestHint(target.port) },
  );
}

/** A system error, other than the end of the connection, while the multiplexer was asked. */
export function handshakeError(target: VsockMuxTarget, cause: SystemError, deadline: Deadline): ProxyError {
  switch (cause.code) {
    case "ECONNRESET":
    case "EPIPE":
      return closedError(target, cause);
    case "ETIMEDOUT":
      return new ProxyError(
        "timeout",
        `${nameOf(target)}: the multiplexer did not answer within ${seconds(deadline)}`,
        {
          cause,
          hint: "the guest may still be booting: Firecracker's socket listens, but stays silent, until it is up",
        },
      );
    default:
      return new ProxyError("resource", `${nameOf(target)}: ${cause.message}`, { cause });
  }
}

/** A multiplexer whose answer is none. */
export function protocolError(target: VsockMuxTarget, answer: Uint8Array, ended: boolean): ProxyError {
  const shown = printable(String.fromCharCode(...answer));
  return new ProxyError(
    "protocol",
    `${nameOf(target)}: the answer to CONNECT was "${shown}"${ended ? ", and then the end" : ""}, not an OK line`,
    {
      hint: "is that the socket of a hybrid-vsock multiplexer? For any other socket, write unix/ instead of vsock-mux/",
    },
  );
}

/** An fd that cannot take a connection: what it is, and so why not. */
export function channelError(fd: number, what: string): ProxyError {
  return new ProxyError("handover", `fd ${fd}: it is ${what}, which cannot take a connection`, {
    hint: "run this as the ProxyCommand of ssh, with ProxyUseFdpass yes",
  });
}

/** A connection that was made, and that nobody took. */
export function deliverError(fd: number, cause: SystemError): ProxyError {
  const why = cause.code === "EPIPE" || cause.code === "ECONNRESET" ? "ssh is gone" : cause.message;
  return new ProxyError("handover", `fd ${fd}: the connection could not be passed on: ${why}`, { cause });
}

function missingHint(target: Target): string {
  if (target.kind === "vsock-mux") return "is the virtual machine running? Its multiplexer makes the socket";
  if (target.kind === "unix" && target.path === "/run/ssh-unix-local/socket") {
    return "systemd 256 and later makes it, where sshd is installed";
  }
  return "is the server running? (ssh lower-cases a path that it has from HostName: write such a one as the host name)";
}

function guestHint(port: number): string {
  return `is the guest up, and does its sshd listen on vsock port ${port}?`;
}

function seconds({ timeout }: Deadline): string {
  return `${timeout / 1000} s`;
}
