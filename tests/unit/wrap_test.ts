import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { foldHelp, wrap } from "../../commands/wrap.ts";

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

Deno.test("the last word of a text keeps its spaces", () => {
  assertEquals(wrap("one two", 14, "(0.6 ms)"), ["one two", "(0.6 ms)"]);
  assertEquals(wrap("one two", 16, "(0.6 ms)"), ["one two (0.6 ms)"]);
});

Deno.test("a help text that fits stays as it is, and one that does not has its columns and paragraphs again", () => {
  const help = `USAGE
  program config [--alias NAME=ADDRESS]... [--dry-run] <NAME>

One paragraph of two lines, the first of
which is longer.

  check    shows every step of it all
  [--one]  a brief that is not short
`;
  assertEquals(foldHelp(help, 80), help);
  assertEquals(
    foldHelp(help, 32),
    `USAGE
  program config
    [--alias NAME=ADDRESS]...
    [--dry-run] <NAME>

One paragraph of two lines, the
first of which is longer.

  check    shows every step of
           it all
  [--one]  a brief that is not
           short
`,
  );
  assertEquals(foldHelp("  --timeout SECONDS  how long", 24), "  --timeout SECONDS\n    how long");
});
