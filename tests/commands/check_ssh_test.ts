import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf, works } from "../../tools/programs.ts";
import { Sshd } from "../../tools/sshd.ts";
import { Tied } from "../../tools/tied.ts";
import { connectWhenThere, inTime } from "../../tools/waiting.ts";
import { Installation } from "../support/installation.ts";
import { OWN_MOUNTS } from "../support/ordinary_user.ts";
import { bytes, listen } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";
import { serve } from "./serving.ts";
import { SshWith } from "./ssh_with.ts";
import { run } from "./typed.ts";

// What check finds out about ssh itself: whether it gets through, and how it would share a connection.

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;
const FRAGMENT = Deno.readTextFileSync(`${installation.prefix}/share/deno-ssh-proxy/ssh_config`);

const [UNSHARE = "", ...MOUNTS] = OWN_MOUNTS;

const BANNER = "SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n";

/** A step as `--json` has it. */
interface Step {
  name: string;
  status: string;
  says: string;
  hint?: string;
  facts?: Record<string, unknown>;
  exitCode?: number;
}

/** How check is run. */
interface Running {
  /** What is typed in the place of the server's address. */
  host?: string;
  /** What is typed behind it. */
  options?: string[];
  /** Environment variables: no SHLVL, as in a session of a desktop, and no others of these names. */
  env?: Record<string, string>;
  /** What the server says, or does. */
  server?: string[] | ((listener: Deno.UnixListener, running: Promise<unknown>) => Promise<void>);
}

/** Runs check for a socket with a server, with `config` for ssh, and returns its steps by their names. */
async function check(config: (path: string) => string, { host, options = [], env, server = [BANNER] }: Running = {}) {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  using ssh = new SshWith(config(path));
  const words = ["env", "-u", "SHLVL", shim, "check", host ?? `unix${path}`, ...options, "--json"];
  const running = run(words, { ...ssh.env, ...env });
  await (Array.isArray(server) ? serve(listener, server, running) : server(listener, running));
  const { code, out, err } = await running;
  assertEquals(err, "");
  const steps = new Map((JSON.parse(out).steps as Step[]).map((step) => [step.name, step]));
  await noneLeft(folder.path);
  return { code, steps, last: [...steps.values()].at(-1)! };
}

