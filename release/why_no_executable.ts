/**
 * Says why a standalone executable cannot be made here, if it cannot: `deno compile` needs denort, fetches it without
 * comparing it with any checksum, and puts it into what is released. So only one with a known checksum is taken.
 *
 *     deno run --allow-all release/why_no_executable.ts    fails with the reason
 *
 * @module
 */

import { CHECKOUT, Folder } from "../tools/checkout.ts";
import { outputOf } from "../tools/programs.ts";
import { digest } from "./spdx.ts";

/** The checksums of denort that were compared with those that Deno publishes. */
const KNOWN = `${CHECKOUT}/release/denort.sha256`;

/** Returns why a standalone executable cannot be made here, if it cannot. */
export function whyNoExecutable(): string | undefined {
  const script = `${CHECKOUT}/release/why_no_executable.ts`;
  // It reads variables, which the tests have no permission for.
  const { success, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--frozen", "--allow-all", script],
    stdout: "null",
    cwd: CHECKOUT,
    env: { NO_COLOR: "1" },
  }).outputSync();
  return success ? undefined : new TextDecoder().decode(stderr).trim();
}

/** Returns why `deno compile` makes none, or why its denort is not trusted. It runs nothing of denort: it copies it. */
async function reason(): Promise<string | undefined> {
  using folder = new Folder();
  const { success, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["compile", "--quiet", "--no-config", "--output", folder.at("empty"), folder.file("empty.js", "")],
    stdout: "null",
    env: { NO_COLOR: "1" },
  }).outputSync();
  if (success) return await whyUnknown();
  const said = new TextDecoder().decode(stderr);
  // The innermost cause is the last of the numbered ones.
  const causes = [...said.matchAll(/^ +\d+: (.*)$/gm)].map(([, cause]) => cause!).filter((one) => one !== "<unknown>");
  return causes.find((one) => one.includes("denort")) ?? causes.at(-1) ?? said.trim();
}

/** Returns why the denort that `deno compile` takes is not trusted, if it is not. */
async function whyUnknown(): Promise<string | undefined> {
  const name = `v${Deno.version.deno}/denort-${Deno.build.target}`;
  const executable = Deno.env.get("DENORT_BIN") ?? besideDeno();
  const file = executable ?? `${denoDir()}/dl/release/${name}.zip`;
  if (!isFile(file)) return `denort is not where its checksum can be computed: ${file}`;
  const sum = await digest("SHA-256", Deno.readFileSync(file));
  if (Deno.env.get("DENORT_SHA256")?.toLowerCase() === sum) return undefined;
  const line = `${sum}  ${executable === undefined ? `${name}.zip` : name}`;
  if (Deno.readTextFileSync(KNOWN).split("\n").includes(line)) return undefined;
  return `denort has the checksum ${sum}, which is not in release/denort.sha256: ${file}`;
}

/** Returns the denort that `deno compile` prefers where Deno was built by cargo (cli/standalone/binary.rs). */
function besideDeno(): string | undefined {
  const parts = Deno.execPath().split("/");
  const denort = [...parts.slice(0, -1), "denort"].join("/");
  return parts.includes("target") && isFile(denort) ? denort : undefined;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Returns where `deno compile` keeps what it has fetched. */
function denoDir(): string {
  return (JSON.parse(outputOf(Deno.execPath(), "info", "--json")) as { denoDir: string }).denoDir;
}

if (import.meta.main) {
  const why = await reason();
  if (why !== undefined) {
    console.error(why);
    Deno.exit(1);
  }
}
