import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { wrap } from "../../commands/wrap.ts";

Deno.test("a text is broken at spaces, and a long word stays whole", () => {
  assertEquals(wrap("one two three", 7), ["one two", "three"]);
  assertEquals(wrap("one two three", 100), ["one two three"]);
  assertEquals(wrap("a /path/that/is/long b", 5), ["a", "/path/that/is/long", "b"]);
  assertEquals(wrap("", 5), [""]);
});

Deno.test("no text loses a word, and no line of several words is longer than it may be", () => {
  const words = fc.array(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }).filter((one) => !/ /.test(one)));
  fc.assert(fc.property(words, fc.integer({ min: 1, max: 40 }), (words, width) => {
    const lines = wrap(words.join(" "), width);
    assertEquals(lines.join(" "), words.join(" "));
    for (const line of lines) assert([...line].length <= width || !line.includes(" "), line);
  }));
});
