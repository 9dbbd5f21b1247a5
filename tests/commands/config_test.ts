import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CHECKOUT } from "../../tools/checkout.ts";
import { outputOf, works } from "../../tools/programs.ts";
import { hasNamespaces, Home, HOST, type Ran, type Running } from "../support/home.ts";
import { Installation } from "../support/installation.ts";
import { AS_NOBODY, canBecomeNobody } from "../support/ordinary_user.ts";
import { testWhere } from "../support/tools.ts";
import { grantsIn, spyOn, starterWith } from "./grants.ts";
import { InTerminal } from "./typed.ts";

const canRun = hasNamespaces();
const installation = canRun ? new Installation() : undefined;
Deno.test.afterAll(() => installation?.[Symbol.dispose]());

/** A test with a home of its own: what is really there is never touched. */
function test(name: string, fn: (home: Home) => Promise<void>): void {
  testWhere(canRun, "no user and mount namespaces can be made here", name, async () => {
    using home = new Home();
    await fn(home);
  });
}

const shim = installation?.shim ?? "";
const PROGRAM = installation?.program;
const config = (home: Home, args: string[], running?: Running) => home.run([shim, "config", ...args], running);
const PATH = "/usr/local/bin:/usr/bin:/bin";
const COMMENT = "# deno-ssh-proxy config --install put this here, and --uninstall takes it out again.";
const LINES = `${COMMENT}\nInclude deno-ssh-proxy.conf\n`;
const SYSTEMS = "/etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf";

/** That it did what it was asked for, with nothing on stderr. */
function assertDone(ran: Ran): string {
  assertEquals({ code: ran.code, err: ran.err }, { code: 0, err: "" }, ran.out);
  return ran.out;
}

/** That it failed with this code, in one line, and a second that says what to do, in which these words are. */
function assertFailed({ code, err, out }: Ran, expected: number, ...says: string[]): void {
  assertEquals(code, expected, out + err);
  assertMatch(err, /^deno-ssh-proxy: [^\n]+\n(?: {2}[^ ][^\n]*\n)?$/);
  for (const words of says) assertStringIncludes(err, words);
}

/** What ssh says of an option for a host name. */
async function sshSays(home: Home, host: string, option: string, running?: Running): Promise<string | undefined> {
  const { code, out, err } = await home.run(["ssh", "-G", host], running);
  assertEquals(code, 0, err);
  return out.split("\n").find((line) => line.startsWith(`${option} `))?.slice(option.length + 1);
}

test("a user without ~/.ssh gets one, with the fragment, and ssh uses it", async (home) => {
  const out = assertDone(await config(home, ["--install"]));
  assertEquals(out.split("\n").at(-2), "ssh uses it for .host, unix/1, vsock/1, vsock-mux/1, machine/1");
  const [, fragment = ""] = /^644 ([^]*)$/.exec(home.all("~/.ssh")["deno-ssh-proxy.conf"] ?? "") ?? [];
  assertEquals(fragment, assertDone(await config(home, [])));
  assertEquals(home.all("~/.ssh"), { "config": `644 ${LINES}`, "deno-ssh-proxy.conf": `644 ${fragment}` });
  assertEquals((Deno.statSync(home.at("~/.ssh")).mode ?? 0) & 0o777, 0o700);
  for (const host of ["vsock/42", "unix/run/x.sock", "vsock-mux%run/x.sock", ".host"]) {
    assertEquals(await sshSays(home, host, "proxycommand"), `${shim} '%h' '%p' --as-typed '%n'`);
    assertEquals(await sshSays(home, host, "proxyusefdpass"), "yes");
  }
  assertEquals(await sshSays(home, "example.org", "proxycommand"), undefined);
});

test("a second --install says that it is there already, and changes nothing", async (home) => {
  home.file("~/.ssh/config", "Host a\n  User b\n");
  await config(home, ["--install"]);
  const before = home.all("~/.ssh");
  const out = assertDone(await config(home, ["--install"]));
  assertMatch(out, /^already installed: .*\/\.ssh\/deno-ssh-proxy\.conf\nssh uses it for .*\n$/);
  assertEquals(home.all("~/.ssh"), before);
});

for (
  const [what, bytes, mode] of [
    ["is like most", "# mine\nHost a\n    User b\n", 0o600],
    ["has no final newline", "Host a\n    User b", 0o644],
    ["has the line ends of Windows", "Host a\r\n    User b\r\n", 0o640],
    ["is empty", "", 0o600],
    ["has one line end", "\n", 0o600],
    ["is not UTF-8", "# \xe9\xff\x80\nHost a\n    User b\n", 0o600],
  ] as const
) {
  test(`an ssh_config that ${what} is as it was after --install and --uninstall, and so is all around it`, async (home) => {
    home.file("~/.ssh/config", Uint8Array.from(bytes, (character) => character.charCodeAt(0)), mode);
    home.file("~/.ssh/id_ed25519", "a key\n", 0o600);
    const before = home.all("~/.ssh");
    const installed = assertDone(await config(home, ["--install"]));
    assertMatch(installed, /^kept what was in it before as .*\/config\.before-deno-ssh-proxy$/m);
    const lines = bytes.includes("\r\n") ? LINES.replaceAll("\n", "\r\n") : LINES;
    const { "deno-ssh-proxy.conf": fragment, ...rest } = home.all("~/.ssh");
    assert(fragment?.startsWith("644 # deno-ssh-proxy: "));
    assertEquals(rest, {
      ...before,
      config: `${mode.toString(8)} ${lines}${bytes}`,
      "config.before-deno-ssh-proxy": before["config"]!,
    });
    if (bytes.includes("User")) assertEquals(await sshSays(home, "a", "user"), "b");
    assertDone(await config(home, ["--uninstall"]));
    assertEquals(home.all("~/.ssh"), before);
  });
}

test("--uninstall keeps what was written into the ssh_config since, and the backup with it", async (home) => {
  home.file("~/.ssh/config", "Host a\n", 0o600);
  await config(home, ["--install"]);
  home.file("~/.ssh/config", `# above\n${LINES}# below\nHost a\nHost new`, 0o600);
  const says = assertDone(await config(home, ["--uninstall"]));
  const ssh = `${home.path}/.ssh`;
  assertStringIncludes(says, `${ssh}/config.before-deno-ssh-proxy stays: ${ssh}/config is not as it was before`);
  assertEquals(home.all("~/.ssh"), {
    "config": "600 # above\n# below\nHost a\nHost new",
    "config.before-deno-ssh-proxy": "600 Host a\n",
  });
});

test("--uninstall says what stays: host keys that ssh kept, and a folder with nothing in it", async (home) => {
  const stay = (says: string) => says.split("\n").filter((line) => line.includes(" stays: "));
  const ssh = `${home.path}/.ssh`;
  await config(home, ["--install"]);
  assertEquals(stay(assertDone(await config(home, ["--uninstall", "--dry-run"]))), []);
  assertEquals(stay(assertDone(await config(home, ["--uninstall"]))), [`${ssh} stays: it is empty`]);
  await config(home, ["--install"]);
  for (const name of ["known_hosts", "known_hosts.old"]) {
    home.file(`~/.ssh/deno-ssh-proxy.${name}`, "vsock/42 ssh-ed25519 AAAA\n");
  }
  assertEquals(stay(assertDone(await config(home, ["--uninstall"]))), [
    `${ssh}/deno-ssh-proxy.known_hosts stays: it has the host keys that ssh was to keep for addresses`,
    `${ssh}/deno-ssh-proxy.known_hosts.old stays: ssh-keygen -R kept the host keys from before in it`,
  ]);
});

