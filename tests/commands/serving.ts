/**
 * Servers of a test's own, for check and for the ssh that it starts.
 *
 * @module
 */

import { bytes } from "../support/sockets.ts";

/** Says these to everybody who connects, until `running` ends. */
export async function serve<Ended>(
  listener: Deno.UnixListener,
  says: readonly string[],
  running: Promise<Ended>,
): Promise<void> {
  let isOver = false;
  const { path } = listener.addr as Deno.UnixAddr;
  const over = running.then(async () => {
    isOver = true;
    // A listener that is closed while it waits would take its socket away later.
    (await Deno.connect({ transport: "unix", path })).close();
  });
  for (;;) {
    using connection = await listener.accept();
    if (isOver) break;
    for (const text of says) {
      if (text.startsWith("OK")) await connection.read(new Uint8Array(64));
      await connection.write(bytes(text)).catch(() => {});
    }
    if (says.length > 0) await Promise.race([connection.read(new Uint8Array(1)).catch(() => {}), running]);
  }
  await over;
}
