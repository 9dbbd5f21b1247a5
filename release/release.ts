/**
 * `deno task release`: the archives of a release, with their sums and the lists of what is in them, from a clean checkout
 * of its tag into build/release. The same commit with the same compilers gives the same bytes (docs/releases.md).
 *
 * @module
 */

import { VERSION } from "../core/version.ts";
import { CHECKOUT, Folder } from "../tools/checkout.ts";
import { outputOf, works } from "../tools/programs.ts";
import { denoRuntime, type Foreign, inside, notices } from "./inside.ts";
import { digest, spdx } from "./spdx.ts";
import { whyNoExecutable } from "./why_no_executable.ts";

/** Where a standalone executable is to be installed: its one grant is for the library there. */
const STANDALONE_PREFIX = "/usr/local";

const OUT = `${CHECKOUT}/build/release`;

/** Something that keeps a release from being made, which whoever makes it can put right. */
class Refusal extends Error {}

function git(...args: string[]): string {
  return outputOf("git", "-C", CHECKOUT, ...args).trim();
}

/** Refuses what is not the tagged commit, the whole of it, and nothing else. */
function requireRelease(): void {
  const changed = git("status", "--porcelain");
  if (changed !== "") throw new Refusal(`the checkout has changes that are not committed:\n${changed}`);
  const tag = `v${VERSION}`;
  if (!git("tag", "--points-at", "HEAD").split("\n").includes(tag)) {
    throw new Refusal(`the commit has no tag ${tag}, which is the version of deno.json`);
  }
  if (!works(`${CHECKOUT}/release/notes.sh`, [tag])) {
    throw new Refusal(`CHANGELOG.md has no section '## [${VERSION}]'`);
  }
}

/** Makes one archive out of what release/payload.sh makes with these arguments, and the list of what is in it. */
async function archive(suffix: string, foreign: readonly Foreign[], date: Date, ...args: string[]): Promise<string[]> {
  using folder = new Folder();
  const name = `deno-ssh-proxy-${VERSION}-${Deno.build.target}${suffix}`;
  const payload = folder.at(name);
  outputOf(`${CHECKOUT}/release/payload.sh`, Deno.execPath(), payload, ...args);
  write(`${payload}/program/NOTICES`, notices(foreign));
  const files = new Map(filesIn(payload).map((path) => [path, Deno.readFileSync(`${payload}/${path}`)]));
  const list = `${name}.spdx.json`;
  write(`${OUT}/${list}`, await spdx({ name, version: VERSION, date, files, foreign }));
  const seconds = date.getTime() / 1000;
  const order = ["--sort=name", `--mtime=@${seconds}`, "--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];
  outputOf("tar", "-C", folder.path, ...order, "-cf", folder.at("tar"), name);
  // Without the time and the name of what was compressed.
  outputOf("gzip", "--best", "--no-name", folder.at("tar"));
  Deno.copyFileSync(folder.at("tar.gz"), `${OUT}/${name}.tar.gz`);
  // The same in each archive.
  Deno.copyFileSync(`${payload}/install.sh`, `${OUT}/install.sh`);
  return [`${name}.tar.gz`, list];
}

function write(path: string, text: string): void {
  Deno.writeTextFileSync(path, text);
  // Whatever the umask is: the archive has the mode.
  Deno.chmodSync(path, 0o644);
}

function filesIn(folder: string, under = ""): string[] {
  return [...Deno.readDirSync(`${folder}/${under}`)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(folder, `${under}${name}/`) : [`${under}${name}`]
  );
}

async function main(): Promise<void> {
  requireRelease();
  Deno.mkdirSync(OUT, { recursive: true });
  for (const path of filesIn(OUT)) if (!path.endsWith(".deb")) Deno.removeSync(`${OUT}/${path}`);
  const date = new Date(Number(git("log", "-1", "--format=%ct")) * 1000);
  Deno.env.set("SOURCE_DATE_EPOCH", `${date.getTime() / 1000}`);
  const foreign = inside();
  const made = await archive("", foreign, date);
  const why = whyNoExecutable();
  if (why === undefined) {
    made.push(...await archive("-standalone", [...foreign, ...denoRuntime()], date, STANDALONE_PREFIX));
  }
  const names = [...made, "install.sh"].sort();
  const sums = await Promise.all(
    names.map(async (name) => `${await digest("SHA-256", Deno.readFileSync(`${OUT}/${name}`))}  ${name}\n`),
  );
  write(`${OUT}/SHA256SUMS`, sums.join(""));
  console.log(`in ${OUT}:\n${sums.join("")}`);
  if (why !== undefined) {
    console.log(`The standalone archive was left out: deno compile needs denort ${Deno.version.deno}: ${why}`);
    console.log(
      "  with DENORT_BIN=FILE it takes that executable, of the same version and for the same system; its checksum",
    );
    console.log("  has to be in release/denort.sha256 or in DENORT_SHA256, compared with the one that Deno publishes");
  }
}

try {
  await main();
} catch (thrown) {
  if (!(thrown instanceof Refusal)) throw thrown;
  console.error(`release: ${thrown.message}`);
  Deno.exit(1);
}
