import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../core/version.ts";
import { Library, libraryPath } from "../../ffi/library.ts";
import { NONBLOCKING_SYMBOLS } from "../../ffi/nonblocking.ts";
import { fdKind } from "../../ffi/socket.ts";
import { CONNECTION_SYMBOLS } from "../../ffi/symbols.ts";
import { assertFails, CHECKOUT, Folder, LIBRARY_PATH, outputOf, testWith } from "./support.ts";

const SUFFIX = Deno.build.os === "darwin" ? "dylib" : "so";

/** A library that `source` makes, in `folder`. */
function compile(folder: Folder, name: string, source: string): string {
  const path = folder.at(`${name}.${SUFFIX}`);
  outputOf("cc", "-shared", "-fPIC", "-o", path, folder.file(`${name}.c`, source));
  return path;
}

/** C that has the version and these functions. */
function sourceOf(version: number, functions: readonly string[]): string {
  const definitions = functions.map((name) => `int ${name}(void) { return 0; }\n`);
  return `const unsigned dsp_version = ${version};\n${definitions.join("")}`;
}

const FUNCTIONS = Object.keys(CONNECTION_SYMBOLS).filter((name) => name !== "dsp_version");
const THIS_VERSION = VERSION.split(".").reduce((number, part) => number * 256 + Number(part), 0);

Deno.test("the library is beside a bundle or an executable, and in a checkout where Cargo puts it", () => {
  const examples = [
    ["file:///usr/lib/deno-ssh-proxy/proxy.mjs", "/usr/lib/deno-ssh-proxy"],
    ["file:///usr/lib/deno-ssh-proxy/0.1.0-x/standalone", "/usr/lib/deno-ssh-proxy/0.1.0-x"],
    ["file:///it's%20a%25/lib/cli.mjs", "/it's a%/lib"],
    ["file:///src/%C3%A9/cli.ts", "/src/é/rust/target/release"],
    ["file:///mod.ts", "/rust/target/release"],
  ] as const;
  for (const [module, folder] of examples) {
    assertEquals(libraryPath(module), `${folder}/libdeno_ssh_proxy.${SUFFIX}`);
  }
});

Deno.test("the library that Cargo built opens from where the checkout has it", async () => {
  assertEquals(LIBRARY_PATH, `${CHECKOUT}/rust/target/release/libdeno_ssh_proxy.${SUFFIX}`);
  for (const symbols of [CONNECTION_SYMBOLS, NONBLOCKING_SYMBOLS]) {
    const library = Library.open(LIBRARY_PATH, symbols);
    assert((await fdKind(library, 0)) !== undefined);
    assertEquals(library.rare.dsp_close_fd(-1), -9);
  }
});

Deno.test("a library that is missing is missing, and the hint says how to build it", () => {
  using folder = new Folder();
  const error = assertFails(
    "resource",
    () => Library.open(folder.at("none.so")),
    "the native library is missing",
  );
  assertEquals(error.exitCode, 71);
  assertStringIncludes(error.message, `${folder.at("none.so")}: `);
  assertStringIncludes(error.hint ?? "", "./install.sh");
  assert(error.cause instanceof Error);
});

Deno.test("a library that is missing is missing whatever its path says", () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.at("symbols"));
  assertFails(
    "resource",
    () => Library.open(folder.at("symbols/none.so")),
    "the native library is missing",
  );
});

Deno.test("a file that is no library cannot be loaded, and the hint says why", () => {
  using folder = new Folder();
  const path = folder.file("text.so", "no library\n".repeat(1000));
  const error = assertFails("resource", () => Library.open(path), `${path}: the native library cannot be loaded`);
  assertStringIncludes(error.hint ?? "", path);
  assert(error.cause instanceof Error);
  assertFails("resource", () => Library.open(folder.path), "the native library cannot be loaded");
});

Deno.test("a library that is cut short is told from one that is none", () => {
  using folder = new Folder();
  for (const [name, text] of [["short.so", "x"], ["empty.so", ""]] as const) {
    const path = folder.file(name, text);
    const error = assertFails("resource", () => Library.open(path), `${path}: the native library is cut short`);
    assertStringIncludes(error.hint ?? "", "./install.sh");
  }
});

Deno.test("the hint about a file that is no library says what the system said, and nothing twice", () => {
  using folder = new Folder();
  const error = assertFails("resource", () => Library.open(folder.file("text.so", "text".repeat(1000))));
  assertEquals((error.hint ?? "").startsWith(folder.path), true, error.hint ?? "");
});

testWith("cc", "a library of another version is refused, and the message says which", () => {
  using folder = new Folder();
  const examples = [[0x090807, "9.8.7"], [0, "0.0.0"], [1, "0.0.1"], [0xffff_ffff, "65535.255.255"]] as const;
  for (const [number, version] of examples) {
    const path = compile(folder, `version${number}`, sourceOf(number, FUNCTIONS));
    const error = assertFails("resource", () => Library.open(path), "not of this program's version");
    assertStringIncludes(error.message, `: it is version ${version}, `);
    assertStringIncludes(error.message, VERSION);
    assertStringIncludes(error.hint ?? "", "./install.sh");
  }
});

testWith("cc", "a library of this version with all functions opens, so it is the version that was refused", () => {
  using folder = new Folder();
  Library.open(compile(folder, "good", sourceOf(THIS_VERSION, FUNCTIONS)));
});

testWith(
  "cc",
  "a library without one of the functions, or without a version, is refused as that of another version",
  () => {
    using folder = new Folder();
    const examples: [name: string, source: string][] = [
      ["empty", "int other;"],
      ["no_version", sourceOf(THIS_VERSION, FUNCTIONS).replace("dsp_version", "other")],
      ...FUNCTIONS.map((name): [string, string] => [
        `no_${name}`,
        sourceOf(THIS_VERSION, FUNCTIONS.filter((other) => other !== name)),
      ]),
    ];
    for (const [name, source] of examples) {
      const path = compile(folder, name, source);
      const error = assertFails("resource", () => Library.open(path), "it lacks a function");
      assertStringIncludes(error.message, path);
      assert(error.cause instanceof Error);
    }
  },
);

testWith("cc", "the functions that only an end needs are looked for when it comes", () => {
  using folder = new Folder();
  const library = Library.open(compile(folder, "beginning", sourceOf(THIS_VERSION, FUNCTIONS)));
  assertFails("resource", () => library.rare, "it lacks a function");
});

Deno.test({
  name: "a library that Deno may not open is a matter of permission, and the hint is the grant",
  permissions: { ffi: false },
  fn() {
    const error = assertFails("permission", () => Library.open(LIBRARY_PATH), `${LIBRARY_PATH}: Deno was not allowed`);
    assertEquals(error.exitCode, 77);
    assertStringIncludes(error.hint ?? "", `--allow-ffi=${LIBRARY_PATH}, `);
    assert(error.cause instanceof Deno.errors.NotCapable);
  },
});

Deno.test({
  name: "the grant in the hint is whole, however long the path is",
  permissions: { ffi: false },
  fn() {
    const path = `/${"long/".repeat(100)}lib.so`;
    assertStringIncludes(assertFails("permission", () => Library.open(path)).hint ?? "", `=${path}, `);
  },
});

Deno.test({
  name: "a grant for another path is none for this one",
  permissions: { ffi: [new URL("file:///usr")] },
  fn() {
    assertFails("permission", () => Library.open(LIBRARY_PATH));
  },
});

Deno.test("a path that could steer a terminal is shown fit for one", () => {
  assertFails("resource", () => Library.open("/no/\x1b[2J\n.so"), "/no/\\x1b[2J\\x0a.so: ");
});