test("--uninstall of a file that a link leads to removes it, and looks for what stays beside it", async (home) => {
  await config(home, ["--install"]);
  const folder = home.at("~/dotfiles");
  Deno.mkdirSync(folder);
  Deno.renameSync(home.at("~/.ssh/deno-ssh-proxy.conf"), `${folder}/proxy.conf`);
  Deno.symlinkSync("../dotfiles/proxy.conf", home.at("~/.ssh/deno-ssh-proxy.conf"));
  Deno.writeTextFileSync(`${folder}/proxy.conf.old`, "# somebody's\n");
  const says = assertDone(await config(home, ["--uninstall"]));
  assertStringIncludes(says, `/dotfiles/proxy.conf\n`);
  assertStringIncludes(says, `/dotfiles/proxy.conf.old stays: it is an earlier deno-ssh-proxy.conf`);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["proxy.conf.old"]);
});

test("each --install that adds the line makes a backup of its own, and keeps a differing one of before", async (home) => {
  home.file("~/.ssh/config", "Host first\n");
  await config(home, ["--install"]);
  home.file("~/.ssh/config", `${LINES}Host second\n`, 0o600);
  assertStringIncludes(assertDone(await config(home, ["--uninstall"])), "config is not as it was before --install\n");
  const backup = `${home.path}/.ssh/config.before-deno-ssh-proxy`;
  const says = assertDone(await config(home, ["--install"]));
  assertStringIncludes(says, `kept the backup of an earlier --install as ${backup}.1\n`);
  assertStringIncludes(says, `kept what was in it before as ${backup}\n`);
  const { config: _, "deno-ssh-proxy.conf": __, ...backups } = home.all("~/.ssh");
  assertEquals(backups, {
    "config.before-deno-ssh-proxy": "600 Host second\n",
    "config.before-deno-ssh-proxy.1": "644 Host first\n",
  });
  const gone = assertDone(await config(home, ["--uninstall"]));
  assertStringIncludes(gone, `removed ${backup}, which is the same again\n`);
  assertStringIncludes(gone, `${backup}.1 stays: it is the backup of an earlier --install\n`);
  assertEquals(gone.includes("is not as it was"), false);
  assertEquals(home.all("~/.ssh"), {
    "config": "600 Host second\n",
    "config.before-deno-ssh-proxy.1": "644 Host first\n",
  });
});

test("a backup of before stays where there is no ssh_config any more, and the new one is removed again", async (home) => {
  home.file("~/.ssh/config.before-deno-ssh-proxy", "Host first\n", 0o600);
  assertDone(await config(home, ["--install"]));
  assertDone(await config(home, ["--uninstall"]));
  assertEquals(home.all("~/.ssh"), { "config.before-deno-ssh-proxy.1": "600 Host first\n" });
});

test("--uninstall where nothing is installed says so", async (home) => {
  assertEquals(assertDone(await config(home, ["--uninstall"])), "nothing to take away\n");
  home.file("~/.ssh/config", "Host a\n");
  assertEquals(assertDone(await config(home, ["--uninstall"])), "nothing to take away\n");
  assertEquals(home.all("~/.ssh"), { config: "644 Host a\n" });
  assertEquals(assertDone(await config(home, ["--uninstall"], { root: true })), "nothing to take away\n");
});

for (const root of [false, true]) {
  test(`--dry-run shows ${root ? "root" : "a user"} what patch(1) makes the same of, and changes nothing`, async (home) => {
    const folder = root ? "/etc/ssh/ssh_config.d" : "~/.ssh";
    if (!root) home.file("~/.ssh/config", "Host a\n    User b", 0o600);
    for (const args of [["--install"], ["--install", "--alias", "vm=vsock/42"], ["--uninstall"]]) {
      const before = home.all(folder);
      const diff = assertDone(await config(home, [...args, "--dry-run"], { root }));
      assertEquals(home.all(folder), before);
      using copy = new Home();
      outputOf("cp", "-a", `${home.at(`${folder}/`)}.`, copy.at(`${folder}/`));
      const real = root ? "/etc/ssh/ssh_config.d/" : `${home.path}/.ssh/`;
      copy.file("~/diff", diff.replaceAll(real, ""));
      outputOf("patch", "--silent", "-p0", "-d", copy.at(`${folder}/`), "-i", copy.at("~/diff"));
      assertDone(await config(home, args, { root }));
      const rest = (all: Record<string, string>) =>
        Object.entries(all).filter(([name]) => !name.includes("before")).map(([name, holds]) => [name, holds.slice(4)]);
      assertEquals(rest(copy.all(folder)), rest(home.all(folder)));
    }
    const { code, out, err } = await config(home, ["--uninstall", "--dry-run"], { root });
    assertEquals({ code, out, err }, { code: 0, out: "", err: "nothing would change\n" });
  });
}

test("root's is one file of the system's, before systemd's own, and every user's ssh uses it", async (home) => {
  home.file("/etc/ssh/ssh_config.d/20-systemd-ssh-proxy.conf", "Host vsock/*\n    ProxyCommand systemd %h %p\n");
  const before = home.all("/etc/ssh/ssh_config.d");
  assertDone(await config(home, ["--install"], { root: true }));
  const { [SYSTEMS.split("/").at(-1)!]: fragment, ...rest } = home.all("/etc/ssh/ssh_config.d");
  assertEquals(rest, before);
  assert(fragment?.startsWith("644 # deno-ssh-proxy: "));
  for (const root of [false, true]) {
    assertStringIncludes(await sshSays(home, "vsock/42", "proxycommand", { root }) ?? "", shim);
  }
  assertEquals([...Deno.readDirSync(home.path)], []);
  assertEquals(assertDone(await config(home, ["--uninstall"], { root: true })), `removed ${SYSTEMS}\n`);
  assertEquals(home.all("/etc/ssh/ssh_config.d"), before);
});

test("where the system's ssh_config includes no folder, root is told which line it lacks", async (home) => {
  home.file("/etc/ssh/ssh_config", "Host *\n");
  Deno.removeSync(home.at("/etc/ssh/ssh_config.d"));
  const ran = await config(home, ["--install"], { root: true });
  assertEquals(ran.out, `wrote ${SYSTEMS}\n`);
  assertFailed(
    ran,
    78,
    `ssh does not read ${SYSTEMS}`,
    "top of /etc/ssh/ssh_config: Include /etc/ssh/ssh_config.d/*.conf\n",
  );
  assertEquals(home.all("/etc/ssh")["ssh_config"], "644 Host *\n");
});

for (
  const [option, text, says] of [
    ["ProxyCommand", "Match host vsock/*\n    ProxyCommand mine %h\n", "ProxyCommand mine %h"],
    ["ProxyJump", "Match host vsock/*\n    ProxyJump there\n", "ProxyJump there"],
  ]
) {
  test(`a file with a ${option} that ssh reads before root's is named`, async (home) => {
    home.file("~/.ssh/more/one.conf", "User x\n");
    const file = home.file("~/.ssh/more/two.conf", text!);
    home.file("~/.ssh/config", "Include more/*.conf\nHost a\n");
    assertFailed(await config(home, ["--install"], { root: true }), 78, `${file} comes before it, with ${says}\n`);
  });
}

test("a file that is included for other hosts is not named", async (home) => {
  home.file("~/.ssh/others", "ProxyCommand mine %h\n");
  const file = home.file("~/.ssh/these", "ProxyCommand mine %h\n");
  home.file("~/.ssh/config", "Host other\n    Include others\nHost *\n    Include these\n");
  assertFailed(await config(home, ["--install"], { root: true }), 78, `for .host: ${file} comes before it`);
});

