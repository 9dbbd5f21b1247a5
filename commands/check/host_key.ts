/**
 * What ssh thinks of a server's host key, from what `ssh -v` wrote with `StrictHostKeyChecking=yes` (check_host_key in
 * OpenSSH's sshconnect.c).
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import type { EffectiveConfig } from "../ssh/effective_config.ts";
import type { Finding } from "./step.ts";

/** How ssh says that it knows the key. */
export const KNOWN_KEY = /^debug1: Host '.*' is known and matches the \S+ host (?:key|certificate)\.$/;

const UNKNOWN_KEY = /^No (\S+) host key is known for (.*) and you have requested strict checking\.$/;
const OTHER_KEY = /^Offending (\S+ )?key in (.*):([0-9]+)$/;

/**
 * Returns `found`, with what comes of a host key that ssh does not know; undefined where no host key is the matter.
 *
 * @throws {ProxyError} of kind `configuration` where ssh would refuse the server for its host key
 */
export function hostKeyFinding(
  { host, options }: EffectiveConfig,
  lines: readonly string[],
  found: Finding,
): Finding | undefined {
  const [, , file = "", line = ""] = firstMatch(lines, OTHER_KEY);
  const changed = lines.some((one) => one.includes("REMOTE HOST IDENTIFICATION HAS CHANGED!"));
  if (changed) {
    const where = file === "" ? "" : `, in ${escapeForTerminal(file)} line ${line}`;
    throw new ProxyError(
      "configuration",
      `ssh: another host key than the server's is known for ${escapeForTerminal(host)}${where}`,
      {
        hint: "if the machine was made anew, remove the old key: " +
          `ssh-keygen -R ${escapeForTerminal(nameOf(options, host))} -f ${
            escapeForTerminal(file || "~/.ssh/known_hosts", Infinity)
          }`,
      },
    );
  }
  const [whole, type = "", name = ""] = firstMatch(lines, UNKNOWN_KEY);
  if (whole === undefined) return undefined;
  switch (options.get("stricthostkeychecking")) {
    case "accept-new":
      return { ...found, message: `${found.message}; ssh will keep its host key` };
    case "ask":
      return { ...found, status: "note", message: `${found.message}; ssh will ask whether to trust its host key` };
  }
  const known = options.get("userknownhostsfile")?.split(" ")[0] || "~/.ssh/known_hosts";
  throw new ProxyError(
    "configuration",
    `ssh: no ${escapeForTerminal(type)} host key is known for ${escapeForTerminal(name)}`,
    {
      hint:
        `StrictHostKeyChecking is yes: put the server's key into ${
          escapeForTerminal(known, Infinity)
        }, on a line that begins ` +
        `with ${escapeForTerminal(name)}`,
    },
  );
}

function firstMatch(lines: readonly string[], pattern: RegExp): string[] {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match) return [...match];
  }
  return [];
}

/** The name that ssh keeps a key under: with its port in brackets unless that is 22. */
function nameOf(options: EffectiveConfig["options"], host: string): string {
  const alias = options.get("hostkeyalias");
  if (alias !== undefined && alias !== "none") return alias;
  const name = options.get("hostname") ?? host;
  const port = options.get("port") ?? "22";
  return port === "22" ? name : `'[${name}]:${port}'`;
}