/** Waits until no process has `text` in its command line: neither ssh nor the ProxyCommand. */
async function noneLeft(text: string): Promise<void> {
  const script = 'for each in /proc/[0-9]*/cmdline; do [ "$each" = /proc/$$/cmdline ] || cat "$each"; done 2>/dev/null';
  const ended = async () => {
    while (outputOf("sh", "-c", `${script}; :`).includes(text)) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await inTime(ended());
}

const ours = () => FRAGMENT;

Deno.test("check ends with ssh itself, which gets as far as the banner, and nothing of it is left", async () => {
  const { code, last } = await check(ours);
  assertEquals([code, last.name, last.status], [0, "try", "ok"], last.says);
  assertEquals(last.facts, { software: "OpenSSH_10.0p2 Debian-7" });
});

Deno.test("ssh gets through a ProxyCommand that carries every byte too, and nothing of it is left", async () => {
  const relayed = (path: string) =>
    `Host unix${path}\n    ProxyCommand ${shim} '%h' '%p'\n    StrictHostKeyChecking no\n`;
  const { code, last } = await check(relayed);
  assertEquals([code, last.name, last.status], [0, "try", "ok"], last.says);
});

Deno.test("ssh tries no authentication, even where it goes on after the banner", async () => {
  await using sshd = await Sshd.start();
  const { folder } = sshd;
  const log = folder.at("log");
  Deno.writeTextFileSync(folder.at("sshd_config"), "LogLevel DEBUG\n", { append: true });
  const path = folder.at("logged");
  const words = [...sshd.words, "-E", log].join(" ");
  await using logged = new Tied(["socat", `UNIX-LISTEN:${path},fork`, `EXEC:${words},nofork`], folder.at("socat"));
  (await logged.needed(connectWhenThere(path))).close();
  using ssh = new SshWith(FRAGMENT);
  // One that is ended with the shell around it only.
  const wrapper = Deno.readTextFileSync(ssh.folder.at("bin/ssh")).replaceAll(/\bexec (.*"\$@")/g, "$1; exit $?");
  Deno.writeTextFileSync(ssh.folder.at("bin/ssh"), wrapper);
  const { code, out } = await run([shim, "check", `unix${path}`], ssh.env);
  assertEquals(code, 0, out);
  const text = async () => {
    for (;;) {
      const text = Deno.readTextFileSync(log);
      if (text.includes("no matching host key type found")) return text;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  assert(!(await inTime(text())).includes("userauth"));
});

/** Runs check for a real sshd whose host keys ssh checks like this, with these lines in its known_hosts. */
async function checkKeys(checking: string, known: (sshd: Sshd, address: string) => string) {
  await using sshd = await Sshd.start();
  const address = `unix${sshd.unixDoor().path}`;
  const file = sshd.folder.file("known", known(sshd, address));
  const options = `StrictHostKeyChecking ${checking}\n    UserKnownHostsFile ${file}\n`;
  using ssh = new SshWith(`Host ${address}\n    ${options}${FRAGMENT}`);
  const { code, out } = await run([shim, "check", address, "--json"], ssh.env);
  const step: Step = JSON.parse(out).steps.at(-1);
  assertEquals(step.name, "try");
  // It keeps none by itself.
  assertEquals(Deno.readTextFileSync(file), known(sshd, address));
  return { code, step, address, file };
}

const keyOf = (sshd: Sshd) => Deno.readTextFileSync(sshd.folder.at("host.pub"));
const noKey = () => "";

Deno.test("a server whose host key ssh knows is reached, and nothing is tried after that", async () => {
  for (const checking of ["yes", "ask", "accept-new"]) {
    const { code, step } = await checkKeys(checking, (sshd, address) => `${address.toLowerCase()} ${keyOf(sshd)}`);
    assertEquals([code, step.status], [0, "ok"], step.says);
  }
});

Deno.test("a host key that ssh does not know is reported as ssh would take it", async () => {
  const strict = await checkKeys("yes", noKey);
  assertEquals([strict.code, strict.step.status], [78, "failed"]);
  assertMatch(strict.step.says, /^ssh: no \w+ host key is known for unix\//);
  assertStringIncludes(strict.step.hint!, strict.file);
  const asking = await checkKeys("ask", noKey);
  assertEquals([asking.code, asking.step.status], [0, "note"]);
  assertStringIncludes(asking.step.says, "ssh will ask whether to trust its host key");
  const trusting = await checkKeys("accept-new", noKey);
  assertEquals([trusting.code, trusting.step.status], [0, "ok"]);
  assertStringIncludes(trusting.step.says, "ssh will keep its host key");
});

Deno.test("a host key other than the known one is reported with its line, and how to remove it", async () => {
  using folder = new Folder();
  outputOf("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.at("other"));
  const other = Deno.readTextFileSync(folder.at("other.pub"));
  for (const checking of ["yes", "ask", "accept-new"]) {
    const { code, step, address, file } = await checkKeys(
      checking,
      (_, address) => `${address.toLowerCase()} ${other}`,
    );
    assertEquals([code, step.status], [78, "failed"], step.says);
    assertMatch(step.says, /^ssh: another host key than the server's is known for unix.*, in .* line 1$/);
    assertStringIncludes(step.hint!, `ssh-keygen -R ${address.toLowerCase()} -f ${file}`);
  }
});

testWhere(
  works("test", ["-x", "/usr/bin/zsh"]),
  "there is no zsh here",
  "a shell that writes without end does not keep check",
  async () => {
    using home = new Folder();
    home.file(".zshenv", "yes >&2\n");
    const began = performance.now();
    const { code, last } = await check(ours, {
      env: { SHELL: "/usr/bin/zsh", HOME: home.path, ZDOTDIR: home.path },
      options: ["--timeout", "0.2"],
    });
    assertEquals([code, last.name, last.status], [78, "try", "failed"], last.says);
    // Much less than it took until all of that was read.
    assert(performance.now() - began < 9_000);
  },
);

Deno.test("a server of another protocol version is one that ssh does not get through to", async () => {
  const { code, steps, last } = await check(ours, { server: ["SSH-1.5-old\r\n"] });
  assertEquals([code, steps.get("banner")?.status, last.name, last.status], [78, "note", "try", "failed"], last.says);
  assertStringIncludes(last.says, "versions differ");
});

testWhere(
  works(UNSHARE, [...MOUNTS, "true"]),
  "nobody may mount anything here (unshare(1))",
  "check and config work without /proc",
  async () => {
    using ssh = new SshWith(FRAGMENT);
    const script =
      'mount -t tmpfs none /proc && { "$0" check unix/none; echo "$?"; "$0" config >/dev/null; echo "$?"; }';
    const { out, err } = await run([pathOf(UNSHARE), ...MOUNTS, "sh", "-c", script, shim], ssh.env);
    assertMatch(out, /ssh uses this program[^]*\n66\n0\n$/, err);
  },
);

/** What nobody can get through with, what is in the start file, what check says of it, and what to do. */
const SHELLS: [shell: string, file: string, text: string, says: RegExp, hint: string][] = [
  ["/usr/sbin/nologin", "", "", /^ssh: SHELL is \/usr\/sbin\/nologin, which is no shell$/, "SHELL=/bin/sh"],
  ["/bin/false", "", "", /^ssh: SHELL is \/bin\/false, which is no shell$/, "SHELL=/bin/sh"],
  ["/no/such", "", "", /^ssh: its shell cannot be started: \/no\/such: No such file or directory$/, "SHELL=/bin/sh"],
  ["/bin/rbash", "", "", /^ssh: \/bin\/rbash is a restricted shell, which may not start /, "SHELL=/bin/sh"],
  ["/usr/bin/zsh", ".zshenv", "echo hello", /zsh prints something where ssh waits for a connection$/, "~/.zshenv"],
  ["/usr/bin/zsh", ".zshenv", "exit 3", /zsh ended and did not start this program$/, "not exit"],
  ["/bin/bash", ".bashrc", "echo hello", /bash prints something where ssh waits for a connection$/, "case $- in"],
  ["/bin/bash", ".bashrc", "read line", /^ssh: its ProxyCommand did not end within 2\.2 s$/, "start file of /bin/bash"],
];

/** Debian's bash reads ~/.bashrc where its input is a socket and SHLVL is not set; a bash in the place of sh sets it. */
const READS_BASHRC = works("sh", ["-c", 'test -f /etc/debian_version -a -z "${BASH_VERSION-}"']);

for (const [shell, file, text, says, hint] of SHELLS) {
  const [canRun, why] = file === ".bashrc"
    ? [READS_BASHRC, "bash does not read ~/.bashrc here"]
    : [shell === "/no/such" || works("test", ["-x", shell]), `there is no ${shell} here`];
  const what = file === "" ? shell : `${shell} whose ${file} has '${text}'`;
  testWhere(canRun, why, `check says why ssh does not get through with SHELL=${what}`, async () => {
    using home = new Folder();
    if (file !== "") home.file(file, `${text}\n`);
    const { code, steps, last } = await check(ours, {
      env: { SHELL: shell, HOME: home.path, ZDOTDIR: home.path },
      options: text.startsWith("read") ? ["--timeout", "0.2"] : [],
    });
    assertEquals([code, steps.get("ssh")?.status], [78, "ok"], last.says);
    assertEquals([last.name, last.status, last.exitCode], ["try", "failed", 78]);
    assertMatch(last.says, says);
    assertStringIncludes(last.hint!, hint);
  });
}

Deno.test("what a shell says before it fails is shown fit for a terminal", async () => {
  using folder = new Folder();
  const shell = folder.file("bash", "#!/bin/sh\nprintf 'no \\033[2Jmore \\302\\233ptys\\n' >&2\nexit 1\n");
  Deno.chmodSync(shell, 0o755);
  const { last } = await check(ours, { env: { SHELL: shell } });
  assertEquals(last.status, "failed");
  assertStringIncludes(last.says, "no \\x1b[2Jmore \\x9bptys; mm_receive_fd: ");
  assertMatch(last.hint!, /^ssh -v unix\/.* shows all of it$/);
});

Deno.test("the message of the ProxyCommand is the one that counts, where ssh starts it in vain", async () => {
  using folder = new Folder();
  // Of what it connects to, nothing is there by then.
  const path = folder.at("gone");
  const { last } = await check(
    (there) => `Host unix${there}\n    ProxyCommand ${shim} unix${path} '%p'\n    ProxyUseFdpass yes\n`,
  );
  assertStringIncludes(last.says, `ssh: deno-ssh-proxy: unix${path}: the socket does not exist`);
  assertEquals([last.name, last.hint?.startsWith("is the server running?")], ["try", true]);
});

Deno.test("a server that is silent for ssh fails the last step, in time, and nothing is left", async () => {
  const { code, last } = await check(ours, {
    options: ["--timeout", "0.2"],
    server: async (listener, running) => {
      using first = await listener.accept();
      await first.write(bytes(BANNER));
      using _second = await listener.accept();
      await running;
    },
  });
  assertEquals([code, last.name], [78, "try"]);
  assertEquals(last.says, "ssh: no SSH banner within 2.2 s");
});

Deno.test("ssh does not connect to a server that is not up, and connects through whatever program it would use", async () => {
  const down = await check(ours, { server: [] });
  assertEquals([down.code, down.last.name, down.steps.get("banner")?.status], [69, "ssh", "failed"]);
  const other = await check(() => "Host unix/*\n    ProxyCommand /bin/false\n");
  assertEquals([other.code, other.steps.get("ssh")?.status, other.last.name], [78, "note", "try"]);
});

/** The fragment with what a user has for shared connections before it. */
const sharing = (lines: string) => () => `${lines}\n${FRAGMENT}`;

for (
  const [lines, says] of [
    ["ControlMaster auto\nControlPath DIR/cm-%n", /^ssh ends with 255: .*: there is no directory \S+\/cm-unix\//],
    ["ControlMaster autoask\nControlPath DIR/cm-%k", /^ssh ends with 255: .*: there is no directory \S+\/cm-unix\//],
    ["ControlMaster yes\nControlPath DIR/file/x", /^ssh ends with 255: .*\/file is not a directory$/],
    [`ControlMaster auto\nControlPath /tmp/${"x".repeat(86)}`, /: it has 91 bytes, and may have 90$/],
    [`ControlPath /tmp/${"x".repeat(103)}`, /: it has 108 bytes, and may have 107$/],
  ] as [string, RegExp][]
) {
  Deno.test(`check says that ssh cannot share a connection with ${lines.replace("\n", ", ").slice(0, 60)}`, async () => {
    using folder = new Folder();
    folder.file("file", "");
    const file = folder.file("mine", `${lines.replace("DIR", folder.path)}\n`);
    const { code, last } = await check(() => `Include "${file}"\n${FRAGMENT}`);
    assertEquals([code, last.name, last.status], [78, "ssh", "failed"], last.says);
    assertMatch(last.says, says);
    assertEquals(last.hint, `write ControlPath ~/.ssh/cm-%C in ${file}`);
  });
}

for (
  const lines of [
    "ControlPath /no/such/%C",
    "ControlMaster auto\nControlPath none",
    `ControlMaster auto\nControlPath /tmp/${"x".repeat(85)}`,
    "ControlMaster auto\nControlPath /tmp/%C",
  ]
) {
  Deno.test(`check has nothing to say about ${lines.replace("\n", ", ").slice(0, 60)}`, async () => {
    const { code, steps } = await check(sharing(lines));
    assertEquals([code, steps.get("ssh")?.status], [0, "ok"], steps.get("ssh")?.says);
  });
}

Deno.test("a directory that is missing for a ControlPath that is right otherwise is to be made", async () => {
  const { last } = await check(sharing("ControlMaster auto\nControlPath /no/such/cm-%C"));
  assertMatch(last.says, /: there is no directory \/no\/such$/);
  assertEquals(last.hint, "make it: mkdir -m 700 /no/such");
});

Deno.test("check notes that ssh discards messages with ControlPersist", async () => {
  const { code, steps } = await check(sharing("ControlPersist 10m\nControlMaster auto\nControlPath /tmp/%C"));
  const { status, says, hint } = steps.get("ssh")!;
  assertEquals([code, status, hint], [0, "note", "ssh -v shows them"]);
  assertStringIncludes(says, "; with ControlPersist, ssh discards the messages of its ProxyCommand");
});

for (
  const [lines, options, alias] of [
    ["", [], "myvm=unixPATH (with capital letters where the file has them)"],
    ["    Port 2222\n", [], "myvm=unixPATH:2222 (with capital letters where the file has them)"],
    ["", ["2223"], "myvm=unixPATH:2223 (with capital letters where the file has them)"],
  ] as const
) {
  Deno.test(`a name whose HostName is an address gets the command for an alias: ${alias}`, async () => {
    using folder = new Folder();
    using _listener = listen(folder.at("lower"));
    const path = folder.at("lower");
    const { code, steps, last } = await check(
      () => `Host myvm\n    HostName unix${path}\n${lines}${FRAGMENT}`,
      {
        host: "myvm",
        options: [...options, "--timeout", "0.1"],
        server: async (_, running) => void await running,
      },
    );
    assertEquals([code, steps.get("banner")?.status, last.name, last.exitCode], [75, "failed", "ssh", 78]);
    assertEquals(last.says, `ssh has no ProxyCommand for myvm, whose HostName is unix${path}`);
    assertEquals(last.hint, `deno-ssh-proxy config --install --alias ${alias.replace("PATH", path)}`);
  });
}

Deno.test("check exits with 0 where ssh gets through by another program, and notes which", async () => {
  using folder = new Folder();
  const other = folder.file("other", `#!/bin/sh\nexec ${shim} "$@"\n`);
  Deno.chmodSync(other, 0o755);
  const options = "    ProxyUseFdpass yes\n    StrictHostKeyChecking no\n";
  const { code, steps, last } = await check((path) => `Host unix${path}\n    ProxyCommand ${other} %h %p\n${options}`);
  assertEquals([code, last.name, last.status], [0, "try", "ok"], last.says);
  const { status, says } = steps.get("ssh")!;
  assertEquals(status, "note");
  assertStringIncludes(says, "ssh uses another program");
});

Deno.test("check exits with 78 where ssh gets through by a file alone that -F gives it", async () => {
  using folder = new Folder();
  const file = folder.file("ssh_config", FRAGMENT);
  const { code, last } = await check(() => "");
  assertEquals([code, last.name, last.status, last.exitCode], [78, "ssh", "failed", 78]);
  assertStringIncludes(last.says, "ssh has no ProxyCommand for unix/");
  assertEquals(last.hint, "deno-ssh-proxy config --install makes ssh use it");
  // The same check passes for an ssh that reads that file.
  assertEquals((await check(() => Deno.readTextFileSync(file))).code, 0);
});
