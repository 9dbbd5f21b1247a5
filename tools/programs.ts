/**
 * Runs the programs of other packages.
 *
 * @module
 */

/** Whether `tool` is installed, and succeeds with `args`. */
export function works(tool: string, args: string[]): boolean {
  try {
    return new Deno.Command(tool, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}

/** Returns whether `path` exists. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}

/** The path of a program on PATH; its name alone where there is none, which nothing can start. */
export function pathOf(program: string): string {
  return outputOf("sh", "-c", 'command -v "$0" || printf %s "$0"', program).trim();
}

/** What a program printed on its standard output. It must succeed. */
export function outputOf(program: string, ...args: string[]): string {
  return printed(new Deno.Command(program, { args }).outputSync(), program, args);
}

/** The same for one that talks to this process while it runs. */
export async function outputLater(program: string, ...args: string[]): Promise<string> {
  return printed(await new Deno.Command(program, { args }).output(), program, args);
}

function printed({ success, stdout, stderr }: Deno.CommandOutput, program: string, args: string[]): string {
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${err}${out}`);
  return out!;
}
