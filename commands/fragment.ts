/**
 * The part of ssh_config(5) that makes `ssh` use this program.
 *
 * @module
 */

import { printable, ProxyError } from "../proxy/errors.ts";

/** The names of this machine. */
const THIS_MACHINE = [".host", "machine/.host", "machine%.host"];

/** The other host name forms, with `%` in the first separator's place for scp and rsync. */
const FORMS = [
  ...["unix", "vsock", "vsock-mux", "machine"].flatMap((form) => [`${form}/*`, `${form}%*`]),
  ...THIS_MACHINE.map((name) => `!${name}`),
];

/**
 * The fragment for a program that `command` starts: a shell's words, in which ssh replaces `%` tokens.
 *
 * `Match host` rather than `Host`: it sees the name after `HostName` has replaced it, so an alias works too; and with
 * `Match final` one that comes after this, as well as one that comes before.
 */
export function fragment(command: string): string {
  return `# deno-ssh-proxy: ssh to virtual machines, containers and local sockets.

# This machine. Its host key is checked like any other.
Match host ${THIS_MACHINE.join(",")}
    ProxyCommand ${command} '%h' '%p' --as-typed '%n'
    ProxyUseFdpass yes
    CheckHostIP no

Match host ${FORMS.join(",")}
    ProxyCommand ${command} '%h' '%p' --as-typed '%n'
    ProxyUseFdpass yes
    CheckHostIP no

    # A socket or a CID says where a server is, not which one it is: the next virtual machine with the same CID has
    # another host key, and nobody can stand between the two ends of a local socket. So host keys are neither checked nor
    # kept, as systemd's own fragment has it. If these names stay with one server for good, take these two lines out.
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null

# Everything is read once more when HostName is known, so that an alias of an address may stand below this as well.
Match final all
`;
}

/**
 * The words that start this program again as a ProxyCommand: the installed shim, or where there is none, Deno itself with
 * the flags that the shim would give it.
 *
 * @param main The URL of the program's main module.
 * @param library The path of the native library.
 * @param deno The path of the Deno executable.
 */
export function proxyCommand(main: string, library: string, deno: string): string {
  const path = decodeURIComponent(new URL(main).pathname);
  const prefix = /^(.*)\/lib\/deno-ssh-proxy\/[^/]+\.mjs$/s.exec(path)?.[1];
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

/** `word` for ssh, which replaces `%` tokens, and then for whatever shell the user has. */
function quote(word: string): string {
  if (/[\n\r]/.test(word)) {
    throw new ProxyError("usage", `${printable(word)}: ssh_config cannot hold a line break`);
  }
  const escaped = word.replaceAll("%", "%%");
  return /^[\w./=%@:+,-]+$/.test(escaped) ? escaped : `'${escaped.replaceAll("'", `'\\''`)}'`;
}
