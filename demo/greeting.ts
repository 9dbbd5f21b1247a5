/**
 * What the demo server says. It answers, and does nothing else.
 *
 * @module
 */

import { printable } from "../proxy/errors.ts";

/** The one line that answers a command. The command is not run. */
export function answerToCommand(address: string, command: string): string {
  return `${hello(address)} and asked for '${printable(command)}', which it does not run\n`;
}

/** What there is instead of a shell, for a terminal that takes bytes as they come. */
export function answerToShell(address: string): string {
  return `${hello(address)}\r\n` +
    "It has no shell and runs no commands: that you read this is all there is to see.\r\n";
}

function hello(address: string): string {
  return `hello from the demo server: you reached ${printable(address)}`;
}
