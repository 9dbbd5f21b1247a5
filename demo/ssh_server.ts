/**
 * The demo's SSH server: it lets everybody in, and answers with text. It never starts a program and never opens a file.
 *
 * @module
 */

import type { Duplex } from "node:stream";

// @ts-types="./ssh2.d.ts"
import ssh2 from "ssh2";
import { answerToCommand, answerToShell } from "./greeting.ts";

/** A host key for as long as this process lives. It is never written anywhere. */
export function throwAwayHostKey(): string {
  return ssh2.utils.generateKeyPairSync("ed25519").private;
}

/**
 * What speaks SSH over a connection, and names `address` as what was reached.
 *
 * Every authentication succeeds, `none` too, so that `ssh` gets in with no key and no question: who may connect is up to
 * the mode of the folder that the socket is in.
 */
export function sshServer(hostKey: string, address: string): (connection: Duplex) => void {
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    // A client that goes away in the middle. There is nobody to tell, and the next one is served all the same.
    client.on("error", () => {});
    client.on("authentication", (attempt) => attempt.accept());
    client.on("session", (accept) => {
      accept()
        .on("pty", (accept) => accept?.())
        .on("exec", (accept, _reject, { command }) => {
          const channel = accept();
          channel.write(answerToCommand(address, command));
          channel.exit(0);
          channel.end();
        })
        .on("shell", (accept) => {
          const channel = accept();
          channel.write(answerToShell(address));
          channel.exit(0);
          channel.end();
        });
    });
  });
  return (connection) => server.injectSocket(connection);
}
