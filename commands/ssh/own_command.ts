/**
 * The ProxyCommand that starts this program.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { shellWord } from "./shell_word.ts";

/**
 * Returns the words that start this program as a ProxyCommand: the installed program, in a directory of its version or not; or
 * if it is not installed, Deno with the flags that the starter would pass.
 *
 * @param main The URL of the program's main module, or of its executable.
 * @param library The path of the native library.
 * @param deno Returns the path of the Deno executable. Deno cannot tell it without /proc.
 */
export function proxyCommand(main: string, library: string, deno: () => string): string {
  const path = decodeURIComponent(new URL(main).pathname);
  const prefix = /^(.*)\/lib\/deno-ssh-proxy\/(?:[^/]+\/)?(?:[^/]+\.mjs|standalone)$/s.exec(path)?.[1];
  if (prefix !== undefined) return quoteForConfig(`${prefix}/bin/deno-ssh-proxy`);
  if (library.includes(",")) {
    throw new ProxyError("usage", `${escapeForTerminal(library)}: Deno cannot grant a path with a comma in it`, {
      hint: "move the checkout to a folder without one",
    });
  }
  // Not cli.ts, whose commands need packages.
  const proxy = path.replace(/cli\.ts$/, "proxy.ts");
  return [deno(), "run", "--no-prompt", "--no-config", `--allow-ffi=${library}`, proxy].map(quoteForConfig).join(" ");
}

/**
 * Quotes `word` for ssh, which replaces `%` tokens, and for the user's shell. ssh counts quotes (since 8.7), and takes a
 * backslash before a quote for an escape even where the shell does not: {@linkcode shellWord} has both outside of quotes.
 */
export function quoteForConfig(word: string): string {
  if (/[\n\r]/.test(word)) {
    throw new ProxyError("usage", `${escapeForTerminal(word)}: ssh_config cannot hold a line break`);
  }
  return shellWord(word.replaceAll("%", "%%"));
}
