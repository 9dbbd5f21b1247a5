import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf } from "../../tools/programs.ts";
import { hasNamespaces, Home } from "../support/home.ts";
import { sha256 } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";
import { CAN_RELEASE, NO_HISTORY, ran, released, type Tagged } from "./made.ts";

const [older, newer] = CAN_RELEASE ? [released("0.0.9"), released("0.1.1")] : [];
Deno.test.afterAll(() => [older, newer].forEach((release) => release?.[Symbol.dispose]()));

const INSTALLER = `${CHECKOUT}/install.sh`;

/** What only a build needs. */
const BUILDING = ["cargo", "rustc", "cc", "gcc", "npm", "npx", "node", "git"];

/** The programs that are on PATH, but for those that only a build needs, as links in `folder`. */
function linkPrograms(folder: string): string {
  Deno.mkdirSync(folder);
  const all = 'IFS=:; for place in $PATH; do ln -s "$place"/* "$0"; done 2>/dev/null; cd "$0" && rm -f "$@"';
  outputOf("sh", "-c", all, folder, ...BUILDING, "deno");
  Deno.symlinkSync(Deno.execPath(), `${folder}/deno`);
  return folder;
}

const programs = new Folder();
Deno.test.afterAll(() => programs[Symbol.dispose]());
const PROGRAMS = linkPrograms(programs.at("bin"));

/** An empty prefix, for an installer that finds nothing that it does not need. */
class Bare implements Disposable {
  readonly #folder = new Folder();
  readonly prefix = this.#folder.at("prefix");
  readonly path = PROGRAMS;

