/**
 * Bundles the two programs, cli.ts and proxy.ts, as one minified file each. The esbuild that does it is WebAssembly: one
 * package for every machine, with its checksum in deno.lock, and with only the permissions of this script. (`deno bundle`
 * runs an executable that it fetches without looking at a lock file.)
 *
 *     cd SOURCES && deno info --json cli.ts >INFO && deno run --allow-read --allow-write=OUT bundle.ts INFO OUT
 *
 * @module
 */

import * as esbuild from "esbuild-wasm/esm/browser.js";

const [info, out] = Deno.args as [string, string];

/** An npm package, in `deno info --json`. */
interface Package {
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly localPath: string;
}

/** The npm packages of deno.lock, by their names with versions. */
const { npmPackages } = JSON.parse(Deno.readTextFileSync(info)) as { npmPackages: Record<string, Package> };
/** The names of deno.json for npm packages. */
const { imports } = JSON.parse(Deno.readTextFileSync("deno.json")) as { imports: Record<string, string> };

/** Returns the package that `importer`, a module of ours or of another package, calls by this name. */
function packageOf(name: string, importer: string): Package {
  const own = Object.values(npmPackages).find(({ localPath }) => importer.startsWith(`${localPath}/`));
  const found = own === undefined
    ? npmPackages[(imports[name] ?? "").replace("npm:", "")]
    : own.dependencies.map((id) => npmPackages[id]!).find((one) => one.name === name);
  if (found === undefined) throw new Error(`${name}: deno.json and deno.lock name no such package for ${importer}`);
  return found;
}

/** Tells a module of a package from one of ours. */
function isInPackage(path: string): boolean {
  return Object.values(npmPackages).some(({ localPath }) => path.startsWith(`${localPath}/`));
}

/** A module that a package exports: a path, or one for each condition. */
type Exported = string | { readonly [condition: string]: Exported };

/** Returns the module that a package exports as itself, for `import` in another environment than Node.js. */
function moduleOf({ localPath }: Package): string {
  const { exports, module, main } = JSON.parse(Deno.readTextFileSync(`${localPath}/package.json`));
  let exported: Exported = exports ?? module ?? main;
  while (typeof exported !== "string") {
    const { ".": itself, import: imported, default: other }: Record<string, Exported> = exported;
    exported = (itself ?? imported ?? other)!;
  }
  return `${localPath}/${exported}`;
}

/**
 * To esbuild, a module of ours has its path in the sources, as if they were the root directory: the names of chunks are made
 * of such paths, and the names in the bundle of those, so that the same sources in two directories would give two bundles.
 */
const denoResolution: esbuild.Plugin = {
  name: "deno",
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, importer, kind }) => {
      if (kind === "entry-point") return { path: `/${path}` };
      if (path.startsWith(".")) return { path: normalized(`${importer}/../${path}`) };
      return { path: moduleOf(packageOf(path, importer)) };
    });
    build.onLoad({ filter: /./ }, ({ path }) => ({
      contents: Deno.readTextFileSync(isInPackage(path) ? path : `.${path}`),
      loader: path.endsWith(".ts") ? "ts" : path.endsWith(".json") ? "json" : "js",
    }));
  },
};

/** Returns an absolute path without `.` and `..`, so that one file has one path. */
function normalized(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Options of all builds. */
const COMMON = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "esnext",
  platform: "node",
  write: false,
  plugins: [denoResolution],
  logLevel: "error",
} as const satisfies esbuild.BuildOptions;

/** Bundles a program and all that it imports as one module. */
async function oneModule(name: string): Promise<string> {
  const { outputFiles } = await esbuild.build({ ...COMMON, entryPoints: [`${name}.ts`] });
  return outputFiles[0]!.text;
}

/**
 * Bundles a program as one file with two parts. The first has all that the program imports statically; the second has what
 * only an `import()` reaches, and V8 parses it when the first `import()` is called.
 *
 * Both parts are comments in functions, whose text JavaScript has (ECMA-262, Function.prototype.toString). Deno parses every
 * module by itself before V8 does, which costs 1.5 ms for 16 KB of code without Deno's cache, and a string of that length
 * costs 0.2 ms; a comment costs neither.
 */
