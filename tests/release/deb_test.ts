import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { outputLater } from "../../tools/programs.ts";
import type { Sshd } from "../../tools/sshd.ts";
import { testWhere } from "../support/tools.ts";
import { bareSystems, Debian, Packages, startSshd } from "./debian.ts";
import { CAN_RELEASE, NO_HISTORY } from "./made.ts";

const { folder, why } = CAN_RELEASE ? bareSystems() : { folder: "", why: NO_HISTORY };
const can = folder !== "";
const PACKAGE = "deno-ssh-proxy.deb";
/** Has the same in it, as a test sees, and takes less time to unpack. */
const QUICK = "quick.deb";
const OLDER = "older.deb";
const CONFFILE = "/etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf";
const SUITES = ["bookworm", "trixie"];

const packages = new Packages();
/** Where lintian has its temporary files, some of which it leaves. */
const scratch = new Folder();
const systems = new Map<string, Debian>();
let sshd: Sshd | undefined;
Deno.test.afterAll(async () => {
  for (const system of systems.values()) system[Symbol.dispose]();
  await sshd?.[Symbol.asyncDispose]();
  packages[Symbol.dispose]();
  scratch[Symbol.dispose]();
});

/** What lintian says of the package: it takes its time. */
let examined: Promise<Deno.CommandOutput> | undefined;

async function buildAndExamine(): Promise<void> {
  await packages.build(PACKAGE);
  const args = [
    "--allow-root",
    "--fail-on",
    "error,warning",
    "--tag-display-limit",
    "0",
    `${packages.path}/${PACKAGE}`,
  ];
  examined = new Deno.Command("lintian", { args, env: { TMPDIR: scratch.path } }).output();
}

async function buildOthers(): Promise<void> {
  packages.fork();
  await packages.buildElsewhere(QUICK);
  packages.change("deno.json", (text) => text.replace(/"version": ".*"/, '"version": "0.0.1"'));
  packages.change("CHANGELOG.md", () => "# Changelog\n\n## [0.0.1] - 2026-01-02\n\n### Added\n\n- All of it.\n");
  packages.change("commands/config/drop_in.ts", (text) => text.replace("This machine. ", "This very machine. "));
  await packages.buildElsewhere(OLDER);
}

/** A user in there may use the socket, and finds the key where ssh looks for it. */
async function prepare(suite: string, sshd: Sshd): Promise<void> {
  const system = await Debian.start(folder, suite, packages.path, sshd.folder.path);
  systems.set(suite, system);
  await system.have(sshd.key);
}

Deno.test.beforeAll(async () => {
  if (!can) return;
  const server = sshd = await startSshd();
  const prepared = SUITES.map((suite) => prepare(suite, server));
  const all = await Promise.allSettled([buildAndExamine(), buildOthers(), ...prepared]);
  for (const one of all) if (one.status === "rejected") throw one.reason;
});

function test(name: string, fn: () => Promise<void>): void {
  testWhere(can, why, name, fn);
}

/** In the suite's system as the tests before left it, but with the package, and nothing that is left of another. */
function testIn(suites: string[], name: string, fn: (system: Debian) => Promise<void>): void {
  for (const suite of suites) {
    test(`${suite}: ${name}`, async () => {
      const system = systems.get(suite)!;
      if ((await system.run(`dpkg --verify deno-ssh-proxy && test -e ${CONFFILE}`)).code !== 0) {
        await system.outputOf("dpkg --purge deno-ssh-proxy");
        await system.outputOf(`dpkg --install /mnt/${QUICK}`);
      }
      await fn(system);
    });
  }
}

/** What dpkg says of a package. */
async function state(system: Debian, of = "deno-ssh-proxy"): Promise<string> {
  return (await system.run(`dpkg-query --show --showformat '\${db:Status-Status}' ${of}`)).out;
}

test("the same comes of another folder, with another umask and in another time zone", async () => {
  const contents = (file: string) =>
    outputLater(
      "sh",
      "-c",
      'for part in ctrl fsys; do dpkg-deb --$part-tarfile "$0" | sha256sum; done',
      `${packages.path}/${file}`,
    );
  assertEquals(await contents(QUICK), await contents(PACKAGE));
});

test("bookworm: on a bare system it is installed with what it depends on", async () => {
  const system = systems.get("bookworm")!;
  assert(await state(system, "openssh-client") !== "installed");
  await system.install(`/mnt/${PACKAGE}`);
  assertEquals(await state(system, "openssh-client"), "installed");
  await system.outputOf("dpkg --verify deno-ssh-proxy && apt-get check");
  const version = await system.outputOf("deno-ssh-proxy --version", "somebody");
  assertMatch(
    version,
    /^deno-ssh-proxy (\S+)\nlibrary \1 \(\/usr\/lib\/deno-ssh-proxy\/libdeno_ssh_proxy.so\)\ndeno \d/,
  );
});

