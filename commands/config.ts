/**
 * `config`: the ssh_config that makes `ssh` use this program: printed, put where ssh looks for it, or taken away again.
 *
 * @module
 */

import { printable, ProxyError } from "../proxy/errors.ts";
import { type Alias, parseAlias, requireName, requireUser } from "./alias.ts";
import { command, type Context } from "./command.ts";
import { unifiedDiff } from "./diff.ts";
import { type EffectiveConfig, effectiveConfig, homeOfSsh, isOurs, originOf, ownCommand } from "./effective_config.ts";
import { EXAMPLES, fragment, HOST_KEYS, type Settings } from "./fragment.ts";
import { includeLine } from "./include.ts";
import {
  carryOut,
  fragmentPath,
  installedSettings,
  type Place,
  placeOf,
  type Plan,
  planInstall,
  planUninstall,
} from "./installed_config.ts";
import { shownOn } from "./output.ts";
import { userVariable } from "./user_environment.ts";

const OPTIONS = {
  install: { brief: "puts it where ssh looks for it, and shows that ssh uses it" },
  uninstall: { brief: "takes it away again, or with --alias that name alone" },
  "dry-run": { brief: "shows what --install or --uninstall would change" },
  alias: { brief: "a name for an address; for --uninstall only NAME", value: "NAME=ADDRESS[:PORT]", repeated: true },
  "host-keys": { brief: "what becomes of host keys: ephemeral, tofu or strict", values: HOST_KEYS },
  user: { brief: "who to log in as if ssh is not told; none leaves it to ssh", value: "NAME" },
} as const;

export const config = command({
  name: "config",
  brief: "prints or installs the ssh_config that makes ssh use it",
  description: `Prints the ssh_config that makes ssh use this program.

With --install it is put into place: for root into
/etc/ssh/ssh_config.d/10-deno-ssh-proxy.conf, for a user into
~/.ssh/deno-ssh-proxy.conf with a line at the top of ~/.ssh/config that includes
it. A later --install keeps the options of the one before, but for those that it
is given.

Host keys are ephemeral (neither checked nor kept), tofu (kept at the first
connection and checked from then on), or strict (to be put there beforehand).

In root's file addresses have 'User root'. ssh reads that file last, so a User
line in ~/.ssh/config wins.`,
  arguments: [],
  options: OPTIONS,
  async run(context, given) {
    const { install, uninstall, alias, "dry-run": dryRun, "host-keys": hostKeys } = given;
    const user = given.user === undefined ? undefined : requireUser(given.user);
    if (install && uninstall) throw usage("--install, --uninstall: one of the two");
    if (dryRun && !install && !uninstall) throw usage("--dry-run: it goes with --install or --uninstall");
    if (uninstall) {
      if (hostKeys !== undefined) throw usage("--host-keys: it does not go with --uninstall");
      if (user !== undefined) throw usage("--user: it does not go with --uninstall");
      const names = alias.map(requireName);
      return await change(context, false, dryRun, (place) => planUninstall(place, names, render));
    }
    const aliases = unique(alias.map(parseAlias));
    if (install) {
      const asked = {
        aliases,
        ...(hostKeys === undefined ? {} : { hostKeys }),
        ...(user === undefined ? {} : { user }),
      };
      return await change(context, true, dryRun, (place) => planInstall(place, asked, render));
    }
    const text = render({ aliases, hostKeys: hostKeys ?? HOST_KEYS[0], user });
    await context.out.write(shownOn(context.out, text));
    return 0;
  },
});

function render(settings: Settings): string {
  return fragment(ownCommand(), settings);
}

/** The last of those that have the same name. */
function unique(aliases: readonly Alias[]): Alias[] {
  return [...new Map(aliases.map((alias) => [alias.name, alias])).values()];
}

/** Makes the changes that `planFor` gives, or shows them. */
async function change(
  { out, err }: Context,
  isInstall: boolean,
  dryRun: boolean,
  planFor: (place: Place) => Plan,
): Promise<number> {
  if (Deno.build.standalone) {
    throw new ProxyError("permission", "a standalone executable may write no file", {
      hint: `deno-ssh-proxy config prints what is to be in ${fragmentPath(placeOf(0, () => undefined))}`,
    });
  }
  let place: Place | undefined;
  try {
    const here = place = placeOf(Deno.uid(), () => userVariable("HOME"));
    if (dryRun) {
      const plan = planFor(here);
      const [changes, notes] = [plan.changes, plan.notes()];
      for (const { path, before, after, keeps } of changes) {
        if (!keeps) await out.write(shownOn(out, unifiedDiff(path, textOf(before?.bytes), textOf(after))));
      }
      for (const note of changes.length === 0 ? [...notes, "nothing would change"] : notes) {
        await err.write(line(note));
      }
      return 0;
    }
    const { done, notes } = await carryOut(here, isInstall, () => planFor(here));
    if (done.length === 0 && isInstall) done.push(`already installed: ${fragmentPath(here)}`);
    else if (done.length + notes.length === 0) done.push("nothing to take away");
    await out.write([...done, ...notes].map(line).join(""));
    if (isInstall) await showEffect({ out }, here);
    return 0;
  } catch (thrown) {
    throw withGrants(thrown, place);
  }
}

