/**
 * The installed program, started by the thousand against others that say anything, in any pieces, at any time: it neither
 * crashes nor hangs, and what comes of it is what the bytes demand.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { Library } from "../../ffi/library.ts";
import { fdKind } from "../../ffi/socket.ts";
import { dial, ProxyError } from "../../mod.ts";
import { Folder } from "../../tools/checkout.ts";
import { inTime } from "../../tools/waiting.ts";
import { MESSAGE, type Outcome, runAsSsh } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
import { CONTAINER, Machined, varlink, VM, writeAll } from "../support/machined.ts";
import { bytes, closeAnyway, latin1, listen, readSome } from "../support/sockets.ts";
import { anyAnswer, cut, verdictOn } from "../unit/answers.ts";
import { LIBRARY_PATH } from "../unit/support.ts";
import { length, nearly, SEED, tell, triedAtLeast } from "./fuzz.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;

/** How many run at the same time. */
const AT_ONCE = 2;

/** The codes of docs/design.md, as far as a fault of others can lead to them. */
const CODES = [0, 64, 66, 69, 75, 76];

/**
 * Tries `work` on those of `found` and on this many of `inputs`, two at a time. What fails is not made smaller, as that takes another thousand
 * processes: it is shown as it is.
 */
function many<Input>(
  sentence: string,
  { full, found = [], inputs }: { full: number; found?: readonly NoInfer<Input>[]; inputs: fc.Arbitrary<Input> },
  work: (input: Input) => Promise<void>,
): void {
  Deno.test(sentence, async () => {
    const started = performance.now();
    const all = [...found, ...fc.sample(inputs, { numRuns: length(full, Math.ceil(full / 12)), seed: SEED })];
    let next = 0;
    const worker = async () => {
      while (next < all.length) {
        const input = all[next++]!;
        await work(input).catch((thrown) => {
          next = all.length;
          throw new Error(`${JSON.stringify(input)}, seed ${SEED}`, { cause: thrown });
        });
      }
    };
    // Where one fails, the other ends in order, with what it has made.
    for (const ended of await Promise.allSettled(Array.from({ length: AT_ONCE }, worker))) {
      if (ended.status === "rejected") throw ended.reason;
    }
    tell(sentence, all.length, started);
  });
}

/** How another side says what it says. */
interface Saying {
  answer: string;
  /** The lengths of the pieces, and how many milliseconds go by before each. */
  lengths: number[];
  pauses: number[];
  /** Whether it waits to be asked first. */
  listens: boolean;
  ending: "end" | "close" | "silence";
}

const say = (answers: fc.Arbitrary<string>): fc.Arbitrary<Saying> =>
  fc.record({
    answer: answers,
    lengths: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
    pauses: fc.array(fc.constantFrom(0, 0, 0, 1, 3), { minLength: 1, maxLength: 6 }),
    listens: fc.boolean(),
    ending: fc.constantFrom("end", "close", "silence"),
  });

/** Says it on a connection. Whoever listens may leave before its end. */
async function speak(connection: Deno.UnixConn, { answer, lengths, pauses, listens, ending }: Saying): Promise<void> {
  try {
    if (listens) await readSome(connection);
    // As many pieces as nobody has to read meanwhile: the rest is read when all is said.
    const factor = Math.ceil(answer.length / 100);
    for (const [at, piece] of cut(answer, lengths.map((length) => length * factor)).entries()) {
      const pause = pauses[at % pauses.length]!;
      if (pause > 0) await new Promise((fired) => setTimeout(fired, pause));
      await writeAll(connection, piece);
    }
    if (ending === "end") await connection.closeWrite();
    if (ending === "close") connection.close();
  } catch (thrown) {
    const { BrokenPipe, ConnectionReset, NotConnected } = Deno.errors;
    if (![BrokenPipe, ConnectionReset, NotConnected].some((gone) => thrown instanceof gone)) throw thrown;
  }
}

/** For how long the program waits for one that says nothing more, in seconds. */
const TIMEOUT = 0.2;

/** How long it may take beside that, in milliseconds: of thousands, one starts when the machine is busiest. */
const PATIENCE = 20_000;

/** That the program ended by itself and in time, with one of `codes`, and with a message where it failed. */
function assertEnded({ code, stderr, took }: Outcome, codes: readonly number[]): void {
  assert(codes.includes(code), `exit code ${code} rather than ${codes}: ${stderr}`);
  assert(CODES.includes(code));
  if (code === 0) assertEquals(stderr, "");
  else assertMatch(stderr, MESSAGE);
  assert(took < PATIENCE, `it took ${took} ms`);
}

/** As in proxy/dial.ts. */
const LONGEST_FAREWELL = 1024;

