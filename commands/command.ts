/**
 * What a command is: a name, what it takes, and what it does. Plain data, so that the help, the completions and the manual
 * page are held to the same list; app.ts turns it into a program.
 *
 * @module
 */

import type { Library } from "../ffi/library.ts";
import type { Output } from "./terminal/output.ts";

/** An option of a command, under its name without the dashes. */
export interface Option {
  /** What it does, in a few words. */
  readonly brief: string;
  /** What its value is called, in capital letters: left out where it takes none, in brackets where it may be left out. */
  readonly value?: string;
  /** The values that it may have, where that is a short list. */
  readonly values?: readonly string[];
  /** Whether it may be given more than once. */
  readonly repeated?: true;
  /** What its value is, where a shell can complete it. */
  readonly completes?: "alias";
}

/** An argument that is told by its place. */
export interface Argument {
  /** What it is called, in capital letters. `ADDRESS` is completed. */
  readonly name: string;
  /** What it is, in a few words. */
  readonly brief: string;
  /** Whether it may be left out. */
  readonly optional?: true;
  /** The values that it may have, where that is a short list. */
  readonly values?: readonly string[];
  /** A value to show to whoever gave none; the first of `values` if there are any. */
  readonly example?: string;
}

/** The options of a command, by their names. */
export type Options = Readonly<Record<string, Option>>;

/** What a command line gives for each of the options. */
export type Given<Takes extends Options> = {
  readonly [Name in keyof Takes]: Takes[Name] extends { readonly repeated: true } ? readonly string[]
    : Takes[Name] extends { readonly values: readonly (infer Value)[] } ? Value | undefined
    : Takes[Name] extends { readonly value: string } ? string | undefined
    : boolean;
};

/** What a command has to do with the world outside. */
export interface Context {
  /** Standard output: what was asked for. */
  readonly out: Output;
  /** Standard error: everything else. */
  readonly err: Output;
  /** The commands that there are. */
  readonly commands: readonly Command[];
  /** The native library, opened when it is first asked for. Its calls leave the event loop free. */
  readonly library: Library;
}

/** A command that a person types. */
export interface Command<Takes extends Options = Options> {
  readonly name: string;
  /** What it does, in a few words. */
  readonly brief: string;
  /** The same at length: lines of at most 80 characters. */
  readonly description?: string;
  readonly arguments: readonly Argument[];
  readonly options: Takes;
  /** Does it, and gives the exit code. What it throws is told on stderr. */
  run(context: Context, given: Given<Takes>, ...args: (string | undefined)[]): Promise<number> | number;
}

/** A command whose options have exact types. */
export function command<const Takes extends Options>(one: Command<Takes>): Command {
  // Only app.ts runs it, with what its own options say.
  return one as unknown as Command;
}
