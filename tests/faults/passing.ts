/** What may go wrong where the connection is passed, and before, where it is chosen how to hand it over. */

import { errors, injected, interruptions, named, type Row, signals, surrounded } from "./row.ts";

const PASS = { step: "pass", calls: ["sendmsg"], ways: ["pass"] } as const;
const CHOOSE = { step: "choose", calls: ["fstat", "getsockopt"] } as const;

const GONE = { code: 74, says: "ssh is gone" };

export const choosing: Row[] = [
  ...errors(["EBADF"], () => ({ code: 74, says: "closed, or /dev/null" }), { ...CHOOSE, calls: ["fstat"] }),
  ...errors(["ENOMEM"], named(71), CHOOSE),
  ...errors(["EPERM"], named(74), CHOOSE),
  ...interruptions(CHOOSE),
  ...signals(CHOOSE),
];

export const passing: Row[] = [
  surrounded("EPIPE", "an ssh that is gone", GONE, { abandoned: true }, { ways: ["pass"] }),
  ...errors(["EPIPE", "ECONNRESET"], () => GONE, PASS),
  ...errors(["ENOMEM", "ENOBUFS", "EMFILE", "ETOOMANYREFS"], named(71), PASS),
  ...errors(["EPERM", "EBADF"], named(74), PASS),
  injected("EAGAIN", "handed over", { ...PASS, what: "error=EAGAIN" }),
  injected("EAGAIN for ever", { code: 74, says: "(ETIMEDOUT)" }, {
    ...PASS,
    what: "error=EAGAIN",
    times: Infinity,
    timeout: 300,
  }),
  ...interruptions(PASS),
  ...signals(PASS),
];