  constructor() {
    Deno.mkdirSync(this.#folder.at("tmp"));
  }

  /** The path of `name` beside the prefix. */
  at(name: string): string {
    return this.#folder.at(name);
  }

  run(words: string[], env: Record<string, string> = {}) {
    return ran(words, { PATH: this.path, TMPDIR: this.#folder.at("tmp"), ...env });
  }

  /** Installs, and gives what that printed. */
  install(...args: string[]): string {
    const { code, out, err } = this.run([INSTALLER, "--prefix", this.prefix, ...args]);
    assertEquals([code, err], [0, ""], out);
    this.assertLeftNothing();
    return out;
  }

  /** Is refused with these words, and has nothing changed. */
  assertRefused(says: string, ...args: string[]): void {
    const before = this.all();
    const { code, err } = this.run([INSTALLER, "--prefix", this.prefix, ...args]);
    assertEquals(code, 1, err);
    assertMatch(err, /^install\.sh: .*\n(?: {2}.*\n)?$/);
    assertStringIncludes(err, says);
    assertEquals(this.all(), before);
    this.assertLeftNothing();
  }

  assertLeftNothing(): void {
    assertEquals([...Deno.readDirSync(this.#folder.at("tmp"))], []);
  }

  /** What the installed program says of itself. */
  version(): string {
    const { code, out, err } = this.run([`${this.prefix}/bin/deno-ssh-proxy`, "--version"]);
    assertEquals([code, err], [0, ""]);
    return out;
  }

  /** All that is in the prefix: the mode of each, and the size of a file or where a link leads. */
  all(): string {
    const what = ["(", "-type", "d", "-printf", "%P %m\n", ")", "-o", "-printf", "%P %m %s %l\n"];
    return this.run(["find", this.prefix, "-mindepth", "1", ...what]).out.split("\n").sort().join("\n").trim();
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

function test(name: string, fn: (bare: Bare, older: Tagged, newer: Tagged) => void | Promise<void>): void {
  testWhere(older !== undefined && newer !== undefined, NO_HISTORY, name, async () => {
    using bare = new Bare();
    await fn(bare, older!, newer!);
  });
}

const gz = (release: Tagged) => `${release.archive}.tar.gz`;

test(
  "an archive is installed where there is neither cargo, a linker nor npm, and taken away again",
  (bare, _, newer) => {
    assertStringIncludes(bare.install("--from", gz(newer)), "deno-ssh-proxy 0.1.1\nlibrary 0.1.1 (");
    assertMatch(bare.version(), /^deno-ssh-proxy 0\.1\.1\nlibrary 0\.1\.1 \(.*\)\ndeno [0-9.]+\n$/);
    const { code, err } = bare.run([`${bare.prefix}/bin/deno-ssh-proxy`, "unix/no/such", "22"]);
    assertEquals(code, 66, err);
    const fragment = Deno.readTextFileSync(`${bare.prefix}/share/deno-ssh-proxy/ssh_config`);
    assertStringIncludes(fragment, `    ProxyCommand ${bare.prefix}/bin/deno-ssh-proxy '%h' '%p' --as-typed '%n'\n`);
    bare.install("--uninstall");
    assertEquals(bare.all(), "");
  },
);

test("an archive that was unpacked installs what is in it", (bare, _, newer) => {
  outputOf("tar", "-xzf", gz(newer), "-C", bare.at("tmp"));
  const [folder] = [...Deno.readDirSync(bare.at("tmp"))];
  const { code, out } = bare.run([`${bare.at("tmp")}/${folder!.name}/install.sh`, "--prefix", bare.prefix]);
  assertEquals(code, 0, out);
  assertStringIncludes(bare.version(), "deno-ssh-proxy 0.1.1\n");
});

test("what is installed of an archive is what is installed of its checkout", (bare, _, newer) => {
  bare.install("--from", gz(newer));
  const installed = bare.all();
  const { code, err } = ran([`${newer.checkout}/install.sh`, "--prefix", bare.prefix, "--no-proof"], {
    PATH: `${bare.path}:/usr/bin:${pathOf("cargo").replace(/\/[^/]*$/, "")}`,
  });
  assertEquals([code, err], [0, ""]);
  // But for the licences of others, which go with what is given away.
  const names = (all: string) =>
    all.split("\n").map((line) => line.replace(/[0-9a-f]{12}/g, "SUM")).filter((line) => !line.includes("NOTICES"));
  assertEquals(new Set(names(bare.all())), new Set(names(installed)));
});

test(
  "an archive is refused that its sum is not of, or that has no sum, and nothing is changed",
  async (bare, older, newer) => {
    bare.install("--from", gz(older));
    const copy = bare.at("copy.tar.gz");
    Deno.copyFileSync(gz(newer), copy);
    bare.assertRefused(`${copy}: there is no SHA256SUMS beside it`, "--from", copy);
    const sums = Deno.readTextFileSync(`${newer.out}/SHA256SUMS`);
    Deno.writeTextFileSync(bare.at("SHA256SUMS"), sums);
    bare.assertRefused("it has no sum of copy.tar.gz", "--from", copy);
    const name = gz(newer).slice(newer.out.length + 1);
    const bytes = Deno.readFileSync(copy);
    for (
      const spoilt of [
        bytes.slice(0, -1),
        bytes.slice(0, 1000),
        new Uint8Array(),
        bytes.map((byte, at) => at === 5000 ? byte ^ 1 : byte),
      ]
    ) {
      Deno.writeFileSync(bare.at(name), spoilt);
      bare.assertRefused(`${bare.at(name)}: it is not the archive that the sum is of`, "--from", bare.at(name));
      const right = await sha256(bytes);
      bare.assertRefused(`it is not the archive that the sum is of`, "--from", bare.at(name), "--sha256", right);
    }
    bare.assertRefused("there is no such archive", "--from", bare.at("none"));
    bare.assertRefused("there is no such archive", "--from", bare.path);
    const alone = bare.run([INSTALLER, "--prefix", bare.prefix, "--sha256", "0"]);
    assertEquals([alone.code, alone.err.split("\n")[0]], [64, "install.sh: --sha256 goes with --from"]);
    assertStringIncludes(bare.version(), "deno-ssh-proxy 0.0.9\n");
    // The sum counts, and not where it is from or how it is written.
    bare.install("--from", copy, "--sha256", (await sha256(bytes)).toUpperCase());
    assertStringIncludes(bare.version(), "deno-ssh-proxy 0.1.1\n");
  },
);

test("an archive for another machine, and one of something else, are refused", async (bare, _, newer) => {
  const change = async (name: string, how: string) => {
    const script = 'mkdir "$1" && cd "$1" && tar -xzf "$2" && cd * && eval "$3" && cd .. && tar -czf "$1.tar.gz" *';
    outputOf("sh", "-c", script, "sh", bare.at(name), gz(newer), how);
    return [`--from=${bare.at(name)}.tar.gz`, `--sha256=${await sha256(Deno.readFileSync(`${bare.at(name)}.tar.gz`))}`];
  };
  for (const target of ["riscv64gc-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"]) {
    bare.assertRefused(`it is for ${target}, and this is `, ...await change(target, `echo ${target} >target`));
  }
  bare.assertRefused("it is no archive of deno-ssh-proxy", ...await change("other", "rm -r program"));
  const text = bare.at("text");
  Deno.writeTextFileSync(text, "no archive\n");
  const { code, err } = bare.run([
    INSTALLER,
    "--prefix",
    bare.prefix,
    "--from",
    text,
    "--sha256",
    await sha256(Deno.readFileSync(text)),
  ]);
  assertEquals(code, 1);
  assertStringIncludes(err, `install.sh: ${text}: it cannot be unpacked\n`);
});

testWhere(
  newer !== undefined,
  NO_HISTORY,
  "with neither Deno nor npm it says what there is to take",
  () => {
    using bare = new Bare();
    Deno.removeSync(`${PROGRAMS}/deno`);
    try {
      bare.assertRefused("missing: Deno 2.9 or later, or npm to install it with\n", "--from", gz(newer!));
    } finally {
      Deno.symlinkSync(Deno.execPath(), `${PROGRAMS}/deno`);
    }
  },
);

const CAN_HAVE_HOME = CAN_RELEASE && hasNamespaces();

for (const root of [false, true]) {
  testWhere(
    CAN_HAVE_HOME,
    `no namespaces can be made here, or ${NO_HISTORY}`,
    `${root ? "root's" : "a user's"} ssh_config is kept by an upgrade and by a downgrade, and taken back at the end`,
    async () => {
      using bare = new Bare();
      using home = new Home();
      const shim = `${bare.prefix}/bin/deno-ssh-proxy`;
      const folder = root ? "/etc/ssh" : "~/.ssh";
      if (!root) home.file("~/.ssh/config", "Host mine\n    Port 2022\n");
      const before = home.all(folder);
      bare.install("--from", gz(older!));
      const install = [shim, "config", "--install", "--alias", "vm=vsock/42", "--host-keys", "tofu"];
      const installed = await home.run(install, { root });
      assertEquals(installed.code, 0, installed.err);
      const configured = home.all(folder);
      const used = async () => (await home.run(["ssh", "-G", "vm"], { root })).out;
      const uses = await used();
      assertStringIncludes(uses, `proxycommand ${shim} `);
      for (const [release, version] of [[newer!, "0.1.1"], [older!, "0.0.9"]] as const) {
        bare.install("--from", gz(release));
        assertStringIncludes(bare.version(), `deno-ssh-proxy ${version}\nlibrary ${version} (`);
        assertEquals(home.all(folder), configured);
        assertEquals(await used(), uses);
        const again = await home.run([shim, "config", "--install"], { root });
        assertStringIncludes(again.out, "already installed: ", again.err);
        // What it replaced is still there for who has just begun with it, and nothing older.
        const folders = [...Deno.readDirSync(`${bare.prefix}/lib/deno-ssh-proxy`)].map(({ name }) => name.slice(0, 6));
        assertEquals(folders.sort(), ["0.0.9-", "0.1.1-", "curren", "lock", "made"]);
      }
      const gone = await home.run([INSTALLER, "--prefix", bare.prefix, "--uninstall"], { root });
      assertEquals(gone.code, 0, gone.err);
      assertEquals(bare.all(), "");
      assertEquals(home.all(folder), before);
    },
  );
}

test("a folder of the program that is damaged is mended by installing it again", (bare, _, newer) => {
  bare.install("--from", gz(newer));
  const installed = bare.all();
  const program = Deno.realPathSync(`${bare.prefix}/lib/deno-ssh-proxy/current`);
  Deno.truncateSync(`${program}/libdeno_ssh_proxy.so`, 1000);
  Deno.removeSync(`${program}/proxy.mjs`);
  Deno.writeTextFileSync(`${program}/deno-ssh-proxy`, "#!/bin/sh\n");
  bare.install("--from", gz(newer));
  assertEquals(bare.all(), installed);
  assertStringIncludes(bare.version(), "deno-ssh-proxy 0.1.1\n");
});

test("a version that does not run here is not switched to", async (bare, older, newer) => {
  bare.install("--from", gz(older));
  for (const [at, file] of ["cli.mjs", "libdeno_ssh_proxy.so"].entries()) {
    const name = bare.at(`spoilt${at}`);
    outputOf(
      "sh",
      "-c",
      'mkdir "$0" && cd "$0" && tar -xzf "$1" && cd * && : >"program/$2" && cd .. && tar -czf "$0.tar.gz" *',
      name,
      gz(newer),
      file,
    );
    const before = bare.all();
    const sum = await sha256(Deno.readFileSync(`${name}.tar.gz`));
    const { code, err } = bare.run([INSTALLER, "--prefix", bare.prefix, "--from", `${name}.tar.gz`, "--sha256", sum]);
    assertEquals(code, 1);
    assertStringIncludes(err, "install.sh: it does not run on this system\n  nothing was changed\n");
    assertEquals(bare.all(), before);
    assertStringIncludes(bare.version(), "deno-ssh-proxy 0.0.9\n");
  }
});

/** What install.sh calls to change something, one after the other: each is a step. */
const STEPS = ["cp", "mv", "ln", "rm", "rmdir", "chmod", "mkdir", "mktemp", "cat", "tar"];

/** What is installed at one moment: where each thing that is looked for leads, and what the program says. */
function seen(bare: Bare): string[] {
  const looked = ["bin/deno-ssh-proxy", "share/man/man1/deno-ssh-proxy.1", "share/deno-ssh-proxy/ssh_config"];
  const text = looked.map((name) => `${bare.prefix}/${name}`);
  const versions = text.map((path) => {
    try {
      return Deno.realPathSync(path).match(/\/(0\.\d\.\d)-[0-9a-f]{12}\//)?.[1] ?? path;
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotFound) return "none";
      throw thrown;
    }
  });
  const runs = bare.run(["sh", "-c", '"$0" --version', `${bare.prefix}/bin/deno-ssh-proxy`]);
  versions.push(runs.code === 0 ? runs.out.match(/^deno-ssh-proxy (\S+)\nlibrary \1 /)?.[1] ?? runs.out : "none");
  return versions;
}

/** All that is in the prefix, but for what the new version has replaced, and for what a killed one noted before. */
function current(bare: Bare): string[] {
  const kept = bare.all().split("\n").filter((line) => !line.startsWith("lib/deno-ssh-proxy/0.0.9-"));
  return kept.map((line) => line.replace(/^(lib\/deno-ssh-proxy\/made \d+) .*/, "$1"));
}

/** Has every process of the installer killed at its step number `at`; whether it got that far. */
function killedAt(at: number, bare: Bare, steps: string, words: string[]): boolean {
  Deno.writeTextFileSync(bare.at("count"), `0 ${at}\n`);
  const { code } = bare.run(["setsid", "--wait", ...words], { PATH: `${steps}:${bare.path}` });
  assert(code === 0 || code === 137, `${code}`);
  return code === 137;
}

/** A folder with each step as a program that counts, and ends all of them when it is time. */
function counting(bare: Bare): string {
  const steps = bare.at("steps");
  Deno.mkdirSync(steps);
  for (const step of STEPS) {
    const program = pathOf(step);
    const script = `#!/bin/sh
read count at <'${bare.at("count")}'
count=$((count + 1))
echo $count $at >'${bare.at("count")}'
[ $count != "$at" ] || kill -KILL 0
exec ${program} "$@"
`;
    Deno.writeTextFileSync(`${steps}/${step}`, script, { mode: 0o755 });
  }
  return steps;
}

for (const [what, from] of [["an upgrade", "0.0.9"], ["a first installation", "none"]] as const) {
  test(
    `${what} that is killed at any step leaves the old version or the new one, and the next one ends it`,
    (bare, older, newer) => {
      const steps = counting(bare);
      const words = [INSTALLER, "--prefix", bare.prefix, "--from", gz(newer)];
      bare.run(["mkdir", "-p", bare.prefix]);
      if (from !== "none") bare.install("--from", gz(older));
      const [saved, prefix] = [bare.at("saved"), bare.prefix];
      outputOf("cp", "-a", prefix, saved);
      bare.install("--from", gz(newer));
      const [ended, after] = [current(bare), seen(bare)];
      assertEquals(after, ["0.1.1", "0.1.1", "0.1.1", "0.1.1"]);
      const states = new Set<string>();
      let at = 0;
      for (;;) {
        at += 1;
        outputOf("sh", "-c", 'rm -rf "$1" && cp -a "$0" "$1"', saved, prefix);
        if (!killedAt(at, bare, steps, words)) break;
        const found = seen(bare);
        // Where nothing was there before, the program itself comes last.
        if (found[0] === "none" && from === "none") assertEquals(found[3], "none", `step ${at}`);
        else assertEquals(new Set(found).size, 1, `step ${at}: ${found}`);
        states.add(found[0]!);
        outputOf("sh", "-c", 'rm -rf "$0"/*', bare.at("tmp"));
        if (at % 3 === 0) {
          bare.install("--from", gz(newer));
          assertEquals(current(bare), ended, `step ${at}`);
        }
      }
      assert(at > 15, `${at} steps`);
      assertEquals(states, new Set([from, "0.1.1"]));
    },
  );
}
