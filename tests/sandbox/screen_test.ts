import { assertEquals, assertMatch } from "@std/assert";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf, works } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { InTerminal } from "../commands/typed.ts";
import { assertPassed, MESSAGE, runAsSsh } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
import { terminal } from "../support/process.ts";
import { latin1, listen } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";

// What is on a terminal of 80x24 is its user's: the program writes its messages there, and not one byte else.

const installation = new Installation();
const folder = new Folder();
Deno.test.afterAll(() => {
  folder[Symbol.dispose]();
  installation[Symbol.dispose]();
});
const { shim } = installation;
const PATH = outputOf("sh", "-c", "echo $PATH").trim();
const ENV = { PATH, HOME: folder.path, TERM: "xterm-256color" };

/** Returns what in `shown` is no text and no end of a line. */
function escapesIn(shown: string): string[] {
  return shown.replaceAll("\r\n", "\n").match(/(?!\n)\p{Cc}/gu) ?? [];
}

/** What a command draws itself: a line that moves while it goes on, and the colours of a step. */
const LINE = "\r\x1b\\[K(?:[|/\\\\-] [^\r\n]*)?";
const COLOURS = "\x1b\\[(?:3[123])?m";

/** Runs the ProxyCommand with a terminal for its stderr, as ssh has it, and returns what that shows. */
async function errorsOf(words: string[], env: Record<string, string>, serves: boolean): Promise<string> {
  const path = folder.at("s");
  using listener = serves ? listen(path) : undefined;
  const [near, far] = terminal();
  using _near = near;
  const running = runAsSsh([...words, `unix${path}`, "22"], { env, errors: far });
  if (listener) {
    assertPassed(await running).close();
    (await inTime(listener.accept())).close();
  } else assertEquals((await running).code, 66);
  far.close();
  return latin1(await inTime(near.read()));
}

for (const [name, env] of [["a terminal", ENV], ["a terminal with TERM=dumb", { ...ENV, TERM: "dumb" }]] as const) {
  Deno.test(`a connection writes nothing to ${name}, and a failure its message alone`, async () => {
    assertEquals(await errorsOf([shim], env, true), "");
    assertMatch((await errorsOf([shim], env, false)).replaceAll("\r\n", "\n"), MESSAGE);
  });
}

Deno.test("a terminal that has a prompt again is told nothing, because ssh is gone", async () => {
  const path = folder.at("gone");
  using _listener = listen(path);
  const [near, far] = terminal();
  using _near = near;
  const { code } = await runAsSsh([shim, `unix${path}`, "22"], { env: ENV, errors: far, abandoned: true });
  far.close();
  assertEquals([code, latin1(await inTime(near.read()))], [74, ""]);
});

Deno.test("what the user has on the line stays there, before and behind a command in the background", async () => {
  const script = 'printf "Deploying... "; "$0" unix/none 22 2>&1 & wait; printf "done"';
  using shell = new InTerminal([pathOf("sh"), "-c", script, shim], ENV);
  assertEquals(await shell.end(), 0);
  assertEquals(escapesIn(shell.shown), []);
  assertMatch(shell.shown, /^Deploying\.\.\. deno-ssh-proxy: .*\r\n {2}.*\r\ndone$/);
});

/** Each command, and whether it draws a line anew or in colours. */
const COMMANDS: [words: string[], controls: RegExp | undefined][] = [
  [["--help"], undefined],
  [["--version"], undefined],
  [["no-such-command"], undefined],
  [["completions", "bash"], undefined],
  [["config"], undefined],
  [["config", "--install", "--dry-run"], undefined],
  [["config", "--alias", "x"], undefined],
  [["list"], undefined],
  [["check", "unix/none"], new RegExp(`${LINE}|${COLOURS}`, "gu")],
  [["wait", "unix/none", "--timeout", "0.3"], new RegExp(LINE, "gu")],
];

for (const [words, controls] of COMMANDS) {
  Deno.test(`${words.join(" ")} writes to a terminal what it draws itself, and no other escape sequence`, async () => {
    for (const env of [ENV, { ...ENV, TERM: "dumb" }, { ...ENV, NO_COLOR: "1" }]) {
      using typed = new InTerminal([shim, ...words], env);
      await typed.end();
      const shown = new TextDecoder().decode(Uint8Array.from(typed.shown, (character) => character.charCodeAt(0)));
      const text = env === ENV && controls ? shown.replaceAll(controls, "") : shown;
      assertEquals(escapesIn(text), [], JSON.stringify(shown));
    }
  });
}

testWhere(
  works("sh", ["-c", "command -v tmux"]),
  "there is no tmux here",
  "in a real terminal the lines above and below the cursor stay as they are",
  () => {
    const socket = folder.at("tmux");
    const tmux = (...args: string[]) => outputOf("tmux", "-S", socket, "-f", "/dev/null", ...args);
    const script = `printf '\\n\\n\\n\\nbelow\\033[4A\\rDeploying... '; '${shim}' unix/none 22; printf done`;
    tmux("new-session", "-d", "-x", "80", "-y", "24", `${script}; exec cat`);
    try {
      let screen = "";
      const end = performance.now() + 20_000;
      while (!screen.includes("done") && performance.now() < end) screen = tmux("capture-pane", "-p");
      assertMatch(screen, /^Deploying\.\.\. deno-ssh-proxy: /);
      assertMatch(screen, /^done\n(?:.*\n)*below\n/m);
    } finally {
      tmux("kill-server");
    }
  },
);

Deno.test("a deno-installed command with --quiet writes no escape sequence", async () => {
  const library = `${CHECKOUT}/rust/target/release/libdeno_ssh_proxy.so`;
  const root = folder.at("root");
  outputOf(
    Deno.execPath(),
    ...["install", "--global", "--quiet", "--root", root, "--name", "deno-ssh-proxy", "--no-prompt", "--config"],
    ...[`${CHECKOUT}/deno.json`, `--allow-ffi=${library}`, `${CHECKOUT}/cli.ts`],
  );
  const env = { ...ENV, HOME: outputOf("sh", "-c", "echo ~").trim() };
  const shown = await errorsOf([`${root}/bin/deno-ssh-proxy`], env, false);
  assertMatch(shown.replaceAll("\r\n", "\n"), MESSAGE);
});
