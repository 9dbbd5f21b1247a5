/**
 * Tests that need a program which a machine may not have.
 *
 * @module
 */

/** A test that is left out, and says so, where `tool` is not installed. */
export function testWith(tool: string, name: string, fn: () => void | Promise<void>): void {
  const ignore = !isInstalled(tool);
  Deno.test({ name: ignore ? `${name} (left out: there is no ${tool} here)` : name, ignore, fn });
}

function isInstalled(tool: string): boolean {
  try {
    return new Deno.Command(tool, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}
