/**
 * Explains failed connections over AF_VSOCK (vsock(7), and the kernel's net/vmw_vsock).
 *
 * @module
 */

import { type Deadline, formatSeconds } from "../core/deadline.ts";
import type { SystemError } from "../ffi/errno.ts";
import type { Reason } from "./form.ts";
import { VMADDR_CID_HOST, VMADDR_CID_LOCAL } from "./vsock.ts";

/** A connection over AF_VSOCK that failed. */
export interface VsockSubject {
  readonly cid: number;
  readonly port: number;
  /** The address that was typed, or that it stands for. */
  readonly address: string;
}

/** The hint that names the kernel modules of AF_VSOCK. Each loads the module `vsock` as well. */
export const VSOCK_MODULE_HINT =
  "load the kernel module for it: modprobe vhost_vsock on a host, modprobe vmw_vsock_virtio_transport in a guest";

/** Returns the reason for an error of connecting; undefined for an error that no case of it gives. */
export function explainVsockFailure(
  { cid, port, address }: VsockSubject,
  cause: SystemError,
  deadline: Deadline,
): Reason | undefined {
  const listens = listenerHint(cid, port);
  switch (cause.code) {
    case "EACCES":
    case "EPERM":
      return ["permission", "permission denied", "something (seccomp, SELinux) keeps this process from AF_VSOCK"];
    case "ECONNREFUSED":
      return ["unreachable", "connection refused", listens];
    case "ECONNRESET":
    case "EPIPE":
      return ["unreachable", "nothing listens on that port", listens];
    case "EHOSTUNREACH":
      // vhost-vsock returns this for a guest until the guest's driver runs (Linux 7).
      if (cid > VMADDR_CID_HOST) {
        return [
          "unreachable",
          "the guest has not booted yet: its vsock driver does not run",
          `deno-ssh-proxy wait ${address} ${port} waits for it, and so does --wait in a ProxyCommand`,
        ];
      }
      // falls through
    case "ENODEV":
    case "EADDRNOTAVAIL":
    case "ENETUNREACH":
      return [
        "unreachable",
        `no such CID: ${cause.message}`,
        cid <= VMADDR_CID_HOST
          ? listens
          : "is the virtual machine running, with a vsock device of this CID? (on a host: the vhost_vsock kernel module)",
      ];
    case "EAFNOSUPPORT":
      return Deno.build.os === "linux"
        ? ["resource", "this kernel has no AF_VSOCK", VSOCK_MODULE_HINT]
        : ["resource", "not supported on this system", "AF_VSOCK needs Linux"];
    case "ETIMEDOUT":
      return ["timeout", `no answer within ${formatSeconds(deadline)}`, listens];
  }
}

/** Asks whether a server listens, for a CID that can be this machine or its host (vsock(7)). */
function listenerHint(cid: number, port: number): string {
  switch (cid) {
    case VMADDR_CID_LOCAL:
      return `CID 1 is this machine: is the kernel module vsock_loopback loaded, and does sshd listen on vsock port ${port}?`;
    case VMADDR_CID_HOST:
      return `CID 2 is the host of a virtual machine: does the host's sshd listen on vsock port ${port}?`;
    default:
      return guestHint(port);
  }
}

/** Asks whether a guest's sshd listens on `port`. */
export function guestHint(port: number): string {
  return `is the guest up, and does its sshd listen on vsock port ${port}?`;
}
