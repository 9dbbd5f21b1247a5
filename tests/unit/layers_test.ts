import { assert, assertEquals } from "@std/assert";
import { CHECKOUT } from "./support.ts";

/**
 * The directories that each layer can import, besides itself. docs/design.md has a picture of them. Modules at the root are
 * the programs and the library, which nothing imports but cli.ts.
 */
const LAYERS: Record<string, readonly string[]> = {
  core: [],
  ffi: ["core"],
  addresses: ["core", "ffi"],
  proxy: ["core", "ffi", "addresses"],
  commands: ["core", "ffi", "addresses", "proxy"],
  "": ["core", "ffi", "addresses", "proxy", "commands", ""],
  tools: [],
  demo: ["core", "ffi", "addresses", "proxy", "commands"],
  release: ["core", "ffi", "addresses", "proxy", "commands", "tools"],
  bench: ["tools"],
};

/** Where one module imports another one. */
interface Import {
  readonly from: string;
  readonly to: string;
}

/** The paths of all modules. */
const MODULES = Object.keys(LAYERS).flatMap(modulesIn);

const imports = readImports();

Deno.test("no module imports one of a layer above its own", () => {
  const upwards = imports.filter(({ from, to }) => {
    const [layer, other] = [layerOf(from), layerOf(to)];
    return layer !== other && !LAYERS[layer]?.includes(other);
  });
  assertEquals(upwards, []);
});

Deno.test("no imports go round in a circle, with import() too", () => {
  const imported = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const visit = (module: string, above: readonly string[]): void => {
    assert(!above.includes(module), [...above.slice(above.indexOf(module)), module].join(" imports "));
    if (done.has(module)) return;
    for (const { to } of imported.get(module) ?? []) visit(to, [...above, module]);
    done.add(module);
  };
  for (const module of imported.keys()) visit(module, []);
});

Deno.test("no directory of a command imports another command's", () => {
  const directoryOf = (module: string) => /^commands\/([^/]+)\//.exec(module)?.[1];
  const across = imports.filter(({ from, to }) => {
    const [one, other] = [directoryOf(from), directoryOf(to)];
    return one !== undefined && other !== undefined && one !== other && !["ssh", "terminal"].includes(other);
  });
  assertEquals(across, []);
});

Deno.test("Deno.dlopen is called in ffi alone", () => {
  const callers = MODULES.filter((module) => Deno.readTextFileSync(`${CHECKOUT}/${module}`).includes("Deno.dlopen("));
  assertEquals(callers, ["ffi/library.ts"]);
});

Deno.test("no layer below commands imports a package, and no module at the root", () => {
  const packages = readSpecifiers().filter(({ from, specifier }) =>
    ["core", "ffi", "addresses", "proxy", ""].includes(layerOf(from)) && !specifier.startsWith(".")
  );
  assertEquals(packages, []);
});

function layerOf(module: string): string {
  return module.includes("/") ? module.slice(0, module.indexOf("/")) : "";
}

/** Reads the imports of each module, type imports too, with Deno. Modules outside of the checkout are left out. */
function readImports(): Import[] {
  return readSpecifiers().flatMap(({ from, specifier }) => {
    if (!specifier.startsWith(".")) return [];
    const { pathname } = new URL(specifier, `file://${CHECKOUT}/${from}`);
    const to = decodeURIComponent(pathname).slice(CHECKOUT.length + 1);
    return to.endsWith(".ts") ? [{ from, to }] : [];
  });
}

function readSpecifiers(): { from: string; specifier: string }[] {
  return MODULES.flatMap((from) => {
    const text = Deno.readTextFileSync(`${CHECKOUT}/${from}`);
    const specifiers = text.matchAll(
      /^(?:import|export)\b[^;]*?\bfrom "([^"]+)"|\bimport\("([^"]+)"\)|^import "([^"]+)"/gm,
    );
    return Array.from(specifiers, ([, one, two, three]) => ({ from, specifier: (one ?? two ?? three)! }));
  });
}

/** Returns the paths of the modules of a layer. */
function modulesIn(directory: string): string[] {
  return [...Deno.readDirSync(`${CHECKOUT}/${directory}`)].flatMap(({ name, isDirectory }) => {
    const path = directory === "" ? name : `${directory}/${name}`;
    if (isDirectory) return directory === "" ? [] : modulesIn(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}
