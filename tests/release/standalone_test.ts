import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../core/version.ts";
import { whyNoExecutable } from "../../release/why_no_executable.ts";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { assertFailed, assertPassed, runAsSsh } from "../support/as_ssh.ts";
import { COMMAND_LINES } from "../support/command_lines.ts";
import { hasNamespaces, Home } from "../support/home.ts";
import { Installation } from "../support/installation.ts";
import { listen } from "../support/sockets.ts";
import { CAN_TRACE, testWhere } from "../support/tools.ts";
import { ran } from "./made.ts";

const why = whyNoExecutable();
const installation = why === undefined ? new Installation(true) : undefined;
Deno.test.afterAll(() => installation?.[Symbol.dispose]());

function test(
  name: string,
  fn: (installed: Installation) => void | Promise<void>,
  canRun = true,
  otherwise = "",
): void {
  const reason = why === undefined ? otherwise : `deno compile cannot make one here: ${why.split(": ")[0]}`;
  testWhere(installation !== undefined && canRun, reason, name, () => fn(installation!));
}

Deno.test("a standalone executable loads the script that the starter would run, whatever it is called with", () => {
  using folder = new Folder();
  Deno.copyFileSync(`${CHECKOUT}/release/standalone.js`, folder.at("standalone.js"));
  for (const name of ["proxy", "cli"]) folder.file(`${name}.mjs`, `console.log("${name}");`);
  for (const [words, script] of COMMAND_LINES) {
    const loaded = ran([Deno.execPath(), "run", "--no-config", folder.at("standalone.js"), ...words]).out.trim();
    assertEquals(loaded, script, words.join(" "));
  }
});

test("a standalone executable passes the tests of the installed program as ssh starts it, and of what a terminal shows", () => {
  const grants = ["--allow-ffi", "--allow-read", "--allow-write", "--allow-net", "--allow-run"];
  const { code, out, err } = ran(
    [
      Deno.execPath(),
      "test",
      "--quiet",
      "--frozen",
      "--no-prompt",
      ...grants,
      "tests/proxy",
      "tests/sandbox/screen_test.ts",
      "--",
      "--standalone",
    ],
    {},
    CHECKOUT,
  );
  assertEquals(code, 0, `${out}${err}`);
  assertMatch(out, /ok \| [1-9]\d{2} passed \| 0 failed/);
});

test("it says what it is, and which Deno is in it", ({ prefix, shim, program }) => {
  const { code, out } = ran([shim, "--version"]);
  assertEquals(code, 0);
  assertMatch(out, /^deno-ssh-proxy .*\nlibrary .*\ndeno [0-9.]+\n$/);
  assertStringIncludes(out, `deno-ssh-proxy ${VERSION}\nlibrary ${VERSION} (${program}/libdeno_ssh_proxy.so)\n`);
  assertStringIncludes(ran([shim, "config"]).out, `\n    ProxyCommand ${prefix}/bin/deno-ssh-proxy '%h' '%p' `);
});

test("what a connection may not do, it may not either: it says so, and what there is instead", ({ shim }) => {
  const install = ran([shim, "config", "--install"]);
  assertEquals(install.code, 77);
  assertEquals(
    install.err,
    "deno-ssh-proxy: a standalone executable may write no file\n" +
      "  deno-ssh-proxy config prints what is to be in /etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf\n",
  );
  assertStringIncludes(ran([shim, "check", "unix/none"]).out, "ssh: Deno was not allowed to start it");
  for (const words of [["check", "unix/none"], ["list"]]) {
    const { out, err } = ran([shim, ...words]);
    assertStringIncludes((out + err).replaceAll(/\s+/g, " "), "a standalone executable may do no more than connect: ");
    assert(!(out + err).includes("--allow-"), out + err);
  }
});

test(
  "a connection through it writes, makes and removes nothing, and asks for nothing of the user's",
  async ({ shim }) => {
    using folder = new Folder();
    using listener = listen(folder.at("s"));
    for (const name of ["home", "tmp"]) Deno.mkdirSync(folder.at(name));
    const env = { HOME: folder.at("home"), TMPDIR: folder.at("tmp"), PATH: "/usr/bin:/bin" };
    const trace = ["/usr/bin/strace", "-f", "-qq", "-y", "-e", "trace=%file,socket,connect", "-o", folder.at("trace")];
    const accepting = listener.accept();
    using _passed = assertPassed(
      await runAsSsh([...trace, shim, `unix${folder.at("s")}`, "22"], { env, timeout: 10_000 }),
    );
    (await accepting).close();
    const lines = Deno.readTextFileSync(folder.at("trace")).split("\n");
    assertEquals(lines.filter((line) => /O_WRONLY|O_RDWR|O_CREAT|mkdir|unlink|rename|chmod/.test(line)), []);
    assertEquals(lines.filter((line) => line.includes(folder.at("home")) || line.includes(folder.at("tmp"))), []);
    const connected = lines.filter((line) => line.includes(" connect("));
    assertEquals(connected.map((line) => /sun_path="([^"]*)"/.exec(line)?.[1]), [folder.at("s")]);
  },
  CAN_TRACE,
  "there is no strace here, or it may not trace",
);

