/** The commands that there are, in the order in which `--help` lists them. */

import { check } from "./check/check.ts";
import type { Command } from "./command.ts";
import { completions } from "./completions/completions.ts";
import { config } from "./config/config.ts";
import { list } from "./list/list.ts";
import { wait } from "./wait.ts";

export const COMMANDS: readonly Command[] = [check, list, wait, config, completions];
