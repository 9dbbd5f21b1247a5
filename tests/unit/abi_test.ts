import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as abi from "../../ffi/symbols.ts";
import { FD_KINDS, RECEIVE_PEEK, RECEIVE_WHOLE } from "../../ffi/symbols.ts";
import { VERSION } from "../../core/version.ts";
import { CHECKOUT, Folder, LIBRARY_PATH, outputOf, testWith } from "./support.ts";

const HEADER = Deno.readTextFileSync(`${CHECKOUT}/rust/abi/deno_ssh_proxy.h`).replace(/\/\*.*?\*\//gs, "");

/** The header's functions: what each takes and returns, as C has it. */
const PROTOTYPES = new Map(
  Array.from(
    HEADER.matchAll(/^(\w+) (\w+)\((.*)\);$/gm),
    ([, result, name, parameters]) => [name!, { result: result!, parameters: parameters!.split(", ") }],
  ),
);
/** Every symbol of every table in ffi/symbols.ts. */
const SYMBOLS = Object.values(abi).flatMap((value) => isSymbolTable(value) ? Object.entries(value) : []);

function isSymbolTable(value: unknown): value is Deno.ForeignLibraryInterface {
  return typeof value === "object" && !Array.isArray(value);
}

const DATA = Array.from(HEADER.matchAll(/^extern const \w+ (\w+);$/gm), ([, name]) => name!);

Deno.test("the header is read here as a compiler reads it: nothing in it is left over", () => {
  assertEquals(PROTOTYPES.size, HEADER.split("(").length - 1);
  assertEquals(DATA, ["dsp_version"]);
});

Deno.test("each function that Deno calls has the types of the header", () => {
  const types: Record<string, unknown> = {
    "int32_t": "i32",
    "uint32_t": "u32",
    "int64_t": "i64",
    "size_t": "usize",
    "const uint8_t *": "buffer",
    "uint8_t *": "buffer",
    "uint32_t *": "buffer",
    "uint64_t *": "buffer",
    "struct listening_socket *": "buffer",
    "struct time_left ": { struct: ["u32"] },
    "struct descriptor ": { struct: ["i32"] },
  };
  /** The type of a parameter: what its name leaves. An array is a pointer to its first element. */
  const typeOf = (parameter: string) =>
    types[parameter.replace(/\w+\[\d+\]$/, "*").replace(/\w+$/, "").replace(/(?<=int32_t|size_t) $/, "")];
  for (const [name, symbol] of SYMBOLS) {
    if ("type" in symbol) {
      assert(DATA.includes(name), `the header has no ${name}`);
      assertEquals(symbol.type, "u32");
      continue;
    }
    const prototype = PROTOTYPES.get(name);
    assert(prototype !== undefined, `the header has no ${name}`);
    const parameters = prototype.parameters.filter((parameter) => parameter !== "void");
    assertEquals([...symbol.parameters] as unknown[], parameters.map(typeOf), name);
    assertEquals(symbol.result as unknown, types[prototype.result], name);
  }
});

Deno.test("Deno knows every function of the header, and each C declaration beside a symbol is the header's", () => {
  assertEquals([...new Set(SYMBOLS.map(([name]) => name))].sort(), [...PROTOTYPES.keys(), ...DATA].sort());
  const header = HEADER.replace(/\s+/g, " ");
  const comments = Array.from(
    Deno.readTextFileSync(`${CHECKOUT}/ffi/symbols.ts`).matchAll(/^ *\/\/ (.*;)$/gm),
    ([, declaration]) => declaration!,
  );
  assert(comments.length > PROTOTYPES.size, comments.join("\n"));
  for (const declaration of comments) assertStringIncludes(header, declaration);
});

testWith("cargo", "Rust that differs from the header does not compile", () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.at("rust"));
  const rust = ["Cargo.toml", "Cargo.lock", "core", "abi", "starter"].map((name) => `${CHECKOUT}/rust/${name}`);
  outputOf("cp", "-R", ...rust, folder.at("rust"));
  outputOf("cp", `${CHECKOUT}/deno.json`, folder.at("deno.json"));
  const header = folder.at("rust/abi/deno_ssh_proxy.h");
  const original = Deno.readTextFileSync(header);
  const cargo = new Deno.Command("cargo", {
    args: ["check", "--quiet", "--offline", "--locked", "--package=deno-ssh-proxy-abi"],
    cwd: folder.at("rust"),
    env: { CARGO_TARGET_DIR: folder.at("target"), CARGO_TERM_COLOR: "never" },
  });
  const check = (text: string) => {
    Deno.writeTextFileSync(header, text);
    const { success, stderr } = cargo.outputSync();
    return { success, err: new TextDecoder().decode(stderr) };
  };
  assertEquals(check(original), { success: true, err: "" });
  const changes: [string, string, string][] = [
    ["int32_t dsp_close_fd(int32_t fd)", "int64_t dsp_close_fd(int32_t fd)", "mismatched types"],
    ["int32_t dsp_close_fd(int32_t fd)", "int32_t dsp_close_fd(uint32_t fd)", "mismatched types"],
    ["const uint8_t *bytes", "uint8_t *bytes", "mismatched types"],
    ["uint32_t into[3]", "uint32_t into[4]", "mismatched types"],
    ["int32_t dsp_close_fd(", "int32_t dsp_close(", "cannot find value `dsp_close`"],
    ["extern const uint32_t dsp_version", "extern const uint64_t dsp_version", "mismatched types"],
    ["uint8_t path[108]", "uint8_t path[107]", "mismatched types"],
    ["struct descriptor {\n    int32_t fd;", "struct descriptor {\n    int32_t number;", "a field named `number`"],
    ["FD_PIPE = 3", "FD_PIPE = 9", "FdKind::Pipe as i64 == 9"],
    ["PROC_SOCKETS = 1", "PROC_SOCKETS = 2", "ProcList::Sockets as i64 == 2"],
    ["RECEIVE_WHOLE 2u", "RECEIVE_WHOLE 4u", "RECEIVE_WHOLE == 4"],
    ["size_t count);", "long count);", "not understood"],
  ];
  for (const [from, to, expected] of changes) {
    assert(original.includes(from), from);
    const { success, err } = check(original.replace(from, to));
    assert(!success, `${to} compiles`);
    assertStringIncludes(err, expected, to);
  }
});

