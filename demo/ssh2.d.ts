/**
 * The part of npm:ssh2 that the demo uses, typed.
 *
 * @module
 */

import type { Duplex } from "node:stream";

/** One authenticated or not yet authenticated client. */
interface Client {
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "authentication", listener: (attempt: Attempt) => void): this;
  on(event: "session", listener: (accept: () => Session) => void): this;
}

interface Attempt {
  accept(): void;
}

/** What a client may ask a session for. `accept` is absent where the client wants no reply. */
interface Session {
  on(event: "pty", listener: (accept: (() => void) | undefined) => void): this;
  on(event: "shell", listener: (accept: () => Channel) => void): this;
  on(event: "exec", listener: (accept: () => Channel, reject: unknown, info: { command: string }) => void): this;
}

interface Channel extends Duplex {
  /** Sends the exit status. It must come before the end of the stream: the channel closes with that. */
  exit(status: number): void;
}

declare class Server {
  constructor(config: { hostKeys: string[] }, onClient: (client: Client) => void);
  /** Takes a connection as if it had come in by itself. */
  injectSocket(connection: Duplex): void;
}

declare const ssh2: {
  Server: typeof Server;
  utils: { generateKeyPairSync(type: "ed25519"): { private: string; public: string } };
};
export default ssh2;
