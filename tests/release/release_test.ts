import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../core/version.ts";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf, works } from "../../tools/programs.ts";
import { sha256 } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";
import { CAN_RELEASE, NO_HISTORY, ran, released, Tagged } from "./made.ts";

const made = CAN_RELEASE ? released() : undefined;
Deno.test.afterAll(() => made?.[Symbol.dispose]());

function test(name: string, fn: (release: Tagged) => void | Promise<void>): void {
  testWhere(made !== undefined, NO_HISTORY, name, () => fn(made!));
}

/** The sum of each file in a folder. */
async function sums(folder: string): Promise<Record<string, string>> {
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return Object.fromEntries(
    await Promise.all(files.map(async (name) => [name, await sha256(Deno.readFileSync(`${folder}/${name}`))])),
  );
}

/** What is in an archive, by the paths below its one folder, and the mode of each. */
function contents(archive: string, folder: Folder): Record<string, string> {
  outputOf("tar", "-xzf", `${archive}.tar.gz`, "-C", folder.path);
  const [, name] = /([^/]*)$/.exec(archive)!;
  assertEquals([...Deno.readDirSync(folder.path)].map((entry) => entry.name), [name]);
  const found = outputOf("find", folder.at(name!), "-type", "f", "-printf", "%P %m\n").trim().split("\n");
  return Object.fromEntries(found.map((line) => line.split(" ") as [string, string]).sort());
}

const TEXT = "644";
const PROGRAM = "755";

test("a release has the archive, the list of what is in it, the installer, and the sum of each", async (release) => {
  const names = Object.keys(await sums(release.out)).filter((name) => !name.includes("-standalone."));
  const archive = release.archive.slice(release.out.length + 1);
  assertEquals(names, ["SHA256SUMS", `${archive}.spdx.json`, `${archive}.tar.gz`, "install.sh"]);
  const listed = ran(["sha256sum", "--check", "--strict", "SHA256SUMS"], {}, release.out);
  assertEquals(listed.code, 0, listed.err);
  const { SHA256SUMS: _, ...others } = await sums(release.out);
  assertEquals(listed.out.trim().split("\n"), Object.keys(others).map((name) => `${name}: OK`));
});

test("the archive has the program, what man and shells look for, the licences, and the installer", (release) => {
  using folder = new Folder();
  assertEquals(contents(release.archive, folder), {
    "CHANGELOG.md": TEXT,
    "README.md": TEXT,
    "install.sh": PROGRAM,
    "program/LICENSE": TEXT,
    "program/NOTICES": TEXT,
    "program/cli.mjs": TEXT,
    "program/commands.sh": TEXT,
    "program/completions.bash": TEXT,
    "program/completions.fish": TEXT,
    "program/completions.zsh": TEXT,
    "program/deno-ssh-proxy": PROGRAM,
    "program/deno-ssh-proxy.1": TEXT,
    "program/libdeno_ssh_proxy.so": PROGRAM,
    "program/proxy.mjs": TEXT,
    "program/ssh_config": TEXT,
    "target": TEXT,
    "version": TEXT,
  });
  const listed = outputOf("tar", "-tvzf", `${release.archive}.tar.gz`, "--numeric-owner", "--full-time").trim().split(
    "\n",
  );
  for (const line of listed) assertMatch(line, /^\S+ 0\/0 +\d+ 2026-01-02 /);
});

test("the same commit in another folder, with another umask and another time zone, gives the same bytes", async (one) => {
  using other = released(VERSION, "umask 077; export TZ=Asia/Tokyo LC_ALL=C.UTF-8");
  assertEquals(await sums(other.out), await sums(one.out));
});

