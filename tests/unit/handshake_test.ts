import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BANNER, connectRequest, LONGEST_OK_LINE, readReply, type Reply } from "../../addresses/handshake.ts";
import { anyAnswer } from "./answers.ts";
import { bytes, latin1 } from "./support.ts";

const DIGITS = "11111111111111111111";

Deno.test("the request is one line with the port in decimal, short enough for every multiplexer", () => {
  assertEquals(latin1(connectRequest(22)), "CONNECT 22\n");
  assertEquals(latin1(connectRequest(0)), "CONNECT 0\n");
  assertEquals(latin1(connectRequest(4294967295)), "CONNECT 4294967295\n");
  // Firecracker reads 32 bytes at most.
  assert(connectRequest(4294967295).length <= 32);
});

Deno.test("each beginning of an answer says what it says", () => {
  const examples: [answer: string, reply: Reply][] = [
    ["OK 1073741824\n", { is: "connected", length: 14 }],
    ["OK 22\n", { is: "connected", length: 6 }],
    ["OK 0\n", { is: "connected", length: 5 }],
    ["OK 22\nSSH-2.0-x", { is: "connected", length: 6 }],
    ["OK 22\n\n", { is: "connected", length: 6 }],
    ["OK 22\nOK 22\n", { is: "connected", length: 6 }],
    ["OK 022\n", { is: "connected", length: 7 }],
    [`OK ${DIGITS}\n`, { is: "connected", length: 24 }],
    [`OK ${DIGITS}\n${"x".repeat(1000)}`, { is: "connected", length: 24 }],
    ["O", { is: "partial" }],
    ["OK", { is: "partial" }],
    ["OK ", { is: "partial" }],
    ["OK 1", { is: "partial" }],
    [`OK ${DIGITS}`, { is: "partial" }],
    ["SSH-", { is: "speaks" }],
    ["SSH-2.0-OpenSSH_9.9\r\n", { is: "speaks" }],
    ["SSH-OK 22\n", { is: "speaks" }],
    ["", { is: "undecided" }],
    ["S", { is: "undecided" }],
    ["SS", { is: "undecided" }],
    ["SSH", { is: "undecided" }],
    ["SSh", { is: "foreign" }],
    ["SH", { is: "foreign" }],
    ["ssh-2.0", { is: "foreign" }],
    ["SSH\n", { is: "foreign" }],
    ["OK \n", { is: "foreign" }],
    ["OK\n", { is: "foreign" }],
    ["OK  22\n", { is: "foreign" }],
    ["OK\t22\n", { is: "foreign" }],
    ["OK 22 \n", { is: "foreign" }],
    ["OK 22\r\n", { is: "foreign" }],
    ["OK 12x\n", { is: "foreign" }],
    ["OK -1\n", { is: "foreign" }],
    ["OK 0x16\n", { is: "foreign" }],
    [`OK ${DIGITS}1`, { is: "foreign" }],
    [`OK ${DIGITS}1\n`, { is: "foreign" }],
    ["ok 1\n", { is: "foreign" }],
    ["Ok 1\n", { is: "foreign" }],
    [" OK 1\n", { is: "foreign" }],
    ["\nOK 1\n", { is: "foreign" }],
    ["OOK 1\n", { is: "foreign" }],
    ["HTTP/1.1 400 Bad Request\r\n", { is: "foreign" }],
    ["CONNECT 22\n", { is: "foreign" }],
    ["\n", { is: "foreign" }],
    ["\0", { is: "foreign" }],
    ["OK 1\0\n", { is: "foreign" }],
    ["\xff\xfe", { is: "foreign" }],
  ];
  for (const [answer, reply] of examples) assertEquals(readReply(bytes(answer)), reply, JSON.stringify(answer));
});

const anyBytes = anyAnswer.map(bytes);

const isDecided = ({ is }: Reply) => is !== "partial" && is !== "undecided";

Deno.test("once an answer is decided, nothing that follows changes the decision", () => {
  fc.assert(
    fc.property(anyBytes, (answer) => {
      let decision: Reply | undefined;
      for (let length = 0; length <= answer.length; length++) {
        const reply = readReply(answer.subarray(0, length));
        if (decision !== undefined) assertEquals(reply, decision);
        else if (isDecided(reply)) decision = reply;
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the OK line ends with the first line break", () => {
  let connected = 0;
  fc.assert(
    fc.property(anyBytes, (answer) => {
      const reply = readReply(answer);
      if (reply.is !== "connected") return;
      connected++;
      assertEquals(reply.length, answer.indexOf(0x0a) + 1);
      assert(reply.length <= LONGEST_OK_LINE);
    }),
    { numRuns: 2000 },
  );
  assert(connected > 100);
});

Deno.test("an answer that is not decided yet can still become a good one, and stays within the buffer until it does", () => {
  const completions: [begun: RegExp, rest: string][] = [[/^OK [0-9]+$/, "\n"], [/^OK $/, "1\n"], [/^OK$/, " 1\n"], [
    /^O$/,
    "K 1\n",
  ]];
  fc.assert(
    fc.property(anyBytes, fc.nat(30), (answer, cut) => {
      const begun = answer.subarray(0, cut);
      const reply = readReply(begun);
      if (isDecided(reply)) return;
      assert(begun.length < LONGEST_OK_LINE);
      const text = latin1(begun);
      const rest = reply.is === "undecided"
        ? BANNER.slice(text.length)
        : completions.find(([pattern]) => pattern.test(text))?.[1];
      assertEquals(readReply(bytes(text + rest)).is, reply.is === "undecided" ? "speaks" : "connected");
    }),
    { numRuns: 2000 },
  );
});