test("a ProxyUseFdpass that ssh reads before root's is named, with the files that may have it", async (home) => {
  const file = home.file("~/.ssh/config", "ProxyUseFdpass no\n");
  const ran = await config(home, ["--install"], { root: true });
  assertFailed(ran, 78, "comes before it has ProxyUseFdpass no\n", `take that out of ${file} or /etc/ssh/ssh_config\n`);
});

test("a file that a user includes above this one's own line is named", async (home) => {
  const file = home.file("~/.ssh/first", "Match host unix/*\n    ProxyCommand mine %h\n");
  home.file("~/.ssh/config", "Include first\nInclude deno-ssh-proxy.conf\n");
  assertFailed(
    await config(home, ["--install"]),
    78,
    `ssh does not use it for unix/1: ${file} comes before it, with ProxyCommand mine %h\n`,
    "put 'Include deno-ssh-proxy.conf' above",
  );
});

test("an ssh_config that ssh does not take is reported in the words of ssh, and nothing is changed", async (home) => {
  home.file("~/.ssh/config", "NoSuchOption 1\n");
  const before = home.all("~/.ssh");
  const asked = ["--install", "--alias", "vm=vsock/42"];
  assertFailed(
    await config(home, asked),
    78,
    "config: line 1: Bad configuration option: nosuchoption\n",
    "  nothing was changed; ",
  );
  assertEquals(home.all("~/.ssh"), before);
});

test("an ssh_config that ssh does not take because others may write to it is told with what to do", async (home) => {
  const file = home.file("~/.ssh/config", "Host a\n", 0o666);
  assertFailed(await config(home, ["--install"]), 78, `Bad owner or permissions on ${file}\n`, `chmod go-w ${file}\n`);
  assertEquals(home.all("~/.ssh"), { config: "666 Host a\n" });
});

test("nothing of root's is changed where the system's ssh_config is broken", async (home) => {
  home.file("/etc/ssh/ssh_config", "Include /etc/ssh/ssh_config.d/*.conf\nHost a\n    Port none\n");
  const before = home.all("/etc/ssh/ssh_config.d");
  assertFailed(
    await config(home, ["--install"], { root: true }),
    78,
    "/etc/ssh/ssh_config line 3: ",
    "nothing was changed",
  );
  assertEquals(home.all("/etc/ssh/ssh_config.d"), before);
});

test("what ssh refuses in the installed file itself is mended, and what was there is kept", async (home) => {
  assertDone(await config(home, ["--install"]));
  const path = home.at("~/.ssh/deno-ssh-proxy.conf");
  const whole = Deno.readTextFileSync(path);
  for (const [text, mode] of [[`${whole}NoSuchOption 1\n`, 0o644], [whole, 0o666]] as const) {
    home.file("~/.ssh/deno-ssh-proxy.conf", text, mode);
    await config(home, ["--install", "--alias", "vm=vsock/42"]);
    assertStringIncludes(Deno.readTextFileSync(path), "\nHost vm\n");
    assertEquals(Deno.readTextFileSync(path).includes("NoSuchOption"), false);
  }
});

testWhere(
  canRun,
  "no namespaces",
  "where HOME is not what ssh takes for ~, that is said, with the folder",
  async () => {
    using home = new Home("/var/empty/home");
    const ran = await config(home, ["--install"]);
    assertFailed(
      ran,
      78,
      "its ~ is /var/empty/home, from the password database",
      "run this with HOME=/var/empty/home\n",
    );
  },
);

test("where there is no ssh, it is installed, and what could not be seen is said", async (home) => {
  Deno.mkdirSync(home.at("~/bin"));
  for (const name of ["sh", "id", "readlink"]) Deno.symlinkSync(`/usr/bin/${name}`, home.at(`~/bin/${name}`));
  const ran = await home.run(["/usr/bin/env", `PATH=${home.path}/bin`, shim, "config", "--install"]);
  assertStringIncludes(assertDone(ran), "whether ssh uses it could not be seen: ssh: it is not on PATH\n");
});

test("variables with which Deno starts no program do not keep it from asking ssh", async (home) => {
  const env = { LD_LIBRARY_PATH: "/nowhere", LD_BIND_NOW: "1" };
  assertStringIncludes(assertDone(await config(home, ["--install"], { env })), "ssh uses it for .host, ");
});

test("a link stays, and what it leads to is changed", async (home) => {
  const target = home.file("~/dotfiles/ssh/config", "Host a\n", 0o600);
  Deno.mkdirSync(home.at("~/.ssh"));
  Deno.symlinkSync("../dotfiles/ssh/config", home.at("~/.ssh/config"));
  assertStringIncludes(assertDone(await config(home, ["--install"])), `at the top of ${target}\n`);
  assertEquals(home.all("~/.ssh")["config"], "777 ../dotfiles/ssh/config");
  assertEquals(home.all("~/dotfiles/ssh"), { config: `600 ${LINES}Host a\n` });
  assertDone(await config(home, ["--uninstall"]));
  assertEquals(home.all("~/.ssh"), { config: "777 ../dotfiles/ssh/config" });
  assertEquals(home.all("~/dotfiles/ssh"), { config: `600 Host a\n` });
});

test("a ~/.ssh that is a link stays, and what it leads to is changed", async (home) => {
  home.file("~/dotfiles/ssh/config", "Host a\n");
  Deno.symlinkSync("dotfiles/ssh", home.at("~/.ssh"));
  assertDone(await config(home, ["--install"]));
  assertEquals(home.all("~/dotfiles/ssh")["config"], `644 ${LINES}Host a\n`);
  assertDone(await config(home, ["--install", "--alias", "vm=vsock/42"]));
  assertDone(await config(home, ["--uninstall"]));
  assertEquals(home.all("~/dotfiles/ssh"), { config: "644 Host a\n" });
  assertEquals(Deno.readLinkSync(home.at("~/.ssh")), "dotfiles/ssh");
});

test("a home that is reached by a link is as good as any", async (home) => {
  home.file("~/really/.ssh/config", "Host a\n");
  Deno.symlinkSync("really", home.at("~/link"));
  const running = { env: { HOME: `${home.path}/link` } };
  assertDone(await config(home, ["--uninstall"], running));
  assertStringIncludes(
    assertDone(await config(home, ["--install", "--dry-run"], running)),
    "+Include deno-ssh-proxy.conf",
  );
  // ssh has another ~, and says so: it is in place all the same.
  assertFailed(await config(home, ["--install"], running), 78, "its ~ is ");
  assertEquals(home.all("~/really/.ssh")["config"], `644 ${LINES}Host a\n`);
  assertDone(await config(home, ["--uninstall"], running));
  assertEquals(home.all("~/really/.ssh"), { config: "644 Host a\n" });
});

test("an installed file that was made a link stays one", async (home) => {
  assertDone(await config(home, ["--install"]));
  Deno.mkdirSync(home.at("~/dotfiles"));
  Deno.renameSync(home.at("~/.ssh/deno-ssh-proxy.conf"), home.at("~/dotfiles/proxy.conf"));
  Deno.symlinkSync("../dotfiles/proxy.conf", home.at("~/.ssh/deno-ssh-proxy.conf"));
  assertStringIncludes(assertDone(await config(home, ["--install", "--alias", "vm=vsock/42"])), "machine/1, vm\n");
  assertEquals(home.all("~/.ssh")["deno-ssh-proxy.conf"], "777 ../dotfiles/proxy.conf");
  assertStringIncludes(home.all("~/dotfiles")["proxy.conf"]!, "\nHost vm\n");
});

