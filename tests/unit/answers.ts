/**
 * What a multiplexer may answer, in any pieces, and what must come of it: told byte by byte, in another way than the program
 * tells it.
 *
 * @module
 */

import fc from "fast-check";
import type { Ending } from "./stand_in_socket.ts";
import { latin1 } from "./support.ts";

/** The most digits that the number of an OK line has: those of any 64-bit number. */
const MOST_DIGITS = 20;

/** The bytes of an answer that are the multiplexer's own, where it is a good one; or why it is none. */
export function verdictOn(answer: string): { good: number } | "none" | "cut off" {
  const [line, banner] = ["OK ", "SSH-"];
  let digits = 0;
  for (let at = 0; at < answer.length; at++) {
    const character = answer[at]!;
    if (answer[0] === "S") {
      if (character !== banner[at]) return "none";
      if (at === banner.length - 1) return { good: 0 };
    } else if (at < line.length) {
      if (character !== line[at]) return "none";
    } else if (character >= "0" && character <= "9") {
      if (++digits > MOST_DIGITS) return "none";
    } else return character === "\n" && digits > 0 ? { good: at + 1 } : "none";
  }
  return "cut off";
}

/** Answers that are good ones, almost good ones, and anything; a character a byte. */
export const anyAnswer: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.oneof(fc.constantFrom("", "SSH-2.0-x\r\n", "\n", "\0", "OK 22\n"), fc.uint8Array({ maxLength: 60 }).map(latin1)),
  ).map(([number, rest]) => `OK ${number}\n${rest}`),
  fc.uint8Array({ maxLength: 60 }).map((rest) => `SSH-${latin1(rest)}`),
  fc.constantFrom("OK 1073741824\n", "OK 18446744073709551615\n", "SSH-2.0-x\r\n").chain((answer) =>
    fc.nat(answer.length).map((length) => answer.slice(0, length))
  ),
  fc.array(
    fc.constantFrom(
      ...["O", "K", "OK ", " ", "0", "1", "9", "22", "11111111111111111111", "\n", "\r"],
      ...["S", "SS", "SSH", "H-", "-", "SSH-", "x", "\0", "\xff"],
    ),
    { maxLength: 8 },
  ).map((pieces) => pieces.join("")),
  fc.uint8Array({ maxLength: 64 }).map(latin1),
);

/** `text` in pieces of these lengths, which come round again. */
export function cut(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + lengths[pieces.length % lengths.length]!;
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

/** The lengths of pieces, down to single bytes. */
export const anyLengths: fc.Arbitrary<number[]> = fc.oneof(
  fc.constant<number[]>([1]),
  fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
);

/** `answers` in any pieces. */
export function inPieces(answers: fc.Arbitrary<string>): fc.Arbitrary<{ answer: string; pieces: string[] }> {
  return fc.tuple(answers, anyLengths).map(([answer, lengths]) => ({ answer, pieces: cut(answer, lengths) }));
}

/** What follows on an answer. */
export const anyEnding: fc.Arbitrary<Ending> = fc.constantFrom<Ending>("end", "silence", "reset");

/** How many pieces arrive of their own accord before each call. */
export const anyEarly: fc.Arbitrary<number[]> = fc.array(fc.nat(3), { maxLength: 20 });
