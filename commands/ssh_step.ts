/**
 * The step of `check` that is not about the connection: whether `ssh` would use this program for the name.
 *
 * @module
 */

import { printable, ProxyError } from "../proxy/errors.ts";
import { effectiveConfig, isOurs, originOf } from "./effective_config.ts";
import type { Finding } from "./examination.ts";

const INSTALL = "deno-ssh-proxy config --install makes ssh use it";

/**
 * What `ssh` would do for `host`.
 *
 * @throws {ProxyError} of kind `configuration` where it would not get through
 */
export async function sshFinding(host: string, port: string): Promise<[true, Finding]> {
  let effective;
  try {
    effective = await effectiveConfig(host, port);
  } catch (thrown) {
    // What was compiled may start no program: that is nothing to mend.
    const unseen = Deno.build.standalone ? ["missing", "permission"] : ["missing"];
    if (!(thrown instanceof ProxyError && unseen.includes(thrown.kind))) throw thrown;
    return [true, { status: "note", says: thrown.message, hint: thrown.hint }];
  }
  const { proxyCommand, proxyUseFdpass } = effective;
  if (proxyCommand === undefined) {
    throw new ProxyError(
      "configuration",
      `ssh has no ProxyCommand for ${printable(host)}: it would look for such a host`,
      {
        hint: INSTALL,
      },
    );
  }
  const file = await originOf("proxycommand", effective);
  const from = file === undefined ? "" : `, by ${printable(file)}`;
  const facts = {
    proxyCommand: printable(proxyCommand, Infinity),
    proxyUseFdpass,
    ours: isOurs(proxyCommand),
    ...(file === undefined ? {} : { file: printable(file, Infinity) }),
  };
  if (!facts.ours) {
    const says = `ssh uses another program${from}: ${printable(proxyCommand)}`;
    return [true, { status: "note", says, hint: `${INSTALL}, and says so where something else wins`, facts }];
  }
  if (!proxyUseFdpass) {
    const says = `ssh uses this program${from}, but without ProxyUseFdpass yes: every byte is carried through it`;
    return [true, { status: "note", says, hint: INSTALL, facts }];
  }
  return [true, { says: `ssh uses this program${from}`, facts }];
}
