/**
 * The ProxyCommand: passes a connection to `ssh`, which waits for it on fd 1, and ends. For a client that cannot take a
 * connection, it relays the bytes.
 *
 * Nearly every connection needs one try at an address of a socket, while somebody waits. The modules for anything else are
 * imported where they are needed: a release (release/bundle.ts) has V8 parse them only then.
 *
 * @module
 */

import { dial } from "./addresses/dial.ts";
import { tryParseAddress } from "./addresses/parse.ts";
import { Deadline } from "./core/deadline.ts";
import { parseUint32 } from "./core/numbers.ts";
import { Library, libraryPath, programUrl } from "./ffi/library.ts";
import { chooseHandoverMode, handOver } from "./proxy/handover.ts";
import { parseInvocation } from "./proxy/invocation.ts";

/** Makes the connection that `args` ask for, and hands it over. Returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const { host, port, relay, timeout, wait } = parseInvocation(args);
    const number = parseUint32(port ?? "");
    const target = number === undefined ? undefined : tryParseAddress(host, number);
    if (target === undefined) return (await import("./proxy/address_errors.ts")).rejectAddress(host, port);
    const path = libraryPath(programUrl());
    if (wait === undefined) {
      const library = Library.open(path);
      const mode = await chooseHandoverMode(library, relay);
      const context = { library, deadline: new Deadline(timeout) };
      const socket = await dial(target, context);
      await handOver(socket, mode, context);
    } else {
      const { NONBLOCKING_SYMBOLS } = await import("./ffi/nonblocking.ts");
      const { dialWhenUp } = await import("./proxy/wait.ts");
      const library = Library.open(path, NONBLOCKING_SYMBOLS);
      const mode = await chooseHandoverMode(library, relay);
      const socket = await dialWhenUp(target, library, { wait, timeout });
      await handOver(socket, mode, { library, deadline: new Deadline(timeout) });
    }
    return 0;
  } catch (thrown) {
    return (await import("./core/report.ts")).reportError(thrown);
  }
}

// ssh waits for the end of this process, and to exit is faster than to run out of script.
main(Deno.args).then(Deno.exit);
