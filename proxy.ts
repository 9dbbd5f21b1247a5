/**
 * The ProxyCommand: passes a connection to `ssh`, which waits for it on fd 1, and ends. To a client that cannot take it, it
 * relays the bytes.
 *
 * @module
 */

import { Library, libraryPath, programUrl } from "./ffi/library.ts";
import { CONNECTION_NONBLOCKING } from "./ffi/nonblocking.ts";
import { CONNECTION } from "./ffi/symbols.ts";
import { chooseHandoverMode, handOver } from "./proxy/handover.ts";
import { dial } from "./addresses/dial.ts";
import { reportError } from "./core/errors.ts";
import { parseInvocation } from "./proxy/invocation.ts";
import { Deadline } from "./core/deadline.ts";
import { parseTarget } from "./addresses/target.ts";
import { dialWhenUp } from "./proxy/wait.ts";

try {
  const { host, port, relay, timeout, wait } = parseInvocation(Deno.args);
  const target = parseTarget(host, port);
  const library = Library.open(libraryPath(programUrl()), wait === undefined ? CONNECTION : CONNECTION_NONBLOCKING);
  const way = await chooseHandoverMode(library, relay);
  const deadline = new Deadline(timeout);
  if (wait === undefined) await handOver(await dial(target, library, deadline), way, library, deadline);
  else await handOver(await dialWhenUp(target, library, wait, timeout), way, library, new Deadline(timeout));
  // ssh waits for the end of this process.
  Deno.exit(0);
} catch (thrown) {
  Deno.exit(reportError(thrown));
}
