/**
 * AF_VSOCK on this machine itself: whether there is vsock loopback (CID 1), and listening on it. Nothing else of AF_VSOCK
 * is anything that a test may touch: any other CID is another machine.
 *
 * As a program it ends with 0 where there is loopback, and with 1 where there is none.
 *
 * @module
 */

import { libc } from "./libc.ts";
import { Fd } from "./process.ts";

const AF_VSOCK = 40;
const SOCK_STREAM = 1;
const VMADDR_CID_LOCAL = 1;
const VMADDR_PORT_ANY = 0xffffffff;

/** A socket that listens on a port of its own of CID 1. */
export class LoopbackListener extends Fd {
  readonly port: number;

  private constructor(socket: number, port: number) {
    super(socket);
    this.port = port;
  }

  /** Undefined where the kernel has no AF_VSOCK or no loopback for it (its module vsock_loopback). */
  static open(): LoopbackListener | undefined {
    // The number is another family's on other systems.
    const socket = Deno.build.os === "linux" ? libc.socket(AF_VSOCK, SOCK_STREAM, 0) : -1;
    if (socket < 0) return undefined;
    // struct sockaddr_vm: the family, two reserved bytes, the port, the CID; vsock(7).
    const address = new DataView(new ArrayBuffer(16));
    address.setUint16(0, AF_VSOCK, true);
    address.setUint32(4, VMADDR_PORT_ANY, true);
    address.setUint32(8, VMADDR_CID_LOCAL, true);
    const bytes = new Uint8Array(address.buffer);
    const listens = libc.bind(socket, bytes, bytes.length) === 0 && libc.listen(socket, 16) === 0 &&
      libc.getsockname(socket, bytes, new Uint8Array(Uint32Array.of(bytes.length).buffer)) === 0;
    if (listens) return new LoopbackListener(socket, address.getUint32(4, true));
    new Fd(socket).close();
    return undefined;
  }
}

/** Whether CID 1 is this machine. */
export function hasLoopback(): boolean {
  using listener = LoopbackListener.open();
  return listener !== undefined;
}

if (import.meta.main) Deno.exit(hasLoopback() ? 0 : 1);
