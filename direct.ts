/**
 * The ProxyCommand for an address that itself says where to connect, and for one try. `ssh` starts this for nearly every
 * connection, while somebody waits: so it is a program of its own that loads nothing else. proxy.ts is the one for all
 * addresses, and the starter chooses.
 *
 * @module
 */

import { Library, libraryPath, programUrl } from "./ffi/library.ts";
import { chooseHandoverMode, handOver } from "./proxy/handover.ts";
import { connectTarget } from "./addresses/connect.ts";
import { ProxyError, reportError } from "./core/errors.ts";
import { parseInvocation } from "./proxy/invocation.ts";
import { Deadline } from "./core/deadline.ts";
import { parseTarget } from "./addresses/target.ts";

try {
  const { host, port, relay, timeout } = parseInvocation(Deno.args);
  const target = parseTarget(host, port);
  if (target.kind === "machine") throw new ProxyError("usage", `${host}: proxy.ts is for a machine by its name`);
  const library = Library.open(libraryPath(programUrl()));
  const way = await chooseHandoverMode(library, relay);
  const deadline = new Deadline(timeout);
  const socket = await connectTarget(target, library, deadline);
  await handOver(socket, way, library, deadline);
  // Rather than running out of script: it is faster (bench/startup.ts), and ssh waits for the end of this process.
  Deno.exit(0);
} catch (thrown) {
  Deno.exit(reportError(thrown));
}
