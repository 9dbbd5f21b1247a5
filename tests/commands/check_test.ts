import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { Installation } from "../support/installation.ts";
import { knows, Machined, VM } from "../support/machined.ts";
import { BoundSocket, bytes, latin1, listen, readSome } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";
import { serve } from "./serving.ts";
import { SshWith } from "./ssh_with.ts";
import { asText, InTerminal, run } from "./typed.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { shim } = installation;

/** The real ssh, with a configuration of the tests' own. */
const ssh = new SshWith(`Include "${installation.prefix}/share/deno-ssh-proxy/ssh_config"\n`);
Deno.test.afterAll(() => ssh[Symbol.dispose]());

const PATH = outputOf("sh", "-c", "echo $PATH").trim();
const USER = Number(outputOf("id", "-u"));
const BANNER = "SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n";

/** A step as `--json` has it. */
interface Step {
  name: string;
  status: string;
  milliseconds: number;
  says: string;
  hint?: string;
  facts?: Record<string, unknown>;
  exitCode?: number;
}

/** What `check --json` prints. */
interface Report {
  typed: string;
  address?: string;
  port?: string;
  ok: boolean;
  exitCode: number;
  steps: Step[];
}

/** Runs `check --json` with a server that says these, and gives its report. The exit code is the report's. */
async function check(
  words: string[],
  listener?: Deno.UnixListener,
  ...rest: (string | SshWith)[]
): Promise<Report> {
  const says = rest.filter((one) => typeof one === "string");
  const { env } = rest.find((one) => typeof one !== "string") ?? ssh;
  const running = run([shim, "check", ...words, "--json"], { ...env, XDG_RUNTIME_DIR: ssh.folder.path });
  if (listener !== undefined) await serve(listener, says, running);
  const { code, out, err } = await running;
  assertEquals(err, "");
  const report: Report = JSON.parse(out);
  assertEquals([report.exitCode, report.ok], [code, code === 0], out);
  return report;
}

/** What came of the steps of the connection. */
function outcomes({ steps }: Report): string[] {
  return steps.filter(({ name }) => name !== "ssh" && name !== "try").map(({ name, status }) => `${name}: ${status}`);
}

/** What came of asking ssh, which has `config`. */
async function sshStep(config: string): Promise<{ code: number; step: Step }> {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  using ssh = new SshWith(config);
  const running = run([shim, "check", `unix${folder.at("s")}`, "--json"], ssh.env);
  await serve(listener, [BANNER], running);
  const { code, out, err } = await running;
  assertEquals(err, "");
  return { code, step: step(JSON.parse(out), "ssh") };
}

function step(report: Report, name: string): Step {
  const found = report.steps.find((one) => one.name === name);
  assert(found, `there is no step ${name}`);
  return found;
}

Deno.test("every step to a socket is there, with what it found out", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  Deno.chmodSync(path, 0o1620);
  const report = await check([`unix${path}`], listener, BANNER);
  assertEquals(outcomes(report), ["address: ok", "socket: ok", "connect: ok", "peer: ok", "banner: ok"]);
  assertEquals([report.typed, report.address, report.port], [`unix${path}`, `unix${path}`, "22"]);
  assertEquals(step(report, "address").facts, { kind: "unix", path });
  const [uid, gid] = [USER, Number(outputOf("id", "-g"))];
  const owner = outputOf("stat", "-c", "%U:%G", path).trim();
  assertEquals(step(report, "socket").facts, { mode: "srw--w---T", permissions: "1620", uid, gid, owner });
  assertEquals(step(report, "peer").facts, { pid: Deno.pid, uid, gid, owner, process: "deno" });
  assertEquals(step(report, "banner").facts, {
    banner: BANNER.trimEnd(),
    protocol: "2.0",
    software: "OpenSSH_10.0p2",
    comments: "Debian-7",
  });
  for (const { milliseconds } of report.steps) assert(milliseconds >= 0 && milliseconds < 10_000);
});

