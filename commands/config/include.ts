/**
 * The one line of a user's ssh_config that has ssh read another file: put in and taken out again, in the bytes as they are.
 *
 * The bytes are a string in which each character stands for one, because an ssh_config need not be UTF-8.
 *
 * @module
 */

import { configLines } from "../ssh/config_lines.ts";

/** Says whose the line below it is. */
const COMMENT = "# deno-ssh-proxy config --install put this here, and --uninstall takes it out again.";

/** The line that has ssh read `file`, beside the ssh_config itself. */
export function includeLine(file: string): string {
  return `Include ${file}`;
}

/** Whether ssh reads `file` for every host, whatever stands before it. */
export function isIncluded(config: string, file: string, home: string): boolean {
  const names = [file, `~/.ssh/${file}`, `${home}/.ssh/${file}`];
  for (const { keyword, words } of configLines(config)) {
    // From here on everything is for some hosts only.
    if (keyword === "host" || keyword === "match") return false;
    if (keyword === "include" && words.some((word) => names.includes(word))) return true;
  }
  return false;
}

/**
 * `config` with the line at its top: ssh takes the first value that it finds, and a line below a `Host` or a `Match`
 * would count for that one alone. As it is where the line, or one of the user's own for the same file, is there.
 */
export function withInclude(config: string, file: string, home: string): string {
  if (isIncluded(config, file, home)) return config;
  const end = /^[^\n]*\r\n/.test(config) ? "\r\n" : "\n";
  return `${COMMENT}${end}${includeLine(file)}${end}${withoutInclude(config, file)}`;
}

/** `config` without what {@linkcode withInclude} put there, wherever it stands by now, and with all the rest. */
export function withoutInclude(config: string, file: string): string {
  const lines = config.split(/(?<=\n)/);
  const says = (at: number, text: string) => lines[at]?.replace(/\r?\n$/, "") === text;
  const ours = (at: number) => says(at, COMMENT) && says(at + 1, includeLine(file));
  return lines.filter((_, at) => !ours(at) && !ours(at - 1)).join("");
}
