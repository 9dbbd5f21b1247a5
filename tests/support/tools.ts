/**
 * Tests that need a program which a machine may not have.
 *
 * @module
 */

/** A test that is left out, and says so, where `tool` is not installed, or fails with the arguments of `probe`. */
export function testWith(tool: string, name: string, fn: () => void | Promise<void>, probe = ["--version"]): void {
  testWhere(works(tool, probe), `there is no ${tool} here`, name, fn);
}

/** A test that is left out, and says that `why`, where it cannot run. */
export function testWhere(canRun: boolean, why: string, name: string, fn: () => void | Promise<void>): void {
  Deno.test({ name: canRun ? name : `${name} (left out: ${why})`, ignore: !canRun, fn });
}

function works(tool: string, args: string[]): boolean {
  try {
    return new Deno.Command(tool, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}