Deno.test("the multiplexer's reply is shown as it came, and the banner behind it", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  const report = await check([`vsock-mux${folder.at("s")}`, "2222"], listener, `OK 1073741824\n${BANNER}`);
  assertEquals(
    outcomes(report),
    ["address: ok", "socket: ok", "connect: ok", "peer: ok", "handshake: ok", "banner: ok"],
  );
  assertEquals(step(report, "address").facts, { kind: "vsock-mux", path: folder.at("s"), port: 2222 });
  assertEquals(step(report, "handshake").facts, { reply: "OK 1073741824" });
});

Deno.test("a machine's name is looked up, and what it stands for is checked like any other address", async () => {
  const unknown = await check(["machine/foo"]);
  assertEquals(outcomes(unknown), ["address: ok", "machine: failed"]);
  assertEquals(unknown.exitCode, 69);
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  await using _machined = new Machined(
    ssh.folder.path,
    knows({ ...VM, vSockCid: undefined, sshAddress: `vsock-mux${folder.at("s")}` }),
  );
  const report = await check(["machine/foo", "2222"], listener, `OK 1\n${BANNER}`);
  assertEquals(
    outcomes(report),
    ["address", "machine", "socket", "connect", "peer", "handshake", "banner"].map((name) => `${name}: ok`),
  );
  assertEquals(step(report, "address").says, "a machine that systemd-machined knows: foo");
  assertEquals(step(report, "address").facts, { kind: "machine", name: "foo", port: 2222 });
  const path = folder.at("s");
  assertEquals(
    step(report, "machine").says,
    `vsock-mux${path}: a hybrid-vsock multiplexer: ${path}, port 2222 in the guest`,
  );
  assertEquals(step(report, "machine").facts, { kind: "vsock-mux", path: folder.at("s"), port: 2222 });
});

Deno.test("a name that ssh knows is looked up with its port, whoever gave it to the address", async () => {
  using folder = new Folder();
  const path = folder.at("S.sock");
  const { out } = await run([shim, "config", "--alias", `vm=vsock-mux${path}:2222`]);
  using ssh = new SshWith(`${out}Host older\n    HostName unix${path}\n`);
  for (const [words, port, steps] of [[["vm"], "2222", 7], [["root@vm", "23"], "23", 7]] as const) {
    using listener = listen(path);
    const report = await check([...words], listener, `OK 1\n${BANNER}`, ssh);
    assertEquals(outcomes(report).filter((outcome) => outcome.endsWith(": ok")).length, steps, JSON.stringify(report));
    assertEquals(step(report, "name").facts, { address: `vsock-mux${path}`, port });
    assertEquals([report.typed, report.address, report.port], [words[0], `vsock-mux${path}`, port]);
    assertEquals(step(report, "ssh").facts?.["ours"], true);
  }
  // What ssh has from HostName it puts into lower case, and that is what it would connect to.
  const older = await check(["older"], undefined, ssh);
  assertEquals(step(older, "name").facts, { address: `unix${path.toLowerCase()}`, port: "22" });
  assertEquals(outcomes(older).at(-1), "socket: failed");
  const unknown = await check(["no-such-name"], undefined, ssh);
  assertEquals([outcomes(unknown), unknown.exitCode], [["name: failed"], 64]);
  assertStringIncludes(step(unknown, "name").says, "neither an address nor a name that ssh has for one");
});

Deno.test("what ssh has a name stand for is shown fit for a terminal", async () => {
  using ssh = new SshWith(`Host vm\n    ProxyCommand ${shim} unix/no\x1b[2Jsuch 2\x1b[2J2\n    ProxyUseFdpass yes\n`);
  const { says, facts } = step(await check(["vm"], undefined, ssh), "name");
  assertEquals(says, "vm stands for unix/no\\x1b[2Jsuch, port 2\\x1b[2J2");
  assertEquals(facts, { address: "unix/no\x1b[2Jsuch", port: "2\x1b[2J2" });
});

