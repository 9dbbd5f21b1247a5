/**
 * `config`: the ssh_config that makes `ssh` use this program.
 *
 * @module
 */

import { libraryPath } from "../ffi/library.ts";
import { command } from "./command.ts";
import { fragment, proxyCommand } from "./fragment.ts";

export const config = command({
  name: "config",
  brief: "prints the ssh_config that makes ssh use this program",
  arguments: [],
  options: {},
  async run({ out }) {
    await out.write(fragment(proxyCommand(Deno.mainModule, libraryPath(Deno.mainModule), Deno.execPath())));
    return 0;
  },
});
