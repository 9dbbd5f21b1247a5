/**
 * Shows after `config --install` whether ssh uses this program, and what is in the way where it does not.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import type { Context } from "../command.ts";
import { type EffectiveConfig, effectiveConfig, homeOfSsh, isOurs, originOf } from "../ssh/effective_config.ts";
import { EXAMPLES } from "./drop_in.ts";
import { includeLine } from "./include.ts";
import { installedSettings } from "./installed.ts";
import { type ConfigLocation, dropInPath } from "./location.ts";

/**
 * Asks ssh what it makes of an address of each form, and of each alias.
 *
 * @throws {ProxyError} of kind `configuration` where it does not use this program for one
 */
export async function showEffect({ out }: Pick<Context, "out">, location: ConfigLocation): Promise<void> {
  const names = [...EXAMPLES, ...installedSettings(location).aliases.map(({ name }) => name)];
  let configs: EffectiveConfig[];
  try {
    configs = await Promise.all(names.map((name) => effectiveConfig(name)));
  } catch (thrown) {
    if (!(thrown instanceof ProxyError) || thrown.kind !== "missing") throw thrown;
    await out.write(`whether ssh uses it could not be seen: ${thrown.message}\n`);
    return;
  }
  for (const one of configs) {
    if (!isOurs(one.proxyCommand) || !one.proxyUseFdpass) throw await whyNot(one, location);
  }
  await out.write(`ssh uses it for ${names.join(", ")}\n`);
}

/** Returns why ssh does not use this program for a name, although it is installed at `location`. */
async function whyNot(effective: EffectiveConfig, location: ConfigLocation): Promise<ProxyError> {
  const path = dropInPath(location);
  const { host, options, files } = effective;
  if (!files.some((file) => file.path === path)) {
    if (location.home === undefined) {
      return configuration(
        `ssh does not read ${path}`,
        `put this line at the top of /etc/ssh/ssh_config: ${INCLUDE_ALL}`,
      );
    }
    const home = await homeOfSsh();
    if (home !== undefined && home !== location.home) {
      return configuration(
        `ssh does not read ${escapeForTerminal(path)}: its ~ is ${
          escapeForTerminal(home)
        }, from the password database, not HOME`,
        `run this with HOME=${escapeForTerminal(home, Infinity)}`,
      );
    }
    return configuration(
      `ssh does not read ${escapeForTerminal(path)}`,
      "does the ssh on PATH give another file with -F? command -v ssh",
    );
  }
  const above = location.home === undefined
    ? ""
    : ` or, in ~/.ssh/config, put '${includeLine(location.fileName)}' above what includes it`;
  if (isOurs(effective.proxyCommand)) {
    // It is ssh's own value too, so that no file can be told by it.
    const before = files.slice(0, files.findIndex((file) => file.path === path)).map((file) =>
      escapeForTerminal(file.path)
    );
    return configuration(
      `ssh has it carry every byte for ${host}: a file that comes before it has ProxyUseFdpass no`,
      `take that out of ${before.join(" or ")}${above}`,
    );
  }
  const option = options.has("proxyjump") ? "proxyjump" : "proxycommand";
  const says = `${SPELLING[option]} ${escapeForTerminal(options.get(option) ?? "none")}`;
  const origin = options.has(option) ? await originOf(option, effective) : undefined;
  if (origin === undefined) {
    return configuration(`ssh does not use it for ${host}: ${says}`, `ssh -vvv -G ${host} says more`);
  }
  return configuration(
    `ssh does not use it for ${host}: ${escapeForTerminal(origin)} comes before it, with ${says}`,
    `take that out of ${escapeForTerminal(origin, Infinity)} for these names${above}`,
  );
}

const SPELLING = { proxycommand: "ProxyCommand", proxyjump: "ProxyJump" };

/** The line with which ssh reads the system's directory. */
const INCLUDE_ALL = "Include /etc/ssh/ssh_config.d/*.conf";

function configuration(message: string, hint: string): ProxyError {
  return new ProxyError("configuration", message, { hint });
}
