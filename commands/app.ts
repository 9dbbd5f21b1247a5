/**
 * Makes a program of a list of commands: parses command lines, prints help, and suggests the nearest name for a mistyped one.
 * The only module that knows the command-line framework.
 *
 * @module
 */

import {
  AliasNotFoundError,
  ArgumentParseError,
  buildApplication,
  buildCommand,
  buildRouteMap,
  type Command as FrameworkCommand,
  type CommandContext,
  FlagNotFoundError,
  run,
  text_en,
  UnexpectedFlagError,
  UnexpectedPositionalError,
  UnsatisfiedFlagError,
  UnsatisfiedPositionalError,
} from "@stricli/core";
import { messageOf, ProxyError } from "../core/errors.ts";
import { formatError } from "../core/report.ts";
import { escapeForTerminal } from "../core/text.ts";
import type { Argument, Command, Context, Option } from "./command.ts";
import type { Output } from "./terminal/output.ts";
import { foldHelp } from "./terminal/wrap.ts";

/** A program of several commands. */
export interface Program {
  readonly name: string;
  /** The whole text of `--help`. */
  readonly help: string;
  readonly commands: readonly Command[];
  /** Returns a hint for a command line that begins with no command; undefined if there is none. */
  readonly hint?: (args: readonly string[]) => string | undefined;
}

/**
 * Runs the command that `args` name, and gives the exit code.
 *
 * @throws what the command throws
 */
export async function runProgram(program: Program, args: readonly string[], context: Context): Promise<number> {
  if (args[0] === "--help" || args[0] === "-h") {
    await context.out.write(foldHelp(program.help, helpWidth(context.out)));
    return 0;
  }
  let outcome: number | undefined;
  let failure: { thrown: unknown } | undefined;
  const routes = Object.fromEntries(program.commands.map((command) => [
    command.name,
    frameworkCommand(command, async (given, words) => {
      try {
        outcome = await command.run(context, given as never, ...words);
      } catch (thrown) {
        failure = { thrown };
      }
    }),
  ]));
  const isCommand = Object.hasOwn(routes, args[0] ?? "");
  const readOn = `${program.name} ${
    isCommand ? `${args[0]} --help tells what it takes` : "--help tells what there is"
  }`;
  const optionFor = (word: string) => {
    const command = program.commands.find(({ name, options }) => name === args[0] && Object.hasOwn(options, word));
    return command && `${command.name} --${word}`;
  };
  const advice: Advice = {
    readOn,
    meant: isCommand ? undefined : program.hint?.(args),
    optionFor,
    missing: (name) => missingArgument(program, args[0] ?? "", name),
  };
  const application = buildApplication(
    buildRouteMap({ routes, docs: { brief: program.name } }),
    {
      name: program.name,
      scanner: { allowArgumentEscapeSequence: true, distanceOptions: NEAR },
      documentation: { disableAnsiColor: true },
      localization: { loadText: () => textWith(advice) },
    },
  );
  // The framework writes in one piece after the other and waits for none.
  const [out, err] = [[], []] as [string[], string[]];
  const process = {
    stdout: { write: (text: string) => void out.push(text) },
    stderr: { write: (text: string) => void err.push(text) },
    env: {},
    exitCode: null as number | null,
  };
  await run(application, args, { process });
  await context.out.write(foldHelp(out.join(""), helpWidth(context.out)));
  await context.err.write(err.join(""));
  if (failure !== undefined) throw failure.thrown;
  // Below 0 is what the framework found wrong with the command line.
  return outcome ?? (process.exitCode === 0 ? 0 : new ProxyError("usage", "").exitCode);
}

/**
 * The largest distance of a name that is suggested for a mistyped one: a missing letter counts 1, a wrong one 2, one too many
 * 3, and two exchanged ones nothing. These are git's weights (its help.c). git suggests up to 5, which is near to every
 * command of four letters.
 */
const NEAR = { threshold: 4, weights: { insertion: 1, deletion: 3, substitution: 2, transposition: 0 } };

/** Returns the width of a help text: at most that of a small terminal. */
function helpWidth({ columns }: Output): number {
  return Math.min(columns, 80);
}

/** Returns the error for a missing argument, with an example. */
function missingArgument(program: Program, command: string, name: string): ProxyError {
  const args = program.commands.find((one) => one.name === command)?.arguments ?? [];
  const { values, example = values?.[0] ?? name } = args.find((one) => one.name === name) ?? {};
  const line = `${program.name} ${command} ${example}`;
  const hint = values === undefined
    ? `for example: ${line}`
    : `it is one of ${values.join(", ")}, for example: ${line}`;
  return new ProxyError("usage", `${command}: no ${name} given`, { hint });
}

