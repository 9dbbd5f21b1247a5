/**
 * The demo as a whole: one SSH server on an AF_UNIX socket and on a hybrid-vsock socket, both in a folder of their own.
 *
 * @module
 */

import { createServer, type Socket } from "node:net";
import { formatTarget } from "../addresses/target.ts";
import { ProxyError } from "../core/errors.ts";
import { multiplex } from "./multiplexer.ts";
import { sshServer, throwAwayHostKey } from "./ssh_server.ts";

/** The port that ssh asks for where it is given none. */
const SSH_PORT = 22;

/**
 * Serves in `folder`, as long as this process lives, and gives the two addresses that ssh reaches it by.
 *
 * The server lets everybody in, so that the folder has to keep all other users out.
 *
 * @throws {ProxyError} where others may enter the folder, or the sockets cannot be made
 */
export async function serveDemo(folder: string): Promise<string[]> {
  const { mode } = await Deno.stat(folder);
  if (mode === null || (mode & 0o077) !== 0) {
    throw new ProxyError("usage", `${folder}: others may enter it`, { hint: "make it one of mode 0700" });
  }
  const hostKey = throwAwayHostKey();
  const paths = { unix: `${folder}/ssh.sock`, mux: `${folder}/mux.sock` };
  const unix = formatTarget({ kind: "unix", path: paths.unix });
  const mux = formatTarget({ kind: "vsock-mux", path: paths.mux, port: SSH_PORT });
  const guest = sshServer(hostKey, mux);
  await listen(paths.unix, sshServer(hostKey, unix));
  await listen(paths.mux, (connection) => multiplex(connection, SSH_PORT, guest));
  return [unix, mux];
}

function listen(path: string, onConnection: (connection: Socket) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    createServer(onConnection)
      .on("error", (cause) => reject(new ProxyError("resource", `${path}: cannot listen: ${cause.message}`, { cause })))
      .listen(path, resolve);
  });
}
