/**
 * The host's end of a hybrid-vsock socket, as Firecracker and Cloud Hypervisor have it: a client asks for a port of the
 * guest with `CONNECT PORT\n`, reads `OK NUMBER\n`, and is connected.
 *
 * @module
 */

import type { Socket } from "node:net";

/** The longest request that Firecracker and Cloud Hypervisor read. */
const LONGEST_REQUEST = 32;

/**
 * How long a request can be incomplete, in milliseconds. Firecracker and Cloud Hypervisor drop one that is older than 2 s,
 * when another client connects.
 */
const REQUEST_TIMEOUT_MS = 2_000;

/** The host's port that the answer names: Firecracker counts them from 2^30. */
const HOST_PORT = 2 ** 30;

/**
 * The port that `request` asks for, as soon as its line is complete; "partial" before that, and "odd" where it is no
 * request or more than one: nothing may follow it before it is answered.
 */
export function readRequest(request: string): number | "partial" | "odd" {
  const port = /^CONNECT (0|[1-9][0-9]{0,9})\n$/.exec(request)?.[1];
  if (port !== undefined && Number(port) < 2 ** 32) return Number(port);
  return request.length < LONGEST_REQUEST && !request.includes("\n") ? "partial" : "odd";
}

/**
 * Reads the request of `connection`, and where it is for `port`, answers and gives the connection to `guest`. Every other
 * one is closed with no message, as the multiplexers do it.
 */
export function multiplex(connection: Socket, port: number, guest: (connection: Socket) => void): void {
  let request = "";
  const close = () => connection.destroy();
  const read = (bytes: Uint8Array) => {
    request += String.fromCharCode(...bytes.subarray(0, LONGEST_REQUEST + 1));
    const asked = readRequest(request);
    if (asked === "partial") return;
    if (asked !== port) return close();
    connection.off("data", read).off("timeout", close).setTimeout(0);
    connection.write(`OK ${HOST_PORT}\n`);
    guest(connection);
  };
  // Reset by the client: it is closed then, and there is nobody to tell.
  connection.on("error", () => {});
  connection.on("timeout", close).setTimeout(REQUEST_TIMEOUT_MS);
  connection.on("data", read);
}
