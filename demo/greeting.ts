/**
 * What the demo server says. It answers, and does nothing else.
 *
 * @module
 */

import { escapeForTerminal } from "../core/text.ts";

/** The one command that the server has: it answers with its greeting. */
export const COMMAND = "hello";

/** Returns the one line that answers a command. Any other command than {@linkcode COMMAND} is not run. */
export function answerToCommand(address: string, command: string): string {
  if (command === COMMAND) return `${hello(address)}\n`;
  return `${hello(address)} and asked for '${escapeForTerminal(command)}', which it does not run\n`;
}

/** What there is instead of a shell, for a terminal that takes bytes as they come. */
export function answerToShell(address: string): string {
  return `${hello(address)}\r\n` +
    "It has no shell: that you read this is all there is to see.\r\n";
}

function hello(address: string): string {
  return `hello from the demo server: you reached ${escapeForTerminal(address)}`;
}
