/**
 * Programs that the tests run, and tests that need one which a machine may not have.
 *
 * @module
 */

import { works } from "../../tools/programs.ts";

/** A test that is left out, and says so, where `tool` is not installed, or fails with the arguments of `probe`. */
export function testWith(tool: string, name: string, fn: () => void | Promise<void>, probe = ["--version"]): void {
  testWhere(works(tool, probe), `there is no ${tool} here`, name, fn);
}

/** A test that is left out, and says that `why`, where it cannot run. */
export function testWhere(canRun: boolean, why: string, name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name: canRun ? name : `${name} (left out: ${why})`, ignore: !canRun, fn });
}

/** Whether strace is installed here, and may trace. */
export const CAN_TRACE = works("strace", ["-o", "/dev/null", "true"]);
