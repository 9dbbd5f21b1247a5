import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { unifiedDiff } from "../../commands/config/diff.ts";
import { Folder, outputOf, testWith } from "./support.ts";

Deno.test("what is the same has no difference", () => {
  for (const text of [undefined, "", "a\n", "a"]) assertEquals(unifiedDiff("f", text, text), "");
});

Deno.test("three lines are shown around a change", () => {
  const lines = Array.from({ length: 9 }, (_, n) => `${n}\n`);
  assertEquals(
    unifiedDiff("f", lines.join(""), lines.with(4, "new\n").join("")),
    "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 1\n 2\n 3\n-4\n+new\n 5\n 6\n 7\n",
  );
});

Deno.test("a file that is made or removed is one from nothing or to nothing", () => {
  assertEquals(unifiedDiff("f", undefined, "a\n"), "--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n");
  assertEquals(
    unifiedDiff("f", "a\nb", undefined),
    "--- f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n\\ No newline at end of file\n",
  );
});

testWith("patch", "patch(1) makes the one version of any two of the other", () => {
  using folder = new Folder();
  const anyText = fc.tuple(fc.array(fc.constantFrom("a", "b", "c", "", "d")), fc.boolean())
    .map(([lines, ends]) => lines.map((line, at) => ends || at + 1 < lines.length ? `${line}\n` : line).join(""))
    // Empty files are none for patch.
    .filter((text) => text !== "");
  fc.assert(fc.property(anyText, anyText, (before, after) => {
    folder.file("f", before);
    const diff = folder.file("diff", unifiedDiff("f", before, after));
    if (before !== after) outputOf("patch", "--silent", "-d", folder.path, "-i", diff);
    assertEquals(Deno.readTextFileSync(folder.at("f")), after);
  }));
});
