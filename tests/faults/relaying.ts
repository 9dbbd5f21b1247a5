/** What may go wrong while bytes are relayed. */

import type { Ending } from "./conversation.ts";
import { errors, injected, interruptions, type Row, signals } from "./row.ts";

const RELAY = { step: "relay", ways: ["pipes", "socket"] } as const;
const SPLICE = { ...RELAY, calls: ["splice"] } as const;
/** Where splice(2) is refused, as it is by some seccomp filters. */
const COPYING = {
  ...RELAY,
  calls: ["read", "write", "recvfrom", "sendto"],
  // Not the empty one that asks whether the server is still there.
  only: /^(?!sendto\(\d+, "", 0)/,
  refused: "splice",
  first: 4,
} as const;

function broken(name: string): Ending {
  return { code: 74, says: `(${name})`, after: "some bytes" };
}

export const relaying: Row[] = [
  ...errors(["ENOMEM"], broken, { ...RELAY, calls: ["fstat"], first: 3 }),
  ...errors(["EMFILE", "ENFILE", "ENOMEM"], () => "handed over", { ...RELAY, calls: ["pipe2"], ways: ["socket"] }),
  ...errors(["EINVAL", "ENOSYS", "EPERM"], () => "handed over", { ...SPLICE, ways: ["pipes"] }),
  ...errors(["EPIPE", "ECONNRESET"], () => "ended in order", SPLICE),
  ...errors(["ENOMEM", "EIO"], broken, SPLICE),
  ...errors(["ENOMEM"], broken, { ...RELAY, calls: ["poll"] }),
  injected("EAGAIN", "handed over", { ...SPLICE, what: "error=EAGAIN" }),
  ...interruptions({ ...RELAY, calls: ["splice", "poll"] }),
  ...errors(["EPIPE", "ECONNRESET"], () => "ended in order", COPYING),
  ...errors(["ENOMEM", "EIO"], broken, COPYING),
  injected("EAGAIN", "handed over", { ...COPYING, what: "error=EAGAIN" }),
  ...interruptions(COPYING),
  ...signals({ ...RELAY, calls: ["poll", "splice", "shutdown"] }),
];
