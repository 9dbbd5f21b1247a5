import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { assertPassed, runAsSsh } from "../support/as_ssh.ts";
import { Folder } from "../support/folder.ts";
import { Installation } from "../support/installation.ts";
import { AS_NOBODY, canBecomeNobody, IS_ROOT, NOBODY } from "../support/ordinary_user.ts";
import { bytes, inTime, latin1, listen } from "../support/sockets.ts";
import { outputOf, testWhere } from "../support/tools.ts";
import { asText, InTerminal, run } from "../commands/typed.ts";

const installation = new Installation();
Deno.test.afterAll(() => {
  outputOf("chmod", "-R", "u+w", installation.prefix);
  installation[Symbol.dispose]();
});
const { shim, prefix } = installation;

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

Deno.test("it works with no environment at all", async () => {
  await assertPasses({});
  await assertPasses({ HOME: "", DENO_DIR: "", XDG_CACHE_HOME: "" });
});

Deno.test("it works where the home is a file, and where the cache is", async () => {
  using folder = new Folder();
  await assertPasses({ HOME: folder.file("file", "") });
  await assertPasses({ HOME: folder.path, DENO_DIR: folder.at("file") });
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

Deno.test("a terminal is told nothing of a cache that cannot be used, and what Deno fails with all the same", async () => {
  using folder = new Folder();
  using terminal = new InTerminal([shim, "unix/no/such", "22"], { HOME: folder.file("file", "") });
  assertEquals(await terminal.end(), 66);
  assertMatch(asText(terminal.shown), /^deno-ssh-proxy: .*\n {2}.*\n$/);
  const program = `${installation.program}/direct.mjs`;
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
  // There Deno has made its cache.
  assert(Deno.statSync(folder.at(".cache/deno")).isDirectory);
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
