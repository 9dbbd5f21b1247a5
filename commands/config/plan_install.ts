/**
 * Plans an installation.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import type { Alias } from "../ssh/alias.ts";
import { bareHostNameNotes } from "./bare_host_names.ts";
import { withInclude } from "./include.ts";
import { planIncludeChange } from "./include_change.ts";
import { readDropIn } from "./installed.ts";
import type { ConfigLocation } from "./location.ts";
import { backUpEdited, encode, type Plan, type PlannedChange } from "./plan.ts";
import { equal } from "./replace.ts";
import { HOST_KEYS, type Settings } from "./settings.ts";

/**
 * Plans the installation of the drop-in that `render` returns for its settings: those of the installed one, overridden by
 * `asked`.
 *
 * @throws {ProxyError} if a file of another program is at its path
 */
export function planInstall(
  location: ConfigLocation,
  asked: Partial<Settings>,
  render: (settings: Settings) => string,
): Plan {
  const { path, before, settings } = readDropIn(location);
  if (before !== undefined && settings === undefined) {
    throw new ProxyError("resource", `${escapeForTerminal(path)}: it is not deno-ssh-proxy's, and was left as it is`, {
      hint: "give it another name, or take it away",
    });
  }
  const aliases = mergeAliases(settings?.aliases, asked.aliases);
  const after = encode(render({
    aliases,
    hostKeys: asked.hostKeys ?? settings?.hostKeys ?? HOST_KEYS[0],
    user: asked.user ?? settings?.user ?? location.user,
  }));
  const changes: PlannedChange[] = [];
  if (!equal(before?.bytes, after)) {
    changes.push(...backUpEdited(location, settings, render), {
      path,
      before,
      after,
      summary: `${before === undefined ? "wrote" : "changed"} ${path}`,
      manualFix: `deno-ssh-proxy config prints what belongs in ${path}`,
    });
  }
  changes.push(...planIncludeChange(location, (config, file, home) => withInclude(config, file, home)));
  return { changes, notes: () => bareHostNameNotes(location, aliases.map(({ name }) => name)) };
}

function mergeAliases(old: readonly Alias[] = [], now: readonly Alias[] = []): Alias[] {
  return [...new Map([...old, ...now].map((alias) => [alias.name, alias])).values()];
}
