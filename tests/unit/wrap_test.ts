import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { widthOf } from "../../commands/terminal/width.ts";
import { foldHelp, foldMessage, wrap } from "../../commands/terminal/wrap.ts";

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
    for (const line of lines) assert(widthOf(line) <= width || !line.includes(" "), line);
  }));
});

Deno.test("a command, and what stands in quotation marks, is not broken", () => {
  for (
    const copied of [
      "deno-ssh-proxy config --install --alias NAME=unix/tmp/s",
      "deno-ssh-proxy config --install --alias 'NAME=unix/tmp/x y.sock'",
      "deno-ssh-proxy wait vsock/42 22",
      "modprobe vhost_vsock",
      "systemctl start systemd-machined",
      "ssh -p 22 vsock/42",
      "ls -l /run/app",
      "'Include /etc/ssh/ssh_config.d/*.conf'",
    ]
  ) {
    const text = `one two: ${copied} three four`;
    assertEquals(wrap(text, 6).includes(copied), true, JSON.stringify(wrap(text, 6)));
    assertEquals(wrap(text, 6).join(" "), text);
  }
  assertEquals(wrap("deno-ssh-proxy: it is no command", 20), ["deno-ssh-proxy: it", "is no command"]);
});

Deno.test("the lines of a message are broken where they are too long, and its hint is told from the rest of them", () => {
  const message = "deno-ssh-proxy: subject: what happened\n  what to do about it\n";
  assertEquals(foldMessage(message, 80), message);
  assertEquals(
    foldMessage(message, 20),
    "deno-ssh-proxy:\n    subject: what\n    happened\n  what to do about\n    it\n",
  );
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
