/**
 * The step of `check` that asks ssh about its configuration: whether `ssh` would use this program for the name.
 *
 * @module
 */

import { formNamed } from "../../addresses/forms.ts";
import { splitAddress } from "../../addresses/parse.ts";
import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import type { Library } from "../../ffi/library.ts";
import { aliasCommand } from "../ssh/alias.ts";
import { isAliasName } from "../ssh/destination.ts";
import { type EffectiveConfig, effectiveConfig, isOurs, originOf } from "../ssh/effective_config.ts";
import { aliasHint, hasPattern } from "../ssh/needs_alias.ts";
import { inspectControlPath } from "./control_path.ts";
import type { Finding } from "./step.ts";

const INSTALL = "deno-ssh-proxy config --install makes ssh use it";

/**
 * Returns what `ssh` would do for `host`; undefined where it cannot be asked. `port` is what `-p` would give it.
 *
 * @throws {ProxyError} of kind `configuration` where it would not get through
 */
export async function sshFinding(
  host: string,
  port: string | undefined,
  library: Library,
): Promise<[effective: EffectiveConfig | undefined, Finding]> {
  let effective;
  try {
    effective = await effectiveConfig(host, port);
  } catch (thrown) {
    // What was compiled may start no program: that is nothing to mend.
    const unseen = Deno.build.standalone ? ["missing", "permission"] : ["missing"];
    if (!(thrown instanceof ProxyError && unseen.includes(thrown.kind))) throw thrown;
    return [undefined, { status: "note", message: thrown.message, hint: thrown.hint }];
  }
  const { proxyCommand, proxyUseFdpass } = effective;
  if (proxyCommand === undefined) throw noProxyCommand(effective);
  if (hasPattern(host)) {
    const message = "ssh takes no host key of a server whose name has one of ? * # [ ]: 'Host key verification failed'";
    throw new ProxyError("configuration", message, { hint: aliasHint(host, port) });
  }
  const file = await originOf("proxycommand", effective);
  const from = file === undefined ? "" : `, by ${escapeForTerminal(file)}`;
  const facts = {
    proxyCommand: escapeForTerminal(proxyCommand, Infinity),
    proxyUseFdpass,
    ours: isOurs(proxyCommand),
    ...(file === undefined ? {} : { file: escapeForTerminal(file, Infinity) }),
  };
  const remark = await inspectControlPath(effective, library);
  if (!facts.ours) {
    const message = `ssh uses another program${from}: ${escapeForTerminal(proxyCommand)}`;
    return [effective, {
      status: "note",
      message,
      hint: `${INSTALL}, and says so where something else wins`,
      facts,
    }];
  }
  if (!proxyUseFdpass) {
    const message = `ssh uses this program${from}, but without ProxyUseFdpass yes: every byte is carried through it`;
    return [effective, { status: "note", message, hint: INSTALL, facts }];
  }
  const message = `ssh uses this program${from}`;
  if (remark === undefined) return [effective, { message, facts }];
  return [effective, { status: "note", message: `${message}; ${remark.message}`, hint: remark.hint, facts }];
}

/** A `HostName` alone does not bring this program in: its `Host` blocks are matched against the name as it was typed. */
function noProxyCommand({ host, port: given, options }: EffectiveConfig): ProxyError {
  const [address = "", port = "22"] = [options.get("hostname"), options.get("port")];
  const command = isAliasName(host) ? aliasCommand(host, address, port) : undefined;
  const message = `ssh has no ProxyCommand for ${escapeForTerminal(host)}`;
  if (command === undefined) {
    const hint = aliasHint(host, given) ?? INSTALL;
    return new ProxyError("configuration", `${message}: it would look for such a host`, { hint });
  }
  // ssh shows it in lower case.
  const { keepsCase = true } = formNamed(splitAddress(address).form) ?? {};
  const hint = !keepsCase ? command : `${command} (with capital letters where the file has them)`;
  return new ProxyError("configuration", `${message}, whose HostName is ${escapeForTerminal(address)}`, { hint });
}
