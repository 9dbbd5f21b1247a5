/**
 * `completions`: what a shell completes this program's command lines with.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { command } from "../command.ts";
import { bash } from "./bash.ts";
import { fish } from "./fish.ts";
import { zsh } from "./zsh.ts";

const SHELLS = { bash, zsh, fish };
const NAMES = Object.keys(SHELLS) as (keyof typeof SHELLS)[];

export const completions = command({
  name: "completions",
  brief: "prints what a shell completes command lines with",
  description: `Prints what bash, zsh or fish completes the command lines of this program with:
commands, options, the paths of sockets, and the addresses that list shows.
install.sh puts it where each shell looks for it. In a bash that runs already:

  eval "$(deno-ssh-proxy completions bash)"`,
  arguments: [{ name: "SHELL", brief: NAMES.join(", "), values: NAMES }],
  options: {},
  async run({ out, commands }, _options, shell = "") {
    const name = NAMES.find((name) => name === shell);
    if (name === undefined) {
      throw new ProxyError("usage", `'${escapeForTerminal(shell)}': there are no completions for that shell`, {
        hint: `there are some for ${NAMES.join(", ")}`,
      });
    }
    await out.write(SHELLS[name](commands));
    return 0;
  },
});
