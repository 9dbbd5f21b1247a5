/**
 * Packages of PyPI and npm, in build/ssh_config, from where they are taken again until another version is asked for.
 *
 * @module
 */

import { CHECKOUT } from "../../tools/checkout.ts";

/** Where packages are, or why they cannot be had here. */
export type Packages = { folder: string; why?: never } | { folder?: never; why: string };

const HERE = `${CHECKOUT}/tests/ssh_config`;

/** Debian's Python, not the first on PATH: the hashes are of what fits it. */
const PYTHON = "/usr/bin/python3";

/** A virtual environment with the packages of requirements-NAME.txt. */
export function pythonPackages(name: string): Packages {
  const requirements = `${HERE}/requirements-${name}.txt`;
  const pip = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:"];
  return packages(name, [requirements], (folder) => [
    [PYTHON, "-m", "venv", folder],
    [`${folder}/bin/pip`, ...pip, `--requirement=${requirements}`],
  ]);
}

/** A folder with the packages of npm/package-lock.json in its node_modules. */
export function npmPackages(): Packages {
  const files = ["package.json", "package-lock.json"].map((name) => `${HERE}/npm/${name}`);
  const quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  return packages("npm", files, (folder) => [
    ["cp", ...files, folder],
    ["npm", "ci", `--prefix=${folder}`, "--ignore-scripts", ...quiet],
  ]);
}

function packages(name: string, files: string[], commands: (folder: string) => string[][]): Packages {
  const folder = `${CHECKOUT}/build/ssh_config/${name}`;
  // Written at the end, so that what was broken off is made anew.
  const done = `${folder}/installed`;
  const wanted = files.map((file) => Deno.readTextFileSync(file)).join("");
  if (contentOf(done) === wanted) return { folder };
  if (contentOf(folder) !== undefined) Deno.removeSync(folder, { recursive: true });
  Deno.mkdirSync(folder, { recursive: true });
  for (const [program, ...args] of commands(folder)) {
    const failure = failureOf(program!, args);
    // What is there and is something else is no reason to leave a test out.
    if (failure !== undefined && /hash|EINTEGRITY/i.test(failure)) throw new Error(failure);
    if (failure !== undefined) {
      const lines = failure.trim().split("\n");
      return { why: `${program!.replace(/.*\//, "")}: ${lines.find((line) => /error/i.test(line)) ?? lines[0]}` };
    }
  }
  Deno.writeTextFileSync(done, wanted);
  return { folder };
}

/** The text of a file, nothing where there is none, and "" for a folder. */
function contentOf(path: string): string | undefined {
  try {
    return Deno.statSync(path).isFile ? Deno.readTextFileSync(path) : "";
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return undefined;
    throw thrown;
  }
}

/** What a program wrote that failed. */
function failureOf(program: string, args: string[]): string | undefined {
  try {
    const { success, stdout, stderr } = new Deno.Command(program, { args }).outputSync();
    return success ? undefined : [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return "it is not installed";
    throw thrown;
  }
}
