/**
 * Adds and removes the line of a user's ssh_config that includes the drop-in.
 *
 * A file is a string with a character for each byte, because an ssh_config need not be UTF-8.
 *
 * @module
 */

import { configLines } from "../ssh/config_lines.ts";

/** The comment above the line. */
const COMMENT = "# deno-ssh-proxy config --install put this here, and --uninstall takes it out again.";

/** Returns the line that includes `file`, a name in the directory of the ssh_config. */
export function includeLine(file: string): string {
  return `Include ${file}`;
}

/** Returns whether `config` includes `file` for every host. */
export function isIncluded(config: string, file: string, home: string): boolean {
  const names = [file, `~/.ssh/${file}`, `${home}/.ssh/${file}`];
  for (const { keyword, words } of configLines(config)) {
    // The lines below count for some hosts only.
    if (keyword === "host" || keyword === "match") return false;
    if (keyword === "include" && words.some((word) => names.includes(word))) return true;
  }
  return false;
}

/**
 * Adds the line at the top of `config`, because ssh takes the first value of an option, and a line below a `Host` or a `Match`
 * would count for that block alone. Returns `config` as it is if it includes `file` already.
 */
export function withInclude(config: string, file: string, home: string): string {
  if (isIncluded(config, file, home)) return config;
  const end = /^[^\n]*\r\n/.test(config) ? "\r\n" : "\n";
  return `${COMMENT}${end}${includeLine(file)}${end}${withoutInclude(config, file)}`;
}

/** Removes the line and the comment of {@linkcode withInclude} from `config`, at any place. */
export function withoutInclude(config: string, file: string): string {
  const lines = config.split(/(?<=\n)/);
  const is = (at: number, text: string) => lines[at]?.replace(/\r?\n$/, "") === text;
  const ours = (at: number) => is(at, COMMENT) && is(at + 1, includeLine(file));
  return lines.filter((_, at) => !ours(at) && !ours(at - 1)).join("");
}