Deno.test("the first step that fails ends it, with its exit code and what to do", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  const fails = (report: Report, name: string, code: number, says: string) => {
    assertEquals(outcomes(report).at(-1), `${name}: failed`);
    assertEquals([report.exitCode, step(report, name).exitCode], [code, code]);
    assertStringIncludes(step(report, name).says, says);
    assert(step(report, name).hint, "it does not say what to do");
  };
  fails(await check(["telnet/x"]), "address", 64, "not an address");
  fails(await check([`unix${path}`, "x"]), "address", 64, "not a port");
  fails(await check([`unix${path}`]), "socket", 66, "does not exist");
  fails(await check([`unix${folder.file("file", "")}`]), "socket", 69, "is a regular file, not a socket");
  fails(await check([`unix${folder.path}`]), "socket", 69, "is a directory, not a socket");
  using _datagram = new BoundSocket("datagram", folder.at("d"));
  fails(await check([`unix${folder.at("d")}`]), "connect", 69, "is a datagram socket");
  using _bound = new BoundSocket("stream", folder.at("bound"));
  fails(await check([`unix${folder.at("bound")}`]), "connect", 69, "nothing listens");
  using listener = listen(path);
  fails(await check([`vsock-mux${path}`], listener), "handshake", 69, "nothing listens on that port in the guest");
  fails(await check([`vsock-mux${path}`], listener, "HTTP/1.1 400\r\n"), "handshake", 76, "not an OK line");
  fails(await check([`unix${path}`], listener), "banner", 69, "closed before an SSH banner");
  fails(await check([`unix${path}`, "--timeout", "0.2"], listener, ""), "banner", 75, "no SSH banner within 0.2 s");
});

testWhere(
  USER === 0,
  "only root can become somebody else",
  "a socket that may not be used says whose it is",
  async () => {
    using folder = new Folder();
    const path = folder.at("s");
    using _listener = listen(path);
    Deno.chmodSync(path, 0o600);
    // Everything that leads to the program and the socket, but not the socket itself.
    Deno.chmodSync(folder.path, 0o755);
    Deno.chmodSync(installation.prefix, 0o755);
    const words = ["setpriv", "--reuid=65534", "--clear-groups", shim, "check", `unix${path}`];
    const { code, out } = await run(words, ssh.env);
    assertEquals(code, 77, out);
    assertStringIncludes(out, "srw------- root:root");
    // The line may be broken between the two.
    assertMatch(out, /permission\s+denied/);
  },
);

Deno.test("on a terminal the steps have colours, unless NO_COLOR says otherwise, and no line is over 80 columns", async () => {
  using folder = new Folder();
  const path = folder.at("a-name-that-is-long-enough-for-a-line-of-its-own");
  const locale = { LC_ALL: "C.UTF-8" };
  for (const [env, colours] of [[locale, true], [{ ...locale, NO_COLOR: "1" }, false]] as const) {
    using listener = listen(path);
    using terminal = new InTerminal([shim, "check", `vsock-mux${path}`], { ...ssh.env, ...env });
    (await inTime(listener.accept())).close();
    assertEquals(await terminal.end(), 69);
    for (const colour of ["\x1b[32m", "\x1b[31m"]) {
      assertEquals(terminal.shown.includes(colour), colours, terminal.shown);
    }
    const lines = asText(terminal.shown).replaceAll(/\r[^\n]*\r/g, "").split("\n");
    assertMatch(lines[0]!, /^✓ address {3}a hybrid-vsock/);
    assert(lines.some((line) => /^✗ handshake/.test(line)), terminal.shown);
    // What is longer is one word, such as a path, behind the name of the step.
    for (const line of lines) assert([...line].length <= 80 || !/ /.test(line.slice(12).trimStart()), line);
  }
});

