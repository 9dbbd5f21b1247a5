/**
 * The command line of the proxy form: `HOST PORT [--as-typed NAME] [--relay] [--timeout SECONDS] [--wait[=SECONDS]]`.
 *
 * @module
 */

import { escapeForTerminal } from "../core/text.ts";
import { ProxyError } from "../core/errors.ts";
import { suggestWithoutPort } from "../addresses/suggest.ts";
import { DEFAULT_TIMEOUT_MS, DEFAULT_WAIT_MS, parseSeconds } from "../core/deadline.ts";
import { isThisMachine, parseTarget, restoreCase } from "../addresses/target.ts";

/** What the proxy form was asked for. */
export interface Invocation {
  /** The host name, in the case in which it was typed. */
  host: string;
  /** The port, unread. */
  port: string;
  /** Whether bytes are wanted, whatever fd 1 is. */
  relay: boolean;
  /** For connecting and the handshake, in milliseconds. */
  timeout: number;
  /** How long to try again while the server is not up, in milliseconds; undefined for one try. */
  wait: number | undefined;
}

/** The options of the proxy form. */
export const OPTIONS = ["--as-typed", "--relay", "--timeout", "--wait"] as const;

/**
 * Whether a command line is one of the proxy form rather than a command's: every address but `.host` has a separator, and
 * no command has.
 */
export function isProxyInvocation([first = ""]: readonly string[]): boolean {
  return isThisMachine(first) || first.includes("/") || first.includes("%") ||
    OPTIONS.some((option) => first.startsWith(option));
}

/**
 * Reads the arguments of the proxy form. An option's value is the next argument, or stands behind a `=`.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function parseInvocation(args: readonly string[]): Invocation {
  const places: string[] = [];
  let typed: string | undefined;
  let relay = false;
  let timeout = DEFAULT_TIMEOUT_MS;
  let wait: number | undefined;
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
    else if (arg === "--relay") relay = true;
    else if (option === "--timeout") timeout = parseSeconds(option, value());
    // Its value may be left out, so it cannot be the next argument.
    else if (option === "--wait") wait = inline === undefined ? DEFAULT_WAIT_MS : parseSeconds(option, inline);
    else throw usage(`${escapeForTerminal(option)}: no such option`, nearest(option));
  }
  const [host, port, surplus] = places;
  if (host === undefined) throw usage("no address given");
  if (port === undefined) throw portless(host);
  if (surplus !== undefined) throw usage(`'${escapeForTerminal(surplus)}': one argument too many`);
  return { host: restoreCase(host, typed), port, relay, timeout, wait };
}

/** What to say about an option that there is none of: nobody mistypes the first letter. */
function nearest(option: string): string {
  const meant = OPTIONS.find((one) => one.slice(0, 3) === option.slice(0, 3));
  return meant === undefined ? `it takes ${OPTIONS.join(", ")}` : `did you mean ${meant}?`;
}

/** Explains a command line with `host` alone: it may be no address, and the port may be in it. */
function portless(host: string): ProxyError {
  parseTarget(host, "22");
  const shown = escapeForTerminal(host);
  const hint = `to log in: ssh ${shown}; for the connection alone: deno-ssh-proxy ${shown} 22`;
  return usage(`'${shown}': no port given`, suggestWithoutPort(host) ?? hint);
}

function usage(message: string, hint = "deno-ssh-proxy --help tells what it takes"): ProxyError {
  return new ProxyError("usage", message, { hint });
}
