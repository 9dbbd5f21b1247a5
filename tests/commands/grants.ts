/**
 * What the installed shim allows the program that it starts.
 *
 * @module
 */

/** Deno, with these grants and no others. */
export function denoWith(grants: readonly string[]): string[] {
  return [Deno.execPath(), "run", "--no-prompt", "--no-config", "--no-lock", ...grants];
}

/** A copy of the shim in `folder` that prints, a line an argument, what it would start Deno with. */
export function spyOn(shim: string, folder: string): { path: string; remove(): void } {
  const [path, spy] = [`${folder}/shim`, `${folder}/spy`];
  const text = Deno.readTextFileSync(shim).replace(/deno='[^\n]*' program=/, `deno='${spy}' program=`);
  for (
    const [file, script] of [[path, text], [
      spy,
      `#!/bin/sh\nprintf '%s\\n' "$@" "DENO_NO_UPDATE_CHECK=$DENO_NO_UPDATE_CHECK"\n`,
    ]] as const
  ) {
    Deno.writeTextFileSync(file, script);
    Deno.chmodSync(file, 0o755);
  }
  return {
    path,
    remove() {
      Deno.removeSync(path);
      Deno.removeSync(spy);
    },
  };
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
