/**
 * The part of ssh_config(5) that makes `ssh` use this program.
 *
 * @module
 */

import { printable, ProxyError } from "../proxy/errors.ts";
import { type Alias, formatAlias, parseAlias } from "./alias.ts";

/** The forms of an address with a part of its own behind the separator. */
export const FORMS: readonly string[] = ["unix", "vsock", "vsock-mux", "machine"];

/** The names of this machine. */
const THIS_MACHINE = [".host", "machine/.host", "machine%.host"];

/** An address of each form, to ask ssh what it would do with one. */
export const EXAMPLES: readonly string[] = [".host", ...FORMS.map((form) => `${form}/1`)];

/** The same as patterns, with `%` in the first separator's place for scp and rsync, and none of this machine's names. */
const PATTERNS = [
  ...FORMS.flatMap((form) => [`${form}/*`, `${form}%*`]),
  ...THIS_MACHINE.map((name) => `!${name}`),
];

/** What may be done about host keys; the first unless something else is asked for. */
export const HOST_KEYS = ["ephemeral", "tofu", "strict"] as const;

/** One of {@linkcode HOST_KEYS}. */
export type HostKeys = typeof HOST_KEYS[number];

/** What the fragment is asked for. */
export interface Settings {
  readonly aliases: readonly Alias[];
  readonly hostKeys: HostKeys;
}

/** What it is asked for where nobody asks for anything. */
const PLAIN: Settings = { aliases: [], hostKeys: HOST_KEYS[0] };

/** What every fragment begins with: a file that does is one of this program's. */
const BEGINNING = "# deno-ssh-proxy: ";

/** Where host keys are kept that are kept: `ssh` puts the home of whoever runs it in the place of `~`. */
const KNOWN_HOSTS = "~/.ssh/deno-ssh-proxy.known_hosts";

/** What each way with host keys does, and the options that do it. */
const HOST_KEY_LINES: Record<HostKeys, string> = {
  ephemeral: `
    # A socket or a CID says where a server is, not which one it is: the next virtual machine with the same CID has
    # another host key, and nobody can stand between the two ends of a local socket. So host keys are neither checked
    # nor kept, as systemd's own fragment has it. Where addresses stay with one server for good: --host-keys tofu.
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
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
 * The fragment for a program that `command` starts: a shell's words, in which ssh replaces `%` tokens.
 *
 * `Match host` rather than `Host`: it sees the name after `HostName` has replaced it, so an alias works too; and with
 * `Match final` one that comes after this, as well as one that comes before.
 */
export function fragment(command: string, { aliases, hostKeys }: Settings = PLAIN): string {
  return `${BEGINNING}ssh to virtual machines, containers and local sockets.
#
# deno-ssh-proxy config --install writes this anew: it keeps the options that stand here in comments, and nothing else.

${
    aliases.map((alias) => aliasBlock(command, alias, hostKeys)).join("")
  }# This machine. Its host key is checked like any other.
Match host ${THIS_MACHINE.join(",")}
    ProxyCommand ${command} '%h' '%p' --as-typed '%n'
    ProxyUseFdpass yes
    CheckHostIP no

Match host ${PATTERNS.join(",")}
    ProxyCommand ${command} '%h' '%p' --as-typed '%n'
    ProxyUseFdpass yes
    CheckHostIP no

    # --host-keys ${hostKeys}${HOST_KEY_LINES[hostKeys]}
# Everything is read once more when HostName is known, so that an alias of an address may stand below this as well.
Match final all
`;
}

/** What the fragment `text` was asked for; nothing where it is not one of this program's. */
export function settingsOf(text: string): Settings | undefined {
  if (!text.startsWith(BEGINNING)) return undefined;
  const comments = text.split("\n").map((line) => /^ *# (--[a-z-]+) ([^]+)$/.exec(line) ?? []);
  const values = (option: string) => comments.flatMap(([, name, value = ""]) => name === option ? [value] : []);
  const [given] = values("--host-keys");
  return {
    aliases: values("--alias").map(parseAlias),
    hostKeys: HOST_KEYS.find((one) => one === given) ?? HOST_KEYS[0],
  };
}

/**
 * The block for `alias`. The address stands in it, because what ssh has from `HostName` it lower-cases; and the `Port`,
 * where ssh takes it for one, so that `-p` still counts.
 */
function aliasBlock(command: string, alias: Alias, hostKeys: HostKeys): string {
  const { name, address, port } = alias;
  const isPort = port === undefined || port > 0 && port < 2 ** 16;
  const lines = [
    `# --alias ${formatAlias(alias)}`,
    `Host ${name}`,
    ...(isPort && port !== undefined ? [`    Port ${port}`] : []),
    `    ProxyCommand ${command} ${quote(address)} ${isPort ? "'%p'" : port}`,
    "    ProxyUseFdpass yes",
    "    CheckHostIP no",
    ...(THIS_MACHINE.includes(address) ? [] : [...hostKeyAlias(alias, hostKeys), ...options(hostKeys)]),
  ];
  return `${lines.join("\n")}\n\n`;
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

/**
 * The words that start this program again as a ProxyCommand: the installed one, which is in a folder of its own or not, or
 * where there is none, Deno itself with the flags that the shim would give it.
 *
 * @param main The URL of the program's main module, or of its executable.
 * @param library The path of the native library.
 * @param deno The path of the Deno executable.
 */
export function proxyCommand(main: string, library: string, deno: string): string {
  const path = decodeURIComponent(new URL(main).pathname);
  const prefix = /^(.*)\/lib\/deno-ssh-proxy\/(?:[^/]+\/)?(?:[^/]+\.mjs|standalone)$/s.exec(path)?.[1];
  if (prefix !== undefined) return quote(`${prefix}/bin/deno-ssh-proxy`);
  if (library.includes(",")) {
    throw new ProxyError("usage", `${printable(library)}: Deno cannot grant a path with a comma in it`, {
      hint: "move the checkout to a folder without one",
    });
  }
  // Not cli.ts, which needs a package for its commands.
  const proxy = path.replace(/cli\.ts$/, "proxy.ts");
  return [deno, "run", "--no-prompt", "--no-config", `--allow-ffi=${library}`, proxy].map(quote).join(" ");
}

/**
 * `word` for ssh, which replaces `%` tokens, and then for whatever shell the user has. ssh itself only counts the quotes
 * (since 8.7), and takes a backslash before one for its escape even where the shell does not: so each stands outside them.
 */
function quote(word: string): string {
  if (/[\n\r]/.test(word)) {
    throw new ProxyError("usage", `${printable(word)}: ssh_config cannot hold a line break`);
  }
  const escaped = word.replaceAll("%", "%%");
  return /^[\w./=%@:+,-]+$/.test(escaped) ? escaped : `'${escaped.replaceAll(/['\\]/g, "'\\$&'")}'`;
}
