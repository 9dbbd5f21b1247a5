/**
 * The environment of the user. The starter (rust/starter) does not pass it to Deno, which many variables would change. Commands
 * that need variables get them under other names.
 *
 * @module
 */

import { programUrl } from "../../ffi/library.ts";

/** The prefix of the names of saved variables. */
const SAVED = "SAVED_";

/** Returns the user's value of the variable `name`; undefined if it is not set. */
export function userVariable(name: string): string | undefined {
  const saved = `${SAVED}${name}`;
  if (!isGranted(saved)) return Deno.env.get(name);
  return Deno.env.get(saved) ?? (isGranted(name) ? Deno.env.get(name) : undefined);
}

/** Returns whether Deno may read a variable. */
function isGranted(variable: string): boolean {
  return Deno.permissions.querySync({ name: "env", variable }).state === "granted";
}

/** The variables with the locale of characters, in order of precedence (locale(7)). */
const LOCALES = ["LC_ALL", "LC_CTYPE", "LANG"];

/** Returns whether the terminal of the user shows UTF-8. commands.sh permits Deno to read the variable that decides. */
export function isUtf8(): boolean {
  const values = LOCALES.map((name) =>
    isGranted(`${SAVED}${name}`) || isGranted(name) ? userVariable(name) : undefined
  );
  return /utf-?8/i.test(values.find((value) => value) ?? "");
}

/** The command that starts ssh, and its first arguments. */
export type SshCommand = readonly [command: string, ...args: string[]];

/**
 * Returns the command that starts ssh with the environment of the user: the starter, if Deno may run it, because the starter
 * has saved the environment. Otherwise Deno itself has it.
 */
export function sshCommand(): SshCommand {
  const starter = decodeURIComponent(new URL("deno-ssh-proxy", programUrl()).pathname);
  const { state } = Deno.permissions.querySync({ name: "run", command: starter });
  return state === "granted" && !isAnyGranted() ? [starter, "--start-ssh"] : ["ssh"];
}

/** Returns whether Deno may run any program. The starter never grants that. */
function isAnyGranted(): boolean {
  return Deno.permissions.querySync({ name: "run" }).state === "granted";
}

/** The exit code of the starter without an ssh on PATH. */
export const NO_SSH = 127;
