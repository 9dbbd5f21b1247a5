import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf, works } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { environmentIn, spyOn } from "../commands/grants.ts";
import { asText, InTerminal, run } from "../commands/typed.ts";
import { assertPassed, runAsSsh } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
import { AS_NOBODY, canBecomeNobody, IS_ROOT, NOBODY, OWN_MOUNTS } from "../support/ordinary_user.ts";
import { bytes, latin1, listen } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";

const installation = new Installation();
Deno.test.afterAll(() => {
  outputOf("chmod", "-R", "u+w", installation.prefix);
  installation[Symbol.dispose]();
});
const { shim, prefix } = installation;

/** The words that start a program with no environment but what follows. */
const CLEAR = [pathOf("env"), "-i"];

/** That the shim passes a connection, started with these words before it and this environment. */
async function assertPasses(env: Record<string, string>, before: string[] = []): Promise<void> {
  using folder = new Folder();
  const path = folder.at("s");
  using listener = listen(path);
  for (const [name, mode] of [[folder.path, 0o755], [path, 0o666]] as const) Deno.chmodSync(name, mode);
  using passed = assertPassed(await runAsSsh([...before, shim, `unix${path}`, "22"], { env }));
  using connection = await inTime(listener.accept());
  await connection.write(bytes("SSH-"));
  assertEquals(latin1(await inTime(passed.read(4))), "SSH-");
}

/** Variables that change what Deno runs, or whether it runs, with values that do (Deno 2.9.6). */
const STEERING: Record<string, string> = {
  NODE_OPTIONS: "-r /none",
  NODE_CHANNEL_FD: "3",
  NODE_EXTRA_CA_CERTS: "/none",
  NODE_DEBUG: "*",
  OTEL_DENO: "true",
  DENO_V8_FLAGS: "--no-such-flag",
  DENO_AUDIT_PERMISSIONS: "/none/log",
  DENO_COVERAGE_DIR: "/none/coverage",
  DENO_PERMISSION_BROKER_PATH: "/none/broker",
  DENO_TLS_CA_STORE: "none",
  DENO_LOG: "trace",
  DENO_DIR: "/none/deno",
  XDG_CACHE_HOME: "/none/cache",
  LD_LIBRARY_PATH: "/none",
  LD_PRELOAD: "/none.so",
  SSLKEYLOGFILE: "/none/keys",
  RUST_LOG: "trace",
  TMPDIR: "/none",
  ENV: "/none",
  BASH_ENV: "/none",
  SAVED_HOME: "/none",
};

Deno.test("Deno has the environment that docs/permissions.md lists, whatever this program has", async () => {
  using folder = new Folder();
  const spy = spyOn(shim, folder.path);
  const HOME = installation.program;
  const always = {
    HOME,
    DENO_DIR: `${HOME}/deno-ssh-proxy`,
    DENO_LOG: "warn,deno::cache::cache_db=off",
    DENO_NO_UPDATE_CHECK: "1",
  };
  // Those that have the dynamic linker say something itself.
  const { LD_LIBRARY_PATH: _library, LD_PRELOAD: _preload, ...steering } = STEERING;
  const seen = async (words: string[], env: Record<string, string>) =>
    environmentIn((await run([...CLEAR, ...Object.entries(env).map((one) => one.join("=")), spy.path, ...words])).out);
  for (const words of [["unix/s", "22"], ["machine/x", "22"], ["unix/s", "22", "--wait"]]) {
    assertEquals(await seen(words, {}), always);
    assertEquals(await seen(words, { ...steering, HOME: "/root", USER: "x" }), always);
    const passed = { XDG_RUNTIME_DIR: "/run/user/7", NO_COLOR: "1" };
    assertEquals(await seen(words, { ...steering, ...passed }), { ...always, ...passed });
    assertEquals(await seen(words, { TERM: "dumb", NO_COLOR: "" }), { ...always, NO_COLOR: "1" });
  }
  const env = { ...steering, PATH: "/usr/bin:/bin" };
  for (
    const words of [["list"], ["--help"], ["completions", "zsh"], ["wait", "unix/s"], ["wait", "x@.host"], ["config"]]
  ) {
    assertEquals(await seen(words, env), always, words.join(" "));
  }
  const saved = Object.fromEntries(Object.entries(env).map(([name, value]) => [`SAVED_${name}`, value]));
  for (const words of [["check", "unix/s"], ["wait", "db.hosted"], ["wait", "vm"], ["config", "--install"]]) {
    const given = await seen(words, env);
    assertEquals(Object.fromEntries(Object.entries(given).filter(([name]) => name !== "SAVED_PWD")), {
      ...always,
      ...saved,
    }, words.join(" "));
  }
});

Deno.test("ssh has the environment that this program has, with none of Deno's", async () => {
  using folder = new Folder();
  folder.file("ssh", `#!/bin/sh\nenv >'${folder.at("seen")}'\nexit 1\n`);
  Deno.chmodSync(folder.at("ssh"), 0o755);
  const { LD_PRELOAD: _preload, ...steering } = STEERING;
  const env = { ...steering, PATH: `${folder.path}:/usr/bin:/bin`, HOME: "/home/it's me", LINES: "a\nb\\", EMPTY: "" };
  const { err } = await run([...CLEAR, ...Object.entries(env).map((one) => one.join("=")), shim, "check", "vm"]);
  assertEquals(err, "");
  const seen = Deno.readTextFileSync(folder.at("seen"));
  for (const one of Object.entries(env)) assert(`\n${seen}`.includes(`\n${one.join("=")}\n`), one.join("="));
  assert(!/^(?:DENO_NO_UPDATE_CHECK|SAVED_PATH)=/m.test(seen), seen);
});