/** What was done or is to be known, with the paths in it, as a line. */
function line(text: string): string {
  return `${printable(text, Infinity)}\n`;
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** Asks ssh what it makes of an address of each form, and of each alias. */
async function showEffect({ out }: Pick<Context, "out">, place: Place): Promise<void> {
  const names = [...EXAMPLES, ...installedSettings(place).aliases.map(({ name }) => name)];
  let configs: EffectiveConfig[];
  try {
    configs = await Promise.all(names.map((name) => effectiveConfig(name)));
  } catch (thrown) {
    if (!(thrown instanceof ProxyError) || thrown.kind !== "missing") throw thrown;
    await out.write(`whether ssh uses it could not be seen: ${thrown.message}\n`);
    return;
  }
  for (const one of configs) {
    if (!isOurs(one.proxyCommand) || !one.proxyUseFdpass) throw await whyNot(one, place);
  }
  await out.write(`ssh uses it for ${names.join(", ")}\n`);
}

/** Why ssh does not use this program for a name, although it is installed in `place`. */
async function whyNot(effective: EffectiveConfig, place: Place): Promise<ProxyError> {
  const path = fragmentPath(place);
  const { host, options, files } = effective;
  if (!files.some((file) => file.path === path)) {
    if (place.home === undefined) {
      return configuration(
        `ssh does not read ${path}`,
        `put this line at the top of /etc/ssh/ssh_config: ${INCLUDE_ALL}`,
      );
    }
    const home = await homeOfSsh();
    if (home !== undefined && home !== place.home) {
      return configuration(
        `ssh does not read ${printable(path)}: its ~ is ${printable(home)}, from the password database, not HOME`,
        `run this with HOME=${printable(home, Infinity)}`,
      );
    }
    return configuration(
      `ssh does not read ${printable(path)}`,
      "does the ssh on PATH give another file with -F? command -v ssh",
    );
  }
  const above = place.home === undefined
    ? ""
    : ` or, in ~/.ssh/config, put '${includeLine(place.fragment)}' above what includes it`;
  if (isOurs(effective.proxyCommand)) {
    // It is ssh's own value too, so that no file can be told by it.
    const before = files.slice(0, files.findIndex((file) => file.path === path)).map((file) => printable(file.path));
    return configuration(
      `ssh has it carry every byte for ${host}: a file that comes before it has ProxyUseFdpass no`,
      `take that out of ${before.join(" or ")}${above}`,
    );
  }
  const option = options.has("proxyjump") ? "proxyjump" : "proxycommand";
  const says = `${SPELLING[option]} ${printable(options.get(option) ?? "none")}`;
  const origin = options.has(option) ? await originOf(option, effective) : undefined;
  if (origin === undefined) {
    return configuration(`ssh does not use it for ${host}: ${says}`, `ssh -vvv -G ${host} says more`);
  }
  return configuration(
    `ssh does not use it for ${host}: ${printable(origin)} comes before it, with ${says}`,
    `take that out of ${printable(origin, Infinity)} for these names${above}`,
  );
}

const SPELLING = { proxycommand: "ProxyCommand", proxyjump: "ProxyJump" };

/** What makes ssh read the system's folder. */
const INCLUDE_ALL = "Include /etc/ssh/ssh_config.d/*.conf";

function configuration(message: string, hint: string): ProxyError {
  return new ProxyError("configuration", message, { hint });
}

/** `thrown`, with the grants that Deno must be given, where it denied one. */
function withGrants(thrown: unknown, place: Place | undefined): unknown {
  const denied = thrown instanceof ProxyError ? thrown.cause : thrown;
  if (!(denied instanceof Deno.errors.NotCapable)) return thrown;
  const message = thrown instanceof ProxyError ? thrown.message : `Deno denied it: ${printable(denied.message)}`;
  if (place === undefined) {
    return new ProxyError("permission", message, {
      cause: denied,
      hint: "run it with --allow-sys=uid --allow-env=HOME",
    });
  }
  const folder = printable(place.folder, Infinity);
  return new ProxyError("permission", message, {
    cause: denied,
    hint: folder.includes(",")
      ? "Deno cannot grant a path with a comma in it: deno-ssh-proxy config prints what would be written"
      : `run it with --allow-read=${folder} --allow-write=${folder} --allow-run=ssh, and with the folder that a link in ` +
        "it leads to",
  });
}

function usage(message: string): ProxyError {
  return new ProxyError("usage", message, { hint: "deno-ssh-proxy config --help tells what it takes" });
}
