/**
 * What ssh really makes of a host name: which ProxyCommand it would start, whether that is this program, and which file
 * said so. ssh is asked (`ssh -G`), because no one else knows what all of its files come to.
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

/** What ssh would do for a host name. */
export interface EffectiveConfig {
  /** The host name that this is for, and the port where one was asked for. */
  readonly host: string;
  readonly port: string | undefined;
  /** What ssh says of each option (`ssh -G`), by the option's name in lower case; the first line of it. */
  readonly options: ReadonlyMap<string, string>;
  /** The ProxyCommand, as it is written; nothing where ssh would connect by itself. */
  readonly proxyCommand: string | undefined;
  /** Whether ssh waits for a connection to be passed to it. */
  readonly proxyUseFdpass: boolean;
  /** The files that ssh read for this host name, in the order in which it began with them. */
  readonly files: readonly ConfigFile[];
}

/** A file that ssh read. */
export interface ConfigFile {
  readonly path: string;
  /** How many files deep it is included; 0 for one that ssh reads by itself. */
  readonly depth: number;
}

/**
 * What ssh would do for `host`, with `port` as `-p` gives it, and its usual files, or `file` in their place.
 *
 * @throws {ProxyError} of kind `missing` where there is no ssh, `configuration` where ssh refuses, `permission`
 */
export async function effectiveConfig(host: string, port?: string, file?: string): Promise<EffectiveConfig> {
  // What tells of included files is the third -v.
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
 * The path of the file that `option` (in lower case) has its value from: ssh is asked for what each of the files says by
 * itself. Nothing where none of them says it. Only for an option that has no value of ssh's own.
 */
export async function originOf(option: string, effective: EffectiveConfig): Promise<string | undefined> {
  const { host, port, options, files } = effective;
  let origin: ConfigFile | undefined;
  for (const file of files) {
    // Only one that is included by the last that says so can be nearer to it.
    if (origin !== undefined && file.depth <= origin.depth) break;
    // One that ssh does not take by itself says nothing.
    const alone = await effectiveConfig(host, port, file.path).catch(() => undefined);
    if (alone?.options.get(option) === options.get(option)) origin = file;
  }
  return origin?.path;
}

/** Returns the directory that ssh takes for `~`, which does not come from HOME; undefined where ssh does not say. */
export async function homeOfSsh(): Promise<string | undefined> {
  return (await expandedBySsh("~/"))?.replace(/\/$/, "");
}

/** Returns the shell that ssh starts a ProxyCommand with; undefined for an ssh before 8.4, which does not say. */
export async function shellOfSsh(): Promise<string | undefined> {
  // ssh refuses a variable that is not set, and starts sh then (_PATH_BSHELL in its defines.h).
  const shell = await expandedBySsh("${SHELL}") ?? "/bin/sh";
  return shell.startsWith("$") ? undefined : shell;
}

/** How long the system's resolver may take, in milliseconds. */
const RESOLVING_MS = 2_000;

/**
 * Whether the resolver of this system has an IP address for `name`: from /etc/hosts, DNS or another of its sources. ssh asks
 * it: where CNAMEs are followed, `ssh -G` fails if a name does not resolve. Returns false after RESOLVING_MS.
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

/** Has ssh expand `text` as a ControlPath, the one option that `ssh -G` shows expanded. Undefined where it refuses. */
async function expandedBySsh(text: string): Promise<string | undefined> {
  const { code, stdout } = await runSsh(["-G", "-T", "-F", "none", "-o", `ControlPath=${text}`, "--", "localhost"]);
  return code === 0 ? /^controlpath (.*)$/m.exec(new TextDecoder().decode(stdout))?.[1] : undefined;
}

/** Whether a ProxyCommand starts this program, in the installation that is running. */
export function isOurs(command: string | undefined): boolean {
  return command?.startsWith(`${ownCommand()} `) ?? false;
}

/** The words that start this program as a ProxyCommand. */
export function ownCommand(): string {
  return proxyCommand(programUrl(), libraryPath(programUrl()), () => Deno.execPath());
}

function filesRead(log: readonly string[]): ConfigFile[] {
  const files = new Map<string, ConfigFile>();
  const byItself = { depth: 0, counts: true };
  let next = byItself;
  for (const line of log) {
    // What is included for other hosts only is read too, for its errors.
    const [, depth, unused] = /^debug3: .* line [0-9]+: Including file .* depth ([0-9]+)(.*)$/s.exec(line) ?? [];
    if (depth !== undefined) next = { depth: Number(depth) + 1, counts: unused === "" };
    const [, path] = /^debug1: Reading configuration data (.*)$/s.exec(line) ?? [];
    if (path === undefined) continue;
    // For Match final and for CanonicalizeHostname, ssh reads all of them once more.
    if (next.counts && !files.has(path)) files.set(path, { path, depth: next.depth });
    next = byItself;
  }
  return [...files.values()];
}
