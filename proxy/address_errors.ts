/**
 * Explains what is wrong with an address on the command line of the ProxyCommand.
 *
 * @module
 */

import { suggestWithoutPort } from "../addresses/suggest.ts";
import { parseTarget } from "../addresses/target.ts";
import { ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";

/**
 * Throws the error for an address and a port that are not a target. The port can stand in the address.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function rejectAddress(host: string, port: string | undefined): never {
  parseTarget(host, port ?? "22");
  const shown = escapeForTerminal(host);
  const hint = `to log in: ssh ${shown}; for the connection alone: deno-ssh-proxy ${shown} 22`;
  throw new ProxyError("usage", `'${shown}': no port given`, { hint: suggestWithoutPort(host) ?? hint });
}
