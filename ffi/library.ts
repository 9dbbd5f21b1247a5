/**
 * Finding and opening the native library. Every way in which that can fail is told apart here.
 *
 * @module
 */

import { messageOf, ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";
import { VERSION } from "../core/version.ts";
import { EXECUTABLE_URL } from "./executable.ts";
import type { CONNECTION_NONBLOCKING } from "./nonblocking.ts";
import { AFTERWARDS, CONNECTION, type ConnectionCalls } from "./symbols.ts";

type AfterwardsCalls = Deno.DynamicLibrary<typeof AFTERWARDS>["symbols"];

/** What mends an installation in which something is missing. */
const ANEW = "install deno-ssh-proxy again, with ./install.sh or its package; in a checkout: " +
  "cargo build --release --locked --manifest-path rust/Cargo.toml";

/** The native library, open. It stays open as long as the process: nothing is gained by closing it. */
export class Library {
  /** What every connection needs. */
  readonly calls: ConnectionCalls;
  readonly #path: string;
  #afterwards: AfterwardsCalls | undefined;

  private constructor(path: string, calls: ConnectionCalls) {
    this.#path = path;
    this.calls = calls;
  }

  /**
   * Opens the library at `path`, with calls that block the whole process, or with {@linkcode CONNECTION_NONBLOCKING} for
   * a program that has more to do.
   *
   * @throws {ProxyError} of kind `permission` where Deno's permissions do not allow it, otherwise `resource`
   */
  static open(path: string, symbols: typeof CONNECTION | typeof CONNECTION_NONBLOCKING = CONNECTION): Library {
    const calls = openSymbols(path, symbols);
    const version = formatVersion(calls.dsp_version);
    if (version !== VERSION) throw otherVersion(path, `it is version ${version}, not ${VERSION}`);
    return new Library(path, calls);
  }

  /** What most connections do not need before they are over: loaded when it is asked for. */
  get afterwards(): AfterwardsCalls {
    return this.#afterwards ??= this.load(AFTERWARDS);
  }

  /** More of its functions: those of `symbols`. Each call takes the time of opening it anew. */
  load<Symbols extends Deno.ForeignLibraryInterface>(symbols: Symbols): Deno.DynamicLibrary<Symbols>["symbols"] {
    return openSymbols(this.#path, symbols);
  }
}

/** The URL of what runs: of the main module, or of the executable where the modules in there have URLs of nothing. */
export function programUrl(): string {
  return EXECUTABLE_URL ?? Deno.mainModule;
}

/**
 * Where the library is, for a program that has the URL `module`: in the checkout that a module of TypeScript is at the root
 * of, where Cargo puts it, and beside everything else. (import.meta, which could tell that here, takes 0.4 MiB.)
 */
export function libraryPath(module: string): string {
  const folder = decodeURIComponent(module.slice("file://".length, module.lastIndexOf("/")));
  const file = `libdeno_ssh_proxy.${Deno.build.os === "darwin" ? "dylib" : "so"}`;
  // A permission is granted as text: there must be no ".." in here that the grant has not.
  return module.endsWith(".ts") ? `${folder}/rust/target/release/${file}` : `${folder}/${file}`;
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
  // Deno gives dlopen(3)'s and dlsym(3)'s texts: there is nothing else to tell them apart by.
  if (reason.startsWith("Failed to register symbol")) return otherVersion(path, "it lacks a function", thrown);
  const state = /cannot open shared object file: No such file|no such file/i.test(reason)
    ? "is missing"
    : /(?:file too short|cannot read file data)$/.test(reason)
    ? "is cut short"
    : undefined;
  return new ProxyError("resource", `${shown}: the native library ${state ?? "cannot be loaded"}`, {
    cause: thrown,
    hint: state !== undefined ? ANEW : escapeForTerminal(reason.replace(/^(?:Could not open library: )+/, "")),
  });
}

function otherVersion(path: string, why: string, cause?: unknown): ProxyError {
  return new ProxyError(
    "resource",
    `${escapeForTerminal(path)}: the native library is not of this program's version: ${why}`,
    { cause, hint: ANEW },
  );
}

function formatVersion(number: number): string {
  return `${number >>> 16}.${(number >>> 8) & 255}.${number & 255}`;
}
