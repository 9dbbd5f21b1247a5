/** The commands that there are, in the order in which `--help` lists them. */

import type { Command } from "./command.ts";
import { config } from "./config.ts";

export const COMMANDS: readonly Command[] = [config];
