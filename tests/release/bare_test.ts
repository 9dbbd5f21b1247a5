import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { whyNoExecutable } from "../../release/why_no_executable.ts";
import type { Sshd } from "../../tools/sshd.ts";
import { testWhere } from "../support/tools.ts";
import { bareSystems, Debian, startSshd } from "./debian.ts";
import { CAN_RELEASE, NO_HISTORY, released, type Tagged } from "./made.ts";

const { folder, why } = CAN_RELEASE ? bareSystems() : { folder: "", why: NO_HISTORY };
const whyNotStandalone = why || whyNoExecutable();

/** A bare system, what is released as /mnt, and an sshd as /run/app/Sshd.sock, which its users have the key of. */
let system: Debian | undefined;
let release: Tagged | undefined;
let sshd: Sshd | undefined;

Deno.test.beforeAll(async () => {
  if (folder === "") return;
  [release, sshd] = [released(), await startSshd()];
  Deno.chmodSync(release.out, 0o755);
  system = await Debian.start(folder, "trixie", release.out, sshd.folder.path);
  await system.install("openssh-client");
  await system.have(sshd.key);
});

Deno.test.afterAll(async () => {
  system?.[Symbol.dispose]();
  release?.[Symbol.dispose]();
  await sshd?.[Symbol.asyncDispose]();
});

/** Each of these has what it did undone at its end: what is in the system is then what was there before. */
function test(name: string, reason: string, fn: (system: Debian, archive: string) => Promise<void>): void {
  testWhere(reason === "", reason, name, async () => {
    const there = system!;
    const before = there.files();
    await fn(there, release!.archive.slice(release!.out.length + 1));
    assertEquals([...there.files().symmetricDifference(before)], []);
  });
}

/** As whoever installs Deno has it. */
async function withDeno(system: Debian, fn: () => Promise<void>): Promise<void> {
  const deno = "/usr/local/bin/deno";
  Deno.copyFileSync(Deno.execPath(), system.at(deno));
  try {
    await fn();
  } finally {
    Deno.removeSync(system.at(deno));
  }
}

/** Gets through with no options to ssh, by the name of the socket and with the exit code of the command. */
async function assertReached(system: Debian, user: string): Promise<void> {
  const { code, out, err } = await system.run("ssh root@unix/run/app/Sshd.sock 'echo hello; exit 3'", user);
  assertEquals({ code, out }, { code: 3, out: "hello\n" }, err);
}

test(
  "a machine with Deno and ssh has all of it out of an archive, for everybody, and then nothing",
  why,
  (system, archive) =>
    withDeno(system, async () => {
      const said = await system.outputOf(`cd /mnt && sh install.sh --from ${archive}.tar.gz`);
      assertStringIncludes(said, "\n  deno-ssh-proxy config --install\n");
      assertStringIncludes(await system.outputOf("deno-ssh-proxy config --install"), "ssh uses it for .host, unix/1, ");
      for (const user of ["somebody", "root"]) await assertReached(system, user);
      const checked = (await system.outputOf("deno-ssh-proxy check unix/run/app/Sshd.sock", "somebody")).replaceAll(
        /\s+/g,
        " ",
      );
      assertStringIncludes(checked, "ssh uses this program, by /etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf");
      assertMatch(await system.outputOf("man --pager=cat deno-ssh-proxy"), /^DENO-SSH-PROXY\(1\)/);
      const gone = await system.outputOf("sh /mnt/install.sh --uninstall");
      assertStringIncludes(gone, "deno-ssh-proxy is no longer in /usr/local\n");
    }),
);

test(
  "an ordinary user has it for themselves, out of an archive that they unpack, and then nothing",
  why,
  (system, archive) =>
    withDeno(system, async () => {
      const home = "/home/somebody";
      await system.outputOf(`mkdir -p ~/new && tar -C ~/new -xzf /mnt/${archive}.tar.gz`, "somebody");
      const said = await system.outputOf(`~/new/${archive}/install.sh`, "somebody");
      assertStringIncludes(said, `\n  ${home}/.local/bin/deno-ssh-proxy config --install\n`);
      await system.outputOf("~/.local/bin/deno-ssh-proxy config --install", "somebody");
      await assertReached(system, "somebody");
      const others = await system.run("ssh -o ConnectTimeout=1 root@unix/run/app/Sshd.sock true");
      assertEquals(others.code, 255);
      await system.outputOf(`~/new/${archive}/install.sh --uninstall && rm -r ~/new`, "somebody");
    }),
);

test("a machine with neither Deno nor npm says so of an archive, and is as it was", why, async (system, archive) => {
  const { code, err } = await system.run(`cd /mnt && sh install.sh --from ${archive}.tar.gz`);
  assertEquals(code, 1);
  assertEquals(
    err,
    "install.sh: missing: Deno 2.9 or later, or npm to install it with\n" +
      "  on Debian: apt-get install npm; the release's standalone archive needs no Deno\n",
  );
});

test(
  "a machine with nothing but ssh has it out of the standalone archive, and then nothing",
  whyNotStandalone === undefined || why !== ""
    ? why
    : `deno compile cannot make one here: ${whyNotStandalone.split(": ")[0]}`,
  async (system, archive) => {
    const said = await system.outputOf(`cd /mnt && sh install.sh --from ${archive}-standalone.tar.gz`);
    // What it says to do, but that root needs no sudo.
    const [command] = /deno-ssh-proxy config --user root \| sudo tee \S+/.exec(said) ?? [];
    await system.outputOf(`mkdir -p /etc/ssh/ssh_config.d && ${command!.replace("sudo ", "")}`);
    for (const user of ["somebody", "root"]) await assertReached(system, user);
    assertMatch(await system.outputOf("deno-ssh-proxy --version", "somebody"), /\ndeno [0-9.]+\n$/);
    await system.outputOf("sh /mnt/install.sh --uninstall");
  },
);
