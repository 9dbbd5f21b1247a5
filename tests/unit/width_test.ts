import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cutMiddle, padEnd, widthOf } from "../../commands/terminal/width.ts";
import { wrap } from "../../commands/terminal/wrap.ts";

/** Texts, and the columns that xterm gives them. */
const WIDTHS: readonly (readonly [text: string, columns: number])[] = [
  ["", 0],
  ["vm-1", 4],
  ["日本", 4],
  ["한국어", 6],
  ["🚀", 2],
  ["👩‍💻", 2],
  ["e\u0301", 1],
  ["Ünïcode", 7],
];

Deno.test("CJK characters and emoji take two columns, and combining characters none", () => {
  for (const [text, columns] of WIDTHS) assertEquals(widthOf(text), columns, text);
});

Deno.test("a text is padded and cut by its columns", () => {
  for (const [text, columns] of WIDTHS) assertEquals(padEnd(text, 10), text + " ".repeat(10 - columns), text);
  assertEquals(padEnd("日本", 3), "日本");
  assertEquals(cutMiddle("日本語の名前", 12), "日本語の名前");
  assertEquals(cutMiddle("日本語の名前", 11), "日本...名前");
  assertEquals(cutMiddle("日本語の名前", 8), "日...前");
  assertEquals(cutMiddle("abcdefghij", 7), "ab...ij");
  assertEquals(cutMiddle("abcdefghij", 8), "ab...hij");
});

Deno.test("no text that is cut is wider than it may be, and no character is split", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), fc.integer({ min: 3, max: 30 }), (text, width) => {
      const cut = cutMiddle(text, width);
      assert(widthOf(cut) <= width, cut);
      assert(cut.isWellFormed());
      if (cut !== text) assertEquals(cut.split("...").length > 1, true);
    }),
  );
});

Deno.test("a line with wide characters is broken before the terminal's edge", () => {
  assertEquals(wrap("日本 日本 日本", 9), ["日本 日本", "日本"]);
  assertEquals(wrap("日本 日本 日本", 8), ["日本", "日本", "日本"]);
});