async function twoParts(name: string): Promise<string> {
  // Splits the program into chunks, whose paths begin with a slash.
  const { outputFiles, metafile } = await esbuild.build({
    ...COMMON,
    entryPoints: { main: `${name}.ts` },
    outdir: "/",
    chunkNames: "[hash]",
    splitting: true,
    metafile: true,
  });
  const chunks = new Map(outputFiles.map(({ path, text }) => [path, text]));
  const isNeeded = reachable(metafile, "/main.js");
  const rarelyNeeded = [...chunks.keys()].filter((chunk) => !isNeeded.has(chunk));
  // Has the second part find the chunks of the first. A function of them, so that it costs nothing where it is not called.
  const shared = [...isNeeded].filter((chunk) => chunk !== "/main.js").map((chunk, at) => {
    const { exports } = metafile.outputs[chunk.slice(1)]!;
    const names = exports.map((name) => `${name} as ${name}${at}`).join();
    const properties = exports.map((name) => `${name}: ${name}${at}`).join();
    return { line: `import { ${names} } from "${chunk}";`, entry: `"${chunk}": { ${properties} }` };
  });
  chunks.set(
    "/provide.js",
    `${shared.map(({ line }) => line).join("")} provide(() => ({ ${shared.map(({ entry }) => entry).join()} }));`,
  );
  chunks.set("/first.js", 'import "/provide.js"; import "/main.js";');
  const exported = rarelyNeeded.map((chunk, at) => `import * as c${at} from "${chunk}"; exports["${chunk}"] = c${at};`);
  chunks.set("/second.js", exported.join(""));
  const isLazy = (_path: string, kind: esbuild.ImportKind) => kind === "dynamic-import";
  const first = (await joinChunks(chunks, "/first.js", "esm", isLazy)).replaceAll('import("/', 'load("/');
  const second = await joinChunks(chunks, "/second.js", "cjs", (path) => isNeeded.has(path));
  return `function first(){${asComment(first)}}
function second(){${asComment(second)}}
const run=(part,names)=>(0,eval)("(function("+names+"){"+part.toString().slice(part.name.length+14,-3)${UNESCAPED}+"})");
let all;
const provide=(shared)=>{
  all=()=>{
    const found=shared();
    all=()=>found;
    run(second,"require,exports")((name)=>found[name],found);
    return found;
  };
};
run(first,"load,provide")(async(name)=>all()[name],provide);
`;
}

/** Puts code into a comment, which neither Deno nor V8 parses. {@linkcode UNESCAPED} is code that reverses this. */
function asComment(code: string): string {
  if (code.includes("*\\/")) throw new Error("the code has *\\/ in it, which stands for the end of a comment");
  return `/*${code.replaceAll("*/", "*\\/")}*/`;
}
const UNESCAPED = '.replaceAll("*\\\\/","*/")';

/** Returns the chunks that a chunk imports statically, itself too. */
function reachable({ outputs }: esbuild.Metafile, chunk: string, found = new Set<string>()): Set<string> {
  if (found.has(chunk)) return found;
  found.add(chunk);
  for (const { path, kind } of outputs[chunk.slice(1)]!.imports) {
    if (kind === "import-statement") reachable({ outputs } as esbuild.Metafile, `/${path}`, found);
  }
  return found;
}

/** Joins a chunk with those that it imports. Chunks outside are imported, or in `cjs` are the values of `require()`. */
async function joinChunks(
  chunks: ReadonlyMap<string, string>,
  entry: string,
  format: "esm" | "cjs",
  isOutside: (path: string, kind: esbuild.ImportKind) => boolean,
): Promise<string> {
  const plugin: esbuild.Plugin = {
    name: "chunks",
    setup(build) {
      build.onResolve({ filter: /./ }, ({ path, kind }) => {
        const chunk = path.replace(/^\./, "");
        return { path: chunk, external: isOutside(chunk, kind) };
      });
      build.onLoad({ filter: /./ }, ({ path }) => ({ contents: chunks.get(path)!, loader: "js" }));
    },
  };
  const { outputFiles } = await esbuild.build({
    ...COMMON,
    entryPoints: [entry],
    plugins: [plugin],
    format,
  });
  return outputFiles[0]!.text;
}

const wasmModule = await WebAssembly.compile(
  Deno.readFileSync(`${packageOf("esbuild-wasm", import.meta.url).localPath}/esbuild.wasm`),
);
await esbuild.initialize({ wasmModule, worker: false });
Deno.writeTextFileSync(`${out}/cli.mjs`, await oneModule("cli"));
Deno.writeTextFileSync(`${out}/proxy.mjs`, await twoParts("proxy"));
// esbuild waits for more to do.
Deno.exit();
