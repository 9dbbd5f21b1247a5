/**
 * Aliases of addresses, as `--alias` takes them.
 *
 * @module
 */

import { parseTarget } from "../../addresses/target.ts";
import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { shellWord } from "./shell_word.ts";

/** An alias of an address. One that {@linkcode parseAlias} made is valid. */
export interface Alias {
  readonly name: string;
  /** The address, as {@linkcode parseTarget} takes it. */
  readonly address: string;
  /** The port; undefined leaves it to `ssh`. */
  readonly port: number | undefined;
}

/** A name that ssh takes literally in a `Host` line and in a known_hosts file. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/**
 * Parses `NAME=ADDRESS[:PORT]`. A number after the last colon is the port.
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
  // A line break would end the line. Escape sequences would reach the terminal of a reader of the file.
  if (/[^\P{Cc}\t]/u.test(address)) {
    throw new ProxyError("usage", `--alias '${escapeForTerminal(text)}': no control character may be in an ssh_config`);
  }
  parseTarget(address, port ?? "22");
  return { name, address, port: port === undefined ? undefined : Number(port) };
}

/** Formats an alias, as {@linkcode parseAlias} takes it. */
export function formatAlias({ name, address, port }: Alias): string {
  return `${name}=${address}${port === undefined ? "" : `:${port}`}`;
}

/**
 * Returns the command that makes `name` an alias of `address`; undefined if it cannot be one.
 *
 * @param port As ssh has it.
 */
export function aliasCommand(name: string, address: string, port: string): string | undefined {
  // Without a port, a number at the end of the path would be one.
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
 * Returns `name` if it can be an alias: a plain host name.
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
