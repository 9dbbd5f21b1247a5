import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { Installation } from "../support/installation.ts";
import { bytes, inTime, listen } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";
import { run } from "./typed.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;

/** Runs a command line with its outputs as a shell redirects them. */
function redirected(redirections: string, ...words: string[]) {
  return run(["sh", "-c", `exec "$@" ${redirections}`, "sh", shim, ...words]);
}

/** Whether there is a device that is always full. */
const HAS_FULL = Deno.build.os === "linux";

testWhere(HAS_FULL, "there is no /dev/full here", "a full standard output is an error of its own", async () => {
  for (const words of [["completions", "bash"], ["--help"], ["--version"], ["check", "telnet/x"]]) {
    const { code, err } = await redirected(">/dev/full", ...words);
    assertEquals(code, 74, words.join(" "));
    assertMatch(err, /^deno-ssh-proxy: standard output: it cannot be written to: No space left on device[^\n]*\n$/);
  }
});

testWhere(HAS_FULL, "there is no /dev/full here", "what standard error cannot take is lost", async () => {
  using folder = new Folder();
  const wait = await redirected("2>/dev/full", "wait", `unix${folder.at("s")}`, "--timeout", "0.3");
  assertEquals([wait.code, wait.out], [75, ""]);
  assertEquals((await redirected("2>/dev/full", "nonsense")).code, 64);
  assertEquals((await redirected("2>/dev/full")).code, 64);
});

Deno.test("outputs that are closed keep nothing from being done", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  for (const redirections of [">&-", "2>&-", "<&- >&- 2>&-"]) {
    const running = redirected(redirections, "wait", `unix${folder.at("s")}`, "--timeout", "5");
    using connection = await inTime(listener.accept());
    await connection.write(bytes("SSH-2.0-x\r\n"));
    assertEquals((await running).code, 0, redirections);
  }
});

Deno.test("a reader that has seen enough is no error", async () => {
  // A shell tells how the first of a pipeline ended only on the side.
  const script = '{ "$1" completions bash; echo $? >&2; } | :; "$1" completions bash | head -n 1';
  const { code, out, err } = await run(["sh", "-c", script, "sh", shim]);
  assertEquals([code, err], [0, "0\n"]);
  assertMatch(out, /^# What bash completes [^\n]*\n$/);
});

Deno.test("--help goes to standard output, and to standard error where nobody asked for it", async () => {
  for (const word of ["--help", "-h"]) {
    const { code, out, err } = await run([shim, word]);
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "unix/PATH");
  }
  const { code, out, err } = await run([shim]);
  assertEquals([code, out], [64, ""]);
  assertStringIncludes(err, "unix/PATH");
});

Deno.test("--version tells the program's, the library's and Deno's", async () => {
  for (const word of ["--version", "-V"]) {
    const { code, out } = await run([shim, word]);
    assertEquals(code, 0);
    const version = String.raw`\d+\.\d+\.\d+`;
    assertMatch(
      out,
      new RegExp(`^deno-ssh-proxy (${version})\nlibrary \\1 \\(/.*/libdeno_ssh_proxy\\.\\w+\\)\ndeno ${version}\n$`),
    );
  }
});
