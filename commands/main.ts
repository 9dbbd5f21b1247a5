/**
 * The commands that a person types. Which one, and nothing else. Importing this runs the one that the arguments name.
 *
 * @module
 */

import { Library, libraryPath } from "../ffi/library.ts";
import { ProxyError, tell } from "../proxy/errors.ts";
import { VERSION } from "../version.ts";
import { fragment, proxyCommand } from "./config.ts";
import { USAGE } from "./usage.ts";

/** Runs the command that `args` names, and gives the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [command, surplus] = args;
  if (command === undefined) {
    await print(Deno.stderr, USAGE);
    return new ProxyError("usage", "").exitCode;
  }
  if (surplus !== undefined) {
    throw new ProxyError("usage", `${command}: it takes no arguments`, {
      hint: "deno-ssh-proxy --help tells what there is",
    });
  }
  await print(Deno.stdout, text(command));
  return 0;
}

function text(command: string): string {
  const library = libraryPath(Deno.mainModule);
  switch (command) {
    case "config":
      return fragment(proxyCommand(Deno.mainModule, library, Deno.execPath()));
    case "--version":
    case "-V":
      // Opening it compares its version with this program's.
      Library.open(library);
      return `deno-ssh-proxy ${VERSION}\nlibrary ${VERSION} (${library})\ndeno ${Deno.version.deno}\n`;
    default:
      return USAGE;
  }
}

async function print(to: typeof Deno.stdout | typeof Deno.stderr, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
  } catch (thrown) {
    // A reader such as `head` that has seen enough.
    if (!(thrown instanceof Deno.errors.BrokenPipe)) throw thrown;
  }
}

try {
  Deno.exit(await main(Deno.args));
} catch (thrown) {
  Deno.exit(tell(thrown));
}
