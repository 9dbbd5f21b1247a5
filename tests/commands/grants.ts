/**
 * What the installed starter allows the program that it starts.
 *
 * @module
 */

import { outputOf } from "../../tools/programs.ts";

/** Deno, with these grants and no others. */
export function denoWith(grants: readonly string[]): string[] {
  return [Deno.execPath(), "run", "--quiet", "--no-prompt", "--no-config", "--no-lock", ...grants];
}

/** The starter of the program in `program`, which runs Deno with these grants and no others. */
export function starterWith(program: string, grants: readonly string[]): string[] {
  return [`${program}/deno-ssh-proxy`, "--start-deno", ...grants];
}

/**
 * A copy of the installed program in `folder` that prints, a line each, the arguments and the environment that it would give
 * to Deno. The paths in there are those of the original.
 */
export function spyOn(shim: string, folder: string): { path: string; remove(): void } {
  const program = Deno.realPathSync(shim).replace(/\/[^/]*$/, "");
  const copy = `${folder}/program`;
  outputOf("cp", "-R", program, copy);
  Deno.removeSync(`${copy}/deno`);
  const script = `#!/bin/sh\n{ printf '%s\\n' "$@"; env | sed 's|^|env: |'; } | sed 's|${copy}|${program}|g'\n`;
  Deno.writeTextFileSync(`${copy}/deno`, script, { mode: 0o755 });
  return { path: `${copy}/deno-ssh-proxy`, remove: () => Deno.removeSync(copy, { recursive: true }) };
}

/** The environment in what such a copy printed, but for what the shell adds. */
export function environmentIn(printed: string): Record<string, string> {
  const lines = printed.split("\n").flatMap((line) => line.startsWith("env: ") ? [line.slice("env: ".length)] : []);
  const entries = lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const);
  return Object.fromEntries(entries.filter(([name]) => !["PWD", "_", "SHLVL", "OLDPWD"].includes(name)));
}

/** The grants in what such a copy printed. */
export function grantsIn(printed: string): string[] {
  return printed.split("\n").filter((argument) => argument.startsWith("--allow"));
}

/** Each grant by itself, where one flag has several. */
export function single(grants: readonly string[]): string[] {
  return grants.flatMap((grant) => {
    const [flag = "", values = ""] = grant.split("=");
    return values.split(",").map((value) => `${flag}=${value}`);
  });
}