Deno.test("a mark has letters of ASCII unless the locale has UTF-8, which the first variable that is set tells", async () => {
  const inLocale = async (assignments: string[]) => {
    const words = ["env", "-u", "LC_ALL", "-u", "LC_CTYPE", "-u", "LANG", ...assignments, shim, "check", "telnet/x"];
    const { code, out } = await run(words);
    assertEquals(code, 64);
    return out;
  };
  for (
    const utf8 of [
      ["LANG=C.UTF-8"],
      ["LANG=en_US.utf8"],
      ["LC_CTYPE=UTF-8", "LANG=C"],
      ["LC_ALL=de_DE.UTF-8@euro", "LC_CTYPE=C", "LANG=C"],
      ["LC_ALL=", "LC_CTYPE=", "LANG=C.UTF-8"],
    ]
  ) {
    assertMatch(await inLocale(utf8), /^✗ address {3}'telnet\/x': not an address \(\d+\.\d ms\)\n/, utf8.join(" "));
  }
  for (
    const ascii of [
      [],
      ["LANG=C"],
      ["LANG=de_DE@euro"],
      ["LC_CTYPE=POSIX", "LANG=C.UTF-8"],
      ["LC_ALL=C", "LC_CTYPE=C.UTF-8", "LANG=C.UTF-8"],
    ]
  ) {
    const out = await inLocale(ascii);
    assertMatch(out, /^x address {3}'telnet\/x': not an address \(\d+\.\d ms\)\n/, ascii.join(" "));
    // deno-lint-ignore no-control-regex
    assertMatch(out, /^[\x00-\x7f]*$/);
  }
});

Deno.test("a multiplexer at the address of a socket is told by its answer, and the hint has its own address", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  // Longer than a test can take: the answer ends it.
  const running = run([shim, "check", `unix${path}`, "--json", "--timeout", "600"], ssh.env);
  using first = await inTime(listener.accept());
  using connection = await inTime(listener.accept());
  assertEquals(latin1(await readSome(connection)), "CONNECT 22\n");
  await connection.write(bytes("OK 1073741824\n"));
  const { code, out } = await running;
  // Nothing was said on the first.
  assertEquals(latin1(await readSome(first)), "");
  const banner = step(JSON.parse(out), "banner");
  assertEquals([code, banner.status], [76, "failed"]);
  assertEquals(banner.says, `unix${path}: it is a multiplexer, which answers CONNECT with OK 1073741824`);
  assertEquals(banner.hint, `use vsock-mux${path}`);
});

Deno.test("a silent server that is no multiplexer is only silent, and the hint has the multiplexer's address", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  for (const answer of ["", "ERR\n", "OK", "SSH-2.0-late\r\n"]) {
    using listener = listen(path);
    const running = run([shim, "check", `unix${path}`, "--json", "--timeout", "0.3"], ssh.env);
    using _first = await inTime(listener.accept());
    using connection = await inTime(listener.accept());
    assertEquals(latin1(await readSome(connection)), "CONNECT 22\n");
    await connection.write(bytes(answer));
    connection.closeWrite();
    const { code, out } = await running;
    const banner = step(JSON.parse(out), "banner");
    assertEquals(code, 75, out);
    assertEquals(banner.says, `unix${path}: connected, but no SSH banner within 0.3 s`);
    assertEquals(banner.hint, `is it an sshd that listens there? For a multiplexer, write vsock-mux${path}`);
  }
});

Deno.test("a server that is slow to say its banner is not disturbed by the question for a multiplexer", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  const running = run([shim, "check", `unix${path}`, "--json", "--timeout", "600"], ssh.env);
  using first = await inTime(listener.accept());
  {
    using second = await inTime(listener.accept());
    assertEquals(latin1(await readSome(second)), "CONNECT 22\n");
  }
  await first.write(bytes(BANNER));
  // The ssh that check starts.
  {
    using third = await inTime(listener.accept());
    await third.write(bytes(BANNER));
    const { code, out } = await running;
    assertEquals([code, step(JSON.parse(out), "banner").status], [0, "ok"], out);
  }
});

Deno.test("a path that ssh refuses as a host name gets the alias that it needs", async () => {
  using folder = new Folder();
  for (const name of ["x y", "x;y", "x$y", "x@y", "x*y", "x?y", "x#y", "x[y]"]) {
    const path = folder.at(name);
    using listener = listen(path);
    const report = await check([`unix${path}`], listener, BANNER);
    const { status, hint } = step(report, "ssh");
    assertEquals([report.exitCode, status], [78, "failed"], name);
    const [, alias = ""] = /config --install --alias (.*)$/.exec(hint!) ?? [];
    assertStringIncludes(alias, `NAME=unix${path}`);
  }
});

