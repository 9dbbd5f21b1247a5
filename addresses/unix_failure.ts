/**
 * Explains failed connections to AF_UNIX sockets (unix(7), connect(2)).
 *
 * @module
 */

import { type Deadline, formatSeconds } from "../core/deadline.ts";
import { escapeForTerminal } from "../core/text.ts";
import type { SystemError } from "../ffi/errno.ts";
import type { Reason } from "./form.ts";
import type { Obstacle } from "./obstacle.ts";
import { portInPathHint } from "./port_hint.ts";
import { THIS_MACHINE_TARGET } from "./this_machine.ts";

/** A socket that could not be connected to. */
export interface UnixSubject {
  readonly path: string;
  /** The address that has the socket; left out for a socket that no address has. */
  readonly addressed?: SocketAddress | undefined;
  /** Asks whether the program that makes the socket runs. */
  readonly makerHint?: string | undefined;
}

/** The address of a socket. */
export interface SocketAddress {
  readonly address: string;
  /** The name of its form, and the usage line: `unix/PATH`. */
  readonly form: string;
  readonly usage: string;
  readonly takesPort: boolean;
  /** Returns the address of the same form with another path, if it has paths. */
  readonly withPath?: ((path: string) => string) | undefined;
}

const MISSING = "the socket does not exist";
const NOT_A_SOCKET = "is it the right path? ls -l shows an s as the first letter of a socket's line";

/** Returns the reason for an error of connecting; undefined for an error that no case of it gives. */
export function explainUnixFailure(subject: UnixSubject, cause: SystemError, deadline: Deadline): Reason | undefined {
  switch (cause.code) {
    case "ENOENT":
      return ["missing", MISSING, missingHint(subject, parentOf(subject.path))];
    case "ENOTDIR":
      return ["missing", `${MISSING}: a part of its path is not a directory`, missingHint(subject)];
    // EX_NOINPUT, as for a dangling link: the path leads nowhere, and the address is well-formed.
    case "ELOOP":
      return [
        "missing",
        "the path leads through too many symbolic links",
        "they may lead round in a circle: namei shows each link of a path",
      ];
    case "EACCES":
    case "EPERM":
      return [
        "permission",
        "permission denied",
        "a user needs write permission for the socket and search permission for the directories that it is in",
      ];
    case "ECONNREFUSED":
      return ["unreachable", "nothing listens there", "the server that made it has ended, or no longer listens"];
    case "EPROTOTYPE":
      return ["unreachable", "it is a socket of another type", "ssh needs a stream socket"];
    case "ECONNRESET":
    case "EPIPE":
      return ["unreachable", "the connection was reset", "is its server about to end?"];
    case "ETIMEDOUT":
      return ["timeout", `not accepted within ${formatSeconds(deadline)}`, "its server is busy or stopped"];
    case "ENAMETOOLONG":
      return ["usage", "the path is too long", "the kernel takes paths of 4095 bytes, with /proc mounted"];
  }
}

/** Returns the reason for a failed connection where an obstacle was found at the path, or another socket near it. */
export function explainObstacle(subject: UnixSubject, { is, path }: Obstacle): Reason {
  const shown = escapeForTerminal(path);
  switch (is) {
    case "datagram socket":
    case "seqpacket socket":
      return ["unreachable", `it is a ${is}`, "ssh needs a stream socket"];
    case "directory":
      return [
        "unreachable",
        "it is a directory, not a socket",
        "a tool that cuts the name at a slash (git, unison, pssh) needs an alias: " +
        `deno-ssh-proxy config --install --alias NAME=${subject.addressed?.usage ?? "unix/PATH"}`,
      ];
    case "regular file":
      return ["unreachable", "it is a regular file, not a socket", NOT_A_SOCKET];
    case "not a socket":
      return ["unreachable", "it is not a socket", NOT_A_SOCKET];
    case "not a directory":
      return ["missing", `${MISSING}: ${shown} is not a directory`, missingHint(subject)];
    case "missing directory":
      return ["missing", `${MISSING}: there is no directory ${shown}`, missingHint(subject, parentOf(path))];
    case "socket in another case":
      return ["missing", MISSING, `${didYouMean(subject, path)} ${caseHint(subject.path)}`];
    case "socket of a near name":
      return [
        "missing",
        MISSING,
        aliasHint(subject) ?? portHint(subject) ??
          `${makerHint(subject)} Or ${didYouMean(subject, path)}`,
      ];
    default:
      return is satisfies never;
  }
}

function didYouMean({ addressed }: UnixSubject, path: string): string {
  const address = addressed?.withPath?.(path);
  return address === undefined ? `is it ${escapeForTerminal(path)}?` : `did you mean ${escapeForTerminal(address)}?`;
}

/** Returns the hint for a missing path. `directory` is the nearest directory that can exist. */
function missingHint(subject: UnixSubject, directory?: string): string {
  const alias = aliasHint(subject);
  if (alias !== undefined) return alias;
  if (subject.path === THIS_MACHINE_TARGET.path) return "systemd 256 and later makes it, where sshd is installed";
  const port = portHint(subject);
  if (port !== undefined) return port;
  const look = directory === undefined || !isPlainWord(directory) ? "" : ` ls -l ${directory} shows what is there`;
  return `${makerHint(subject)} Is the path right?${look}`;
}

/**
 * Returns the hint for a path in which each slash is a `%`, as somebody types it for scp or rsync; undefined for another
 * path. Only the first `/` of an address can be a `%`.
 */
function aliasHint({ path, addressed }: UnixSubject): string | undefined {
  if (addressed?.withPath === undefined || path.lastIndexOf("/") !== 0 || !path.includes("%", 1)) return undefined;
  const address = `${addressed.form}${path.replaceAll("%", "/")}`;
  // A word that a shell would not read as it is: a person has to quote it.
  const shown = isPlainWord(address) ? address : addressed.usage;
  return `scp and rsync need a name for a path: deno-ssh-proxy config --install --alias NAME=${shown}`;
}

function portHint({ addressed }: UnixSubject): string | undefined {
  return addressed && portInPathHint(addressed.address, addressed.takesPort);
}

function makerHint({ makerHint = "is the server running?" }: UnixSubject): string {
  return makerHint;
}

/** Returns whether a shell reads `text` as one word, and a terminal shows it as it is. */
function isPlainWord(text: string): boolean {
  return /^[\w./=@:+,-]+$/.test(text);
}

/** Returns the reason why the case of `path` can be wrong. */
function caseHint(path: string): string {
  const isLower = path === path.toLowerCase();
  return isLower ? "ssh puts a HostName into lower case: config --alias keeps capitals" : "capital letters count";
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
