/**
 * `wait`: until an SSH server answers.
 *
 * @module
 */

import { parseTarget, targetLabel } from "../addresses/target.ts";
import { Deadline, DEFAULT_TIMEOUT_MS, DEFAULT_WAIT_MS, parseSeconds } from "../core/deadline.ts";
import { escapeForTerminal } from "../core/text.ts";
import { LONGEST_BANNER } from "../proxy/banner.ts";
import { waitFor, withoutKnownReason } from "../proxy/wait.ts";
import { command } from "./command.ts";
import { ADDRESS_AND_PORT, addressDestination, isAliasName, resolveAlias, withoutUser } from "./ssh/destination.ts";
import { folded } from "./terminal/output.ts";
import { Progress } from "./terminal/progress.ts";

/** What is printed where so many lines stand before the banner that it cannot be seen. */
const HIDDEN_BANNER = "an answer, with more lines before its SSH banner than fit here";

export const wait = command({
  name: "wait",
  brief: "waits until an SSH server answers, and prints its banner",
  description: `Waits until an SSH server answers at ADDRESS, and prints its banner and how long
that took. It tries again while the server is not up: while the path is missing,
nothing listens, or the guest boots.

Exits with 0, or with 75 and the last reason where the time is over.`,
  arguments: ADDRESS_AND_PORT,
  options: {
    timeout: { brief: `how long to wait (default ${DEFAULT_WAIT_MS / 1000})`, value: "SECONDS" },
  },
  async run({ out, err, library }, { timeout }, typed, given) {
    const time = timeout === undefined ? DEFAULT_WAIT_MS : parseSeconds("--timeout", timeout);
    const host = withoutUser(typed!);
    const { address, port } = isAliasName(host) ? await resolveAlias(host, given) : addressDestination(host, given);
    const target = parseTarget(address, port);
    const began = performance.now();
    const { socket, banner } = await answer();
    const took = ((performance.now() - began) / 1000).toFixed(1);
    socket.close();
    const says = banner === undefined ? HIDDEN_BANNER : escapeForTerminal(banner, LONGEST_BANNER);
    await out.write(folded(out, `${says} (after ${took} s)\n`));
    return 0;

    async function answer() {
      await using progress = new Progress(err, targetLabel(target));
      const end = new Deadline(time);
      try {
        return await waitFor(target, library, {
          end,
          timeout: DEFAULT_TIMEOUT_MS,
          failed: ({ message }) => progress.tell(message),
        });
      } catch (thrown) {
        // A terminal has the reason on the line that is cleared; anything else has read it already.
        throw withoutKnownReason(thrown, target, end, progress.told);
      }
    }
  },
});
