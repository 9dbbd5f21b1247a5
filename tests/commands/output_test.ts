import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { Installation } from "../support/installation.ts";
import { bytes, listen } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";
import { InTerminal, run } from "./typed.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;
const PATH = outputOf("sh", "-c", "echo $PATH").trim();

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
  for (const word of ["--help", "-h", "help"]) {
    const { code, out, err } = await run([shim, word]);
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "unix/PATH");
  }
  const { code, out, err } = await run([shim]);
  assertEquals([code, out], [64, ""]);
  assertStringIncludes(err, "unix/PATH");
});

Deno.test("--version tells the program's, the library's and Deno's", async () => {
  for (const word of ["--version", "-V", "version"]) {
    const { code, out } = await run([shim, word]);
    assertEquals(code, 0);
    const version = String.raw`\d+\.\d+\.\d+`;
    assertMatch(
      out,
      new RegExp(`^deno-ssh-proxy (${version})\nlibrary \\1 \\(/.*/libdeno_ssh_proxy\\.\\w+\\)\ndeno ${version}\n$`),
    );
  }
});

Deno.test("help with a command is that command's --help, and -v gets both programs that may be meant", async () => {
  for (const command of ["check", "config"]) {
    const asked = await run([shim, "help", command]);
    assertEquals(asked, await run([shim, command, "--help"]));
    assertEquals([asked.code, asked.err], [0, ""]);
  }
  const other = await run([shim, "help", "nonsense"]);
  assertEquals([other.code, other.out], [64, ""]);
  assertMatch(other.err, /^deno-ssh-proxy: 'nonsense': neither a command nor an address\n/);
  const { code, out, err } = await run([shim, "-v"]);
  assertEquals([code, out], [64, ""]);
  assertEquals(
    err,
    "deno-ssh-proxy: -v: no such option\n  deno-ssh-proxy -V tells the version, ssh -v ADDRESS what ssh does\n",
  );
});

Deno.test("a message has its lines broken at spaces on a narrow terminal, and elsewhere at none", async () => {
  using folder = new Folder();
  const words = [shim, "wait", `unix${folder.at("s")}`, "--timeout", "0.1"];
  for (const columns of [80, 40]) {
    const script = `stty cols ${columns} && exec "$@"`;
    using terminal = new InTerminal(["/bin/sh", "-c", script, "sh", ...words], { NO_COLOR: "1", PATH });
    assertEquals(await terminal.end(), 75);
    for (const line of terminal.shown.trimEnd().split("\r\n")) {
      assert(line.length <= columns || /^ *(?:\S+|ls -l \S+)$/.test(line), line);
    }
    assertStringIncludes(terminal.shown, `ls -l ${folder.path}`);
  }
  const { err } = await run(words);
  assertEquals(err.trimEnd().split("\n").length, 3, err);
});

Deno.test("no command is offered for a word with less than half of its letters", async () => {
  for (const word of ["", "l", "i"]) {
    const { code, err } = await run([shim, word]);
    assertEquals([code, err.includes("did you mean")], [64, false], err);
  }
  assertStringIncludes((await run([shim, "wit"])).err, "did you mean wait?");
});

Deno.test("an address that is mistyped by itself gets the one that was meant, whatever is started for it", async () => {
  const meant: [words: string[], hint: string][] = [
    [["vsock:42"], "did you mean vsock/42?"],
    [["vsock/42:22"], "did you mean vsock/42 22? With ssh: ssh -p 22 vsock/42"],
    [["unix:/run/x", "22"], "did you mean unix/run/x?"],
    [["/run/x"], "did you mean unix/run/x? Or vsock-mux/run/x, behind a multiplexer"],
    [["ssh://root@vsock/42"], "did you mean vsock/42? With ssh: ssh root@vsock/42"],
    [["root@vsock/42"], "did you mean vsock/42? With ssh: ssh root@vsock/42"],
    [["vsok/42", "22"], "did you mean vsock/42?"],
    [["check", "vsock:42"], "did you mean vsock/42?"],
    [["check", "vsock//42"], "did you mean vsock/42?"],
    [["config", "--alias", "vm=vsock:42"], "did you mean vsock/42?"],
    [["wait", "unix:/run/x"], "did you mean unix/run/x?"],
    [["config", "--alias", "vm=/run/x"], "did you mean unix/run/x? Or vsock-mux/run/x, behind a multiplexer"],
  ];
  for (const [words, hint] of meant) {
    const { code, out, err } = await run([shim, ...words]);
    assertEquals(code, 64, words.join(" "));
    // A line may be broken; check writes to standard output.
    assertStringIncludes((out + err).replace(/\s+/g, " "), hint);
  }
});

Deno.test("without the library, a command says that it is missing, and where", async () => {
  using folder = new Folder();
  outputOf("cp", "-R", installation.program, folder.at("program"));
  const [library] = [...Deno.readDirSync(folder.at("program"))].filter(({ name }) =>
    name.startsWith("libdeno_ssh_proxy.")
  );
  const path = folder.at(`program/${library!.name}`);
  Deno.removeSync(path);
  for (const words of [["--version"], ["list"], ["check", "unix/s"], ["wait", "unix/s"]]) {
    const { code, err } = await run([folder.at("program/deno-ssh-proxy"), ...words]);
    assertEquals(code, 71, words.join(" "));
    assertStringIncludes(err, `deno-ssh-proxy: ${path}: the native library is missing\n`, words.join(" "));
  }
});
