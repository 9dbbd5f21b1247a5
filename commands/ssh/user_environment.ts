/**
 * The environment of the user. The starter (rust/starter) keeps it from Deno, which many variables would change, but for
 * commands that need it: those have it under other names.
 *
 * @module
 */

import { programUrl } from "../../ffi/library.ts";

/** What the starter puts before the name of each variable that it saves. */
const SAVED = "SAVED_";

/** Returns the value of the variable `name`, as the user has it; undefined where it is not set. */
export function userVariable(name: string): string | undefined {
  const saved = `${SAVED}${name}`;
  if (!isGranted(saved)) return Deno.env.get(name);
  return Deno.env.get(saved) ?? (isGranted(name) ? Deno.env.get(name) : undefined);
}

/** Tells whether Deno may read the variable `name`. */
function isGranted(variable: string): boolean {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}

/** The variables that name the locale of characters, the first that is set before the others (locale(7)). */
const LOCALES = ["LC_ALL", "LC_CTYPE", "LANG"];

/** Tells whether the terminal of the user shows UTF-8, as far as Deno may see: commands.sh grants the one that decides. */
export function isUtf8(): boolean {
  const values = LOCALES.map((name) =>
    isGranted(`${SAVED}${name}`) || isGranted(name) ? userVariable(name) : undefined
  );
  return /utf-?8/i.test(values.find((value) => value) ?? "");
}

/** The command that starts ssh, and its first arguments. */
export type SshCommand = readonly [command: string, ...args: string[]];

/**
 * Returns the command that starts ssh with the environment of the user: the starter, where Deno may run that, as only the
 * starter has saved it. Otherwise Deno has the environment itself.
 */
export function sshCommand(): SshCommand {
  const starter = decodeURIComponent(new URL("deno-ssh-proxy", programUrl()).pathname);
  const { state } = Deno.permissions.querySync({ name: "run", command: starter });
  return state === "granted" && !isAnyGranted() ? [starter, "--start-ssh"] : ["ssh"];
}

/** Tells whether Deno may run any program, as nothing does that the starter has started. */
function isAnyGranted(): boolean {
  return Deno.permissions.querySync({ name: "run" }).state === "granted";
}

/** The exit code of the starter where there is no ssh on PATH. */
export const NO_SSH = 127;