test("trixie: purged after it was used, it leaves nothing but what dpkg and apt note down", async () => {
  const system = systems.get("trixie")!;
  await system.install("openssh-client");
  const before = system.files();
  await system.outputOf(`dpkg --install /mnt/${QUICK}`);
  for (const user of ["somebody", "root"]) {
    assertEquals(await system.outputOf("ssh root@unix/run/app/Sshd.sock echo hello", user), "hello\n");
    await system.outputOf("deno-ssh-proxy list", user);
  }
  await system.outputOf("deno-ssh-proxy config --install && deno-ssh-proxy config --uninstall", "somebody");
  // What was changed by hand is kept beside the file.
  await system.outputOf(`echo '# mine' >>${CONFFILE} && deno-ssh-proxy config --install && test -e ${CONFFILE}.old`);
  await system.outputOf("apt-get purge --yes -o Dpkg::Use-Pty=0 deno-ssh-proxy");
  const after = system.files();
  const other = [...after.symmetricDifference(before)];
  const expected = /^\/var\/(log|cache|lib\/apt|lib\/dpkg)\//;
  assertEquals(other.filter((path) => !expected.test(path)), []);
});

testIn(SUITES, "ssh gets through with no options, as a user and as root", async (system) => {
  for (const user of ["somebody", "root"]) {
    const { code, out, err } = await system.run("ssh root@unix/run/app/Sshd.sock 'echo hello; exit 3'", user);
    assertEquals({ code, out }, { code: 3, out: "hello\n" }, err);
  }
});

testIn(SUITES, "check says that the conffile has ssh use it", async (system) => {
  for (const user of ["somebody", "root"]) {
    const { code, out, err } = await system.run("deno-ssh-proxy check unix/run/app/Sshd.sock", user);
    assertEquals({ code, err }, { code: 0, err: "" }, out);
    assertStringIncludes(out.replaceAll(/\s+/g, " "), `ssh uses this program, by ${CONFFILE}`);
  }
});

testIn(["trixie"], "man and the completions of three shells are found", async (system) => {
  assertEquals(await system.outputOf("man --where deno-ssh-proxy"), "/usr/share/man/man1/deno-ssh-proxy.1.gz\n");
  const bash = ". /usr/share/bash-completion/bash_completion; _comp_load deno-ssh-proxy; complete -p deno-ssh-proxy";
  assertStringIncludes(await system.outputOf(`bash -c '${bash}'`), "deno-ssh-proxy");
  const zsh = "autoload -U compinit; compinit -u -D; print $_comps[deno-ssh-proxy]";
  assertEquals(await system.outputOf(`zsh -fc '${zsh}'`), "_deno-ssh-proxy\n");
  assertStringIncludes(await system.outputOf(`fish -c 'complete -C "deno-ssh-proxy che"'`), "check");
});

testIn(
  ["trixie"],
  "config --install finds the conffile as it is, and gives a user one of their own",
  async (system) => {
    const before = await system.outputOf(`cat ${CONFFILE}`);
    const says = await system.outputOf("deno-ssh-proxy config --install");
    assertStringIncludes(says, `already installed: ${CONFFILE}\n`);
    assertEquals(await system.outputOf(`cat ${CONFFILE}`), before);
    await system.outputOf("deno-ssh-proxy config --install --alias box=unix/run/app/Sshd.sock", "somebody");
    assertEquals(await system.outputOf("ssh root@box echo hello", "somebody"), "hello\n");
    await system.outputOf("deno-ssh-proxy config --uninstall", "somebody");
    assertEquals(await system.outputOf("ssh root@unix/run/app/Sshd.sock echo hello", "somebody"), "hello\n");
  },
);

/** Has the older package in a system. */
async function older(system: Debian): Promise<void> {
  await system.outputOf("dpkg --purge deno-ssh-proxy");
  await system.outputOf(`dpkg --install /mnt/${OLDER}`);
  assertMatch(await system.outputOf("deno-ssh-proxy --version"), /^deno-ssh-proxy 0\.0\.1\n/);
}

