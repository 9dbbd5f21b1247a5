/**
 * The commands that a person types. Importing this runs the one that the arguments name.
 *
 * @module
 */

import { ProxyError } from "../core/errors.ts";
import { asProxyError, formatError, writeStderr } from "../core/report.ts";
import { escapeForTerminal } from "../core/text.ts";
import { VERSION } from "../core/version.ts";
import { Library, libraryPath, programUrl } from "../ffi/library.ts";
import { NONBLOCKING_SYMBOLS } from "../ffi/nonblocking.ts";
import { runProgram } from "./app.ts";
import type { Context } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { programHelp } from "./help.ts";
import { hintForWords } from "./ssh/hint.ts";
import { folded, StandardOutput } from "./terminal/output.ts";

const PROGRAM = { name: "deno-ssh-proxy", help: programHelp(COMMANDS), commands: COMMANDS, hint: hintForWords };

/** What this process has. */
class ProcessContext implements Context {
  readonly out;
  readonly err = new StandardOutput(Deno.stderr);
  readonly commands = COMMANDS;
  #library: Library | undefined;

  constructor(out: typeof Deno.stdout | typeof Deno.stderr) {
    this.out = new StandardOutput(out);
  }

  get library(): Library {
    return this.#library ??= Library.open(libraryPath(programUrl()), NONBLOCKING_SYMBOLS);
  }
}

async function main(args: readonly string[]): Promise<number> {
  const context = new ProcessContext(args.length === 0 ? Deno.stderr : Deno.stdout);
  switch (args[0]) {
    case undefined:
      await runProgram(PROGRAM, ["--help"], context);
      return new ProxyError("usage", "").exitCode;
    case "help":
      return await runProgram(PROGRAM, [...args.slice(1), "--help"], context);
    case "-v":
      throw new ProxyError("usage", "-v: no such option", {
        hint: "deno-ssh-proxy -V tells the version, ssh -v ADDRESS what ssh does",
      });
    case "version":
    case "--version":
    case "-V":
      await context.out.write(version());
      return 0;
    case "--":
      throw new ProxyError("usage", "--: neither an address nor a command", { hint: "write the address first" });
    default:
      return await runProgram(PROGRAM, args, context);
  }
}

function version(): string {
  const path = libraryPath(programUrl());
  // Opening it compares its version with this program's.
  Library.open(path);
  return `deno-ssh-proxy ${VERSION}\nlibrary ${VERSION} (${
    escapeForTerminal(path, Infinity)
  })\ndeno ${Deno.version.deno}\n`;
}

try {
  Deno.exit(await main(Deno.args));
} catch (thrown) {
  const error = asProxyError(thrown);
  writeStderr(folded(new StandardOutput(Deno.stderr), formatError(error)));
  Deno.exit(error.exitCode);
}
