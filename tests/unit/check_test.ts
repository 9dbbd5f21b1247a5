import { assert, assertEquals, assertMatch } from "@std/assert";
import { check } from "../../commands/check/check.ts";
import type { Context } from "../../commands/command.ts";
import type { Output } from "../../commands/terminal/output.ts";
import { standInLibrary } from "./support.ts";

/** What `check` writes for an address that is none, so that neither the library nor ssh is asked. */
async function written(output: Partial<Output>, typed: string, options: { json: boolean } = { json: false }) {
  let text = "";
  const write = (part: string) => Promise.resolve(void (text += part));
  const out: Output = { isTerminal: false, takesControls: false, columns: 80, write, ...output };
  const context: Context = {
    out,
    err: { ...out, isTerminal: false },
    commands: [],
    library: standInLibrary({}).library,
  };
  assertEquals(await check.run(context, options, typed, undefined), 64);
  return text;
}

Deno.test("a step is a mark, its name, what came of it and its time, and below it what to do", async () => {
  const text = await written({ columns: 200 }, "telnet/x");
  assertMatch(
    text,
    /^x address {3}'telnet\/x': not an address \(\d+\.\d ms\)\n {14}an address is unix\/PATH, [^\n]*\n$/,
  );
  const coloured = await written({ columns: 200, takesControls: true }, "telnet/x");
  assert(coloured.startsWith("\x1b[31mx\x1b[m address   'telnet/x'"), coloured);
  assertEquals(coloured.split("\x1b").length, 3);
});

Deno.test("no line is as wide as the terminal, or wider than 100 columns, where it is more than a word", async () => {
  const typed = `telnet/${"a word ".repeat(30)}`;
  for (const columns of [300, 100, 80, 60, 40]) {
    const lines = (await written({ columns }, typed)).trimEnd().split("\n");
    const longest = Math.max(...lines.map((line) => [...line].length));
    const limit = Math.min(columns, 100) - 1;
    assert(longest <= limit && longest > limit - 12, `${columns}: ${longest}`);
  }
  // However narrow it is, a few words fit.
  for (const line of (await written({ columns: 5 }, typed)).split("\n")) assert([...line].length <= 12 + 20, line);
});

Deno.test("the JSON is what was typed, and steers no terminal", async () => {
  const typed = "telnet/\x9b2J\u202e\x7f\u2028x";
  const text = await written({ takesControls: true }, typed, { json: true });
  assert(!/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u.test(text), JSON.stringify(text));
  const report = JSON.parse(text);
  assertEquals([report.typed, report.address, report.port, report.ok, report.exitCode], [
    typed,
    typed,
    "22",
    false,
    64,
  ]);
  const [{ milliseconds, ...step }] = report.steps;
  assert(milliseconds >= 0);
  assertEquals([step.name, step.status, step.exitCode, step.facts], ["address", "failed", 64, { error: "usage" }]);
  assertEquals(report.steps.length, 1);
});
