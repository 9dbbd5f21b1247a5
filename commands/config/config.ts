/**
 * `config`: the ssh_config that makes `ssh` use this program: printed, put where ssh looks for it, or taken away again.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { formatError } from "../../core/report.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { command, type Context, type Given } from "../command.ts";
import { type Alias, formatAlias, parseAlias, requireName, requireUser } from "../ssh/alias.ts";
import { effectiveConfig, ownCommand } from "../ssh/effective_config.ts";
import { userVariable } from "../ssh/user_environment.ts";
import { shownOn } from "../terminal/output.ts";
import { applyPlan } from "./apply_plan.ts";
import { unifiedDiff } from "./diff.ts";
import { dropIn, EXAMPLES } from "./drop_in.ts";
import { showEffect } from "./effect.ts";
import { findKnownNames, hiddenHostWarnings, reservedNameWarnings } from "./hidden_hosts.ts";
import { installedFiles, installedSettings } from "./installed.ts";
import { listJson, listText } from "./installed_list.ts";
import { type ConfigLocation, configLocation, dropInPath } from "./location.ts";
import type { Plan } from "./plan.ts";
import { planInstall } from "./plan_install.ts";
import { planUninstall } from "./plan_uninstall.ts";
import { requireDirectory } from "./replace.ts";
import { HOST_KEYS, type Settings } from "./settings.ts";

const OPTIONS = {
  install: { brief: "puts it where ssh looks for it, and shows that ssh uses it" },
  uninstall: { brief: "takes it away again, or with --alias that name alone" },
  list: { brief: "shows the aliases and options that are installed" },
  "dry-run": { brief: "shows what --install or --uninstall would change" },
  alias: {
    brief: "a name for an address; for --uninstall only NAME",
    value: "NAME=ADDRESS[:PORT]",
    repeated: true,
    completes: "alias",
  },
  "host-keys": { brief: "what becomes of host keys: ephemeral, tofu or strict", values: HOST_KEYS },
  user: { brief: "who to log in as if ssh is not told; none leaves it to ssh", value: "NAME" },
  json: { brief: "with --list, the same as JSON" },
} as const;

export const config = command({
  name: "config",
  brief: "prints or installs the ssh_config that makes ssh use it",
  description: `Prints the ssh_config that makes ssh use this program.

With --install it is put into place: for root into
/etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf, for a user into
~/.ssh/deno-ssh-proxy.conf with a line at the top of ~/.ssh/config that includes
it. A later --install keeps the options of the one before, but for those that it
is given; --list shows them.

Host keys are ephemeral (neither checked nor kept), tofu (kept at the first
connection and checked from then on), or strict (to be put there beforehand).

In root's file addresses have 'User root'. ssh reads that file last, so a User
line in ~/.ssh/config wins.`,
  arguments: [],
  options: OPTIONS,
  async run(context, given) {
    const { install, uninstall, alias, "dry-run": dryRun, "host-keys": hostKeys } = given;
    if (given.list) return await list(context, given);
    if (given.json) throw usage("--json: it goes with --list");
    const user = given.user === undefined ? undefined : requireUser(given.user);
    if (install && uninstall) throw usage("--install, --uninstall: one of the two");
    if (dryRun && !install && !uninstall) throw usage("--dry-run: it goes with --install or --uninstall");
    if (uninstall) {
      if (hostKeys !== undefined) throw usage("--host-keys: it does not go with --uninstall");
      if (user !== undefined) throw usage("--user: it does not go with --uninstall");
      const names = alias.map(requireName);
      return await change(
        context,
        { aliases: undefined, dryRun },
        (location) => planUninstall(location, names, render),
      );
    }
    const aliases = unique(alias.map(parseAlias));
    if (install) {
      const asked = {
        aliases,
        ...(hostKeys === undefined ? {} : { hostKeys }),
        ...(user === undefined ? {} : { user }),
      };
      return await change(context, { aliases, dryRun }, (location) => planInstall(location, asked, render));
    }
    for (const warning of reservedNameWarnings(aliases)) await context.err.write(formatError(warning));
    const text = render({ aliases, hostKeys: hostKeys ?? HOST_KEYS[0], user });
    await context.out.write(shownOn(context.out, text));
    const hasOptions = aliases.length > 0 || hostKeys !== undefined || user !== undefined;
    if (hasOptions && context.out.isTerminal && !Deno.build.standalone) {
      await context.err.write(formatError({ message: "nothing was installed: --install does that", hint: undefined }));
    }
    return 0;
  },
});

function render(settings: Settings): string {
  return dropIn(ownCommand(), settings);
}

/**
 * Returns each alias once.
 *
 * @throws {ProxyError} of kind `usage` if two that differ have the same name
 */
function unique(aliases: readonly Alias[]): Alias[] {
  const byName = new Map<string, Alias>();
  for (const alias of aliases) {
    const earlier = byName.get(alias.name);
    if (earlier !== undefined && formatAlias(earlier) !== formatAlias(alias)) {
      const both = `${formatAlias(earlier)} and ${formatAlias(alias)}`;
      throw new ProxyError("usage", `--alias ${alias.name}: one name for two addresses: ${escapeForTerminal(both)}`);
    }
    byName.set(alias.name, alias);
  }
  return [...byName.values()];
}