test("the list of what is in it has each file with its sum, and each package with that of the lock file", async (release) => {
  using folder = new Folder();
  const list = JSON.parse(Deno.readTextFileSync(`${release.archive}.spdx.json`));
  const files = Object.keys(contents(release.archive, folder));
  const [root] = [...Deno.readDirSync(folder.path)];
  type Sum = { algorithm: string; checksumValue: string };
  const listed = (list.files as { fileName: string; checksums: Sum[] }[]).map(({ fileName, checksums }) =>
    [fileName, checksums.find(({ algorithm }) => algorithm === "SHA256")?.checksumValue] as const
  );
  const expected = await Promise.all(
    files.map(async (path) =>
      [`./${path}`, await sha256(Deno.readFileSync(`${folder.at(root!.name)}/${path}`))] as const
    ),
  );
  assertEquals(Object.fromEntries(listed), Object.fromEntries(expected));
  const packages = list.packages as { name: string; versionInfo: string; licenseDeclared: string; checksums?: Sum[] }[];
  assertEquals(packages.map(({ name }) => name), [
    ...["deno-ssh-proxy", "libc", "rust-core"],
    ...["@stricli/core", "ansi-regex", "diff", "get-east-asian-width", "string-width", "strip-ansi"],
  ]);
  for (const { name, versionInfo, licenseDeclared, checksums = [] } of packages) {
    assertMatch(licenseDeclared, /^(?:BSD-3-Clause|Apache-2\.0|MIT(?: OR Apache-2\.0)?)$/);
    for (const { algorithm, checksumValue } of checksums) {
      const lock = Deno.readTextFileSync(`${CHECKOUT}/${algorithm === "SHA256" ? "rust/Cargo.lock" : "deno.lock"}`);
      const value = algorithm === "SHA256" ? checksumValue : Uint8Array.fromHex(checksumValue).toBase64();
      const start = lock.indexOf(algorithm === "SHA256" ? `name = "${name}"` : `"${name}@${versionInfo}": {`);
      assertStringIncludes(lock.slice(start, start + 400), value, `${name} ${versionInfo}`);
    }
  }
  // Each is told of in the relationships, and nothing that is not there.
  const ids = [list, ...list.packages, ...list.files].map(({ SPDXID }) => SPDXID);
  const related = (list.relationships as { relatedSpdxElement: string }[]).map((one) => one.relatedSpdxElement);
  assertEquals(related.sort(), ids.slice(1).sort());
  assertEquals(new Set(ids).size, ids.length);
});

test("what is made by others has its name and its licence's text in the archive", (release) => {
  using folder = new Folder();
  contents(release.archive, folder);
  const [root] = [...Deno.readDirSync(folder.path)];
  const notices = Deno.readTextFileSync(`${folder.at(root!.name)}/program/NOTICES`);
  const names = ["libc 0.", "rust-core 1.", "@stricli/core 1.", "diff 9.", "string-width 9."];
  for (const name of names) assertStringIncludes(notices, `- ${name}`);
  for (const text of ["Apache License", "Permission is hereby granted", "Redistribution and use in source"]) {
    assertStringIncludes(notices, text);
  }
});

test("where denort cannot be had, the standalone archive is left out, and it says why", (release) => {
  const { code, out } = release.release("export DENORT_BIN=/no/denort");
  assertEquals(code, 0);
  assert(!out.includes("-standalone.tar.gz"));
  assertMatch(
    out,
    /\nThe standalone archive was left out: deno compile needs denort [0-9.]+: Could not find denort at .+\n {2}with DENORT_BIN=/,
  );
});

testWhere(
  made !== undefined && works("cc", ["--version"]),
  made === undefined ? NO_HISTORY : "there is no C compiler",
  "a denort with an unknown checksum is not run, and no standalone archive is made with it",
  async () => {
    using folder = new Folder();
    const source = folder.file(
      "denort.c",
      `int creat(const char *, int); int main(void) { creat("${folder.at("ran")}", 384); }`,
    );
    outputOf("cc", "-o", folder.at("denort"), source);
    const { code, out } = made!.release(`export DENORT_BIN=${folder.at("denort")}`);
    assertEquals(code, 0);
    const sum = await sha256(Deno.readFileSync(folder.at("denort")));
    assertStringIncludes(out, `denort has the checksum ${sum}, which is not in release/denort.sha256`);
    assertEquals(ran(["ls", folder.path]).out, "denort\ndenort.c\n");
    const payload = [`${made!.checkout}/release/payload.sh`, Deno.execPath(), folder.at("payload"), "/usr/local"];
    const direct = ran(payload, { DENORT_BIN: folder.at("denort") });
    assertEquals(direct.code, 1);
    assertStringIncludes(direct.err, "release/payload.sh: the program cannot be compiled\n");
    assertEquals(ran(["ls", folder.path]).out, "denort\ndenort.c\npayload\n");
  },
);

for (
  const [what, change, says] of [
    [
      "with changes",
      ({ checkout }) => Deno.writeTextFileSync(`${checkout}/new`, ""),
      "changes that are not committed:\n?? new\n",
    ],
    [
      "with no tag of its version",
      (one) => one.git("tag", "--delete", `v${VERSION}`),
      `no tag v${VERSION}, which is the version`,
    ],
    [
      "whose changelog does not have its version",
      (one) => {
        one.edit("CHANGELOG.md", (text) => text.replace(`## [${VERSION}]`, "## [0.0.0]"));
        one.commit();
        one.git("tag", "--force", `v${VERSION}`);
      },
      `CHANGELOG.md has no section '## [${VERSION}]'\n`,
    ],
  ] as [string, (tagged: Tagged) => void, string][]
) {
  testWhere(CAN_RELEASE, NO_HISTORY, `a checkout ${what} is not released`, () => {
    using tagged = new Tagged();
    change(tagged);
    const { code, err } = tagged.release();
    assertEquals(code, 1);
    assertStringIncludes(err, says);
    assert(err.startsWith("release: "), err);
    assertEquals(ran(["ls", tagged.out]).out, "");
  });
}