Deno.test("a port that is none is refused for a name as for an address, before ssh is asked", async () => {
  for (const command of ["check", "wait"]) {
    for (const [host, most] of [["unix/s", 4294967295], ["vsock/42", 4294967294], ["some-name", 4294967295]] as const) {
      const { code, out, err } = await run([shim, command, host, "abc"], ssh.env);
      assertEquals(code, 64, `${out}${err}`);
      assertStringIncludes((out + err).replace(/\s+/g, " "), "port 'abc': not a port");
      assertStringIncludes((out + err).replace(/\s+/g, " "), `a decimal number from 0 to ${most}`);
    }
  }
  const { code, out } = await run([shim, "check", "some-name", "70000"], ssh.env);
  assertEquals(code, 78, out);
  assertStringIncludes(out.replace(/\s+/g, " "), "ssh takes ports from 1 to 65535; for another one:");
});

Deno.test("on a narrow terminal a step has its name on a line of its own, and no word is broken", async () => {
  const words = ["/bin/sh", "-c", 'stty cols 40 && exec "$@"', "sh", shim, "check", "vsok/42"];
  using terminal = new InTerminal(words, { ...ssh.env, NO_COLOR: "1", LC_ALL: "C", PATH });
  assertEquals(await terminal.end(), 64);
  assertMatch(
    asText(terminal.shown),
    /^x address\n {4}'vsok\/42': not an address \(\d+\.\d ms\)\n {6}did you mean vsock\/42\?\n$/,
  );
});

Deno.test("what is no terminal has no colours", async () => {
  const { code, out } = await run(["env", "-u", "NO_COLOR", shim, "check", "telnet/x"]);
  assertEquals([code, out.includes("\x1b")], [64, false]);
});

Deno.test("a narrow terminal has narrow lines", async () => {
  const words = ["/bin/sh", "-c", 'stty cols 40 && exec "$@"', "sh", shim, "check", "telnet/x"];
  using terminal = new InTerminal(words, ssh.env);
  assertEquals(await terminal.end(), 64);
  const lines = asText(terminal.shown).trimEnd().split("\n");
  assert(lines.length > 3, terminal.shown);
  for (const line of lines) assert([...line].length < 40, line);
});

Deno.test("on a terminal the step that goes on is shown, and cleared for what comes of it", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  using terminal = new InTerminal([shim, "check", `unix${path}`], { ...ssh.env, LC_ALL: "C" });
  using connection = await inTime(listener.accept());
  await terminal.shows("/ banner");
  await connection.write(bytes(BANNER));
  const ended = terminal.end();
  await serve(listener, [BANNER], ended);
  assertEquals(await ended, 0);
  const before = asText(terminal.shown).split("+ banner")[0]!;
  assertMatch(before, /\r\| banner\r\/ banner(?:\r. banner)*\r$/u);
});

Deno.test("what a server says reaches no terminal raw", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  const report = await check([`unix${folder.at("s")}`], listener, "SSH-2.0-\x1b[2Jx \x9b5n\r\n");
  assertEquals(step(report, "banner").facts, {
    banner: "SSH-2.0-\\x1b[2Jx \\x9b5n",
    protocol: "2.0",
    software: "\\x1b[2Jx",
    comments: "\\x9b5n",
  });
});

Deno.test("a server of another protocol version is noted", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  const report = await check([`unix${folder.at("s")}`], listener, "SSH-1.5-old\r\n");
  assertEquals(outcomes(report).at(-1), "banner: note");
  assertStringIncludes(step(report, "banner").hint!, "2.0");
});

Deno.test("it says whether ssh would use this program for that name, and by which file", async () => {
  const { code, step: { status, facts } } = await sshStep(Deno.readTextFileSync(`${ssh.folder.path}/ssh_config`));
  assertEquals([code, status], [0, "ok"]);
  assertEquals(facts, {
    proxyCommand: `${shim} '%h' '%p' --as-typed '%n'`,
    proxyUseFdpass: true,
    ours: true,
    file: `${installation.prefix}/share/deno-ssh-proxy/ssh_config`,
  });
});

Deno.test("the file is the one that has the ProxyCommand, whichever has the rest", async () => {
  using folder = new Folder();
  const included = folder.file("included", `ProxyCommand ${shim} '%h' '%p'\n`);
  const { step: { facts } } = await sshStep(`Host unix/*\n    ProxyUseFdpass yes\n    Include "${included}"\n`);
  assertEquals([facts?.["ours"], facts?.["file"]], [true, included]);
});