/** Shows what is installed. */
async function list({ out, err }: Context, given: Given<typeof OPTIONS>): Promise<number> {
  const { list: _, json, ...others } = given;
  const surplus = Object.entries(others).find(([, value]) => Array.isArray(value) ? value.length > 0 : value);
  if (surplus !== undefined) throw usage(`--${surplus[0]}: it does not go with --list`);
  const files = await atLocation((location) => installedFiles(location));
  await out.write(json ? listJson(files) : shownOn(out, listText(files)));
  if (files.length === 0) await err.write(formatError({ message: "no configuration is installed", hint: INSTALL }));
  return 0;
}

const INSTALL = "deno-ssh-proxy config --install installs one";

/** A change that is asked for: with aliases, though there be none, an installation. */
interface Asked {
  readonly aliases: readonly Alias[] | undefined;
  readonly dryRun: boolean;
}

/** Makes the changes that `planFor` gives, or shows them. */
async function change(
  { out, err }: Context,
  asked: Asked,
  planFor: (location: ConfigLocation) => Plan,
): Promise<number> {
  return await atLocation(async (location) => {
    const { aliases = [], dryRun } = asked;
    const isInstall = asked.aliases !== undefined;
    // What is in the way of the files is told before what ssh has against them.
    requireDirectory(location.directory);
    const plan = planFor(location);
    if (dryRun) await showPlan({ out, err }, plan);
    else if (isInstall) await requireReadable(location);
    const added = notInstalled(location, aliases);
    const known = dryRun ? undefined : await findKnownNames(added);
    if (!dryRun) {
      const { done, notes } = await applyPlan(location, isInstall, () => planFor(location));
      if (done.length === 0 && isInstall) done.push(`already installed: ${dropInPath(location)}`);
      else if (done.length + notes.length === 0) done.push("nothing to take away");
      await out.write([...done, ...notes].map(line).join(""));
    }
    for (const warning of await hiddenHostWarnings(added, location, known)) await err.write(formatError(warning));
    if (isInstall && !dryRun) await showEffect({ out }, location);
    return 0;
  });
}

/** Does `work` where the configuration of this user is. */
async function atLocation<Result>(work: (location: ConfigLocation) => Promise<Result> | Result): Promise<Result> {
  if (Deno.build.standalone) {
    throw new ProxyError("permission", "a standalone executable can open no file", {
      hint: `deno-ssh-proxy config prints what is to be in ${dropInPath(configLocation(0, () => undefined))}`,
    });
  }
  let location: ConfigLocation | undefined;
  try {
    location = configLocation(Deno.uid(), () => userVariable("HOME"));
    return await work(location);
  } catch (thrown) {
    throw withGrants(thrown, location);
  }
}

async function showPlan({ out, err }: Pick<Context, "out" | "err">, plan: Plan): Promise<void> {
  const [changes, notes] = [plan.changes, plan.notes()];
  for (const { path, before, after, isBackup } of changes) {
    if (!isBackup) await out.write(shownOn(out, unifiedDiff(path, textOf(before?.bytes), textOf(after))));
  }
  for (const note of changes.length === 0 ? [...notes, "nothing would change"] : notes) {
    await err.write(line(note));
  }
}

/**
 * Returns if ssh takes its configuration as it is, or if there is no ssh. What ssh refuses in the file of this program is no
 * obstacle: it is written anew.
 *
 * @throws {ProxyError} of kind `configuration`
 */
async function requireReadable(location: ConfigLocation): Promise<void> {
  try {
    await effectiveConfig(EXAMPLES[0]!);
  } catch (thrown) {
    if (!(thrown instanceof ProxyError)) throw thrown;
    const { kind, message, hint, cause } = thrown;
    if (kind === "missing" || kind === "configuration" && message.includes(location.fileName)) return;
    throw new ProxyError(kind, message, {
      cause,
      hint: ["nothing was changed", hint].filter((part) => part).join("; "),
    });
  }
}

/** Returns the aliases of which none of that name is installed yet. */
function notInstalled(location: ConfigLocation, aliases: readonly Alias[]): Alias[] {
  const known = installedSettings(location).aliases.map(({ name }) => name);
  return aliases.filter(({ name }) => !known.includes(name));
}

/** What was done or is to be known, with the paths in it, as a line. */
function line(text: string): string {
  return `${escapeForTerminal(text, Infinity)}\n`;
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** `thrown`, with the grants that Deno must be given, where it denied one. */
function withGrants(thrown: unknown, location: ConfigLocation | undefined): unknown {
  const denied = thrown instanceof ProxyError ? thrown.cause : thrown;
  if (!(denied instanceof Deno.errors.NotCapable)) return thrown;
  const message = thrown instanceof ProxyError
    ? thrown.message
    : `Deno denied it: ${escapeForTerminal(denied.message)}`;
  if (location === undefined) {
    return new ProxyError("permission", message, {
      cause: denied,
      hint: "run it with --allow-sys=uid --allow-env=HOME",
    });
  }
  const directory = escapeForTerminal(location.directory, Infinity);
  return new ProxyError("permission", message, {
    cause: denied,
    hint: directory.includes(",")
      ? "Deno cannot grant a path with a comma in it: deno-ssh-proxy config prints what would be written"
      : `run it with --allow-read=${directory} --allow-write=${directory} --allow-run=ssh, and with the folder that a link in ` +
        "it leads to",
  });
}

function usage(message: string): ProxyError {
  return new ProxyError("usage", message, { hint: "deno-ssh-proxy config --help tells what it takes" });
}
