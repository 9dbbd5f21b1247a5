/**
 * The command line of the ProxyCommand: `HOST PORT [--as-typed NAME] [--relay] [--timeout SECONDS] [--wait[=SECONDS]]`.
 *
 * @module
 */

import { restoreCase } from "../addresses/parse.ts";
import { isThisMachine } from "../addresses/this_machine.ts";
import { DEFAULT_TIMEOUT_MS, DEFAULT_WAIT_MS, parseSeconds } from "../core/deadline.ts";
import { ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";

/** A ProxyCommand's command line. */
export interface Invocation {
  /** The host name, in the case in which it was typed. */
  host: string;
  /** The port, not parsed yet; undefined if there is none. */
  port: string | undefined;
  /** Whether the client wants bytes, even on a socket at fd 1. */
  relay: boolean;
  /** The timeout for connecting and the handshake, in milliseconds. */
  timeout: number;
  /** How long to retry while the server is not up, in milliseconds; undefined for one try. */
  wait: number | undefined;
}

/** The options of the ProxyCommand. */
export const PROXY_OPTIONS = ["--as-typed", "--relay", "--timeout", "--wait"] as const;

/**
 * Returns whether a command line is a ProxyCommand's and not a command's: it begins with an address or an option. Every
 * address but `.host` has a separator, and no command has one. The starter has the same rule (rust/starter/src/invocation.rs).
 */
export function isProxyInvocation([first = ""]: readonly string[]): boolean {
  return isThisMachine(first) || first.includes("/") || first.includes("%") ||
    PROXY_OPTIONS.some((option) => first.startsWith(option));
}

/**
 * Parses the arguments. An option's value is the next argument, or stands behind a `=`.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function parseInvocation(args: readonly string[]): Invocation {
  const words: string[] = [];
  let typed: string | undefined;
  let relay = false;
  let timeout = DEFAULT_TIMEOUT_MS;
  let wait: number | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (!arg.startsWith("--")) {
      words.push(arg);
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
    // Its value is optional, so it cannot be the next argument.
    else if (option === "--wait") wait = inline === undefined ? DEFAULT_WAIT_MS : parseSeconds(option, inline);
    else throw usage(`${escapeForTerminal(option)}: no such option`, nearest(option));
  }
  const [host, port, surplus] = words;
  if (host === undefined) throw usage("no address given");
  if (surplus !== undefined) throw usage(`'${escapeForTerminal(surplus)}': one argument too many`);
  return { host: restoreCase(host, typed), port, relay, timeout, wait };
}

/** Suggests the option with the same first letter, which is rarely mistyped. */
function nearest(option: string): string {
  const meant = PROXY_OPTIONS.find((one) => one.slice(0, 3) === option.slice(0, 3));
  return meant === undefined ? `it takes ${PROXY_OPTIONS.join(", ")}` : `did you mean ${meant}?`;
}

function usage(message: string, hint = "deno-ssh-proxy --help tells what it takes"): ProxyError {
  return new ProxyError("usage", message, { hint });
}