Deno.test("no variable keeps a connection, or changes one", async () => {
  await assertPasses({});
  await assertPasses({ HOME: "", DENO_DIR: "", XDG_CACHE_HOME: "" });
  for (const [name, value] of Object.entries(STEERING)) {
    // The dynamic linker reports it for the starter itself.
    if (name !== "LD_PRELOAD") await assertPasses({ [name]: value });
  }
  await assertPasses({ NODE_OPTIONS: "--inspect-brk" });
  await assertPasses({ NODE_OPTIONS: "--inspect" });
});

Deno.test("a connection needs no cache, and waits for nobody who has locked one", async () => {
  using folder = new Folder();
  // A first run of Deno makes its databases.
  const env = { DENO_DIR: folder.at("deno"), HOME: folder.path };
  await run([Deno.execPath(), "run", folder.file("x.mjs", "")], env);
  const databases = [...Deno.readDirSync(env.DENO_DIR)].filter(({ name }) => /_cache_v\d+$/.test(name));
  assert(databases.length > 0, "there is nothing to lock");
  const open = databases.map(({ name }) => new DatabaseSync(`${env.DENO_DIR}/${name}`));
  for (const database of open) database.exec("BEGIN EXCLUSIVE");
  try {
    await assertPasses(env);
  } finally {
    for (const database of open) database.close();
  }
});

const [UNSHARE = "", ...MOUNTS] = OWN_MOUNTS;

testWhere(
  works(UNSHARE, [...MOUNTS, "true"]),
  "nobody may mount anything here (unshare(1))",
  "nothing is made in the place of a /dev/null that is missing",
  async () => {
    const script = 'mount -t tmpfs none /dev && { "$0" unix/none 22; echo "$?"; echo /dev/*; }';
    const { out, err } = await run([pathOf(UNSHARE), ...MOUNTS, "sh", "-c", script, shim]);
    assertEquals(out, "66\n/dev/*\n", err);
  },
);

Deno.test("a connection is made where no file may be written", async () => {
  await assertPasses({ HOME: "/tmp" }, ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh"]);
});

Deno.test("what is in ~/.npmrc is nothing to a connection, nor to a command that starts no ssh", async () => {
  using home = new Folder();
  const made = [
    () => Deno.symlinkSync(".npmrc", home.at(".npmrc")),
    () => home.file(".npmrc", "registry=${NO_SUCH_VARIABLE}\n"),
    () => home.file(".npmrc", "registry=::::\n"),
    () => Deno.mkdirSync(home.at(".npmrc")),
  ];
  for (const make of made) {
    make();
    const env = { HOME: home.path };
    await assertPasses(env);
    for (
      const words of [["--version"], ["list"], ["--help"], ["completions", "bash"], ["machine/x", "22", "--wait=x"]]
    ) {
      const { code } = await run([shim, ...words], env);
      assertEquals(code, words.length === 3 ? 64 : 0, words.join(" "));
    }
    Deno.removeSync(home.at(".npmrc"));
  }
});

Deno.test("a script that was cut short is reported, whatever Deno's log says otherwise", async () => {
  const program = `${installation.program}/proxy.mjs`;
  const whole = Deno.readTextFileSync(program);
  Deno.writeTextFileSync(program, whole.slice(0, 1000));
  try {
    using other = new InTerminal([shim, "unix/no/such", "22"]);
    assertEquals(await other.end(), 1);
    assertStringIncludes(asText(other.shown), "SyntaxError");
  } finally {
    Deno.writeTextFileSync(program, whole);
  }
});

/** Root makes a missing home: whoever may is no test of it. */
const AS_OTHER = canBecomeNobody() ? AS_NOBODY : [];

testWhere(
  !IS_ROOT || canBecomeNobody(),
  "root, who could make one, cannot become somebody else here",
  "it works where the home is missing, and makes none",
  async () => {
    using folder = new Folder();
    Deno.chmodSync(prefix, 0o755);
    await assertPasses({ HOME: folder.at("none/of/it") }, AS_OTHER);
    assertEquals([...Deno.readDirSync(folder.path)], []);
  },
);

function testAsNobody(name: string, fn: () => Promise<void>): void {
  testWhere(
    canBecomeNobody(),
    "only root can become somebody else, who may start this Deno and enter TMPDIR",
    name,
    fn,
  );
}

testAsNobody("root's installation works for a user who may read it and no more, and has no account", async () => {
  Deno.chmodSync(prefix, 0o755);
  await assertPasses({}, AS_NOBODY);
  using folder = new Folder();
  Deno.chownSync(folder.path, NOBODY, NOBODY);
  await assertPasses({ HOME: folder.path }, AS_NOBODY);
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

testAsNobody("it works in a home that the user may not write to, and changes nothing in it", async () => {
  Deno.chmodSync(prefix, 0o755);
  for (const mode of [0o755, 0o711, 0o700]) {
    using home = new Folder();
    Deno.chmodSync(home.path, mode);
    await assertPasses({ HOME: home.path }, AS_NOBODY);
    assertEquals([...Deno.readDirSync(home.path)], []);
  }
});

testAsNobody("it works where Deno's cache is another user's", async () => {
  Deno.chmodSync(prefix, 0o755);
  using home = new Folder();
  Deno.chmodSync(home.path, 0o755);
  await assertPasses({ HOME: home.path });
  const before = outputOf("find", home.path, "-printf", "%p %m %s %T@\\n");
  await assertPasses({ HOME: home.path }, AS_NOBODY);
  assertEquals(outputOf("find", home.path, "-printf", "%p %m %s %T@\\n"), before);
});

Deno.test("it works from an installation that nobody may write to", async () => {
  outputOf("chmod", "-R", "a-w,a+rX", prefix);
  await assertPasses({}, AS_OTHER);
});