test("where what a link leads to cannot be written, it says what was done, and the line to add", async (home) => {
  const target = home.file("~/dotfiles/config", "Host a\n");
  Deno.mkdirSync(home.at("~/.ssh"));
  Deno.symlinkSync(target, home.at("~/.ssh/config"));
  Deno.chmodSync(home.at("~/dotfiles"), 0o500);
  assertFailed(
    await config(home, ["--install"]),
    77,
    `${target}: it was not changed: permission denied\n`,
    `done before that: wrote ${home.path}/.ssh/deno-ssh-proxy.conf`,
    "put this line at its top by hand: Include deno-ssh-proxy.conf\n",
  );
  assertEquals(home.all("~/dotfiles"), { config: "644 Host a\n" });
  assert("deno-ssh-proxy.conf" in home.all("~/.ssh"));
});

test("a link that leads nowhere is left alone, and nothing is written", async (home) => {
  Deno.mkdirSync(home.at("~/.ssh"));
  Deno.symlinkSync("../dotfiles/config", home.at("~/.ssh/config"));
  assertFailed(await config(home, ["--install"]), 66, "a link to ../dotfiles/config, which does not exist");
  assertEquals(home.all("~/.ssh"), { config: "777 ../dotfiles/config" });
  assertEquals(assertDone(await config(home, ["--uninstall"])), "nothing to take away\n");
});

test("a link that leads to itself is left alone", async (home) => {
  Deno.mkdirSync(home.at("~/.ssh"));
  Deno.symlinkSync("config", home.at("~/.ssh/config"));
  assertFailed(await config(home, ["--install"]), 71, "too many levels of symbolic links");
});

test("a ~/.ssh that cannot be written to is left as it is, and that is said", async (home) => {
  home.file("~/.ssh/config", "Host a\n");
  Deno.chmodSync(home.at("~/.ssh"), 0o500);
  const before = home.all("~/.ssh");
  assertFailed(await config(home, ["--install"]), 77, "it was not changed: permission denied\n");
  assertEquals(home.all("~/.ssh"), before);
});

test("a home that cannot be written to is left as it is, and that is said", async (home) => {
  Deno.chmodSync(home.path, 0o500);
  assertFailed(await config(home, ["--install"]), 77, "/.ssh: it cannot be made: permission denied\n");
});

test("a read-only file system is named for what it is", async (home) => {
  home.file("~/.ssh/config", "Host a\n");
  const before = `mount --bind ${home.path} ${home.path} && mount -o remount,ro,bind ${home.path}`;
  assertFailed(await config(home, ["--install"], { before }), 71, "it was not changed: read-only file system\n");
});

test("a folder or a device in the place of a file is left alone, and that is said", async (home) => {
  Deno.mkdirSync(home.at("~/.ssh/config"), { recursive: true });
  assertFailed(await config(home, ["--install"]), 71, "/.ssh/config: it is a folder\n");
  Deno.removeSync(home.at("~/.ssh/config"));
  Deno.symlinkSync("/dev/null", home.at("~/.ssh/config"));
  assertFailed(await config(home, ["--install"]), 71, "it is not a file\n");
  assertEquals(Object.keys(home.all("~/.ssh")), ["config"]);
});

test("a file in the place of ~/.ssh is left alone, and that is said", async (home) => {
  home.file("~/.ssh", "a file\n");
  assertFailed(await config(home, ["--install"]), 71, "/.ssh: it is not a folder\n");
});

test("a file of that name that is somebody else's is not overwritten, and not removed", async (home) => {
  home.file("~/.ssh/deno-ssh-proxy.conf", "Host mine\n");
  assertFailed(await config(home, ["--install"]), 71, "it is not deno-ssh-proxy's, and was left as it is");
  assertEquals(home.all("~/.ssh"), { "deno-ssh-proxy.conf": "644 Host mine\n" });
  assertStringIncludes(assertDone(await config(home, ["--uninstall"])), "is not deno-ssh-proxy's");
  assertEquals(home.all("~/.ssh"), { "deno-ssh-proxy.conf": "644 Host mine\n" });
});

test("what somebody wrote into the installed file is kept beside it", async (home) => {
  await config(home, ["--install"]);
  const edited = `${Deno.readTextFileSync(home.at("~/.ssh/deno-ssh-proxy.conf"))}Host mine\n`;
  home.file("~/.ssh/deno-ssh-proxy.conf", edited);
  assertMatch(
    assertDone(await config(home, ["--install"])),
    // It may be another version's, or another installation's: nobody need have changed it.
    /^kept the one before, which is not as this program writes it, as .*\/deno-ssh-proxy\.conf\.old$/m,
  );
  assertEquals(home.all("~/.ssh")["deno-ssh-proxy.conf.old"], `644 ${edited}`);
});

test("no copy is kept of a file that another installation wrote, by --install nor by --uninstall", async (home) => {
  const path = "~/.ssh/deno-ssh-proxy.conf";
  assertDone(await config(home, ["--install", "--alias", "vm=unix/a b", "--host-keys", "tofu"]));
  const own = Deno.readTextFileSync(home.at(path));
  const other = own.replaceAll(shim, "/nowhere/bin/deno-ssh-proxy");
  assert(other !== own);
  home.file(path, other);
  assertMatch(assertDone(await config(home, ["--install"])), /^changed .*\/deno-ssh-proxy\.conf\nssh uses it for /);
  assertEquals(Deno.readTextFileSync(home.at(path)), own);
  assertEquals(Object.keys(home.all("~/.ssh")), ["config", "deno-ssh-proxy.conf"]);
  home.file(path, other);
  assertDone(await config(home, ["--uninstall"]));
  assertEquals(home.all("~/.ssh"), {});
});