/** The exit codes that the bytes of a multiplexer demand. */
function codesOf({ answer, ending }: Saying): number[] {
  const verdict = verdictOn(answer);
  if (verdict === "none") return [76];
  if (verdict !== "cut off" && (verdict.good > 0 || ending === "silence")) return [0];
  // With no OK line it is a server, which is handed over unless it hangs up; what says more than a farewell is not waited for.
  if (verdict !== "cut off") return answer.length < LONGEST_FAREWELL ? [76] : ending === "end" ? [0] : [0, 76];
  if (ending === "silence") return [75];
  // One that closes and has not read the request resets the connection, which is the same as no answer.
  return answer === "" ? [69] : ending === "close" ? [69, 76] : [76];
}

/** What of an answer is the server's. */
function serversPart(answer: string): string {
  const verdict = verdictOn(answer);
  return typeof verdict === "string" ? "" : answer.slice(verdict.good);
}

const GOOD = ["OK 1073741824\nSSH-2.0-x\r\n\0\0\0key", "OK 22\n", "SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n\0\0\0"];
const anyMultiplexer = fc.oneof(
  anyAnswer,
  nearly(GOOD, ["OK ", "SSH-", "\n", "\r\n", " ", "0", "18446744073709551616", "\0", "\xff", "\x1b[2J"]),
  fc.constantFrom(...GOOD),
  fc.tuple(fc.constantFrom(...GOOD), fc.integer({ min: 1, max: 20_000 })).map(([good, more]) =>
    good + "x".repeat(more)
  ),
);

/** Runs the program with one multiplexer that it can reach. */
async function runServed(saying: Saying, words: readonly string[], relayed: boolean) {
  const folder = new Folder();
  const listener = listen(folder.at("vm"));
  const timeout = saying.ending === "silence" && verdictOn(saying.answer) === "cut off" ? TIMEOUT : 3;
  const running = runAsSsh([shim, `vsock-mux${folder.at("vm")}`, "22", `--timeout=${timeout}`, ...words], {
    timeout: PATIENCE,
  });
  const accepting = listener.accept().catch(() => undefined);
  const connection = await Promise.race([accepting, running.then(() => undefined)]);
  if (connection !== undefined) await inTime(speak(connection, saying), PATIENCE);
  // A relay lasts for as long as the server is there.
  if (relayed) closeAnyway(connection);
  const outcome = await running;
  return {
    outcome,
    [Symbol.dispose]() {
      for (const { fds } of outcome.messages) for (const fd of fds) fd.close();
      closeAnyway(connection);
      listener.close();
      folder[Symbol.dispose]();
    },
  };
}

many(
  "a connection is handed over where the multiplexer's bytes say so, with the server's first byte first, and no other",
  { full: 1_300, inputs: say(anyMultiplexer) },
  async (saying) => {
    using served = await runServed(saying, [], false);
    const { outcome } = served;
    assertEnded(outcome, codesOf(saying));
    const passed = outcome.messages.map(({ bytes, fds }) => ({ bytes, fds: fds.length }));
    assertEquals(passed, outcome.code === 0 ? [{ bytes: [0], fds: 1 }] : []);
    const fd = outcome.messages[0]?.fds[0];
    if (fd === undefined) return;
    const rest = serversPart(saying.answer);
    assertEquals(latin1(await inTime(fd.read(Math.max(rest.length, saying.ending === "silence" ? 0 : 1)))), rest);
  },
);

many(
  "a relay gives every byte of the server's and no other, or none where the multiplexer's bytes say so",
  { full: 400, inputs: say(anyMultiplexer).filter(({ answer, ending }) => answer !== "" || ending !== "silence") },
  async (saying) => {
    // Where it is not to wait for more, there is nobody from whom more could come.
    const ended: Saying = { ...saying, ending: "close" };
    using served = await runServed(ended, ["--relay"], true);
    const { outcome } = served;
    assertEnded(outcome, codesOf(ended));
    assert(outcome.messages.every(({ fds }) => fds.length === 0));
    const relayed = outcome.messages.map(({ bytes }) => String.fromCharCode(...bytes)).join("");
    assertEquals(relayed, outcome.code === 0 ? serversPart(saying.answer) : "");
  },
);

const { vSockCid: _cid, ...BARE } = VM;

/** What a systemd-machined says, where `@` stands for the path of a socket that there is. None of it names a CID. */
const REPLIES = [
  varlink({ parameters: { ...BARE, sshAddress: "unix@" } }),
  varlink({ parameters: BARE }),
  varlink({ parameters: { ...CONTAINER, name: "foo" } }),
  varlink({ error: "io.systemd.Machine.NoSuchMachine", parameters: {} }),
  varlink({ error: "org.varlink.service.InvalidParameter", parameters: {} }),
];
const anyReply = fc.oneof(
  fc.constantFrom(...REPLIES),
  nearly(REPLIES, [
    "\0",
    '"',
    "{",
    "}",
    "null",
    '"__proto__":',
    "\xff",
    "\xef\xbb\xbf",
    "[".repeat(9999),
    "\x1b[2J",
    "../",
  ]),
  fc.uint8Array({ maxLength: 80 }).map(latin1),
).filter((reply) => !/vsock/i.test(reply));

const GOOD_REPLY: Saying = { answer: REPLIES[0]!, lengths: [7], pauses: [0], listens: true, ending: "silence" };

