/**
 * A name that stands for an address, as `--alias` takes it.
 *
 * @module
 */

import { parseTarget } from "../../addresses/target.ts";
import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { shellWord } from "./shell_word.ts";

/** A name of the user's own for an address. One that {@linkcode parseAlias} made is valid. */
export interface Alias {
  readonly name: string;
  /** The address, as {@linkcode parseTarget} takes it. */
  readonly address: string;
  /** The port, where it is not left to `ssh`. */
  readonly port: number | undefined;
}

/** What ssh takes to a `Host` line and to a known_hosts file as it is. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/**
 * The alias that `NAME=ADDRESS[:PORT]` stands for. What follows the last colon is the port where it is a number.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function parseAlias(text: string): Alias {
  const equals = text.indexOf("=");
  if (equals === -1) {
    throw new ProxyError("usage", `--alias '${escapeForTerminal(text)}': it has no '='`, {
      hint: "an alias is NAME=ADDRESS or NAME=ADDRESS:PORT, such as myvm=vsock/42",
    });
  }
  const name = requireName(text.slice(0, equals));
  const [, address = "", port] = /^(.*?)(?::([0-9]+))?$/s.exec(text.slice(equals + 1)) ?? [];
  // A line break would be its end; what steers a terminal would do that to whoever looks into the file.
  if (/[^\P{Cc}\t]/u.test(address)) {
    throw new ProxyError("usage", `--alias '${escapeForTerminal(text)}': no control character may be in an ssh_config`);
  }
  parseTarget(address, port ?? "22");
  return { name, address, port: port === undefined ? undefined : Number(port) };
}

/** The text that {@linkcode parseAlias} makes `alias` of. */
export function formatAlias({ name, address, port }: Alias): string {
  return `${name}=${address}${port === undefined ? "" : `:${port}`}`;
}

/**
 * Returns the command that makes `name` an alias of `address`; undefined where the two cannot be one.
 *
 * @param port As ssh has it.
 */
export function aliasCommand(name: string, address: string, port: string): string | undefined {
  // A number at the end of a path would be taken for the port.
  const suffix = port === "22" && !/:[0-9]+$/.test(address) ? "" : `:${port}`;
  const alias = `${name}=${address}${suffix}`;
  try {
    parseAlias(alias);
  } catch (thrown) {
    if (thrown instanceof ProxyError) return undefined;
    throw thrown;
  }
  return `deno-ssh-proxy config --install --alias ${escapeForTerminal(shellWord(alias), Infinity)}`;
}

/**
 * `name`, where it can be one of an alias: a plain host name.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function requireName(name: string): string {
  if (NAME.test(name)) return name;
  throw new ProxyError("usage", `--alias '${escapeForTerminal(name)}': not a name`, {
    hint: "a name has letters, digits, '.', '_' and '-', and does not begin with '.' or '-'",
  });
}

/**
 * Returns `name` if it can be a user's on a `User` line.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function requireUser(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.@+-]*$/.test(name)) return name;
  throw new ProxyError("usage", `--user '${escapeForTerminal(name)}': not a user's name`, {
    hint: "a name has letters, digits, '.', '_', '@', '+' and '-'",
  });
}
