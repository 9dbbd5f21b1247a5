/** What may go wrong while the multiplexer is asked. */

import { bytes } from "../support/sockets.ts";
import { OK_LINE, type Opening, readRequest } from "./conversation.ts";
import { errors, everyWay, injected, interruptions, named, type Row, type Runs, signals } from "./row.ts";

const MUX = { step: "handshake", forms: ["vsock-mux"] } as const;
const ASKING = { ...MUX, calls: ["sendto"] } as const;
const READING = { ...MUX, calls: ["recvfrom"] } as const;

const NOTHING_LISTENS = { code: 69, says: "nothing listens on that port in the guest, or it has not booted yet" };
const TOO_LATE = { code: 75, says: "the multiplexer did not answer within 0.3 s" };

/** Does not wait to be asked. */
const answersUnasked: Opening = () => Promise.resolve(OK_LINE);

/** What a multiplexer does once it has stopped answering. */
const STOPS: Record<string, Opening> = {
  silence: async (connection) => {
    await connection.read();
    return undefined;
  },
  end: () => Promise.resolve(undefined),
  // What it was sent and has not read makes a reset of it.
  reset: (connection) => {
    connection.close();
    return Promise.resolve(undefined);
  },
};

/** A multiplexer that stops, in this way, after each byte of its OK line. */
function stopped(from: string, ending: Row["ending"], how: string, lengths: number[]): Row {
  const runs = () => {
    const all: Runs = new Map();
    for (const length of lengths) {
      const opening: Opening = async (connection) => {
        if (how !== "reset") await readRequest(connection);
        await connection.write(bytes(OK_LINE.slice(0, length)));
        return await STOPS[how]!(connection);
      };
      for (const [name, run] of everyWay({ opening, timeout: 300 }, ending, MUX)) {
        all.set(`${length} bytes, ${name}`, run);
      }
    }
    return all;
  };
  return { fault: `a multiplexer that stops: ${how}`, from, ending, runs };
}

const LENGTHS = [...OK_LINE].map((_, length) => length);

export const handshaking: Row[] = [
  stopped("after each byte of its OK line, or none", TOO_LATE, "silence", LENGTHS),
  stopped("after no byte", NOTHING_LISTENS, "end", [0]),
  stopped(
    "after each byte of its OK line",
    { code: 76, says: ", and then the end, not an OK line" },
    "end",
    LENGTHS.slice(1),
  ),
  stopped("after no byte, the request unread", NOTHING_LISTENS, "reset", [0]),
  ...errors(["ECONNRESET"], () => NOTHING_LISTENS, { ...MUX, calls: ["sendto", "recvfrom"] }),
  ...errors(["EPIPE"], () => NOTHING_LISTENS, READING),
  injected("EPIPE", "handed over", { ...ASKING, what: "error=EPIPE", opening: [answersUnasked, "unasked"] }),
  ...errors(["ENOMEM", "ENOBUFS", "EPERM"], named(71), { ...MUX, calls: ["sendto", "recvfrom"] }),
  ...errors(["ENOMEM"], named(71), { ...MUX, calls: ["poll"] }),
  injected("EAGAIN", "handed over", { ...MUX, calls: ["sendto", "recvfrom"], what: "error=EAGAIN" }),
  injected("EAGAIN for ever", TOO_LATE, {
    ...MUX,
    calls: ["sendto", "recvfrom"],
    what: "error=EAGAIN",
    times: Infinity,
    timeout: 300,
  }),
  ...interruptions({ ...MUX, calls: ["sendto", "recvfrom", "poll"] }),
  ...signals({ ...MUX, calls: ["sendto", "recvfrom", "poll"] }),
];
