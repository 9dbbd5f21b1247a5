/**
 * A hybrid-vsock multiplexer before an sshd, which does what it should or what it should not.
 *
 * @module
 */

import type { Door, Sshd } from "../../tools/sshd.ts";

const encoder = new TextEncoder();

/** Takes the request for port 22. */
async function takeRequest(connection: Deno.Conn): Promise<void> {
  const request = new Uint8Array(64);
  const length = await connection.read(request) ?? 0;
  if (new TextDecoder().decode(request.subarray(0, length)) !== "CONNECT 22\n") throw new Error("another request");
}

/** One that answers with `pieces`, and then is the sshd. */
export function multiplexer(sshd: Sshd, ...pieces: string[]): Door {
  return sshd.unixDoor(async (connection) => {
    await takeRequest(connection);
    for (const piece of pieces) await connection.write(encoder.encode(piece));
    return true;
  });
}

/** One that answers with `pieces`, and then closes, says nothing until it is hung up on, or repeats the last for ever. */
export function misbehaving(sshd: Sshd, ending: "closes" | "silent" | "endless", ...pieces: string[]): Door {
  return sshd.unixDoor(async (connection) => {
    await takeRequest(connection);
    for (const piece of pieces) await connection.write(encoder.encode(piece));
    while (ending === "endless") await connection.write(encoder.encode(pieces.at(-1)));
    if (ending === "silent") await connection.read(new Uint8Array(1));
    return false;
  });
}
