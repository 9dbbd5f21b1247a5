/**
 * What a failed step means for the person who typed the address: the kind of error, its one line, and what to do.
 *
 * @module
 */

import { SystemError } from "../ffi/errno.ts";
import { type ErrorKind, ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";
import type { Deadline } from "../core/deadline.ts";
import type { Machine } from "./machined.ts";
import { suggestWithoutPort } from "./suggest.ts";
import type { Obstacle } from "./obstacle.ts";
import {
  formatTarget,
  type MachineTarget,
  type SocketTarget,
  type Target,
  THIS_HOST,
  type UnixTarget,
  VMADDR_CID_HOST,
  VMADDR_CID_LOCAL,
  type VsockMuxTarget,
  type VsockTarget,
} from "./target.ts";

/** `target` as a message names it. */
export function targetLabel(target: Target): string {
  const address = escapeForTerminal(formatTarget(target));
  return target.kind === "unix" ? address : `${address} port ${target.port}`;
}

/** A connection that could not be made. `obstacle` is what is in the way at the path, where that was found. */
export function connectError(
  target: SocketTarget,
  cause: SystemError,
  deadline: Deadline,
  obstacle?: Obstacle,
): ProxyError {
  const reason = target.kind === "vsock"
    ? vsockReason(target, cause, deadline)
    : (obstacle && obstacleReason(target, obstacle)) ?? unixReason(target, cause, deadline);
  const [kind, why, hint] = reason ?? ["resource", cause.message];
  // A directory does not become a socket while somebody waits. A regular file may: one is mounted over it.
  const lasting = obstacle?.is === "directory" ? SystemError.named("ENOTSOCK") : cause;
  return new ProxyError(kind, `${targetLabel(target)}: ${why}`, { cause: lasting, hint });
}

const NO_MACHINED = "systemd-machined does not run";
const MACHINED_HINT = "systemctl start systemd-machined (on Debian, the package systemd-container has it)";

/** The kind of an error, why it is one, and what to do about it; undefined where that cannot be told. */
type Reason = [kind: ErrorKind, why: string, hint?: string] | undefined;

/** Explains a failed connection to `target` by what is at its path, or near it. The address before it has the path. */
function obstacleReason(target: UnixTarget | VsockMuxTarget, { is, path }: Obstacle): Reason {
  const shown = escapeForTerminal(path);
  const other = escapeForTerminal(formatTarget({ ...target, path }));
  switch (is) {
    case "datagram socket":
    case "seqpacket socket":
      return ["unreachable", `it is a ${is}`, "ssh needs a stream socket"];
    case "directory":
      return [
        "unreachable",
        "it is a directory, not a socket",
        "a tool that cuts the name at a slash (git, unison, pssh) needs an alias: " +
        `deno-ssh-proxy config --install --alias NAME=${target.kind}/PATH`,
      ];
    case "regular file":
      return ["unreachable", "it is a regular file, not a socket", NOT_A_SOCKET];
    case "not a socket":
      return ["unreachable", "it is not a socket", NOT_A_SOCKET];
    case "not a directory":
      return ["missing", `${NOT_THERE}: ${shown} is not a directory`, missingHint(target)];
    case "missing directory":
      return ["missing", `${NOT_THERE}: there is no directory ${shown}`, missingHint(target, parentOf(path))];
    case "socket in another case":
      return ["missing", NOT_THERE, `did you mean ${other}? ${caseHint(target.path)}`];
    case "socket of a near name":
      return [
        "missing",
        NOT_THERE,
        aliasHint(target) ?? suggestWithoutPort(formatTarget(target)) ??
          `${makerHint(target)} Or did you mean ${other}?`,
      ];
  }
}

const NOT_THERE = "the socket does not exist";
const NOT_A_SOCKET = "is it the right path? ls -l shows an s as the first letter of a socket's line";

/** What an error of connecting to an AF_UNIX socket means (unix(7), connect(2)). */
function unixReason(target: UnixTarget | VsockMuxTarget, cause: SystemError, deadline: Deadline): Reason {
  switch (cause.code) {
    case "ENOENT":
      return ["missing", NOT_THERE, missingHint(target, parentOf(target.path))];
    case "ENOTDIR":
      return ["missing", `${NOT_THERE}: a part of its path is not a directory`, missingHint(target)];
    // EX_NOINPUT, as for a link to nothing: the path leads nowhere, and the address is well-formed.
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
      return [
        "unreachable",
        "nothing listens there",
        "the server that made it has ended, or no longer listens",
      ];
    case "EPROTOTYPE":
      return ["unreachable", "it is a socket of another type", "ssh needs a stream socket"];
    case "ECONNRESET":
    case "EPIPE":
      return ["unreachable", "the connection was reset", "is its server about to end?"];
    case "ETIMEDOUT":
      return [
        "timeout",
        `not accepted within ${formatSeconds(deadline)}`,
        "its server is busy or stopped",
      ];
    case "ENAMETOOLONG":
      return ["usage", "the path is too long", "the kernel takes paths of 4095 bytes, with /proc mounted"];
  }
}

/** Says which kernel module AF_VSOCK needs. Each loads the module `vsock` as well. */
export const VSOCK_MODULE_HINT =
  "load the kernel module for it: modprobe vhost_vsock on a host, modprobe vmw_vsock_virtio_transport in a guest";

/** What an error of connecting over AF_VSOCK means (vsock(7), and the kernel's net/vmw_vsock). */
function vsockReason(target: VsockTarget, cause: SystemError, deadline: Deadline): Reason {
  const { cid, port } = target;
  const listens = listenerHint(cid, port);
  switch (cause.code) {
    case "EACCES":
    case "EPERM":
      return ["permission", "permission denied", "something (seccomp, SELinux) keeps this process from AF_VSOCK"];
    case "ECONNREFUSED":
      return ["unreachable", "connection refused", listens];
    case "ECONNRESET":
    case "EPIPE":
      return ["unreachable", "nothing listens on that port", listens];
    case "EHOSTUNREACH":
      // Of a guest, vhost-vsock says so until the guest's driver runs (Linux 7).
      if (cid > VMADDR_CID_HOST) {
        return [
          "unreachable",
          "the guest has not booted yet: its vsock driver does not run",
          `deno-ssh-proxy wait ${formatTarget(target)} ${port} waits for it, and so does --wait in a ProxyCommand`,
        ];
      }
      // falls through
    case "ENODEV":
    case "EADDRNOTAVAIL":
    case "ENETUNREACH":
      return [
        "unreachable",
        `no such CID: ${cause.message}`,
        cid <= VMADDR_CID_HOST
          ? listens
          : "is the virtual machine running, with a vsock device of this CID? (on a host: the vhost_vsock kernel module)",
      ];
    case "EAFNOSUPPORT":
      return Deno.build.os === "linux"
        ? ["resource", "this kernel has no AF_VSOCK", VSOCK_MODULE_HINT]
        : ["resource", "not supported on this system", "AF_VSOCK needs Linux"];
    case "ETIMEDOUT":
      return ["timeout", `no answer within ${formatSeconds(deadline)}`, listens];
  }
}

/** A systemd-machined that could not be asked: what an error of its socket at `path` means. */
export function machinedError(path: string, cause: SystemError, deadline: Deadline): ProxyError {
  const [kind, why, hint] = machinedReason(path, cause, deadline) ?? ["resource", cause.message];
  return new ProxyError(kind, `${escapeForTerminal(path)}: ${why}`, { cause, hint });
}

function machinedReason(path: string, cause: SystemError, deadline: Deadline): Reason {
  switch (cause.code) {
    case "ENOENT":
    case "ENOTDIR":
    case "ECONNREFUSED":
      return ["missing", NO_MACHINED, MACHINED_HINT];
    case "ETIMEDOUT":
      return ["timeout", `no answer within ${formatSeconds(deadline)}`];
    default:
      return unixReason({ kind: "unix", path }, cause, deadline);
  }
}

/** A systemd-machined that answered with a varlink error. */
export function varlinkError(path: string, error: string): ProxyError {
  const [kind, why, hint]: NonNullable<Reason> = error === "org.varlink.service.InvalidParameter"
    ? ["usage", "no machine can have this name"]
    : error === "org.varlink.service.MethodNotFound"
    ? ["unreachable", "this systemd-machined cannot be asked", "that of systemd 257 and later can"]
    : ["protocol", `the answer was the error ${escapeForTerminal(error)}`];
  return new ProxyError(kind, `${escapeForTerminal(path)}: ${why}`, { hint });
}

/** A systemd-machined whose answer is none; undefined where it closed the connection instead. */
export function malformedReplyError(path: string, answer: string | undefined): ProxyError {
  const [kind, why] = answer === undefined
    ? ["unreachable", "closed without an answer"] as const
    : ["protocol", `the answer was "${escapeForTerminal(answer)}", not one of systemd-machined's`] as const;
  return new ProxyError(kind, `${escapeForTerminal(path)}: ${why}`);
}

/** An error on the way to a machine, by the name that was typed, and where that is known, by the `place` it stands for. */
export function machineError(target: MachineTarget, { kind, message, hint, cause }: ProxyError, place?: SocketTarget) {
  // The message begins with the name of the place.
  return new ProxyError(kind, `${escapeForTerminal(formatTarget(target))}${place ? " is " : ": "}${message}`, {
    hint,
    cause,
  });
}

/** A machine that nobody knows; `answered` where anybody could be asked. */
export function unknownMachineError(target: MachineTarget, answered: boolean): ProxyError {
  return answered
    ? unreachable(target, "no such machine", "machinectl list shows those there are")
    : unreachable(target, NO_MACHINED, MACHINED_HINT);
}

/** A container that has nothing at `path`, where its socket should be. */
export function containerError(target: MachineTarget, path: string): ProxyError {
  return unreachable(
    target,
    `${escapeForTerminal(path)} does not exist`,
    "is the container up, with systemd 256 or later and an sshd in it?",
  );
}

/** A machine of which it is known what it is, but not where its sshd is. */
export function unreachableMachineError(target: MachineTarget, machine: Machine): ProxyError {
  const { class: kind, service, sshAddress } = machine;
  if (kind === "host") return unreachable(target, "it is this machine itself", "write .host");
  return sshAddress === undefined
    ? unreachable(
      target,
      `a ${escapeForTerminal(kind)}${
        service ? ` of ${escapeForTerminal(service)}` : ""
      } with neither a CID nor an address for ssh`,
      "where you know the path of its socket, write unix/PATH",
    )
    : unreachable(
      target,
      `its address for ssh is '${escapeForTerminal(sshAddress)}', not that of a local socket`,
      "where it is a host's name, ssh reaches that without this program",
    );
}

function unreachable(target: MachineTarget, why: string, hint: string): ProxyError {
  return new ProxyError("unreachable", `${escapeForTerminal(formatTarget(target))}: ${why}`, { hint });
}

/** A multiplexer that ended the connection instead of answering. */
export function closedByMultiplexerError(target: VsockMuxTarget, cause?: SystemError): ProxyError {
  return new ProxyError(
    "unreachable",
    `${targetLabel(target)}: nothing listens on that port in the guest, or it has not booted yet`,
    { cause, hint: guestHint(target.port) },
  );
}

/** A system error, other than the end of the connection, while the multiplexer was asked. */
export function handshakeError(target: VsockMuxTarget, cause: SystemError, deadline: Deadline): ProxyError {
  switch (cause.code) {
    case "ECONNRESET":
    case "EPIPE":
      return closedByMultiplexerError(target, cause);
    case "ETIMEDOUT":
      return new ProxyError(
        "timeout",
        `${targetLabel(target)}: the multiplexer did not answer within ${formatSeconds(deadline)}`,
        {
          cause,
          hint: "the guest may still be booting: Firecracker's socket listens, but stays silent, until it is up",
        },
      );
    default:
      return new ProxyError("resource", `${targetLabel(target)}: ${cause.message}`, { cause });
  }
}

/** A multiplexer whose answer is none. */
export function protocolError(target: VsockMuxTarget, answer: Uint8Array, ended: boolean): ProxyError {
  return new ProxyError(
    "protocol",
    `${targetLabel(target)}: the answer to CONNECT was "${quoted(answer)}"${
      ended ? ", and then the end" : ""
    }, not an OK line`,
    {
      hint: `is that the socket of a hybrid-vsock multiplexer? For an sshd, write ${unixAddress(target)}`,
    },
  );
}

/** An SSH server with no multiplexer before it: it took the request for its client's banner, and hung up. */
export function sshServerError(target: VsockMuxTarget): ProxyError {
  return new ProxyError("protocol", `${targetLabel(target)}: it is an SSH server itself, not a multiplexer`, {
    hint: `use ${unixAddress(target)}`,
  });
}

/** Returns the address of the socket of `target` itself. */
function unixAddress({ path }: VsockMuxTarget): string {
  return escapeForTerminal(formatTarget({ kind: "unix", path }));
}

/** A server that ended the connection before its banner. */
export function closedBeforeBannerError(target: Target, cause?: SystemError): ProxyError {
  return new ProxyError("unreachable", `${targetLabel(target)}: the connection was closed before an SSH banner came`, {
    cause,
    hint: "is the sshd there still starting, has it no host keys (ssh-keygen -A makes them), " +
      "or as many connections as it takes (MaxStartups)?",
  });
}

/** A server that says nothing. */
export function bannerTimeoutError(target: Target, deadline: Deadline): ProxyError {
  const other = target.kind === "unix" ? ` For a multiplexer, write ${muxAddress(target)}` : "";
  return new ProxyError(
    "timeout",
    `${targetLabel(target)}: connected, but no SSH banner within ${formatSeconds(deadline)}`,
    {
      hint: `is it an sshd that listens there?${other}`,
    },
  );
}

/** A multiplexer behind an address for a socket: `reply` is its answer to CONNECT. */
export function multiplexerError(target: UnixTarget, reply: string): ProxyError {
  return new ProxyError(
    "protocol",
    `${targetLabel(target)}: it is a multiplexer, which answers CONNECT with ${reply}`,
    {
      hint: `use ${muxAddress(target)}`,
    },
  );
}

/** Returns the address of the multiplexer whose socket is at the path of `target`. */
function muxAddress({ path }: UnixTarget): string {
  return escapeForTerminal(formatTarget({ kind: "vsock-mux", path, port: 0 }));
}

/** A server that says something else. */
export function notSshError(target: Target, said: Uint8Array, ended: boolean): ProxyError {
  return new ProxyError(
    "protocol",
    `${targetLabel(target)}: the server said "${quoted(said)}"${ended ? ", and then the end" : ""}, not an SSH banner`,
    { hint: "is it an sshd that listens there?" },
  );
}

/** A server whose banner cannot be seen without reading what stands before it. */
export function hiddenBannerError(target: Target): ProxyError {
  return new ProxyError(
    "protocol",
    `${targetLabel(target)}: the server says more lines before its SSH banner than fit here`,
    {
      hint: "ssh reads them all: try it",
    },
  );
}

/** A server that is not up at the end of the time to wait for it. `last` is why not. */
export function waitTimeoutError(last: ProxyError, end: Deadline): ProxyError {
  return new ProxyError("timeout", `${last.message} (waited ${formatSeconds(end)})`, { cause: last, hint: last.hint });
}

/** Returns what {@linkcode waitTimeoutError} made, without the reason if that is what a person was `told` already. */
export function withoutReason(thrown: unknown, target: Target, end: Deadline, told: string | undefined): unknown {
  const cause = thrown instanceof ProxyError ? thrown.cause : undefined;
  if (!(cause instanceof ProxyError && cause.message === told)) return thrown;
  return new ProxyError("timeout", `${targetLabel(target)}: gave up after ${formatSeconds(end)}`, {
    cause,
    hint: cause.hint,
  });
}

/** An fd that can take neither a connection nor its bytes: what it is, and so why not. */
export function unusableFdError(fd: number, what: string): ProxyError {
  return new ProxyError("handover", `fd ${fd}: it is ${what}, which cannot take a connection`, {
    hint: "run this as the ProxyCommand of an SSH client",
  });
}

/** A connection that was made, and that nobody took. */
export function handoverError(fd: number, cause: SystemError): ProxyError {
  const isUnattended = cause.code === "EPIPE" || cause.code === "ECONNRESET";
  const why = isUnattended ? "ssh is gone" : cause.message;
  return new ProxyError(
    isExhausted(cause) ? "resource" : "handover",
    `fd ${fd}: the connection could not be passed on: ${why}`,
    {
      cause,
      hint: cause.code === "ETOOMANYREFS"
        ? "programs of this user have sent more file descriptors than ulimit -n allows, which nobody has received (unix(7))"
        : undefined,
      isUnattended,
    },
  );
}

/** Returns whether the system has refused a resource. */
function isExhausted({ code = "EIO" }: SystemError): boolean {
  return ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ETOOMANYREFS"].includes(code);
}

/** A relay that could not go on. */
export function relayError(cause: SystemError): ProxyError {
  return new ProxyError("handover", `the relay broke: ${cause.message}`, { cause });
}

/** Says what to do about a path where nothing is. `directory` is the nearest one that may exist. */
function missingHint(target: UnixTarget | VsockMuxTarget, directory?: string): string {
  const alias = aliasHint(target);
  if (alias !== undefined) return alias;
  if (target.path === THIS_HOST.path) return "systemd 256 and later makes it, where sshd is installed";
  const port = suggestWithoutPort(formatTarget(target));
  if (port !== undefined) return port;
  const look = directory === undefined || !isPlainWord(directory) ? "" : ` ls -l ${directory} shows what is there`;
  return `${makerHint(target)} Is the path right?${look}`;
}

/**
 * Says what to do about a path in which each slash is a `%`, as somebody types it for scp or rsync; undefined if it is no
 * such path. Only the first `/` of an address can be a `%`.
 */
function aliasHint({ kind, path }: UnixTarget | VsockMuxTarget): string | undefined {
  if (path.lastIndexOf("/") !== 0 || !path.includes("%", 1)) return undefined;
  const address = `${kind}${path.replaceAll("%", "/")}`;
  // What a shell would read as something else is left for a person to quote.
  const shown = isPlainWord(address) ? address : `${kind}/PATH`;
  return `scp and rsync need a name for a path: deno-ssh-proxy config --install --alias NAME=${shown}`;
}

/** Whether a shell reads `text` as it is, and a terminal shows it so. */
function isPlainWord(text: string): boolean {
  return /^[\w./=@:+,-]+$/.test(text);
}

/** Says what makes the socket of `target`. */
function makerHint({ kind }: UnixTarget | VsockMuxTarget): string {
  return kind === "unix"
    ? "is the server running?"
    : "is the virtual machine running? Its multiplexer makes the socket.";
}

/** Says why the case of `path` may be wrong. */
function caseHint(path: string): string {
  const isLower = path === path.toLowerCase();
  return isLower ? "ssh puts a HostName into lower case: config --alias keeps capitals" : "capital letters count";
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** What must listen where, for a CID that may be this machine or the one around it (vsock(7)). */
function listenerHint(cid: number, port: number): string {
  switch (cid) {
    case VMADDR_CID_LOCAL:
      return `CID 1 is this machine: is the kernel module vsock_loopback loaded, and does sshd listen on vsock port ${port}?`;
    case VMADDR_CID_HOST:
      return `CID 2 is the host of a virtual machine: does the host's sshd listen on vsock port ${port}?`;
    default:
      return guestHint(port);
  }
}

function guestHint(port: number): string {
  return `is the guest up, and does its sshd listen on vsock port ${port}?`;
}

/** What came from the other side, fit for a terminal. */
function quoted(bytes: Uint8Array): string {
  // No more than is shown: a call takes so many arguments only.
  return escapeForTerminal(String.fromCharCode(...bytes.subarray(0, 1024)));
}

/** The whole time of a deadline, as a message says it. */
export function formatSeconds({ timeout }: Deadline): string {
  return `${timeout / 1000} s`;
}
