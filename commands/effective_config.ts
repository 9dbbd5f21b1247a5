/**
 * What ssh really makes of a host name: which ProxyCommand it would start, whether that is this program, and which file
 * said so. ssh is asked (`ssh -G`), because no one else knows what all of its files come to.
 *
 * @module
 */

import { libraryPath, programUrl } from "../ffi/library.ts";
import { printable, ProxyError } from "../proxy/errors.ts";
import { proxyCommand } from "./fragment.ts";
import { howToGrant } from "./grant.ts";
import { NO_SSH, sshCommand } from "./user_environment.ts";

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
  /** The folder that ssh takes for `~`, which is not what HOME says. */
  readonly home: string | undefined;
}

/** A file that ssh read. */
export interface ConfigFile {
  readonly path: string;
  /** How many files deep it is included; 0 for one that ssh reads by itself. */
  readonly depth: number;
}

/** How long ssh may take, in milliseconds: it may look up names. */
const PATIENCE = 10_000;

/** Has ssh show what it takes for `~`. Nothing is connected, so that it does not matter otherwise. */
const HOME_PROBE = "ControlPath=~/";

/**
 * What ssh would do for `host`, with `port` as `-p` gives it, and its usual files, or `file` in their place.
 *
 * @throws {ProxyError} of kind `missing` where there is no ssh, `configuration` where ssh refuses, `permission`
 */
export async function effectiveConfig(host: string, port?: string, file?: string): Promise<EffectiveConfig> {
  // What tells of included files is the third -v.
  const args = ["-G", "-vvv", "-T", "-o", HOME_PROBE];
  if (port !== undefined) args.push("-p", port);
  if (file !== undefined) args.push("-F", file);
  const { code, stdout, stderr } = await runSsh([...args, "--", host]);
  const [said, logged] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).split(/\r?\n/));
  if (code !== 0) {
    const why = logged!.find((line) => line !== "" && !/^debug[123]: |^OpenSSH_/.test(line));
    throw new ProxyError("configuration", `ssh -G ${printable(host)}: ${printable(why ?? `exit code ${code}`)}`, {
      hint: "ssh would say the same to whoever uses it: see ssh_config(5)",
    });
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
    home: options.get("controlpath")?.replace(/\/$/, ""),
  };
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

/** Whether a ProxyCommand starts this program, in the installation that is running. */
export function isOurs(command: string | undefined): boolean {
  return command?.startsWith(`${ownCommand()} `) ?? false;
}

/** The words that start this program as a ProxyCommand. */
export function ownCommand(): string {
  return proxyCommand(programUrl(), libraryPath(programUrl()), Deno.execPath());
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

async function runSsh(args: string[], env: Record<string, string> = {}): Promise<Deno.CommandOutput> {
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const [command, ...first] = sshCommand();
    const io = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
    const output = await new Deno.Command(command, { args: [...first, ...args], env, signal, ...io }).output();
    if (output.code === NO_SSH) throw missingSsh();
    if (!signal.aborted) return output;
    throw new ProxyError("timeout", `ssh -G: it did not end within ${PATIENCE / 1000} s`);
  } catch (thrown) {
    if (thrown instanceof ProxyError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    if (thrown instanceof Deno.errors.NotFound) throw missingSsh(thrown);
    // Deno finds no ssh without PATH, before it looks at its permissions.
    const isDenied = Deno.permissions.querySync({ name: "run", command: sshCommand()[0] }).state !== "granted";
    if (thrown instanceof Deno.errors.NotCapable || isDenied) {
      // Deno starts nothing with these, which could have another program run in its place. Empty ones do nothing.
      const steering = reason.match(/\b(?:LD|DYLD)_\w+/g) ?? [];
      if (steering.length > 0 && Object.keys(env).length === 0) {
        return await runSsh(args, Object.fromEntries(steering.map((name) => [name, ""])));
      }
      throw new ProxyError("permission", "ssh: Deno was not allowed to start it", {
        cause: thrown,
        hint: steering.length > 0 ? `unset ${steering.join(" ")}` : howToGrant("--allow-run=ssh"),
      });
    }
    throw new ProxyError("resource", `ssh: it cannot be started: ${printable(reason)}`, { cause: thrown });
  }
}

function missingSsh(cause?: unknown): ProxyError {
  return new ProxyError("missing", "ssh: it is not on PATH", {
    cause,
    hint: "on Debian: apt-get install openssh-client",
  });
}
