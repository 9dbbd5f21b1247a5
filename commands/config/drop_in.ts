/**
 * The drop-in: the part of ssh_config(5) that makes `ssh` use this program.
 *
 * @module
 */

import type { AddressForm } from "../../addresses/form.ts";
import { FORMS } from "../../addresses/forms.ts";
import { THIS_MACHINE } from "../../addresses/this_machine.ts";
import { type Alias, formatAlias } from "../ssh/alias.ts";
import { quoteForConfig } from "../ssh/own_command.ts";
import { BEGINNING, type HostKeys, PLAIN, type Settings } from "./settings.ts";

/** The names of the address forms. */
const NAMES: readonly string[] = FORMS.map(({ name }) => name);

/** The names of the forms in which two addresses that differ in case alone are different servers. */
const CASE_SENSITIVE_NAMES = FORMS.filter(({ keepsCase }) => keepsCase).map(({ name }) => name);

/** The names of the forms that have this machine as `NAME/.host`. */
const THIS_MACHINE_NAMES: readonly string[] = FORMS.filter((form: AddressForm) => form.hasThisMachine)
  .map(({ name }) => name);

/** An address of each form, to ask ssh for what it would do. */
export const EXAMPLES: readonly string[] = [THIS_MACHINE.address, ...NAMES.map((name) => `${name}/1`)];

/** The addresses of this machine, as an alias can have them. */
const THIS_MACHINE_ADDRESSES = [
  THIS_MACHINE.address,
  ...addressPatterns(THIS_MACHINE_NAMES, THIS_MACHINE.address),
];

/** The names with capitals, as people type them: a `Host` pattern is matched with its case (ssh_config(5), PATTERNS). */
const CAPITALIZED_NAMES = NAMES.flatMap(capitalized);

/**
 * Names in which a shell could find more than a name, even between single quotes: a quote ends them, fish takes a backslash
 * there for an escape, csh a `!` for history. OpenSSH refuses most of these since 9.6, and never in `HostName`. A double quote
 * is last, because ssh before 8.7 has no escape and stops reading there.
 */
const UNSAFE_NAMES = [`"!*'*"`, String.raw`"!*\*"`, "!*!*", "!*$*", "!*`*", `"!* *"`, String.raw`!*\"*`];

/** The names of this machine; the program takes no other name with a leading dot behind `machine/`, whatever its case. */
const THIS_MACHINE_PATTERNS = [
  ...new Set([THIS_MACHINE.address, ...capitalized(THIS_MACHINE.address)]),
  ...addressPatterns([...THIS_MACHINE_NAMES, ...THIS_MACHINE_NAMES.flatMap(capitalized)], ".*"),
];

/** All addresses but `.host`. A `%` takes the place of the first `/` for scp and rsync. */
const ADDRESS_PATTERNS = addressPatterns([...NAMES, ...CAPITALIZED_NAMES], "*");

/** All addresses but those of this machine. */
const PATTERNS = [...ADDRESS_PATTERNS, ...THIS_MACHINE_PATTERNS.map((name) => `!${name}`)];

/** Addresses that ssh lower-cases and that then are the same as another server's. It leaves those with a `%` alone. */
const LOWER_CASED_PATTERNS = [
  ...CASE_SENSITIVE_NAMES.flatMap((form) => [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter) => `${form}/*${letter}*`)),
  ...CAPITALIZED_NAMES.map((form) => `${form}/*`),
];

/** Returns a name with capitals as people write it: `Vsock-mux`, `Vsock-Mux`, `VSOCK-MUX`. */
function capitalized(name: string): string[] {
  const upper = (text: string) => text.toUpperCase();
  return [...new Set([name.replace(/[a-z]/, upper), name.replace(/\b[a-z]/g, upper), upper(name)])];
}

/** Returns what stands behind `Host` for names that `patterns` match, and no unsafe one. */
function safe(patterns: readonly string[]): string {
  return [...patterns, ...UNSAFE_NAMES].join(" ");
}

function addressPatterns(forms: readonly string[], rest: string): string[] {
  return forms.flatMap((form) => [`${form}/${rest}`, `${form}%${rest}`]);
}

/** The known_hosts file of addresses. ssh replaces `~` by the home of its user. */
export const KNOWN_HOSTS = "~/.ssh/deno-ssh-proxy.known_hosts";

/**
 * Where a shared connection of somebody with `ControlMaster` has its socket. `%C` is a hash and has no `/`; `%h`, `%n` and
 * `%k` of an address have one, so that no socket can be bound. Short, because ssh appends 17 bytes, and a path that is over
 * 107 in all ends the connection.
 */
const CONTROL_PATH = "~/.ssh/dsp-%C";

/**
 * The same for an alias, whose name has no `/`. `%C` is made of `HostName`, which a block of the user's can have for several
 * aliases; what `%C` has otherwise stands here too.
 */
const ALIAS_CONTROL_PATH = "~/.ssh/dsp-%L,%n,%p,%r";

