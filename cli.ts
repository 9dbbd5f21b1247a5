/**
 * The program. As a ProxyCommand it is started for every connection while somebody waits, so what that needs is read
 * here from top to bottom, and everything else is loaded only when asked for.
 *
 * @module
 */

import { Library } from "./ffi/library.ts";
import { deliver, requireChannel } from "./proxy/deliver.ts";
import { dial } from "./proxy/dial.ts";
import { asProxyError, report } from "./proxy/errors.ts";
import { parseInvocation } from "./proxy/invocation.ts";
import { Deadline } from "./proxy/patience.ts";
import { parseTarget } from "./proxy/target.ts";

/** Passes a connection to `ssh`, which waits for it on fd 1. */
async function proxy(args: readonly string[]): Promise<void> {
  const { host, port, timeout } = parseInvocation(args);
  const target = parseTarget(host, port);
  const library = Library.open("blocking");
  await requireChannel(library);
  const deadline = new Deadline(timeout);
  const socket = await dial(target, library, deadline);
  await deliver(socket, deadline);
}

/** Whether a first argument is a command's name rather than an address. No address looks like one. */
function isCommand(first: string | undefined): boolean {
  return first === undefined || /^(?:config|--help|-h|--version|-V)$/.test(first);
}

/** Does what `args` ask for, and gives the exit code. */
async function run(args: readonly string[]): Promise<number> {
  try {
    if (isCommand(args[0])) return await (await import("./commands/main.ts")).main(args);
    await proxy(args);
    return 0;
  } catch (thrown) {
    const error = asProxyError(thrown);
    try {
      Deno.stderr.writeSync(new TextEncoder().encode(report(error)));
    } catch {
      // There is nobody left to tell; the exit code still does.
    }
    return error.exitCode;
  }
}

// Rather than running out of script: it is faster (bench/startup.ts), and ssh waits for the end of this process.
Deno.exit(await run(Deno.args));
