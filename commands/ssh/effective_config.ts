/**
 * Asks ssh (`ssh -G`) for its configuration of a host name: the ProxyCommand, whether that is this program, and the file that
 * has it. Only ssh knows what all of its files come to.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { libraryPath, programUrl } from "../../ffi/library.ts";
import { hintFor } from "./failure.ts";
import { aliasHint } from "./needs_alias.ts";
import { proxyCommand } from "./own_command.ts";
import { runSsh } from "./program.ts";

/** The configuration of a host name. */
export interface EffectiveConfig {
  /** The host name, and the port that was asked for. */
  readonly host: string;
  readonly port: string | undefined;
  /** The first value of each option, by its name in lower case. */
  readonly options: ReadonlyMap<string, string>;
  /** The ProxyCommand as it is written; undefined if ssh would connect by itself. */
  readonly proxyCommand: string | undefined;
  /** Whether ssh waits for a file descriptor. */
  readonly proxyUseFdpass: boolean;
  /** The files that ssh read, in order. */
  readonly files: readonly ConfigFile[];
}

/** A file that ssh read. */
export interface ConfigFile {
  readonly path: string;
  /** The depth of inclusion; 0 for a file that ssh reads by itself. */
  readonly depth: number;
}

/**
 * Returns the configuration of `host`, with `port` for `-p`, by the usual files of ssh or by `file` alone.
 *
 * @throws {ProxyError} of kind `missing` without ssh, `configuration` if ssh refuses, `permission`
 */
export async function effectiveConfig(host: string, port?: string, file?: string): Promise<EffectiveConfig> {
  // The third -v reports included files.
  const args = ["-G", "-vvv", "-T"];
  if (port !== undefined) args.push("-p", port);
  if (file !== undefined) args.push("-F", file);
  const { code, stdout, stderr } = await runSsh([...args, "--", host]);
  const [said, logged] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).split(/\r?\n/));
  if (code !== 0) {
    const why = logged!.find((line) => line !== "" && !/^debug[123]: |^OpenSSH_/.test(line));
    throw new ProxyError(
      "configuration",
      `ssh -G ${escapeForTerminal(host)}: ${escapeForTerminal(why ?? `exit code ${code}`)}`,
      {
        hint: hintFor(why === undefined ? [] : [why]) ?? refusedNameHint(why, host, port) ??
          "ssh would say the same to whoever uses it: see ssh_config(5)",
      },
    );
  }
  const options = new Map<string, string>();
  for (const line of said!) {
    const [, name, value] = /^(\S+) (.*)$/s.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !options.has(name)) options.set(name, value);
  }
  const command = options.get("proxycommand");
  return {
    host,
    port,
    options,
    proxyCommand: command === "none" ? undefined : command,
    proxyUseFdpass: options.get("proxyusefdpass") === "yes",
    files: filesRead(logged!),
  };
}

/** Returns what to do about a host name or port that ssh refuses; undefined if it refuses something else. */
function refusedNameHint(why: string | undefined, host: string, port: string | undefined): string | undefined {
  if (why === "hostname contains invalid characters") return aliasHint(host, port);
  if (!why?.startsWith("Bad port")) return undefined;
  return "ssh takes ports from 1 to 65535; for another one: deno-ssh-proxy config --install --alias NAME=ADDRESS:PORT";
}

/**
 * Returns the path of the file that sets `option` (in lower case), by asking ssh about each file alone; undefined if none does.
 * Only for an option without a default value.
 */
export async function originOf(option: string, effective: EffectiveConfig): Promise<string | undefined> {
  const { host, port, options, files } = effective;
  let origin: ConfigFile | undefined;
  for (const file of files) {
    // Only a file that the last match includes can be nearer to the option.
    if (origin !== undefined && file.depth <= origin.depth) break;
    // ssh can refuse a file by itself. Then it is not the origin.
    const alone = await effectiveConfig(host, port, file.path).catch(() => undefined);
    if (alone?.options.get(option) === options.get(option)) origin = file;
  }
  return origin?.path;
}

/** Returns the directory that ssh takes for `~`, which is not HOME; undefined if ssh does not say. */
export async function homeOfSsh(): Promise<string | undefined> {
  return (await expandedBySsh("~/"))?.replace(/\/$/, "");
}

/** Returns the shell that ssh starts a ProxyCommand with; undefined for an ssh before 8.4, which does not say. */
export async function shellOfSsh(): Promise<string | undefined> {
  // ssh refuses a variable that is not set, and starts sh then (_PATH_BSHELL in its defines.h).
  const shell = await expandedBySsh("${SHELL}") ?? "/bin/sh";
  return shell.startsWith("$") ? undefined : shell;
}

/** The timeout for the system's resolver, in milliseconds. */
const RESOLVING_MS = 2_000;

/**
 * Returns whether the system's resolver has an IP address for `name`. ssh asks the resolver: if CNAMEs are followed, `ssh -G`
 * fails for a name that does not resolve. Returns false after RESOLVING_MS.
 */
export async function isResolved(name: string): Promise<boolean> {
  const options = ["CanonicalizeHostname=yes", "CanonicalizeFallbackLocal=yes", "CanonicalizePermittedCNAMEs=*:*"];
  const args = options.flatMap((option) => ["-o", option]);
  try {
    return (await runSsh(["-G", "-T", "-F", "none", ...args, "--", name], RESOLVING_MS)).code === 0;
  } catch (thrown) {
    if (thrown instanceof ProxyError && thrown.kind === "timeout") return false;
    throw thrown;
  }
}

/** Has ssh expand `text` as a ControlPath, the one option that `ssh -G` shows expanded. Returns undefined if ssh refuses. */
async function expandedBySsh(text: string): Promise<string | undefined> {
  const { code, stdout } = await runSsh(["-G", "-T", "-F", "none", "-o", `ControlPath=${text}`, "--", "localhost"]);
  return code === 0 ? /^controlpath (.*)$/m.exec(new TextDecoder().decode(stdout))?.[1] : undefined;
}

/** Returns whether a ProxyCommand starts this program, of this installation. */
export function isOurs(command: string | undefined): boolean {
  return command?.startsWith(`${ownCommand()} `) ?? false;
}

/** Returns the words that start this program as a ProxyCommand. */
export function ownCommand(): string {
  return proxyCommand(programUrl(), libraryPath(programUrl()), () => Deno.execPath());
}

function filesRead(log: readonly string[]): ConfigFile[] {
  const files = new Map<string, ConfigFile>();
  const byItself = { depth: 0, counts: true };
  let next = byItself;
  for (const line of log) {
    // ssh also reads files that are included for other hosts only, to report their errors.
    const [, depth, unused] = /^debug3: .* line [0-9]+: Including file .* depth ([0-9]+)(.*)$/s.exec(line) ?? [];
    if (depth !== undefined) next = { depth: Number(depth) + 1, counts: unused === "" };
    const [, path] = /^debug1: Reading configuration data (.*)$/s.exec(line) ?? [];
    if (path === undefined) continue;
    // For Match final and CanonicalizeHostname, ssh reads all files twice.
    if (next.counts && !files.has(path)) files.set(path, { path, depth: next.depth });
    next = byItself;
  }
  return [...files.values()];
}