/** The options for each way to treat host keys. */
const HOST_KEY_LINES: Record<HostKeys, string> = {
  ephemeral: `
    # A socket or a CID says where a server is, not which one it is: the next virtual machine with the same CID has
    # another host key, and nobody can stand between the two ends of a local socket. So host keys are neither checked
    # nor kept, as systemd's own fragment has it. Where addresses stay with one server for good: --host-keys tofu.
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    # Without this ssh warns at each connection that it added the host key to /dev/null. With it ssh says nothing if the
    # server hangs up: deno-ssh-proxy check ADDRESS says why then, and ssh -o LogLevel=INFO shows it.
    LogLevel ERROR
`,
  tofu: `
    # Trust on first use: a server's key is kept at the first connection, in a file for these addresses alone, and from
    # then on another one at the same address is refused. When a virtual machine was made anew, its old key goes with:
    #     ssh-keygen -R vsock/42 -f ${KNOWN_HOSTS}
    StrictHostKeyChecking accept-new
    UserKnownHostsFile ${KNOWN_HOSTS}
`,
  strict: `
    # Only a server whose key is in a file for these addresses alone is connected to, and ssh puts none there by itself.
    # To put one in: its address in lower case, with % too for scp and rsync, and behind it what the guest has in
    # /etc/ssh/ssh_host_ed25519_key.pub. For a port other than 22 the address is [vsock/42]:2222.
    #     echo 'vsock/42,vsock%42 ssh-ed25519 AAAA...' >>${KNOWN_HOSTS}
    StrictHostKeyChecking yes
    UserKnownHostsFile ${KNOWN_HOSTS}
`,
};

/**
 * Returns the drop-in for the program that `command` starts: words for a shell, in which ssh expands `%` tokens.
 *
 * It has `Host` blocks and nothing else, so that it changes nothing for any other host. `Match final` would have ssh read
 * the whole configuration once more for every host, with `HostName` in the place of what was typed, and other programs that
 * read ssh_config refuse the file.
 */
export function dropIn(command: string, settings: Settings = PLAIN): string {
  const { aliases, hostKeys, user } = settings;
  const proxy = `
    ProxyCommand ${command} '%h' '%p' --as-typed '%n'
    ProxyUseFdpass yes
    CheckHostIP no
`;
  return `${BEGINNING}ssh to virtual machines, containers and local sockets.
#
# deno-ssh-proxy config --install writes this anew: it keeps the options that stand here in comments, and nothing else.

${
    aliases.map((alias) => aliasBlock(command, alias, settings)).join("")
  }# This machine. Its host key is checked like any other.
Host ${safe(THIS_MACHINE_PATTERNS)}${proxy}    ControlPath ${CONTROL_PATH}

# Where systemd's own file is read after this one, it would turn the check off for these names.
Host ${THIS_MACHINE_PATTERNS.filter((name) => !name.startsWith(".")).join(" ")}
    StrictHostKeyChecking ask
    UserKnownHostsFile ~/.ssh/known_hosts ~/.ssh/known_hosts2

# Two sockets whose paths differ in case only have the same %C: one with a capital letter shares no connection.
Host ${LOWER_CASED_PATTERNS.join(" ")}
    ControlPath none

Host ${safe(PATTERNS)}${proxy}    ControlPath ${CONTROL_PATH}
${user === undefined ? "" : ["", `    # --user ${user}`, ...userLines(user), ""].join("\n")}
    # --host-keys ${hostKeys}${HOST_KEY_LINES[hostKeys]}
# The patterns above leave out names with a character that a shell could act on. ssh starts no command for one, and not
# the one of systemd's own file either. For a path with such a character: --alias.
Host ${ADDRESS_PATTERNS.join(" ")}
    ProxyCommand none

# libssh and pyinfra count the lines below an Include as part of its last block: this one is for every host, and empty.
Host *
`;
}

/** What stands in the place of a name, where no user is to be named. */
const NO_USER = "none";

function userLines(user: string | undefined): string[] {
  return user === undefined || user === NO_USER ? [] : [`    User ${user}`];
}

/**
 * Returns the block for `alias`. It has the address itself, because ssh lower-cases what it has from `HostName`; and the
 * `Port`, where ssh takes it for one, so that `-p` still counts.
 */
function aliasBlock(command: string, alias: Alias, { hostKeys, user }: Settings): string {
  const { name, address, port } = alias;
  const isPort = port === undefined || port > 0 && port < 2 ** 16;
  const lines = [
    `# --alias ${formatAlias(alias)}`,
    `Host ${name}`,
    ...(isPort && port !== undefined ? [`    Port ${port}`] : []),
    `    ProxyCommand ${command} ${quoteForConfig(address)} ${isPort ? "'%p'" : port}`,
    "    ProxyUseFdpass yes",
    "    CheckHostIP no",
    `    ControlPath ${ALIAS_CONTROL_PATH}`,
    ...(isThisMachine(address) ? [] : [
      ...userLines(user),
      ...hostKeyAlias(alias, hostKeys),
      ...options(hostKeys),
    ]),
  ];
  return `${lines.join("\n")}\n\n`;
}

function isThisMachine(address: string): boolean {
  return THIS_MACHINE_ADDRESSES.includes(address.toLowerCase());
}

function options(hostKeys: HostKeys): string[] {
  return HOST_KEY_LINES[hostKeys].split("\n").filter((line) => /^ +\w/.test(line));
}

/**
 * Has a key that is kept be the same under the alias and under the address, which ssh has in lower case, and in brackets
 * with a port that is not its usual one. What known_hosts would take for a pattern or for more than a name is left out:
 * the key is under the alias then.
 */
function hostKeyAlias({ address, port = 22 }: Alias, hostKeys: HostKeys): string[] {
  if (hostKeys === "ephemeral" || !/^[\w-]+[/%][\w./:+=@-]+$/.test(address)) return [];
  const host = address.toLowerCase().replace("%", "/");
  return [`    HostKeyAlias ${port === 22 ? host : `[${host}]:${port}`}`];
}
