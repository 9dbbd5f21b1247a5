/**
 * What the completions of the three shells have in common.
 *
 * @module
 */

import { FORMS } from "../../addresses/forms.ts";
import { THIS_MACHINE } from "../../addresses/this_machine.ts";
import type { Argument, Command, Options } from "../command.ts";
import { PROXY_INVOCATION } from "../help.ts";

/** The beginnings of addresses. */
export const BEGINNINGS: readonly string[] = [...FORMS.map(({ name }) => `${name}/`), THIS_MACHINE.address];

/** The names of the forms whose rest is the path of a socket. */
export const PATH_FORMS: readonly string[] = FORMS.flatMap(({ name, completesPaths }) => completesPaths ? name : []);

/** The options that stand in the place of a command. */
export const INSTEAD = { help: "what there is", version: "the version" };

/** The option of every command. */
export const HELP = { help: "what it takes" };

/** The word before the name of a command that does what `--help` does behind it. */
export const HELP_WORD = { name: "help", brief: "tells what a command takes" };

/** The options of the ProxyCommand. */
export const PROXY_OPTIONS: Options = PROXY_INVOCATION.options;

/** Patterns of bash and zsh for the first word of a ProxyCommand's command line, by the rule of `isProxyInvocation`. */
export const PROXY_PATTERNS: readonly string[] = [
  "*/*",
  "*%*",
  THIS_MACHINE.address.replace(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`),
  ...Object.keys(PROXY_OPTIONS).map((name) => `--${name}*`),
];

/** Returns the options of any command that take the next word as their value. */
export function withValue(commands: readonly Command[]): string[] {
  const all = commands.flatMap(({ options }) => Object.entries(options));
  return [...new Set(all.flatMap(([name, { value, values }]) => value ?? values ? [`--${name}`] : []))];
}

/** Whether a value can be left out, as it stands in a usage line. */
export function isOptional(value: string): boolean {
  return value.startsWith("[");
}

/** Whether an argument is an address. */
export function takesAddress(argument: Argument | undefined): boolean {
  return argument?.name === "ADDRESS";
}

/** Returns the names of options with their dashes. */
export function dashed(options: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(options).map((name) => `--${name}`);
}

/** Quotes `text` as one word for each of the three shells. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
