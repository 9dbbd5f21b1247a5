/**
 * Bundles entry points, each with all that it imports, as one minified module. The esbuild that does it is WebAssembly: one
 * package for every machine, whose checksum is in deno.lock, and which has only the permissions of this script. (`deno
 * bundle` runs an executable that it fetches without looking at a lock file.)
 *
 *     cd SOURCES && deno info --json cli.ts >INFO && deno run --allow-read --allow-write=OUT release/bundle.ts INFO OUT NAME…
 *
 * @module
 */

import * as esbuild from "esbuild-wasm/esm/browser.js";

const [info, out, ...names] = Deno.args as [string, string, ...string[]];

/** The part of `deno info --json` that says where the npm packages of deno.lock are. */
const { npmPackages } = JSON.parse(Deno.readTextFileSync(info)) as {
  npmPackages: Record<string, { name: string; localPath: string }>;
};
/** The names of deno.json for npm packages. */
const { imports } = JSON.parse(Deno.readTextFileSync("deno.json")) as { imports: Record<string, string> };

/** Returns the directory of the npm package that deno.json calls by this name. */
function packageFolder(name: string): string {
  const found = npmPackages[(imports[name] ?? "").replace("npm:", "")];
  if (found === undefined) throw new Error(`${name}: deno.json and deno.lock name no such package`);
  return found.localPath;
}

/** Returns the module that such a package exports as itself. */
function packageModule(name: string): string {
  const folder = packageFolder(name);
  const { exports } = JSON.parse(Deno.readTextFileSync(`${folder}/package.json`)) as { exports: { import: string } };
  return `${folder}/${exports.import}`;
}

const denoResolution: esbuild.Plugin = {
  name: "deno",
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, importer, kind }) => {
      if (kind === "entry-point") return { path: `${Deno.cwd()}/${path}` };
      if (path.startsWith(".")) return { path: normalized(`${importer}/../${path}`) };
      return { path: packageModule(path) };
    });
    build.onLoad({ filter: /./ }, ({ path }) => ({
      contents: Deno.readTextFileSync(path),
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

const wasmModule = await WebAssembly.compile(Deno.readFileSync(`${packageFolder("esbuild-wasm")}/esbuild.wasm`));
await esbuild.initialize({ wasmModule, worker: false });
const { outputFiles } = await esbuild.build({
  entryPoints: names.map((name) => `${name}.ts`),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  minify: true,
  format: "esm",
  target: "esnext",
  platform: "node",
  write: false,
  plugins: [denoResolution],
  logLevel: "error",
});
for (const { path, contents } of outputFiles) Deno.writeFileSync(path, contents);
// esbuild waits for more to do.
Deno.exit();
