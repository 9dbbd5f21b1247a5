import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CHECKOUT } from "../../tools/checkout.ts";
import { hasNamespaces, Home, type Ran } from "../support/home.ts";
import { Installation } from "../support/installation.ts";
import { testWhere } from "../support/tools.ts";

const canRun = hasNamespaces();
const installation = canRun ? new Installation() : undefined;
Deno.test.afterAll(() => installation?.[Symbol.dispose]());
const shim = installation?.shim ?? "";

/** A test with a home of its own: what is really there is never touched. */
function test(name: string, fn: (home: Home) => Promise<void>): void {
  testWhere(canRun, "no user and mount namespaces can be made here", name, async () => {
    using home = new Home();
    await fn(home);
  });
}

/** Returns the output of install.sh --uninstall or config, which has to succeed. */
function outputOf({ code, out, err }: Ran): string {
  assertEquals({ code, err }, { code: 0, err: "" }, out);
  return out;
}

const uninstall = (home: Home, args: string[] = [], root = false) =>
  home.run([`${CHECKOUT}/install.sh`, "--uninstall", ...args], { root });
const install = async (home: Home, program = shim, root = false) =>
  outputOf(await home.run([program, "config", "--install", "--alias", "vm=unix/a b", "--host-keys", "tofu"], { root }));

/** Puts the path of a program that does not exist into the installed file. */
function losesItsProgram(home: Home, path: string, program: string): void {
  const text = Deno.readTextFileSync(home.at(path));
  home.file(path, text.replaceAll(shim, program));
}

const OWN = "~/.ssh/deno-ssh-proxy.conf";
const CONFIGS = {
  "no ssh_config": undefined,
  "an ssh_config": "Host a\n",
  "one with no final newline": "Host a\n    User b",
  "one with the line ends of Windows": "Host a\r\n    User b\r\n",
  "one that is empty": "",
};
for (const [what, text] of Object.entries(CONFIGS)) {
  test(`install.sh --uninstall takes back what a program that is gone has left of a user with ${what}`, async (home) => {
    if (text === undefined) Deno.mkdirSync(home.at("~/.ssh"));
    else home.file("~/.ssh/config", text, 0o600);
    const before = home.all("~/.ssh");
    for (const program of ["/nowhere/bin/deno-ssh-proxy", String.raw`'/it'\''s nowhere/100%%/bin/deno-ssh-proxy'`]) {
      await install(home);
      losesItsProgram(home, OWN, program);
      const says = outputOf(await uninstall(home));
      assertStringIncludes(says, `removed ${home.path}/.ssh/deno-ssh-proxy.conf\n`);
      assertEquals(home.all("~/.ssh"), before);
    }
  });
}

test("install.sh --uninstall takes back what a program that is gone has left of root", async (home) => {
  const before = home.all("/etc/ssh/ssh_config.d");
  await install(home, shim, true);
  losesItsProgram(home, "/etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf", "/nowhere/bin/deno-ssh-proxy");
  outputOf(await uninstall(home, ["--prefix", "/nowhere"], true));
  assertEquals(home.all("/etc/ssh/ssh_config.d"), before);
});

test("what somebody wrote beside what a gone program has left is kept, and a link stays one", async (home) => {
  home.file("~/dotfiles/config", "Host a\n", 0o600);
  Deno.mkdirSync(home.at("~/.ssh"));
  Deno.symlinkSync("../dotfiles/config", home.at("~/.ssh/config"));
  for (const [number, mine] of ["Host mine\n", "    Port none\n"].entries()) {
    await install(home);
    losesItsProgram(home, OWN, "/nowhere/bin/deno-ssh-proxy");
    const edited = Deno.readTextFileSync(home.at(OWN)) + mine;
    home.file(OWN, edited);
    const old = `deno-ssh-proxy.conf.old${number === 0 ? "" : `.${number}`}`;
    const says = outputOf(await uninstall(home));
    assertStringIncludes(says, `, into which somebody wrote, as ${home.path}/.ssh/${old}\n`);
    assertEquals(home.all("~/.ssh")[old], `644 ${edited}`);
  }
  assertEquals(home.all("~/.ssh")["config"], "777 ../dotfiles/config");
  assertEquals(home.all("~/dotfiles"), { config: "600 Host a\n" });
});

test("where what a gone program has left cannot be changed, the commands for that are printed", async (home) => {
  home.file("~/.ssh/config", "Host a\n", 0o600);
  await install(home);
  losesItsProgram(home, OWN, "/nowhere/bin/deno-ssh-proxy");
  const before = home.all("~/.ssh");
  Deno.chmodSync(home.at("~/.ssh"), 0o500);
  const { code, err } = await uninstall(home);
  assertEquals(code, 1);
  assertStringIncludes(
    err,
    `  take the line 'Include deno-ssh-proxy.conf' out of ${home.path}/.ssh/config, and then: rm ${home.path}/.ssh/deno-`,
  );
  assertEquals(home.all("~/.ssh"), before);
});

test("root is told which user still has it, and that user's own run takes it back", async (home) => {
  using other = new Installation();
  Deno.writeTextFileSync(`${other.prefix}/something`, "");
  home.file("~/.ssh/config", "Host a\n", 0o600);
  const before = home.all("~/.ssh");
  await install(home, other.shim);
  assertStringIncludes(
    outputOf(await uninstall(home, ["--prefix", other.prefix], true)),
    `still names it: ${home.path}/.ssh/deno-ssh-proxy.conf, and the Include line in ${home.path}/.ssh/config\n` +
      "  ./install.sh --uninstall, run by that user, takes both back\n",
  );
  outputOf(await uninstall(home));
  assertEquals(home.all("~/.ssh"), before);
});

test("install.sh --uninstall of a user who cannot write everywhere removes nothing, and names sudo", async (home) => {
  using other = new Installation();
  const { prefix } = other;
  await install(home, other.shim);
  const before = home.all("~/.ssh");
  for (const place of ["bin", "lib", "lib/deno-ssh-proxy", "share/man/man1", other.program.slice(prefix.length + 1)]) {
    Deno.chmodSync(`${prefix}/${place}`, 0o555);
    const { code, out, err } = await uninstall(home, ["--prefix", prefix]);
    const named = place === "bin" ? await uninstall(home) : undefined;
    Deno.chmodSync(`${prefix}/${place}`, 0o755);
    assertEquals([code, out], [1, ""]);
    assertEquals(
      err,
      `install.sh: ${prefix}/${place}: this user cannot write to it, and nothing was removed\n` +
        `  sudo ./install.sh --prefix ${prefix} --uninstall\n`,
    );
    if (named) assertStringIncludes(named.err, `  sudo ./install.sh --prefix ${prefix} --uninstall removes that\n`);
  }
  assert(Deno.statSync(other.shim).isFile);
  assertEquals(home.all("~/.ssh"), before);
});

test("install.sh --uninstall after an installation that failed names nothing that was never there", async (home) => {
  const program = home.at("~/prefix/lib/deno-ssh-proxy");
  home.file("~/prefix/lib/deno-ssh-proxy/made", `${program}\n${home.path}/prefix/lib\n`);
  assertEquals(
    outputOf(await uninstall(home, ["--prefix", `${home.path}/prefix`])),
    `removed ${program}\ndeno-ssh-proxy is no longer in ${home.path}/prefix\n`,
  );
});
