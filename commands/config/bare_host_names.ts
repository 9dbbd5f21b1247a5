/**
 * Finds the names in a user's ssh_config whose `HostName` is an address of this program, and nothing else makes ssh use it.
 *
 * @module
 */

import { decodeLatin1 } from "../../core/text.ts";
import { aliasCommand } from "../ssh/alias.ts";
import { configLines, isForHost, matchesPattern } from "../ssh/config_lines.ts";

/** A name that has an address as its HostName. */
export interface BareHostName {
  readonly name: string;
  readonly address: string;
  /** The file and the line of the HostName. */
  readonly file: string;
  readonly line: number;
  /** The command that makes an alias of it; undefined where the name cannot be one. */
  readonly command: string | undefined;
}

/** Where files are that the lines name. */
export interface Roots {
  /** The directory of relative paths. */
  readonly directory: string;
  /** The user's home, for `~`; undefined for the configuration of the system, each file of which ssh reads by itself. */
  readonly home: string | undefined;
}

/** Returns a line for a person on each name in a configuration that has to become an alias, but for those that are one. */
export function bareHostNameNotes(roots: Roots, aliases: readonly string[]): string[] {
  const { home } = roots;
  return bareHostNames(filesOf(roots), roots).filter(({ name }) => !aliases.includes(name)).map((found) => {
    const { name, address, file, line, command } = found;
    const path = shortened(file, home);
    const how = command === undefined ? "give it a ProxyCommand" : `run: ${command}`;
    return `${path} line ${line}: ssh ${name} does not connect: its HostName is the address ${address}; ${how}`;
  });
}

/** Returns `file` with `~` in the place of `home`. */
export function shortened(file: string, home: string | undefined): string {
  return home !== undefined && file.startsWith(`${home}/`) ? `~${file.slice(home.length)}` : file;
}

/** The files that ssh reads by themselves. */
function filesOf(roots: Roots): string[] {
  return roots.home === undefined ? pathsOf("*.conf", roots) : [`${roots.directory}/config`];
}

/** What stands in a `Host` block, also in files that it includes. */
export interface Block {
  readonly patterns: readonly string[];
  /** The file and the line of the `Host`; undefined for what stands above the first. */
  readonly file?: string;
  readonly line?: number;
  hostName?: { value: string; file: string; line: number };
  port?: string;
  hasProxy: boolean;
}

/** As in readconf.c, READCONF_MAX_DEPTH. */
const DEEPEST = 16;

/**
 * Returns the names without wildcards in `files` and in what they include, whose `HostName` is an address and for which no
 * block has a ProxyCommand or a ProxyJump. A file that cannot be read is left out.
 */
export function bareHostNames(files: readonly string[], roots: Roots): BareHostName[] {
  const blocks = blocksIn(files, roots);
  const found = new Map<string, BareHostName>();
  for (const { patterns, hostName, port = "22" } of blocks) {
    if (hostName === undefined) continue;
    for (const name of patterns.filter((pattern) => !/[*?!]/.test(pattern))) {
      if (found.has(name) || blocks.some((block) => block.hasProxy && isForHost(name, block.patterns))) continue;
      const address = hostName.value.replaceAll(/%([%h])/g, (_, token) => token === "h" ? name : "%");
      // ssh has it in lower case; of a path and a machine's name the case as it is written counts.
      const known = address.replace(/^[^/%]+/, (form) => form.toLowerCase());
      if (aliasCommand("name", known, "22") === undefined) continue;
      const command = aliasCommand(name, known, port);
      found.set(name, { name, address, file: hostName.file, line: hostName.line, command });
    }
  }
  return [...found.values()];
}

/** Returns the `Host` blocks of a configuration, in the order in which ssh reads them. */
export function configBlocks(roots: Roots): Block[] {
  return blocksIn(filesOf(roots), roots);
}

function blocksIn(files: readonly string[], roots: Roots): Block[] {
  const blocks: Block[] = [];
  for (const file of files) readBlocks({ file, above: [], roots, blocks });
  return blocks;
}

/** A file that is read for its blocks. */
interface Reading {
  readonly file: string;
  /** The files that include it, one in the other. */
  readonly above: readonly string[];
  readonly roots: Roots;
  /** Where its blocks go. */
  readonly blocks: Block[];
}

/** Adds the blocks of a file. What stands above its first `Host` belongs to the block that includes it. */
function readBlocks(reading: Reading, outer: Block = { patterns: ["*"], hasProxy: false }): void {
  const { file, above, roots, blocks } = reading;
  // One that includes itself ends ssh.
  const text = above.includes(file) || above.length > DEEPEST ? undefined : textOf(file);
  if (text === undefined) return;
  let block = outer;
  if (above.length === 0) blocks.push(block);
  for (const { number, keyword, words } of configLines(text)) {
    const [value = ""] = words;
    if (keyword === "host") blocks.push(block = { patterns: words, file, line: number, hasProxy: false });
    // For whom a Match is depends on more than the name.
    else if (keyword === "match") block = { patterns: [], hasProxy: false };
    else if (keyword === "hostname") block.hostName ??= { value, file, line: number };
    else if (keyword === "port") block.port ??= value;
    else if (keyword === "proxycommand" || keyword === "proxyjump") block.hasProxy = true;
    else if (keyword === "include") {
      for (const path of words.flatMap((word) => pathsOf(word, roots))) {
        readBlocks({ ...reading, file: path, above: [...above, file] }, block);
      }
    }
  }
}

function textOf(file: string): string | undefined {
  try {
    // A pipe would be waited for.
    return Deno.statSync(file).isFile ? decoded(Deno.readFileSync(file)) : undefined;
  } catch {
    return undefined;
  }
}

/** UTF-8 where it is that, because an alias is; otherwise a character a byte. */
function decoded(bytes: Uint8Array): string {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  return text.includes("\uFFFD") ? decodeLatin1(bytes) : text;
}

/** Returns the files that an `Include` names, in the order of their names, as glob(3) has them. */
function pathsOf(word: string, { directory, home }: Roots): string[] {
  const path = word.startsWith("~/") && home !== undefined ? `${home}${word.slice(1)}` : word;
  let found = [path.startsWith("/") ? "" : directory];
  for (const part of path.split("/").filter((part) => part !== "")) {
    if (!/[*?]/.test(part)) found = found.map((directory) => `${directory}/${part}`);
    else found = found.flatMap((directory) => namesIn(directory, part).map((name) => `${directory}/${name}`));
  }
  return found;
}

/** The names in a directory that match; none that begins with a dot, unless the pattern does. */
function namesIn(directory: string, pattern: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name)
      .filter((name) => matchesPattern(name, pattern) && (!name.startsWith(".") || pattern.startsWith("."))).sort();
  } catch {
    return [];
  }
}