testIn(["trixie"], "an upgrade brings the new conffile where nobody has changed the old one", async (system) => {
  await older(system);
  const old = await system.outputOf(`cat ${CONFFILE}`);
  assertStringIncludes(old, "This very machine.");
  await system.outputOf(`dpkg --install /mnt/${QUICK}`);
  assertEquals(await system.outputOf(`cat ${CONFFILE}`), old.replace("very ", ""));
  assertEquals(await system.outputOf("ssh root@unix/run/app/Sshd.sock echo hello", "somebody"), "hello\n");
});

testIn(["trixie"], "an upgrade keeps a conffile with an alias in it, and the alias works", async (system) => {
  await older(system);
  await system.outputOf("deno-ssh-proxy config --install --alias box=unix/run/app/Sshd.sock");
  const changed = await system.outputOf(`cat ${CONFFILE}`);
  await system.outputOf(`dpkg --install --force-confold /mnt/${QUICK}`);
  assertEquals(await system.outputOf(`cat ${CONFFILE}`), changed);
  assertEquals(await system.outputOf("ssh root@box echo hello", "somebody"), "hello\n");
  await system.outputOf("deno-ssh-proxy config --install");
  const anew = await system.outputOf(`cat ${CONFFILE}`);
  assert(anew.includes("# --alias box=unix/run/app/Sshd.sock") && anew.includes("This machine."), anew);
});

testIn(["trixie"], "an upgrade does not bring back a conffile that config --uninstall has removed", async (system) => {
  await older(system);
  await system.outputOf("deno-ssh-proxy config --uninstall");
  await system.outputOf(`dpkg --install --force-confold /mnt/${QUICK}`);
  assertEquals((await system.run(`cat ${CONFFILE}`)).code, 1);
});

testIn(
  ["trixie"],
  "removed, it leaves ssh as it was before, and is installed again with what was changed",
  async (system) => {
    const owned = (await system.outputOf("dpkg -L deno-ssh-proxy")).trimEnd().split("\n");
    await system.outputOf("deno-ssh-proxy config --install --alias box=unix/run/app/Sshd.sock");
    const changed = await system.outputOf(`cat ${CONFFILE}`);
    await system.outputOf("apt-get remove --yes deno-ssh-proxy");
    const left = system.files();
    assertEquals(owned.filter((path) => left.has(path) && path.includes("deno-ssh-proxy")), []);
    assertEquals(await system.outputOf(`cat ${CONFFILE}.removed`), changed);
    const used = await system.outputOf("ssh -G unix/run/app/Sshd.sock", "somebody");
    assert(!/^proxycommand /m.test(used), used);
    await system.outputOf(`dpkg --install /mnt/${QUICK}`);
    assertEquals(await system.outputOf(`cat ${CONFFILE}`), changed);
    assertEquals(await system.outputOf("ssh root@box echo hello", "somebody"), "hello\n");
    assertEquals((await system.run(`cat ${CONFFILE}.removed`)).code, 1);
  },
);

testIn(["trixie"], "purged after it was removed, it leaves nothing of its conffile, changed or not", async (system) => {
  for (const change of ["true", `echo '# mine' >>${CONFFILE}`]) {
    await system.outputOf(`dpkg --install /mnt/${QUICK} && ${change} && dpkg --remove deno-ssh-proxy`);
    await system.outputOf("dpkg --purge deno-ssh-proxy");
    assertEquals([...system.files()].filter((path) => path.startsWith(CONFFILE)), []);
  }
});

testIn(
  ["trixie"],
  "removed and installed in a newer version, it has the newer conffile unless one was changed",
  async (system) => {
    await older(system);
    await system.outputOf("dpkg --remove deno-ssh-proxy");
    await system.outputOf(`dpkg --install /mnt/${QUICK}`);
    assertStringIncludes(await system.outputOf(`cat ${CONFFILE}`), "This machine.");
  },
);

testIn(["trixie"], "an installation that is given up leaves no conffile behind for ssh", async (system) => {
  await system.outputOf("dpkg --remove deno-ssh-proxy");
  // No room for the program.
  const full = "mkdir -p /usr/lib/deno-ssh-proxy && mount -t tmpfs -o size=100k none /usr/lib/deno-ssh-proxy";
  const { code } = await system.run(`${full} && dpkg --install /mnt/${QUICK}`);
  assert(code !== 0);
  assertEquals((await system.run(`cat ${CONFFILE}`)).code, 1);
  await system.outputOf(`dpkg --install /mnt/${QUICK} && test -e ${CONFFILE}`);
});

test("lintian finds neither an error nor a warning in the package", async () => {
  const { code, stdout, stderr } = await examined!;
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  assertEquals({ code, said }, { code: 0, said: "" });
});