Deno.test("it is a failure of its own where ssh would not use any program", async () => {
  const none = await sshStep("Host other\n    ProxyCommand x\n");
  assertEquals([none.code, none.step.status, none.step.exitCode], [78, "failed", 78]);
  assertStringIncludes(none.step.says, "ssh has no ProxyCommand for unix/");
  assertStringIncludes(none.step.hint!, "config --install");
});

Deno.test("that ssh uses this program without taking an fd is worth a note", async () => {
  const { code, step } = await sshStep(
    `Host unix/*\n    ProxyCommand ${shim} '%h' '%p'\n    StrictHostKeyChecking no\n`,
  );
  assertEquals([code, step.status, step.facts?.["proxyUseFdpass"]], [0, "note", false]);
  assertStringIncludes(step.says, "without ProxyUseFdpass yes");
  assertStringIncludes(step.hint!, "config --install");
});

Deno.test("ssh is asked for the name as it was given, and for the port", async () => {
  using folder = new Folder();
  const path = folder.at("s");
  const block = (name: string, test: string) =>
    `Match originalhost ${name} exec "test ${test}"\n    ProxyCommand ${shim} unix${path} '%p'\n    ProxyUseFdpass yes\n`;
  using ssh = new SshWith(`${block("vm", "%p = 2222")}${block("unix/*", "%p = 2223")}`);
  for (const words of [["vm", "2222"], [`unix${path}`, "2223"]]) {
    using listener = listen(path);
    const report = await check(words, listener, BANNER, ssh);
    assertEquals([report.port, step(report, "ssh").status], [words[1], "ok"], JSON.stringify(report));
    Deno.removeSync(path);
  }
});

Deno.test("where ssh would not get through either, the exit code is still that of the first step that fails", async () => {
  using folder = new Folder();
  using ssh = new SshWith("");
  const report = await check([`unix${folder.at("s")}`], undefined, ssh);
  assertEquals([report.exitCode, step(report, "socket").exitCode, step(report, "ssh").exitCode], [66, 66, 78]);
});

Deno.test("a configuration that ssh refuses is a failure, and one that it takes is shown whole and fit for a terminal", async () => {
  const refused = await sshStep("NoSuchOption yes\n");
  assertEquals([refused.code, refused.step.status], [78, "failed"]);
  assertMatch(refused.step.says, /^ssh -G unix\/.*nosuchoption/i);
  const long = `x ${"y".repeat(300)} \x1b[2J`;
  const { step: { says, facts } } = await sshStep(`Host unix/*\n    ProxyCommand ${long}\n`);
  assertEquals(facts?.["proxyCommand"], `x ${"y".repeat(300)} \\x1b[2J`);
  assertMatch(says, /: x y{158}\.\.\.$/);
});

Deno.test("another program that ssh would use is noted, and where it comes from", async () => {
  const { code, step: { status, says, hint, facts } } = await sshStep(
    "Host unix/*\n    ProxyCommand /none/systemd-ssh-proxy %h %p\n    ProxyUseFdpass yes\n",
  );
  // What it does is what ssh would do with it.
  assertEquals([code, status, facts?.["ours"]], [78, "note", false]);
  assertMatch(says, /^ssh uses another program, by \/.*\/ssh_config: \/none\/systemd-ssh-proxy %h %p$/);
  assertStringIncludes(hint!, "config --install makes ssh use it, and says so where something else wins");
});

Deno.test("an ssh that there is none of is noted", async () => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  const words = ["sh", "-c", 'PATH=$1; shift; exec "$@"', "sh", ssh.without(), shim, "check", `unix${folder.at("s")}`];
  const running = run([...words, "--json"]);
  using connection = await inTime(listener.accept());
  await connection.write(bytes(BANNER));
  const { code, out, err } = await running;
  assertEquals([code, err], [0, ""]);
  const { status, says, hint } = step(JSON.parse(out), "ssh");
  assertEquals([status, says], ["note", "ssh: it is not on PATH"]);
  assertStringIncludes(hint!, "openssh-client");
});
