/**
 * `config --list`: the options that installed files were made with, for a person, and as JSON.
 *
 * @module
 */

import { escapeForTerminal } from "../../core/text.ts";
import { formatAlias } from "../ssh/alias.ts";
import { jsonText } from "../terminal/json.ts";
import type { InstalledFile } from "./installed.ts";

/** The file and the options that would make it anew, each on a line. The shells' completions read it. */
export function listText(files: readonly InstalledFile[]): string {
  return files.map(({ path, settings: { aliases, hostKeys, user } }) => {
    const options = [
      `--host-keys ${hostKeys}`,
      ...(user === undefined ? [] : [`--user ${user}`]),
      ...aliases.map((alias) => `--alias ${formatAlias(alias)}`),
    ];
    return [escapeForTerminal(path, Infinity), ...options.map((option) => `  ${escapeForTerminal(option, Infinity)}`)];
  }).flat().map((line) => `${line}\n`).join("");
}

/** The same as an array with an object for each file, in the order in which ssh reads them. */
export function listJson(files: readonly InstalledFile[]): string {
  return jsonText(files.map(({ path, settings: { aliases, hostKeys, user = null } }) => ({
    file: path,
    hostKeys,
    user,
    aliases: aliases.map(({ name, address, port = null }) => ({ name, address, port })),
  })));
}
