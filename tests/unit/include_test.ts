import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isIncluded, withInclude, withoutInclude } from "../../commands/config/include.ts";

const FILE = "deno-ssh-proxy.conf";
const HOME = "/home/a";
const LINES = withInclude("", FILE, HOME);

Deno.test("the line is put at the top, above every Host and Match", () => {
  assertEquals(LINES.split("\n").slice(1), [`Include ${FILE}`, ""]);
  for (const config of ["Host a\n", "Match all\n", "User b", "\n\n", "\xff"]) {
    assertEquals(withInclude(config, FILE, HOME), LINES + config);
  }
});

Deno.test("the lines end as the first one of the file does", () => {
  assertEquals(withInclude("Host a\r\nUser b\n", FILE, HOME), `${LINES.replaceAll("\n", "\r\n")}Host a\r\nUser b\n`);
  assertEquals(withInclude("Host a\nUser b\r\n", FILE, HOME), `${LINES}Host a\nUser b\r\n`);
});

Deno.test("a line of the user's own that has ssh read the file for every host is enough", () => {
  for (
    const line of [
      `Include ${FILE}`,
      `include  "${FILE}"`,
      `  INCLUDE=${FILE} other`,
      `Include other '${FILE}'\r`,
      `Include ~/.ssh/${FILE}`,
      `Include = ${HOME}/.ssh/${FILE}`,
    ]
  ) {
    const config = `# mine\nUser b\n${line}\nHost a\n`;
    assertEquals(withInclude(config, FILE, HOME), config);
    assertEquals(withoutInclude(config, FILE), config);
  }
  for (const line of [`# Include ${FILE}`, `Include x${FILE}`, `Include /etc/${FILE}`, `Host a\nInclude ${FILE}`]) {
    assertEquals(isIncluded(`${line}\n`, FILE, HOME), false, line);
  }
});

Deno.test("where the lines have come to stand below a Host, they are put at the top again", () => {
  assertEquals(withInclude(`Host a\n${LINES}User b\n`, FILE, HOME), `${LINES}Host a\nUser b\n`);
});

Deno.test("the lines are taken out wherever they stand, and nothing but them", () => {
  const [comment, include] = LINES.split("\n");
  assertEquals(withoutInclude(`a\n${LINES}b`, FILE), "a\nb");
  assertEquals(withoutInclude(`a\n${comment}\n${include}`, FILE), "a\n");
  assertEquals(withoutInclude(`${LINES}${include}\n`, FILE), `${include}\n`);
  assertEquals(withoutInclude(`${comment}\nHost a\n`, FILE), `${comment}\nHost a\n`);
});

/** Files of lines that matter here, and of any bytes. */
const anyConfig = fc.oneof(
  fc.uint8Array().map((bytes) => String.fromCharCode(...bytes)),
  fc.array(
    fc.constantFrom("Host a", "  User b", "Match all", "# c", "", "Include x", "\xe9", "Host=x", "\r", "\r\n", "\n"),
  )
    .map((lines) => lines.join("\n")),
  fc.array(fc.constantFrom("Host a\r\n", "\r\n", "\n", "User b\r\n")).map((lines) => lines.join("")),
);

Deno.test("any file is included in once the line is in it, and the same bytes as before once it is out again", () => {
  fc.assert(fc.property(anyConfig, (config) => {
    const edited = withInclude(config, FILE, HOME);
    assert(isIncluded(edited, FILE, HOME));
    assert(edited.endsWith(config));
    assertEquals(withInclude(edited, FILE, HOME), edited);
    assertEquals(withoutInclude(edited, FILE), config);
  }));
});
