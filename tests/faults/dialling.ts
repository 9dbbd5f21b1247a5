/** What may go wrong while the socket is connected. */

import { BoundSocket } from "../support/sockets.ts";
import {
  AS_ORDINARY_USER,
  errors,
  injected,
  interruptions,
  named,
  NO_ORDINARY_USER,
  type Row,
  signals,
  surrounded,
} from "./row.ts";

const CALLS = { step: "dial", calls: ["socket", "setsockopt", "connect"] } as const;
const SOCKET = { step: "dial", calls: ["socket"] } as const;
const CONNECT = { step: "dial", calls: ["connect"] } as const;

const EXHAUSTED = ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"];
const REFUSED = { code: 69, says: "nothing listens there" };
const RESET = { code: 69, says: "the connection was reset" };
const FORBIDDEN = { code: 77, says: "permission denied" };
const MISSING = { code: 66, says: "does not exist" };

/** A server that has as many connections waiting as it wants. */
function busy(path: string): Disposable {
  const [listener, waiting] = [new BoundSocket("stream", path), new BoundSocket("stream", `${path}.client`)];
  listener.listen(0);
  waiting.connect(path);
  return {
    [Symbol.dispose]() {
      waiting.close();
      listener.close();
    },
  };
}

/** A socket of another type that is listened on. */
function seqpacket(path: string): Disposable {
  const socket = new BoundSocket("seqpacket", path);
  socket.listen(1);
  return socket;
}

/** A socket that nobody but root may connect to. */
function forbidden(path: string): Disposable {
  const socket = new BoundSocket("stream", path);
  socket.listen(1);
  Deno.chmodSync(path, 0);
  return socket;
}

/** What a tool leaves of a path that it cut at a slash. */
function directory(path: string): undefined {
  Deno.mkdirSync(path);
}

/** What a server leaves behind that has ended. */
function leftOver(path: string): undefined {
  new BoundSocket("stream", path).close();
}

export const dialling: Row[] = [
  surrounded("ENOENT", "nothing at the path", MISSING, { place: () => undefined }),
  surrounded("EACCES", "a socket of mode 0, an ordinary user", FORBIDDEN, {
    place: forbidden,
    words: (command) => [...AS_ORDINARY_USER, ...command],
  }, { leftOut: NO_ORDINARY_USER }),
  surrounded("ECONNREFUSED", "a socket that its server left behind", REFUSED, { place: leftOver }),
  surrounded("EPROTOTYPE", "a datagram socket", { code: 69, says: "is a datagram socket" }, {
    place: (path) => new BoundSocket("datagram", path),
  }),
  surrounded("EPROTOTYPE", "a seqpacket socket", { code: 69, says: "is a seqpacket socket" }, { place: seqpacket }),
  surrounded("EAGAIN", "a full backlog", { code: 75, says: "not accepted within 0.3 s" }, {
    place: busy,
    timeout: 300,
  }),
  surrounded("ECONNREFUSED", "a directory", { code: 69, says: "is a directory, not a socket" }, {
    place: directory,
  }),
  ...errors(["ENOENT", "ENOTDIR"], () => MISSING, CONNECT),
  ...errors(["ELOOP"], () => ({ code: 66, says: "leads through too many symbolic links" }), CONNECT),
  ...errors(["EACCES", "EPERM"], () => FORBIDDEN, { ...CALLS, calls: ["socket", "connect"] }),
  ...errors(["ECONNREFUSED"], () => REFUSED, CONNECT),
  ...errors(["ECONNRESET", "EPIPE"], () => RESET, CONNECT),
  ...errors(["EAGAIN", "ETIMEDOUT"], () => ({ code: 75, says: "not accepted within" }), CONNECT),
  ...errors(["ENODEV"], named(71), { ...CALLS, calls: ["socket", "connect"] }),
  ...errors(["EAFNOSUPPORT"], named(71), SOCKET),
  ...errors(EXHAUSTED, named(71), CALLS),
  ...interruptions(CONNECT),
  injected("EINTR for ever", { code: 75, says: "not accepted within 0.3 s" }, {
    ...CONNECT,
    what: "error=EINTR",
    times: Infinity,
    timeout: 300,
  }),
  ...signals(CALLS),
];
