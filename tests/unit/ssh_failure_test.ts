import { assertEquals, assertMatch } from "@std/assert";
import { explainSshFailure, hintFor } from "../../commands/ssh/failure.ts";

const EXECUTING = "debug1: Executing proxy dialer command: exec /usr/bin/deno-ssh-proxy 'vsock/42' '22'";
const [NO_HEADER, GOT_0] = ["mm_receive_fd: no message header", "mm_receive_fd: recvmsg: expected received 1 got 0"];
const GONE = "proxy dialer did not pass back a connection";

/** What is said of these lines, with a shell, and after how long ssh was ended. */
function explain(lines: string[], shell: string | undefined = "/bin/bash", endedAfter?: number): [string, string] {
  const all = ["OpenSSH_9.2p1, OpenSSL 3.0", EXECUTING, ...lines];
  const { message, hint = "", exitCode } = explainSshFailure({ host: "vsock/42", lines: all, shell, endedAfter });
  assertEquals(exitCode, 78);
  return [message, hint];
}

Deno.test("a line that is printed for the connection is the start file's, for a shell, and the program's own otherwise", () => {
  const after = "deno-ssh-proxy: fd 1: the connection could not be passed on: ssh is gone";
  const [message, hint] = explain([NO_HEADER, GONE, after], "/usr/bin/zsh");
  assertEquals([message, hint], [
    "ssh: /usr/bin/zsh prints something where ssh waits for a connection",
    "have ~/.zshenv print nothing",
  ]);
  assertMatch(explain([NO_HEADER, GONE], "/opt/scripts/menu")[0], /^ssh: SHELL is \/opt\/scripts\/menu, which is no/);
  // An ssh before 8.4 does not say which shell it takes.
  assertMatch(
    explainSshFailure({ host: "x", lines: [EXECUTING, NO_HEADER, GONE], shell: undefined, endedAfter: undefined })
      .message,
    /^ssh: the shell in SHELL prints something/,
  );
});

Deno.test("without file descriptors, what a shell prints is a line before the banner", () => {
  const lines = [
    "debug1: kex_exchange_identification: banner line 0: This account is currently not available.",
    "kex_exchange_identification: Connection closed by remote host",
  ];
  assertMatch(explain(lines, "/usr/sbin/nologin")[0], /which is no shell$/);
  assertMatch(explain(lines, "/bin/bash")[0], /prints something/);
});

Deno.test("a shell refuses what it may not start, each in its own words", () => {
  for (
    const line of ["/bin/rbash: line 1: exec: restricted", "rbash: /x: restricted: cannot specify `/' in command names"]
  ) {
    assertMatch(explain([line, GOT_0, GONE], "/bin/rbash")[0], /restricted shell/);
  }
});

Deno.test("the program's message counts where it comes before that of ssh, with its hint", () => {
  const own = ["deno-ssh-proxy: vsock/42: no answer within 10 s", "  is it booted?"];
  assertEquals(explain([...own, GOT_0, GONE]), [`ssh: ${own[0]}`, "is it booted?"]);
  assertEquals(explain([own[0]!, GOT_0, GONE])[1], "");
});

Deno.test("of all else the last lines are shown, fit for a terminal", () => {
  assertEquals(explain(["a", "b", "c", "d\x1b[2J"]), ["ssh: b; c; d\\x1b[2J", "ssh -v vsock/42 shows all of it"]);
  assertEquals(explain([])[0], "ssh: it ended without a word");
  const connected = "debug1: Local version string SSH-2.0-OpenSSH_9.2";
  assertEquals(explain([connected], "/bin/sh", 12_000)[0], "ssh: no SSH banner within 12 s");
  assertMatch(explain([], "/bin/sh", 12_000)[0], /^ssh: its ProxyCommand did not end within 12 s$/);
});

Deno.test("a file with other owners or permissions than ssh takes has a hint", () => {
  assertMatch(hintFor(["Bad owner or permissions on /home/a/.ssh/config"])!, /chmod go-w \/home\/a\/\.ssh\/config$/);
  assertEquals(hintFor(["something else"]), undefined);
});