/** The hints for a wrong command line. */
interface Advice {
  /** Where to read on. */
  readonly readOn: string;
  /** What a first word was meant to be that is no command. */
  readonly meant: string | undefined;
  /** Returns the command with the option that has a word for its name. */
  readonly optionFor: (word: string) => string | undefined;
  /** Returns the error of a missing argument. */
  readonly missing: (argument: string) => ProxyError;
}

/** Returns the framework's texts, with what is wrong with a command line in the words of this program. */
function textWith({ readOn, meant, optionFor, missing }: Advice): typeof text_en {
  return {
    ...text_en,
    noCommandRegisteredForInput: ({ input, corrections }) =>
      usage(
        `'${escapeForTerminal(input)}': neither a command nor an address`,
        // Of a command's letters, at least half have been typed.
        corrections.filter((name) => 2 * input.length >= name.replaceAll("`", "").length),
        meant ?? readOn,
      ),
    exceptionWhileParsingArguments: (thrown) => {
      if (thrown instanceof UnsatisfiedPositionalError) return formatError(missing(thrown.placeholder)).trimEnd();
      const dashes = thrown instanceof FlagNotFoundError ? "--" : "";
      const { corrections = [] } = thrown as { corrections?: readonly string[] };
      const option = thrown instanceof UnexpectedPositionalError ? optionFor(thrown.input) : undefined;
      return usage(whatIsWrong(thrown), option ? [option] : corrections.map((name) => dashes + name), readOn);
    },
  };
}

function whatIsWrong(thrown: unknown): string {
  if (thrown instanceof FlagNotFoundError) return `--${escapeForTerminal(thrown.input)}: no such option`;
  if (thrown instanceof AliasNotFoundError) return `-${escapeForTerminal(thrown.input)}: no such option`;
  if (thrown instanceof UnsatisfiedFlagError) return `--${thrown.externalFlagName}: it needs a value`;
  if (thrown instanceof UnexpectedFlagError) return `--${thrown.externalFlagName}: it may be given once`;
  if (thrown instanceof UnexpectedPositionalError) return `'${escapeForTerminal(thrown.input)}': one argument too many`;
  if (thrown instanceof ArgumentParseError) {
    // Only oneOf throws a text. The framework throws for a value of an option without one.
    const why = typeof thrown.exception === "string" ? thrown.exception : "it takes no value";
    return `--${thrown.externalFlagNameOrPlaceholder} '${escapeForTerminal(thrown.input)}': ${why}`;
  }
  return `the command line: ${escapeForTerminal(messageOf(thrown))}`;
}

function usage(message: string, corrections: readonly string[], help: string): string {
  // The framework encloses each in backticks.
  const names = corrections.map((name) => name.replaceAll("`", ""));
  const hint = names.length > 0 ? `did you mean ${names.join(" or ")}?` : help;
  // The framework appends a line feed.
  return formatError(new ProxyError("usage", message, { hint })).trimEnd();
}

function frameworkCommand(
  { brief, description, options, arguments: args }: Command,
  does: (given: Record<string, unknown>, args: (string | undefined)[]) => Promise<void>,
): FrameworkCommand<CommandContext> {
  const flags = Object.fromEntries(Object.entries(options).map(([name, option]) => [name, flag(option)]));
  return buildCommand<Record<string, unknown>, string[]>({
    func: async (given: Record<string, unknown>, ...words: (string | undefined)[]) => {
      // The framework passes undefined for a missing option.
      const values = Object.entries(options).map(([name, option]) => [name, given[name] ?? absent(option)]);
      await does(Object.fromEntries(values), words);
    },
    // The flags are known at run time only. command.ts has their types.
    parameters: { flags, positional: { kind: "tuple", parameters: args.map(positional) } } as never,
    docs: { brief, ...(description === undefined ? {} : { fullDescription: description }) },
  });
}

function flag({ brief, value, values, repeated }: Option) {
  if (value === undefined && values === undefined) {
    return { kind: "boolean", brief, optional: true, withNegated: false };
  }
  return {
    kind: "parsed",
    brief,
    parse: values === undefined ? String : oneOf(values),
    placeholder: value ?? values?.join("|"),
    optional: true,
    variadic: repeated,
  };
}

/** Returns a parser for one of these values. The text that it throws follows the value in the message. */
function oneOf(values: readonly string[]): (input: string) => string {
  return (input) => {
    if (values.includes(input)) return input;
    throw `not one of ${values.join(", ")}`;
  };
}

/** Returns the value of a missing option. */
function absent({ value, values, repeated }: Option): unknown {
  return repeated ? [] : value === undefined && values === undefined ? false : undefined;
}

function positional({ name, brief, optional }: Argument) {
  return {
    brief,
    parse: String,
    placeholder: name,
    optional: optional ?? false,
  };
}
