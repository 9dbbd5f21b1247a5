/**
 * `deno task demo`: a server to try `ssh` with, until Ctrl-C. Takes a new folder of mode 0700, and removes it at the end.
 *
 * @module
 */

import { dropIn } from "../commands/config/drop_in.ts";
import { proxyCommand } from "../commands/ssh/own_command.ts";
import { ProxyError } from "../core/errors.ts";
import { reportError } from "../core/report.ts";
import { libraryPath } from "../ffi/library.ts";
import { serveDemo } from "./demo.ts";
import { COMMAND } from "./greeting.ts";

const ended = Promise.withResolvers<void>();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(signal, () => ended.resolve());

let code = 0;
let folder: string | undefined;
try {
  folder = await requireNewFolder(Deno.args);
  const addresses = await serveDemo(folder);
  const config = `${folder}/ssh_config`;
  const program = new URL("../proxy.ts", import.meta.url).href;
  await Deno.writeTextFile(config, dropIn(proxyCommand(program, libraryPath(program), () => Deno.execPath())));
  console.log(`A demo SSH server is up. In another terminal:

${addresses.map((address) => `  ssh -F ${config} ${address} ${COMMAND}`).join("\n")}

The first is an AF_UNIX socket, the second a virtual machine's multiplexer. Ctrl-C ends it.`);
  await ended.promise;
} catch (thrown) {
  code = reportError(thrown);
} finally {
  if (folder !== undefined) await Deno.remove(folder, { recursive: true });
}
Deno.exit(code);

/** The folder that `args` names. It must be empty: it is removed with all that is in it. */
async function requireNewFolder(args: readonly string[]): Promise<string> {
  const [folder, surplus] = args;
  if (folder !== undefined && surplus === undefined && await isEmpty(folder)) return folder;
  throw new ProxyError("usage", "the demo: it takes one folder, which must be empty", {
    hint: `${Deno.execPath()} task demo makes one`,
  });
}

async function isEmpty(folder: string): Promise<boolean> {
  for await (const _ of Deno.readDir(folder)) return false;
  return true;
}
