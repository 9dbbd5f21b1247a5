/**
 * What of others is in a release, and under which licence: read from the lock files and from the packages themselves.
 *
 * @module
 */

import { CHECKOUT } from "../tools/checkout.ts";
import { outputOf } from "../tools/programs.ts";

/** A package of somebody else that is in what is released. */
export interface Foreign {
  readonly name: string;
  readonly version: string;
  /** As an SPDX expression. */
  readonly license: string;
  /** What of it is where. */
  readonly use: string;
  /** The package URL, where a registry has it. */
  readonly purl?: string;
  /** Of the package as that registry has it, in hexadecimal. */
  readonly checksum?: { readonly algorithm: "SHA256" | "SHA512"; readonly value: string };
  /** The texts of licences that it brings along, by their file names. */
  readonly texts: ReadonlyMap<string, string>;
}

const NO_TEXTS: ReadonlyMap<string, string> = new Map();

/** What is in the native library and in the scripts. */
export function inside(): Foreign[] {
  return [...crates(), rustCore(), ...npmPackages()];
}

/** What `deno compile` puts in an executable beside the scripts. */
export function denoRuntime(): Foreign[] {
  const { deno, v8 } = Deno.version;
  const use = "the runtime that the executable is, with all that it is made of";
  return [
    { name: "denort", version: deno, license: "MIT", use, texts: NO_TEXTS },
    { name: "v8", version: v8, license: "BSD-3-Clause", use: "the engine of that runtime", texts: NO_TEXTS },
  ];
}

interface CargoPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly manifest_path: string;
  readonly source: string | null;
}

/** Cargo's dependencies of the library. */
function crates(): Foreign[] {
  const manifest = `${CHECKOUT}/rust/Cargo.toml`;
  const told = outputOf("cargo", "metadata", "--format-version", "1", "--locked", "--manifest-path", manifest);
  const { packages } = JSON.parse(told) as { packages: CargoPackage[] };
  const lock = Deno.readTextFileSync(`${CHECKOUT}/rust/Cargo.lock`).split("[[package]]\n");
  return packages.filter(({ source }) => source !== null).map(({ name, version, license, manifest_path }) => {
    const locked = lock.find((one) => one.startsWith(`name = "${name}"\nversion = "${version}"\n`));
    const [, value] = /^checksum = "([0-9a-f]{64})"$/m.exec(locked ?? "") ?? [];
    if (value === undefined) throw new Error(`Cargo.lock has no checksum of ${name} ${version}`);
    return {
      name,
      version,
      license,
      use: "the native library",
      purl: `pkg:cargo/${name}@${version}`,
      checksum: { algorithm: "SHA256", value },
      texts: licenceTexts(manifest_path.replace(/\/[^/]*$/, "")),
    };
  });
}

/** What rustc itself puts into a library that has no standard library. */
function rustCore(): Foreign {
  const [, version] = /^release: (.*)$/m.exec(outputOf("rustc", "-vV")) ?? [];
  if (version === undefined) throw new Error("rustc -vV tells no release");
  return { name: "rust-core", version, license: "MIT OR Apache-2.0", use: "the native library", texts: NO_TEXTS };
}

interface DenoInfo {
  readonly modules: readonly { readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<
    Record<string, { readonly name: string; readonly version: string; dependencies: string[]; localPath: string }>
  >;
}

/** What cli.ts, and so the bundle that is made of it, has from npm. */
function npmPackages(): Foreign[] {
  const deno = Deno.execPath();
  const { modules, npmPackages } = JSON.parse(outputOf(deno, "info", "--json", `${CHECKOUT}/cli.ts`)) as DenoInfo;
  const lock = JSON.parse(Deno.readTextFileSync(`${CHECKOUT}/deno.lock`)) as {
    npm: Record<string, { integrity: string }>;
  };
  // Each that is imported, and what those depend on.
  const ids = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  for (const id of ids) npmPackages[id]?.dependencies.forEach((one) => ids.add(one));
  return [...ids].sort().map((id) => {
    const { name, version, localPath } = npmPackages[id]!;
    const { license } = JSON.parse(Deno.readTextFileSync(`${localPath}/package.json`)) as { license?: string };
    const [, integrity] = /^sha512-(.*)$/.exec(lock.npm[id]?.integrity ?? "") ?? [];
    if (license === undefined || integrity === undefined) throw new Error(`${id}: no licence, or no checksum`);
    return {
      name,
      version,
      license,
      use: "the commands (cli.mjs)",
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
      checksum: { algorithm: "SHA512", value: Uint8Array.fromBase64(integrity).toHex() },
      texts: licenceTexts(localPath),
    };
  });
}

/** The files of `folder` that are texts of licences. */
function licenceTexts(folder: string): Map<string, string> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /^licen[cs]e\b/i.test(name));
  return new Map(names.sort().map((name) => [name, Deno.readTextFileSync(`${folder}/${name}`)]));
}

/** The file that has to go with what is released: who made what is in it, and the licences' texts. */
export function notices(foreign: readonly Foreign[]): string {
  const list = foreign.map(({ name, version, license, use }) => `- ${name} ${version}, ${license}: ${use}\n`);
  const texts = new Map(
    foreign.flatMap(({ name, texts }) => [...texts].map(([file, text]) => [text, `${file} of ${name}`] as const)),
  );
  for (const licence of ["MIT", "Apache-2.0"]) {
    // Each that brings no text of its own is under one of these, which another brings.
    const word = licence.split("-")[0]!;
    const missing = foreign.some(({ license }) => license.includes(word)) &&
      ![...texts.values()].some((name) => name.toUpperCase().includes(word.toUpperCase()));
    if (missing) throw new Error(`nothing that is released brings the text of the licence ${licence}`);
  }
  return `deno-ssh-proxy is under the licence in LICENSE. In what is released here are also:

${list.join("")}
Those without a text of their own below are under the same words, with their own authors as the holders of the copyright.
${[...texts].map(([text, name]) => `\n${"=".repeat(78)}\n${name}\n${"=".repeat(78)}\n\n${text.trim()}\n`).join("")}`;
}