test("from a folder that was deleted it connects, but not to a path that begins in there", async ({ shim }) => {
  using folder = new Folder();
  using listener = listen(folder.at("s"));
  const inDeleted = async (address: string) => {
    const script = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"';
    const outcome = await runAsSsh(["/bin/sh", "-c", script, folder.at("gone"), shim, address, "22"]);
    // What the shell itself has to say of it.
    return { ...outcome, stderr: outcome.stderr.replace(/^sh: .*getcwd\(\) failed.*\n/, "") };
  };
  const accepting = listener.accept();
  using _passed = assertPassed(await inDeleted(`unix${folder.at("s")}`));
  (await accepting).close();
  assertFailed(await inDeleted("unix/./s"), 66, "the current directory: it was deleted");
});

test("it is installed where it was compiled for, and nowhere else", () => {
  using folder = new Folder();
  const [payload, prefix] = [folder.at("payload"), folder.at("a/prefix")];
  outputOf(`${CHECKOUT}/release/payload.sh`, Deno.execPath(), payload, prefix);
  const install = (place: string) => ran([`${payload}/install.sh`, "--prefix", place]);
  const { code, err } = install(folder.at("other"));
  assertEquals([code, [...Deno.readDirSync(folder.path)].length], [1, 1]);
  assertEquals(err, `install.sh: it is compiled for ${prefix}, and for no other place\n  --prefix ${prefix}\n`);
  // There it needs nothing that a build or Deno needs, and again it changes nothing.
  assertEquals(install(prefix).code, 0);
  const all = () => outputOf("find", prefix, "-printf", "%P %m %l\n").split("\n").sort();
  const installed = all();
  assertEquals([install(prefix).code, all()], [0, installed]);
  // A link to the prefix is as good: what counts is what is written.
  Deno.renameSync(folder.at("a"), folder.at("b"));
  Deno.symlinkSync("b", folder.at("a"));
  assertEquals([install(prefix).code, all()], [0, installed]);
  assertEquals(ran([`${prefix}/bin/deno-ssh-proxy`, "--version"]).code, 0);
  assertEquals(ran([`${payload}/install.sh`, "--prefix", prefix, "--uninstall"]).code, 0);
  assertEquals([...Deno.readDirSync(folder.at("b"))], []);
});

test("the same checkout gives the same executable", () => {
  using folder = new Folder();
  const sums = ["one", "another"].map((name) => {
    outputOf(`${CHECKOUT}/release/payload.sh`, Deno.execPath(), folder.at(name), "/usr/local");
    return outputOf("sha256sum", folder.at(`${name}/program/standalone`)).split(" ")[0];
  });
  assertEquals(sums[0], sums[1]);
});

test(
  "--uninstall takes back what config printed for everybody, unless somebody has changed it",
  async () => {
    using home = new Home();
    using other = new Installation(true);
    const [place, name] = ["/etc/ssh/ssh_config.d", "10-deno-ssh-proxy.conf"];
    Deno.writeTextFileSync(`${other.prefix}/something`, "");
    const uninstall = () =>
      home.run([`${CHECKOUT}/install.sh`, "--uninstall", "--prefix", other.prefix], { root: true });
    const printed = ran([other.shim, "config", "--user", "root"]).out;
    home.file(`${place}/${name}`, `${printed}# mine\n`);
    const { code, err } = await uninstall();
    assertEquals(code, 1);
    assertStringIncludes(err, "install.sh: ssh is configured to use it: nothing was removed\n");
    assertStringIncludes(ran([other.shim, "--version"]).out, VERSION);
    home.file(`${place}/${name}`, printed);
    assertEquals((await uninstall()).code, 0);
    assertEquals(home.all(place), {});
    assertEquals([...Deno.readDirSync(other.prefix)].map((entry) => entry.name), ["something"]);
  },
  hasNamespaces(),
  "no namespaces can be made here",
);