for (const root of [false, true]) {
  test(`a second copy of ${root ? "root's" : "a user's"} edited file does not replace the first, and both are named`, async (home) => {
    const path = root ? "/etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf" : "~/.ssh/deno-ssh-proxy.conf";
    const real = root ? SYSTEMS : home.path + path.slice(1);
    for (const [mine, name] of [["one", ".old"], ["two", ".old.1"], ["three", ".old.2"]] as const) {
      await config(home, ["--install"], { root });
      home.file(path, `${Deno.readTextFileSync(home.at(path))}# ${mine}\n`);
      assertMatch(assertDone(await config(home, ["--install"], { root })), new RegExp(`, as ${real}${name}\n`));
      // The same once more has its copy.
      home.file(path, Deno.readTextFileSync(home.at(`${path}${name}`)));
      assertDone(await config(home, ["--install"], { root }));
    }
    const old = Object.keys(home.all(path.slice(0, path.lastIndexOf("/")))).filter((name) => name.includes(".old"));
    assertEquals(old.length, 3);
    assertMatch(Deno.readTextFileSync(home.at(`${path}.old`)), /# one\n$/);
    assertMatch(Deno.readTextFileSync(home.at(`${path}.old.1`)), /# two\n$/);
    const says = assertDone(await config(home, ["--uninstall"], { root }));
    for (const name of [".old", ".old.1", ".old.2"]) {
      assertStringIncludes(
        says,
        `${real}${name} stays: it is an earlier ${real.split("/").at(-1)}, with what somebody `,
      );
    }
  });
}

test("--uninstall that keeps an edited file says so once", async (home) => {
  await config(home, ["--install"]);
  const path = home.at("~/.ssh/deno-ssh-proxy.conf");
  Deno.writeTextFileSync(path, "# mine\n", { append: true });
  const says = assertDone(await config(home, ["--uninstall"]));
  assertEquals(says.split("\n").filter((line) => line.includes(".old")).length, 1, says);
});

test("a user is told which alias is root's, and with which command root takes it out", async (home) => {
  assertDone(await config(home, ["--install", "--alias", "q=vsock/42", "--alias", "both=vsock/43"], { root: true }));
  const before = home.all("/etc/ssh/ssh_config.d");
  const command = "sudo deno-ssh-proxy config --uninstall";
  for (const dry of [[], ["--dry-run"]]) {
    assertFailed(
      await config(home, ["--uninstall", "--alias", "q", ...dry]),
      77,
      `alias q: it is in ${SYSTEMS}, which is root's\n`,
      `${command} --alias q takes it out\n`,
    );
  }
  assertEquals(
    assertDone(await config(home, ["--uninstall"])),
    `${SYSTEMS} stays: it is root's, and for every user; ${command} removes it\n`,
  );
  assertEquals((await config(home, ["--install", "--alias", "both=vsock/44"])).code, 0);
  assertStringIncludes(
    assertDone(await config(home, ["--uninstall", "--alias", "both"])),
    `alias both stays in ${SYSTEMS}, which is root's: ${command} --alias both takes it out\n`,
  );
  assertStringIncludes(assertDone(await config(home, ["--uninstall"])), `${SYSTEMS} stays: it is root's`);
  assertEquals(home.all("/etc/ssh/ssh_config.d"), before);
});

test("an alias that nobody has is refused with those that there are, and nothing is changed", async (home) => {
  for (const root of [false, true]) {
    const uninstall = ["--uninstall", "--alias", "a", "--alias", "nobody"];
    assertFailed(
      await config(home, ["--uninstall", "--alias", "a"], { root }),
      64,
      "alias a: there is no such alias\n",
    );
    assertDone(await config(home, ["--install", "--alias", "a=vsock/42", "--alias", "b=vsock/43"], { root }));
    const folder = root ? "/etc/ssh/ssh_config.d" : "~/.ssh";
    const before = home.all(folder);
    assertFailed(await config(home, uninstall, { root }), 64, "alias nobody: ", "nothing was changed; there is a, b\n");
    assertEquals(home.all(folder), before);
  }
});

/** What version 0.1.0 wrote, with an alias and host keys of its own. */
const OF_0_1_0 = (program: string) =>
  `# deno-ssh-proxy: ssh to virtual machines, containers and local sockets.
#
# deno-ssh-proxy config --install writes this anew: it keeps the options that stand here in comments, and nothing else.

# --alias vm=unix/run/B.sock:2222
Host vm
    Port 2222
    ProxyCommand ${program} unix/run/B.sock '%p'
    ProxyUseFdpass yes
    CheckHostIP no
    HostKeyAlias [unix/run/b.sock]:2222
    StrictHostKeyChecking accept-new
    UserKnownHostsFile ~/.ssh/deno-ssh-proxy.known_hosts

# This machine. Its host key is checked like any other.
Match host .host,machine/.host,machine%.host
    ProxyCommand ${program} '%h' '%p' --as-typed '%n'
    ProxyUseFdpass yes
    CheckHostIP no

Match host unix/*,unix%*,vsock/*,vsock%*,vsock-mux/*,vsock-mux%*,machine/*,machine%*,!.host,!machine/.host,!machine%.host
    ProxyCommand ${program} '%h' '%p' --as-typed '%n'
    ProxyUseFdpass yes
    CheckHostIP no

    # --host-keys tofu
    # Trust on first use: a server's key is kept at the first connection, in a file for these addresses alone, and from
    # then on another one at the same address is refused. When a virtual machine was made anew, its old key goes with:
    #     ssh-keygen -R vsock/42 -f ~/.ssh/deno-ssh-proxy.known_hosts
    StrictHostKeyChecking accept-new
    UserKnownHostsFile ~/.ssh/deno-ssh-proxy.known_hosts

# Everything is read once more when HostName is known, so that an alias of an address may stand below this as well.
Match final all
`;

test("the file of version 0.1.0 is written anew, with its aliases and host keys, and no copy of it is kept", async (home) => {
  home.file("~/.ssh/deno-ssh-proxy.conf", OF_0_1_0(shim));
  home.file("~/.ssh/config", `${LINES}Host a\n`, 0o600);
  const out = assertDone(await config(home, ["--install"]));
  assertMatch(out, /^changed .*\/deno-ssh-proxy\.conf\nssh uses it for .*, vm\n$/);
  const { "deno-ssh-proxy.conf": after, ...rest } = home.all("~/.ssh");
  assertEquals(rest, { config: `600 ${LINES}Host a\n` });
  assert(!/^Match/m.test(after!), after);
  assertEquals(
    after,
    `644 ${assertDone(await config(home, ["--alias", "vm=unix/run/B.sock:2222", "--host-keys", "tofu"]))}`,
  );
});

for (
  const [what, edit] of [
    ["a line more", (text: string) => `${text}Host mine\n`],
    ["another value", (text: string) => text.replaceAll("accept-new", "off")],
    ["a comment", (text: string) => `${text}# mine\n`],
    ["another ProxyCommand", (text: string) => text.replaceAll("'%n'", "'%n' --wait")],
  ] as const
) {
  test(`a file of version 0.1.0 with ${what} of somebody's is kept beside the new one`, async (home) => {
    const edited = edit(OF_0_1_0(shim));
    home.file("~/.ssh/deno-ssh-proxy.conf", edited);
    assertStringIncludes(assertDone(await config(home, ["--install"])), "/deno-ssh-proxy.conf.old\n");
    assertEquals(home.all("~/.ssh")["deno-ssh-proxy.conf.old"], `644 ${edited}`);
  });
}

test("a HostName that is an address is told with the command for an alias, until there is one", async (home) => {
  home.file("~/.ssh/config.d/vms.conf", "Host box\n    HostName vsock/43\n    Port 2222\n");
  home.file("~/.ssh/config", "Include config.d/*\nHost myvm other\n    HostName vsock/42\n");
  const told = [
    "~/.ssh/config.d/vms.conf line 2: ssh box does not connect: its HostName is the address vsock/43; run: " +
    "deno-ssh-proxy config --install --alias box=vsock/43:2222",
    ...["myvm", "other"].map((name) =>
      `~/.ssh/config line LINE: ssh ${name} does not connect: its HostName is the address vsock/42; run: ` +
      `deno-ssh-proxy config --install --alias ${name}=vsock/42`
    ),
  ];
  const at = (line: number) => told.map((text) => text.replace("LINE", `${line}`));
  const tells = (text: string) => text.split("\n").filter((line) => line.includes(" does not connect: "));
  const dry = await config(home, ["--install", "--dry-run"]);
  assertEquals([dry.code, tells(dry.err)], [0, at(3)]);
  // Two lines are above it then.
  assertEquals(tells(assertDone(await config(home, ["--install"]))), at(5));
  const again = assertDone(await config(home, ["--install"]));
  assertEquals([again.startsWith("already installed: "), tells(again)], [true, at(5)]);
  assertEquals(tells(assertDone(await config(home, ["--install", "--alias", "myvm=vsock/42"]))), [at(5)[0], at(5)[2]]);
  assertEquals(tells(assertDone(await config(home, ["--install", "--alias", "other=vsock/42"]))), [at(5)[0]]);
});

test("root is told of a HostName in the system's folder", async (home) => {
  home.file("/etc/ssh/ssh_config.d/50-vms.conf", "Host myvm\n    HostName vsock/42\n");
  const out = assertDone(await config(home, ["--install"], { root: true }));
  assertStringIncludes(
    out,
    "/etc/ssh/ssh_config.d/50-vms.conf line 2: ssh myvm does not connect: its HostName is the address vsock/42; ",
  );
});

test("a file that may not be read is not looked into for a HostName", async (home) => {
  home.file("~/elsewhere", "Host myvm\n    HostName vsock/42\n");
  home.file("~/.ssh/config", "Include ~/elsewhere\n");
  assertEquals(assertDone(await config(home, ["--install"])).includes("HostName"), false);
});

test("without HOME, or with one that is no path, it says so", async (home) => {
  for (const HOME of ["", "here"]) {
    assertFailed(await config(home, ["--install"], { env: { HOME } }), 64, "HOME is ");
  }
  const nowhere = `${home.path}/nowhere`;
  assertFailed(await config(home, ["--install"], { env: { HOME: nowhere } }), 66, `${nowhere} does not exist\n`);
});

test("a comma in HOME, which Deno takes for the end of a path, grants nothing else", async (home) => {
  const path = `${home.path}/a,${home.path}`;
  Deno.mkdirSync(path, { recursive: true });
  const before = home.all("~/");
  const running = { env: { HOME: path } };
  assert((await grants(home, ["--install"], running)).includes("--allow-write=/dev/null"));
  assertFailed(await config(home, ["--install"], running), 77, "Deno cannot grant a path with a comma");
  assertEquals(home.all("~/"), before);
});

test("an Include line that no longer stands at the top is moved there, and that is said", async (home) => {
  home.file("~/.ssh/config", "Host a\n", 0o600);
  assertDone(await config(home, ["--install"]));
  home.file("~/.ssh/config", `Host top\n${LINES}Host a\n`, 0o600);
  const out = assertDone(await config(home, ["--install"]));
  assertMatch(out, /^moved the line 'Include deno-ssh-proxy\.conf' to the top of .*\/config\nssh uses it for /);
  assertEquals(home.all("~/.ssh")["config"], `600 ${LINES}Host top\nHost a\n`);
});

test("many installs at once lose nothing of what each was asked for", async (home) => {
  home.file("~/.ssh/config", "Host a\n", 0o600);
  const names = Array.from({ length: 8 }, (_, n) => `vm${n}`);
  const all = await Promise.all(names.map((name) => config(home, ["--install", "--alias", `${name}=vsock/42`])));
  all.forEach(assertDone);
  const { "deno-ssh-proxy.conf": fragment = "", ...rest } = home.all("~/.ssh");
  assertEquals([...fragment.matchAll(/^Host (\w+)$/gm)].map(([, name]) => name!).sort(), names);
  assertEquals(rest, { "config": `600 ${LINES}Host a\n`, "config.before-deno-ssh-proxy": "600 Host a\n" });
});

/** The words that lock a folder while a program runs. */
const HOLDS = ["flock", "--exclusive", "--nonblock"];

testWhere(
  canRun && canBecomeNobody() && works("flock", ["--version"]),
  "root cannot become somebody else here, or there is no flock",
  "a lock that another user has on root's folder keeps root neither from installing nor from uninstalling",
  async () => {
    using home = new Home();
    const folder = home.at("/etc/ssh/ssh_config.d");
    Deno.chmodSync(folder, 0o755);
    Deno.chmodSync(home.at("/etc/ssh"), 0o755);
    Deno.chmodSync(`${home.at("~")}/..`, 0o755);
    const [program, ...args] = [...AS_NOBODY, ...HOLDS, folder, "sh", "-c", "echo locked; read -r end"];
    const child = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped" }).spawn();
    const reader = child.stdout.getReader();
    try {
      assertEquals(new TextDecoder().decode((await reader.read()).value), "locked\n");
      assertDone(await config(home, ["--install"], { root: true }));
      assertEquals(Object.keys(home.all("/etc/ssh/ssh_config.d")), ["10-deno-ssh-proxy.conf"]);
      assertDone(await config(home, ["--uninstall"], { root: true }));
      assertEquals(home.all("/etc/ssh/ssh_config.d"), {});
    } finally {
      reader.releaseLock();
      await child.stdin.close();
      await child.stdout.cancel();
      await child.status;
    }
  },
);

test("installs and uninstalls at once leave one or the other, and never half", async (home) => {
  home.file("~/.ssh/config", "Host a\n", 0o600);
  await Promise.all(
    ["--install", "--uninstall", "--install", "--uninstall", "--install"].map((way) => config(home, [way])),
  );
  const { config: last } = home.all("~/.ssh");
  assert([`600 Host a\n`, `600 ${LINES}Host a\n`].includes(last!), last);
  assertDone(await config(home, ["--uninstall"]));
  assertEquals(home.all("~/.ssh"), { config: "600 Host a\n" });
});

const hasStrace = canRun &&
  new Deno.Command("sh", { args: ["-c", "command -v strace >/dev/null"] }).outputSync().success;
for (const way of ["--install", "--uninstall"]) {
  testWhere(
    hasStrace,
    "there is no strace here",
    `${way} that is killed leaves old or new, and the next one ends it`,
    async () => {
      const old = "Host a\n    User b\n";
      for (let when = 1; when < 60; when++) {
        using home = new Home();
        home.file("~/.ssh/config", old, 0o600);
        // Deno's own cache is full then, and it changes nothing more in there.
        await config(home, way === "--uninstall" ? ["--install"] : []);
        // What a file can be changed with.
        const calls = "fsync,?rename,renameat,renameat2,?unlink,unlinkat,?chmod,fchmod,fchmodat,?mkdir,mkdirat,write";
        const strace = [
          "strace",
          "-f",
          "-qq",
          "-o",
          home.at("~/trace"),
          "-e",
          `inject=${calls}:signal=KILL:when=${when}`,
        ];
        const { code } = await home.run([...strace, shim, "config", way]);
        const left = home.all("~/.ssh");
        assert([`600 ${old}`, `600 ${LINES}${old}`].includes(left["config"]!), `${when}: ${left["config"]}`);
        const backup = left["config.before-deno-ssh-proxy"];
        assert(backup === undefined || backup === `600 ${old}`, `${when}: ${backup}`);
        assert(
          /^(?:undefined|644 # deno-ssh-proxy: [^]*\nHost \*\n)$/.test(`${left["deno-ssh-proxy.conf"]}`),
          `${when}`,
        );
        assertDone(await config(home, ["--install"]));
        assertEquals(Object.keys(home.all("~/.ssh")), [
          "config",
          "config.before-deno-ssh-proxy",
          "deno-ssh-proxy.conf",
        ]);
        assertDone(await config(home, ["--uninstall"]));
        assertEquals(home.all("~/.ssh"), { config: `600 ${old}` });
        if (code === 0) {
          // It was killed at each of them before. strace counts those of each thread by itself, and which of Deno's makes
          // how many depends on what else the machine does.
          assert(when > 3, `${when}`);
          return;
        }
      }
    },
  );
}

test("an alias is kept by later installs, replaced by one of the same name, and taken away by its name", async (home) => {
  const hosts = () => [...Deno.readTextFileSync(home.at("~/.ssh/deno-ssh-proxy.conf")).matchAll(/^# --alias (.*)$/gm)];
  const alias = async (...args: string[]) => {
    assertDone(await config(home, args));
    return hosts().map(([, text]) => text);
  };
  assertEquals(await alias("--install", "--alias", "a=vsock/42", "--alias", "b=unix/run/B.sock:2222"), [
    "a=vsock/42",
    "b=unix/run/B.sock:2222",
  ]);
  assertEquals(await alias("--install", "--alias", "a=vsock/43"), ["a=vsock/43", "b=unix/run/B.sock:2222"]);
  assertEquals(await alias("--install"), ["a=vsock/43", "b=unix/run/B.sock:2222"]);
  assertEquals(await sshSays(home, "b", "proxycommand"), `${shim} unix/run/B.sock '%p'`);
  assertEquals(await sshSays(home, "b", "port"), "2222");
  assertEquals(await alias("--uninstall", "--alias", "b"), ["a=vsock/43"]);
  assertFailed(await config(home, ["--uninstall", "--alias", "b"]), 64, "alias b: there is no such alias\n");
});

test("the way with host keys is kept by later installs until another is asked for", async (home) => {
  const mode = async (...args: string[]) => {
    assertDone(await config(home, ["--install", ...args]));
    return [
      await sshSays(home, "vsock/42", "stricthostkeychecking"),
      await sshSays(home, "vsock/42", "userknownhostsfile"),
    ];
  };
  const own = `${home.path}/.ssh/deno-ssh-proxy.known_hosts`;
  assertEquals(await mode(), ["false", "/dev/null"]);
  assertEquals(await mode("--host-keys", "tofu"), ["accept-new", own]);
  assertEquals(await mode(), ["accept-new", own]);
  assertEquals(await mode("--host-keys", "strict"), ["true", own]);
  assertEquals(await mode("--host-keys", "ephemeral"), ["false", "/dev/null"]);
});

for (const root of [false, true]) {
  test(`install.sh --uninstall takes ${root ? "root's" : "a user's"} back too, but none of another prefix`, async (home) => {
    using other = new Installation();
    // So that the folder of the test's own stays.
    Deno.writeTextFileSync(`${other.prefix}/something`, "");
    const uninstall = () => home.run([`${CHECKOUT}/install.sh`, "--uninstall", "--prefix", other.prefix], { root });
    const [folder, name] = root
      ? ["/etc/ssh/ssh_config.d", SYSTEMS.split("/").at(-1)!]
      : ["~/.ssh", "deno-ssh-proxy.conf"];
    assertDone(await home.run([other.shim, "config", "--install"], { root }));
    if (!root) {
      // Not to be read-only for ever.
      Deno.chmodSync(home.at(folder), 0o500);
      const { code, err } = await uninstall();
      Deno.chmodSync(home.at(folder), 0o700);
      assertEquals(code, 1);
      assertStringIncludes(err, "install.sh: ssh is configured to use it: nothing was removed\n");
      assert(Deno.statSync(other.shim).isFile);
    }
    assertStringIncludes(assertDone(await uninstall()), `/${name}\n`);
    assertEquals(home.all(folder), {});

    const nowhere = `${other.prefix}/nowhere`;
    assertDone(await config(home, ["--install"], { root }));
    const { code, err } = await home.run([`${CHECKOUT}/install.sh`, "--uninstall", "--prefix", nowhere], { root });
    assertEquals(code, 1);
    assertStringIncludes(err, `install.sh: it is not installed in ${nowhere}, and nothing was changed; `);
    assertMatch(
      err,
      new RegExp(`/${name} names /.*/bin/deno-ssh-proxy\n  ./install\\.sh --prefix .* --uninstall removes`),
    );
    assertDone(await config(home, ["--uninstall"], { root }));

    outputOf(`${CHECKOUT}/install.sh`, "--no-proof", "--prefix", other.prefix);
    assertDone(await config(home, ["--install"], { root }));
    const says = assertDone(await uninstall());
    assertMatch(says, new RegExp(`^left .*${name} as it is: it names `));
    assertStringIncludes(says, `deno-ssh-proxy is no longer in ${other.prefix}\n`);
    assert(name in home.all(folder));
  });
}

/** The configurations in which a name leads somewhere already: files, the alias, and what the warning says of it. */
const HIDING: Record<string, [files: Record<string, string>, alias: string, reason: string, dry?: string]> = {
  "the name of this machine": [{}, "localhost=vsock/42", "it is this machine's", "it is this machine's"],
  "a name below localhost": [{}, "vm.localhost=vsock/42", "it is this machine's", "it is this machine's"],
  "an IP address": [{}, "192.0.2.7=vsock/42", "it is an IP address", "it is an IP address"],
  "a name that the system resolves": [{}, `${HOST}=vsock/42`, "this system resolves it"],
  "a name with a Host block": [
    { "~/.ssh/config": "Host other build\n    User me\n" },
    "build=vsock/42",
    "~/.ssh/config line 3 is for it",
    "~/.ssh/config line 1 is for it",
  ],
  "a name with a Host block in an included file": [
    { "~/.ssh/config": "Include more/*\n", "~/.ssh/more/one": "Host build\n    HostName build.example\n" },
    "build=vsock/42",
    "~/.ssh/more/one line 1 is for it",
    "~/.ssh/more/one line 1 is for it",
  ],
  "a name that a pattern gives a HostName": [
    { "~/.ssh/config": "Host b*\n    HostName build.example\n" },
    "build=vsock/42",
    "ssh has HostName build.example for it",
  ],
  "a name that a pattern gives a ProxyJump": [
    { "~/.ssh/config": "Host b*\n    ProxyJump gate\n" },
    "build=vsock/42",
    "ssh has ProxyJump gate for it",
  ],
  "a name that root gives a ProxyCommand": [
    { "/etc/ssh/ssh_config.d/50-x.conf": "Host build\n    ProxyCommand nc %h %p\n" },
    "build=vsock/42",
    "ssh has ProxyCommand nc %h %p for it",
  ],
  "a name with a host key": [
    { "~/.ssh/known_hosts": "# x\nother,Build ssh-ed25519 AAAA\n" },
    "build=vsock/42",
    "~/.ssh/known_hosts has its host key",
    "~/.ssh/known_hosts has its host key",
  ],
  "a name with a host key under a port": [
    { "~/.ssh/known_hosts": "[build]:2222 ssh-ed25519 AAAA\n" },
    "build=vsock/42",
    "~/.ssh/known_hosts has its host key",
    "~/.ssh/known_hosts has its host key",
  ],
};

for (const [what, [files, alias, reason, dry]] of Object.entries(HIDING)) {
  test(`an alias with ${what} is made with a warning, once`, async (home) => {
    for (const [path, text] of Object.entries(files)) home.file(path, text);
    const [name, address] = alias.split("=");
    const warning = (reason: string | undefined) =>
      reason === undefined
        ? ""
        : `deno-ssh-proxy: warning: alias ${name}: it hides a host of that name: ${reason}\n  ssh ${name} connects to ` +
          `${address} instead; to undo: deno-ssh-proxy config --uninstall --alias ${name}\n`;
    const asked = ["--install", "--alias", alias];
    const tried = await config(home, [...asked, "--dry-run"]);
    assertEquals([tried.code, tried.err], [0, warning(dry)]);
    const made = await config(home, asked);
    assertEquals([made.code, made.err], [0, warning(reason)], made.out);
    assertStringIncludes(made.out, `machine/1, ${name}\n`);
    assertDone(await config(home, asked));
    const printed = await config(home, ["--alias", alias]);
    const printing = /^it is/.test(reason) ? warning(reason).replace(/; to undo: .*/, "") : "";
    assertEquals([printed.code, printed.err], [0, printing]);
  });
}

test("an alias with a host key under a hashed name is made with a warning", async (home) => {
  const file = home.file(
    "~/.ssh/known_hosts",
    "build ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHNvbWUgaG9zdCBrZXksIG9ubHkgZm9yIGEgdGVz\n",
  );
  outputOf("ssh-keygen", "-q", "-H", "-f", file);
  assert(Deno.readTextFileSync(file).startsWith("|1|"));
  assertDone(await config(home, ["--install", "--alias", "other=vsock/42"]));
  const { err } = await config(home, ["--install", "--alias", "build=vsock/42"]);
  assertStringIncludes(err, "alias build: it hides a host of that name: ~/.ssh/known_hosts has its host key\n");
});

test("an alias that leads nowhere else is made without a warning", async (home) => {
  home.file("~/.ssh/config", "Host myvm\n    HostName vsock/42\nHost *\n    ProxyJump gate\n    HostName %h.example\n");
  home.file("~/.ssh/known_hosts", "nearly ssh-ed25519 AAAA\n|1|x|y ssh-ed25519 AAAA\n|1|| ssh-ed25519 AAAA\n");
  for (const alias of ["myvm=vsock/42", "near=vsock/43"]) {
    assertDone(await config(home, ["--install", "--dry-run", "--alias", alias]));
    assertEquals((await config(home, ["--install", "--alias", alias])).err, "");
  }
});

test("root is warned of an alias that hides a host", async (home) => {
  home.file("/etc/ssh/ssh_config.d/50-x.conf", "Host build\n    User me\n");
  const ran = await config(home, ["--install", "--alias", "build=vsock/42", "--alias", `${HOST}=vsock/43`], {
    root: true,
  });
  assertEquals(ran.code, 0, ran.err);
  assertStringIncludes(
    ran.err,
    "alias build: it hides a host of that name: /etc/ssh/ssh_config.d/50-x.conf line 1 is for it\n",
  );
  assertStringIncludes(ran.err, `alias ${HOST}: it hides a host of that name: this system resolves it\n`);
});

test("config --list shows the file, its options and its aliases, and the same as JSON", async (home) => {
  const nothing = await config(home, ["--list"]);
  assertEquals([nothing.code, nothing.out], [0, ""]);
  assertStringIncludes(nothing.err, "no configuration is installed\n  deno-ssh-proxy config --install ");
  assertEquals(assertDone(await config(home, ["--install"])).length > 0, true);
  const file = `${home.path}/.ssh/deno-ssh-proxy.conf`;
  assertEquals(assertDone(await config(home, ["--list"])), `${file}\n  --host-keys ephemeral\n`);
  const set = ["--host-keys", "tofu", "--user", "me", "--alias", "a=vsock/42:2222", "--alias", "b=unix/run/a b.sock"];
  assertDone(await config(home, ["--install", ...set]));
  const own = `${file}\n  --host-keys tofu\n  --user me\n  --alias a=vsock/42:2222\n  --alias b=unix/run/a b.sock\n`;
  assertEquals(assertDone(await config(home, ["--list"])), own);
  assertDone(await config(home, ["--install", "--alias", "c=vsock/1"], { root: true }));
  const systems = `${SYSTEMS}\n  --host-keys ephemeral\n  --user root\n  --alias c=vsock/1\n`;
  assertEquals(assertDone(await config(home, ["--list"])), own + systems);
  assertEquals(assertDone(await config(home, ["--list"], { root: true })), systems);
  assertEquals(JSON.parse(assertDone(await config(home, ["--list", "--json"]))), [
    {
      file,
      hostKeys: "tofu",
      user: "me",
      aliases: [{ name: "a", address: "vsock/42", port: 2222 }, {
        name: "b",
        address: "unix/run/a b.sock",
        port: null,
      }],
    },
    { file: SYSTEMS, hostKeys: "ephemeral", user: "root", aliases: [{ name: "c", address: "vsock/1", port: null }] },
  ]);
});

test("config --list of nothing as JSON is an array with nothing in it", async (home) => {
  const { code, out } = await config(home, ["--list", "--json"]);
  assertEquals([code, JSON.parse(out)], [0, []]);
});

for (
  const [args, says] of [
    [["--install", "--uninstall"], "one of the two"],
    [["--dry-run"], "it goes with --install or --uninstall"],
    [["--list", "--install"], "--install: it does not go with --list"],
    [["--list", "--alias", "a=vsock/1"], "--alias: it does not go with --list"],
    [["--json"], "it goes with --list"],
    [["--uninstall", "--host-keys", "tofu"], "it does not go with --uninstall"],
    [["--uninstall", "--user", "root"], "it does not go with --uninstall"],
    [["--user", "a b"], "not a user's name"],
    [["--host-keys", "none"], "not one of ephemeral, tofu, strict"],
    [["--alias", "vm"], "it has no '='"],
    [["--alias", "vm=vsock/1", "--alias", "vm=vsock/2"], "one name for two addresses: vm=vsock/1 and vm=vsock/2"],
    [["--alias", "=vsock/42"], "not a name"],
    [["--alias", "v*=vsock/42"], "not a name"],
    [["--alias", "vm=vsock/x"], "not a CID"],
    [["--alias", "vm=vsock/42:99999999999"], "not a port"],
    [["--alias", "vm=host"], "not an address"],
    [["--uninstall", "--alias", "vm=vsock/42"], "not a name"],
    [["--instal"], "did you mean --install"],
  ] as [string[], string][]
) {
  test(`config ${args.join(" ")} is refused`, async (home) => {
    assertFailed(await config(home, args), 64, says);
    assertEquals([...Deno.readDirSync(home.path)], []);
  });
}

/** The grants that the starter gives. */
async function grants(home: Home, args: string[], running?: Running): Promise<string[]> {
  const spy = spyOn(shim, home.at("~"));
  const given = grantsIn((await home.run([spy.path, "config", ...args], running)).out);
  spy.remove();
  return given;
}

test("on a terminal, config that prints options says that they are not installed", async (home) => {
  const note = "deno-ssh-proxy: nothing was installed: --install does that\r\n";
  for (const [args, says] of [[["--alias", "a=vsock/42"], true], [["--user", "me"], true], [[], false]] as const) {
    using terminal = new InTerminal([shim, "config", ...args], { PATH, HOME: home.path });
    assertEquals(await terminal.end(), 0);
    assertEquals(terminal.shown.endsWith(note), says, terminal.shown.slice(-200));
  }
  assertDone(await config(home, ["--alias", "a=vsock/42"]));
});

test("config that only prints is granted nothing", async (home) => {
  assertEquals(await grants(home, []), []);
  assertEquals(await grants(home, ["--alias", "a=vsock/42", "--host-keys", "tofu"]), []);
});

for (const root of [false, true]) {
  for (
    const args of [["--install"], ["--uninstall"], ["--install", "--dry-run"], ["--uninstall", "--dry-run"], ["--list"]]
  ) {
    const who = root ? "root" : "a user";
    test(`config ${args.join(" ")} of ${who} has exactly the grants that it needs`, async (home) => {
      const given = await grants(home, args, { root });
      const folder = root ? "/etc/ssh/ssh_config.d" : `${home.path}/.ssh`;
      const reads = (args.includes("--list") || args.includes("--uninstall")) && !root
        ? `${folder},${SYSTEMS}`
        : folder;
      assertEquals(given, [
        "--allow-sys=uid",
        `--allow-read=${reads}`,
        ...args.includes("--dry-run") || args.includes("--list") ? [] : [`--allow-write=${folder}`],
        ...root ? [] : ["--allow-env=SAVED_HOME"],
        ...args.join() === "--install" ? [`--allow-run=${PROGRAM}/deno-ssh-proxy`] : [],
      ]);
      const run = async (those: string[]) => {
        // For something to be there that can be taken away or shown.
        if (!args.includes("--install")) assertDone(await config(home, ["--install"], { root }));
        return await home.run([...starterWith(PROGRAM!, those), `${PROGRAM}/cli.mjs`, "config", ...args], { root });
      };
      for (const left of given) {
        assertFailed(await run(given.filter((one) => one !== left)), 77, left.split("=")[0]!);
      }
      assertDone(await run(given));
    });
  }
}
