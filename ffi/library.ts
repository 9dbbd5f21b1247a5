/**
 * Finds and opens the native library, and explains each way in which that can fail.
 *
 * @module
 */

import { messageOf, ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";
import { VERSION } from "../core/version.ts";
import { EXECUTABLE_URL } from "./executable.ts";
import type { NONBLOCKING_SYMBOLS } from "./nonblocking.ts";
import { CONNECTION_SYMBOLS, type ConnectionCalls, RARE_SYMBOLS } from "./symbols.ts";

type RareCalls = Deno.DynamicLibrary<typeof RARE_SYMBOLS>["symbols"];

/** The hint for an incomplete installation. */
const REINSTALL_HINT = "install deno-ssh-proxy again, with ./install.sh or its package; in a checkout: " +
  "cargo build --release --locked --manifest-path rust/Cargo.toml";

/** The open native library. It is never closed. */
export class Library {
  /** The functions that every connection needs. */
  readonly calls: ConnectionCalls;
  readonly #path: string;
  #rare: RareCalls | undefined;

  private constructor(path: string, calls: ConnectionCalls) {
    this.#path = path;
    this.calls = calls;
  }

  /**
   * Opens the library at `path`, with calls that block the whole process, or with {@linkcode NONBLOCKING_SYMBOLS}.
   *
   * @throws {ProxyError} of kind `permission` without Deno's permission, and otherwise `resource`
   */
  static open(
    path: string,
    symbols: typeof CONNECTION_SYMBOLS | typeof NONBLOCKING_SYMBOLS = CONNECTION_SYMBOLS,
  ): Library {
    const calls = openSymbols(path, symbols);
    const version = formatVersion(calls.dsp_version);
    if (version !== VERSION) throw otherVersion(path, `it is version ${version}, not ${VERSION}`);
    return new Library(path, calls);
  }

  /** The functions that few connections need, loaded when they are first used. */
  get rare(): RareCalls {
    return this.#rare ??= this.load(RARE_SYMBOLS);
  }

  /** Loads the functions of `symbols`. Each call takes as long as opening the library. */
  load<Symbols extends Deno.ForeignLibraryInterface>(symbols: Symbols): Deno.DynamicLibrary<Symbols>["symbols"] {
    return openSymbols(this.#path, symbols);
  }
}

/** Returns the URL of the main module, or of the executable that `deno compile` made. */
export function programUrl(): string {
  return EXECUTABLE_URL ?? Deno.mainModule;
}

/**
 * Returns the path of the library for the program with the URL `module`: where Cargo builds it, for a TypeScript module at the
 * root of a checkout, and beside any other program. (import.meta would cost 0.4 MiB of memory.)
 */
export function libraryPath(module: string): string {
  const directory = decodeURIComponent(module.slice("file://".length, module.lastIndexOf("/")));
  const file = `libdeno_ssh_proxy.${Deno.build.os === "darwin" ? "dylib" : "so"}`;
  // Deno compares the path with its permission as text.
  return module.endsWith(".ts") ? `${directory}/rust/target/release/${file}` : `${directory}/${file}`;
}

function openSymbols<Symbols extends Deno.ForeignLibraryInterface>(
  path: string,
  symbols: Symbols,
): Deno.DynamicLibrary<Symbols>["symbols"] {
  try {
    return Deno.dlopen(path, symbols).symbols;
  } catch (thrown) {
    throw explain(path, thrown);
  }
}

function explain(path: string, thrown: unknown): ProxyError {
  const shown = escapeForTerminal(path);
  const reason = messageOf(thrown);
  if (thrown instanceof Deno.errors.NotCapable) {
    return new ProxyError("permission", `${shown}: Deno was not allowed to open the native library`, {
      cause: thrown,
      hint: Deno.build.standalone
        ? "it was compiled for another place: install.sh installs it where it belongs"
        : `run it with --allow-ffi=${escapeForTerminal(path, Infinity)}, the path just as it stands here`,
    });
  }
  // Deno has only the texts of dlopen(3) and dlsym(3).
  if (reason.startsWith("Failed to register symbol")) return otherVersion(path, "it lacks a function", thrown);
  const state = /cannot open shared object file: No such file|no such file/i.test(reason)
    ? "is missing"
    : /(?:file too short|cannot read file data)$/.test(reason)
    ? "is cut short"
    : undefined;
  return new ProxyError("resource", `${shown}: the native library ${state ?? "cannot be loaded"}`, {
    cause: thrown,
    hint: state !== undefined
      ? REINSTALL_HINT
      : escapeForTerminal(reason.replace(/^(?:Could not open library: )+/, "")),
  });
}

function otherVersion(path: string, why: string, cause?: unknown): ProxyError {
  return new ProxyError(
    "resource",
    `${escapeForTerminal(path)}: the native library is not of this program's version: ${why}`,
    { cause, hint: REINSTALL_HINT },
  );
}

function formatVersion(number: number): string {
  return `${number >>> 16}.${(number >>> 8) & 255}.${number & 255}`;
}
