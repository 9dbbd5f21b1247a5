/**
 * The command line of the proxy form: `HOST PORT [--as-typed NAME] [--timeout SECONDS]`.
 *
 * @module
 */

import { printable, ProxyError } from "./errors.ts";
import { DEFAULT_TIMEOUT, parseTimeout } from "./patience.ts";
import { withTypedCase } from "./target.ts";

/** What the proxy form was asked for. */
export interface Invocation {
  /** The host name, in the case in which it was typed. */
  host: string;
  /** The port, unread. */
  port: string;
  /** For connecting and the handshake, in milliseconds. */
  timeout: number;
}

/**
 * Whether a command line is one of the proxy form rather than a command's: every address but `.host` has a separator, and
 * no command has.
 */
export function isProxyForm([first = ""]: readonly string[]): boolean {
  return first === ".host" || first.includes("/") || first.includes("%") || /^--(?:as-typed|timeout)/.test(first);
}

/**
 * Reads the arguments of the proxy form. An option's value is the next argument, or stands behind a `=`.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function parseInvocation(args: readonly string[]): Invocation {
  const places: string[] = [];
  let typed: string | undefined;
  let timeout = DEFAULT_TIMEOUT;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("--")) {
      places.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const [option, inline] = equals === -1 ? [arg] : [arg.slice(0, equals), arg.slice(equals + 1)];
    const value = () => {
      const given = inline ?? args[++at];
      if (given === undefined) throw usage(`${option}: it needs a value`);
      return given;
    };
    if (option === "--as-typed") typed = value();
    else if (option === "--timeout") timeout = parseTimeout(value());
    else throw usage(`${printable(option)}: no such option`);
  }
  const [host, port, surplus] = places;
  if (host === undefined) throw usage("no address given");
  if (port === undefined) throw usage(`${printable(host)}: no port given`);
  if (surplus !== undefined) throw usage(`${printable(surplus)}: one argument too many`);
  return { host: withTypedCase(host, typed), port, timeout };
}

function usage(message: string): ProxyError {
  return new ProxyError("usage", message, { hint: "deno-ssh-proxy --help tells what it takes" });
}