Deno.test("the flags and the kinds of descriptors have the numbers of the header", () => {
  const flags = Array.from(
    HEADER.matchAll(/^#define (RECEIVE_\w+) ([0-9]+)u/gm),
    ([, name, value]) => [name!, Number(value)],
  );
  assertEquals(Object.fromEntries(flags), { RECEIVE_PEEK, RECEIVE_WHOLE });
  const names: Record<string, typeof FD_KINDS[number]> = {
    FD_OTHER: "something else",
    FD_UNIX_SOCKET: "unix socket",
    FD_OTHER_SOCKET: "other socket",
    FD_PIPE: "pipe",
    FD_TERMINAL: "terminal",
    FD_REGULAR_FILE: "regular file",
    FD_NULL: "null device",
  };
  const kinds = Array.from(HEADER.matchAll(/^ +(FD_\w+) = ([0-9]+)/gm));
  assertEquals(kinds.length, FD_KINDS.length);
  for (const [, name, value] of kinds) assertEquals(FD_KINDS[Number(value)], names[name!], name!);
});

Deno.test("what /proc is asked for has the numbers of the header", () => {
  const header = Array.from(HEADER.matchAll(/^ +(PROC_\w+) = ([0-9]+)/gm), ([, name, value]) => [name!, Number(value)]);
  const here = Object.entries(abi).filter(([name]) => name.startsWith("PROC_"));
  assertEquals(here.length, 10);
  assertEquals(Object.fromEntries(here), Object.fromEntries(header));
});

testWith("cc", "every function keeps its promises to a program in C", () => {
  using folder = new Folder();
  const release = LIBRARY_PATH.replace(/\/[^/]+$/, "");
  const version = VERSION.split(".").reduce((number, part) => number * 256 + Number(part), 0);
  const program = folder.at("abi");
  outputOf(
    "cc",
    ...[
      "-std=c11",
      "-Wall",
      "-Wextra",
      "-Wpedantic",
      "-Werror",
      `-DEXPECTED_VERSION=${version}`,
      `-I${CHECKOUT}/rust/abi`,
    ],
    ...["-o", program, `${CHECKOUT}/tests/abi/abi.c`, `-L${release}`, "-ldeno_ssh_proxy", `-Wl,-rpath,${release}`],
  );
  Deno.mkdirSync(folder.at("work"));
  const lines = outputOf(program, folder.at("work")).trimEnd().split("\n");
  assertEquals(lines.pop(), `1..${lines.length}`);
  lines.forEach((line, index) => assertMatch(line, new RegExp(`^ok ${index + 1} - `)));
});

/** The library's dynamic symbols: a letter for what each is (nm(1)), and its name without a version. */
function symbols(): { type: string; name: string }[] {
  return Array.from(
    outputOf("nm", "-D", LIBRARY_PATH).matchAll(/^[0-9a-f]* +([a-zA-Z]) (\w+)/gm),
    ([, type, name]) => ({ type: type!, name: name! }),
  );
}

testWith("nm", "the library exports what the header has and nothing else", () => {
  const exported = symbols().filter(({ type }) => !"Uw".includes(type));
  assertEquals(exported.map(({ name }) => name).sort(), [...PROTOTYPES.keys(), ...DATA].sort());
  for (const { type, name } of exported) assertEquals(type, DATA.includes(name) ? "R" : "T", name);
});

testWith("nm", "the library has no panic left in it, allocates nothing, prints nothing and ends no process", () => {
  const imported = symbols().filter(({ type }) => "Uw".includes(type)).map(({ name }) => name);
  assert(imported.includes("connect") && imported.includes("sendmsg"), imported.join(" "));
  const unwanted = /^(?:abort|_?exit|_Exit|raise|kill|.*alloc|free|mmap|.*printf|puts|_Unwind_.*|rust_.*|dl.*)$/;
  assertEquals(imported.filter((name) => unwanted.test(name)), []);
});

/** The newest version of glibc whose symbols a file asks for. */
function newestGlibc(path: string): number {
  const versions = outputOf("objdump", "-T", path).matchAll(/\bGLIBC_2\.(\d+)/g);
  return Math.max(...Array.from(versions, ([, minor]) => Number(minor)));
}

testWith("objdump", "the library and the starter load with every glibc that Deno loads with", () => {
  // Their names in libc.so since glibc 2.33: before, libc_nonshared.a had them, which the library is not linked with.
  const missing = /^(?:l?stat|fstat(?:at)?|mknod(?:at)?)(?:64)?$/;
  assertEquals(symbols().filter(({ name }) => missing.test(name)), []);
  const starter = newestGlibc(LIBRARY_PATH.replace(/[^/]+$/, "deno-ssh-proxy"));
  assert(starter <= 27, `the starter needs glibc 2.${starter}; Deno needs 2.27`);
});

Deno.test("the library is small: every connection maps it", () => {
  const { size } = Deno.statSync(LIBRARY_PATH);
  assert(size < 100 * 1024, `${size} bytes`);
});