many(
  "a machine is connected to where systemd-machined's bytes say so, and anything else is a failure",
  { full: 250, found: [GOOD_REPLY], inputs: say(anyReply) },
  async (saying) => {
    using folder = new Folder();
    Deno.mkdirSync(folder.at("systemd/machine"), { recursive: true });
    using machined = listen(Machined.socketIn(folder.path));
    using machine = listen(folder.at("s"));
    const answer = saying.answer.replaceAll("@", folder.at("s"));
    const [message, ...others] = answer.split("\0");
    const goesOn = saying.ending === "silence" && others.length === 0;
    const running = runAsSsh([shim, "machine/foo", "22", `--timeout=${goesOn ? TIMEOUT : 3}`], {
      env: { XDG_RUNTIME_DIR: folder.path },
      timeout: PATIENCE,
    });
    const connection = await Promise.race([machined.accept(), running.then(() => undefined)]);
    if (connection !== undefined) await inTime(speak(connection, { ...saying, answer }), PATIENCE);
    const outcome = await running;
    closeAnyway(connection);
    const isGood = others.length > 0 && message === REPLIES[0]!.slice(0, -1).replace("@", folder.at("s"));
    const codes = isGood ? [0] : goesOn ? [75] : others.length === 0 ? [69, 76] : [...CODES];
    // One that is gone before it can be asked has not answered.
    if (!saying.listens && saying.ending === "close") codes.push(69);
    try {
      assertEnded(outcome, codes);
      const passed = outcome.messages.map(({ bytes, fds }) => ({ bytes, fds: fds.length }));
      assertEquals(passed, outcome.code === 0 ? [{ bytes: [0], fds: 1 }] : []);
      // What was passed leads to the machine, and nowhere else.
      if (outcome.code === 0) (await inTime(machine.accept())).close();
    } finally {
      for (const { fds } of outcome.messages) for (const fd of fds) fd.close();
    }
  },
);

const anyBytes = fc.uint8Array({ min: 1, maxLength: 30 });
const anyPath = fc.oneof(
  anyBytes,
  fc.array(
    fc.constantFrom("\xc3\xa9", "\xc3", "\xff", "\xef\xbf\xbd", "\xed\xa0\x80", "a", "A", " ", "\n", "\x1b", "'"),
    {
      maxLength: 8,
    },
  ).map((pieces) => bytes(pieces.join(""))),
  fc.integer({ min: 90, max: 5000 }).map((length) => bytes("x/".repeat(length / 2))),
);

/** Whether Deno gives the program what was typed. */
function isText(path: Uint8Array): boolean {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(path).includes("\ufffd");
  } catch {
    return false;
  }
}

many(
  "a command line of any bytes is refused where it is not text, and otherwise its path is missing",
  { full: 250, inputs: fc.tuple(fc.constantFrom("unix", "vsock-mux"), anyPath, fc.option(anyBytes)) },
  async ([form, path, surplus]) => {
    using folder = new Folder();
    const address = new Uint8Array([...bytes(`${form}${folder.at("none/")}`), ...path]);
    const outcome = await runAsSsh([
      shim,
      address,
      "22",
      ...(surplus === null || surplus.length === 0 ? [] : [surplus]),
    ]);
    const tooLong = path.length > 250;
    assertEnded(outcome, surplus !== null && surplus.length > 0 || !isText(path) ? [64] : tooLong ? [64, 66] : [66]);
    assertEquals(outcome.messages, []);
  },
);

Deno.test("a process that dials very often has as many file descriptors open at its end as at its beginning", async () => {
  const started = performance.now();
  const library = Library.open(LIBRARY_PATH);
  const open = async () => {
    let count = 0;
    for (let fd = 0; fd < 1024; fd++) if (await fdKind(library, fd).then(() => true, () => false)) count++;
    return count;
  };
  using folder = new Folder();
  const path = folder.at("vm");
  using listener = listen(path);
  const sayings = fc.sample(say(anyMultiplexer), { numRuns: length(3_000, 200), seed: SEED });
  const one = async (saying: Saying) => {
    const timeout = verdictOn(saying.answer) === "cut off" && saying.ending === "silence" ? 5 : 3_000;
    const accepting = listener.accept();
    const dialing = dial({ kind: "vsock-mux", path, port: 22 }, { timeout });
    dialing.catch(() => {});
    const connection = await accepting;
    await inTime(speak(connection, saying), PATIENCE);
    try {
      using _socket = await dialing;
    } catch (thrown) {
      assert(thrown instanceof ProxyError && CODES.includes(thrown.exitCode), String(thrown));
    }
    closeAnyway(connection);
  };
  // The first one opens the library, and what Deno needs to call it.
  await one(sayings[0]!);
  const before = await open();
  for (const saying of sayings) await one(saying);
  assertEquals(await open(), before);
  console.log(`${sayings.length} connections of one process in ${((performance.now() - started) / 1000).toFixed(1)} s`);
});

triedAtLeast(2_000);
