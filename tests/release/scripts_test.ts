import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";

/** Runs `script` of release/, as it stands in `root`. */
function run(root: string, script: string, ...args: string[]): { code: number; out: string; err: string } {
  const { code, stdout, stderr } = new Deno.Command("sh", { args: [`${root}/release/${script}`, ...args] })
    .outputSync();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

const CHANGELOG = `# Changelog

## [Unreleased]

- what comes

## [1.2.30] - 2026-01-03

- thirty

## [1.2.3] - 2026-01-02

### Added

- \`a\` and \\b

### Fixed

- c

## [1.2.2] - 2026-01-01

## [1.2.1] - 2026-01-01

- the first

[1.2.1]: https://example.com/
`;

/** What the notes are for `tag`, in a checkout of `version`. */
function notes(version: string, tag = `v${version}`): { code: number; out: string; err: string } {
  using folder = new Folder();
  Deno.mkdirSync(folder.at("release"));
  Deno.copyFileSync(`${CHECKOUT}/release/notes.sh`, folder.at("release/notes.sh"));
  const manifest = Deno.readTextFileSync(`${CHECKOUT}/deno.json`);
  folder.file("deno.json", manifest.replace(/"version": ".*"/, `"version": "${version}"`));
  folder.file("CHANGELOG.md", CHANGELOG);
  return run(folder.path, "notes.sh", tag);
}

Deno.test("the notes of a release are the section of its version, whole, and nothing of another", () => {
  assertEquals(notes("1.2.3"), { code: 0, out: "### Added\n\n- `a` and \\b\n\n### Fixed\n\n- c\n", err: "" });
  assertEquals(notes("1.2.30").out, "- thirty\n");
  assertEquals(notes("1.2.1").out, "- the first\n");
});

Deno.test("there are no notes for a tag that is not that of the version, nor for a version of which nothing is said", () => {
  for (const tag of ["1.2.3", "v1.2", "v1.2.30", "v1.2.3-1", ""]) {
    const { code, out, err } = notes("1.2.3", tag);
    assertEquals([code, out], [1, ""], tag);
    assertStringIncludes(err, `${tag}: deno.json has version 1.2.3, whose tag is v1.2.3`);
  }
  for (const version of ["1.2.2", "1.2.4", "1.2", "1.2.*"]) {
    const { code, out, err } = notes(version);
    assertEquals([code, out], [1, ""], version);
    assertStringIncludes(err, `CHANGELOG.md says nothing under ## [${version}]`);
  }
});

/** What two machines made, each in a folder. */
class Made implements Disposable {
  readonly #folder = new Folder();
  readonly folders: string[] = ["x86_64", "aarch64"].map((processor) => {
    const folder = this.#folder.at(processor);
    Deno.mkdirSync(folder);
    Deno.writeTextFileSync(`${folder}/a-${processor}.tar.gz`, processor);
    Deno.writeTextFileSync(`${folder}/install.sh`, "the same");
    Deno.writeTextFileSync(`${folder}/SHA256SUMS`, outputOf("sh", "-c", 'cd "$0" && sha256sum *', folder));
    Deno.writeTextFileSync(`${folder}/a_${processor}.deb`, "a package");
    return folder;
  });
  readonly out: string = this.#folder.at("out");

  gather(): { code: number; out: string; err: string } {
    return run(CHECKOUT, "gather.sh", this.out, ...this.folders);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

Deno.test("what several machines made is gathered, with one list of sums that has each file once", () => {
  using made = new Made();
  assertEquals(made.gather(), { code: 0, out: "", err: "" });
  const names = ["a-aarch64.tar.gz", "a-x86_64.tar.gz", "a_aarch64.deb", "a_x86_64.deb", "install.sh"];
  assertEquals([...Deno.readDirSync(made.out)].map(({ name }) => name).sort(), ["SHA256SUMS", ...names]);
  const checked = outputOf("sh", "-c", 'cd "$0" && sha256sum --check --strict SHA256SUMS', made.out);
  assertEquals(checked.trimEnd().split("\n").sort(), names.map((name) => `${name}: OK`));
});

Deno.test("nothing is gathered that is changed, that no list of sums has, or that is not the same from each", () => {
  const cases: [damage: (folder: string) => void, says: string][] = [
    [(folder) => Deno.writeTextFileSync(`${folder}/install.sh`, "changed"), "it is not what was made there"],
    [(folder) => Deno.removeSync(`${folder}/a-aarch64.tar.gz`), "it is not what was made there"],
    [(folder) => Deno.writeTextFileSync(`${folder}/more`, ""), "/more: SHA256SUMS does not have it"],
    [(folder) => Deno.removeSync(`${folder}/SHA256SUMS`), "it has no SHA256SUMS"],
    [
      (folder) => Deno.writeTextFileSync(`${folder}/a_x86_64.deb`, "x"),
      "a_x86_64.deb: not every machine made the same",
    ],
  ];
  for (const [damage, says] of cases) {
    using made = new Made();
    damage(made.folders[1]!);
    const { code, err } = made.gather();
    assertEquals(code, 1, says);
    assertStringIncludes(err, says);
    assertEquals([...Deno.readDirSync(made.out)].some(({ name }) => name === "SHA256SUMS"), false, says);
  }
});

/** A checkout whose install.sh pins a package with an executable of this content, and that package. */
function pinning(folder: Folder, content: string): string {
  Deno.mkdirSync(folder.at("release"));
  Deno.copyFileSync(`${CHECKOUT}/release/pinned_deno.sh`, folder.at("release/pinned_deno.sh"));
  Deno.mkdirSync(folder.at("package"));
  folder.file("package/deno", content);
  outputOf("tar", "-czf", folder.at("package.tgz"), "-C", folder.path, "package/deno");
  const [sum] = outputOf("sha512sum", folder.at("package.tgz")).split(" ");
  const part = Deno.readTextFileSync(`${CHECKOUT}/install/deno.sh`);
  const pin = /(Linux-x86_64\)\n\s*package=\S+ version=\S+\n\s*sha512=)\S+/;
  assertMatch(part, pin);
  Deno.mkdirSync(folder.at("install"));
  folder.file("install/deno.sh", part.replace(pin, `$1${sum}`));
  return folder.at("package.tgz");
}

Deno.test("the Deno that install.sh pins is unpacked, and no other package", () => {
  using folder = new Folder();
  const fetched = pinning(folder, "#!/bin/sh\necho it runs\n");
  const { out } = run(folder.path, "pinned_deno.sh", "name");
  assertMatch(out, /^@deno\/linux-x64-glibc@[0-9]+\.[0-9]+\.[0-9]+\n$/);
  const unpack = () => run(folder.path, "pinned_deno.sh", "unpack", fetched, folder.at("deno"));
  assertEquals(unpack(), { code: 0, out: "", err: "" });
  assertEquals(outputOf(folder.at("deno")), "it runs\n");

  Deno.removeSync(folder.at("deno"));
  Deno.writeTextFileSync(fetched, "x", { append: true });
  assertEquals(unpack(), {
    code: 1,
    out: "",
    err: `release/pinned_deno.sh: ${fetched}: it is not the package that install.sh pins\n`,
  });
  assertEquals([...Deno.readDirSync(folder.path)].some(({ name }) => name === "deno"), false);
});
