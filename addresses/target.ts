/**
 * From the host name and port that `ssh` was given to what they stand for. Nothing here opens or looks at anything.
 *
 * @module
 */

import { escapeForTerminal } from "../core/text.ts";
import { ProxyError } from "../core/errors.ts";
import { suggestAddress } from "./suggest.ts";

/** An AF_UNIX stream socket. */
export interface UnixTarget {
  /** Tells the kinds of targets apart. */
  readonly kind: "unix";
  /** The socket's path: begins with `/` or `./`. */
  readonly path: string;
}

/** A port of a virtual machine, or of the host, over AF_VSOCK. */
export interface VsockTarget {
  /** Tells the kinds of targets apart. */
  readonly kind: "vsock";
  /** The context identifier, 0 to 2^32 − 2 (vsock(7)). */
  readonly cid: number;
  /** The vsock port, 0 to 2^32 − 2. */
  readonly port: number;
}

/** A port of a virtual machine behind a hybrid-vsock multiplexer: Firecracker, Cloud Hypervisor, vhost-device-vsock. */
export interface VsockMuxTarget {
  /** Tells the kinds of targets apart. */
  readonly kind: "vsock-mux";
  /** The path of the multiplexer's AF_UNIX socket: begins with `/` or `./`. */
  readonly path: string;
  /** The vsock port in the guest, 0 to 2^32 − 1. */
  readonly port: number;
}

/** A port of a virtual machine, or the `ssh` socket of a container, that systemd-machined knows by a name. */
export interface MachineTarget {
  /** Tells the kinds of targets apart. */
  readonly kind: "machine";
  /** The name under which it is registered, in its own case. */
  readonly name: string;
  /** The vsock port, 0 to 2^32 − 1, where it is reached over vsock or a multiplexer. A container's socket has none. */
  readonly port: number;
}

/** What can be connected to. One that {@linkcode parseTarget} made is valid. */
export type Target = UnixTarget | VsockTarget | VsockMuxTarget | MachineTarget;

/** A target that says by itself where its socket is. */
export type SocketTarget = Exclude<Target, MachineTarget>;

/** The CID of this machine itself, and that of the host, seen from a virtual machine (linux/vm_sockets.h). */
export const VMADDR_CID_LOCAL = 1;
export const VMADDR_CID_HOST = 2;

/** What vsock(7) calls "any" CID and port, VMADDR_CID_ANY and VMADDR_PORT_ANY: for bind(2), and nothing to connect to. */
export const VMADDR_ANY = 2 ** 32 - 1;

/** Where systemd-ssh-generator (systemd 256 and later) has this machine's own sshd listen. */
export const THIS_HOST: UnixTarget = { kind: "unix", path: "/run/ssh-unix-local/socket" };

/** The CIDs that have names: those of vsock(7), under the names that systemd-ssh-proxy takes. */
const NAMED_CIDS: Record<string, number> = { hypervisor: 0, local: VMADDR_CID_LOCAL, host: VMADDR_CID_HOST };

const FORMS = "unix/PATH, vsock/CID, vsock-mux/PATH, machine/NAME or .host";

/**
 * What `host` and `port` stand for, as they stand on a `ssh` command line.
 *
 * The first `/` of `host` may be a `%` instead, for `scp` and `rsync`, which take a name with a `/` in it for a path.
 * The words of an address may be in any case: `ssh` leaves a name alone that has a `%` in it.
 * The port of an AF_UNIX socket means nothing, but must be one all the same.
 *
 * @throws {ProxyError} of kind `usage` where they stand for nothing.
 *
 * @example
 * ```ts
 * import { parseTarget } from "@deno-ssh-proxy/deno-ssh-proxy";
 *
 * console.assert(parseTarget("vsock/42", "22").kind === "vsock");
 * ```
 */
export function parseTarget(host: string, port: string): Target {
  for (const [what, text] of [["host", host], ["port", port]] as const) {
    if (typeof text !== "string") {
      throw new ProxyError("usage", `${what} ${escapeForTerminal(Deno.inspect(text))}: not text`, {
        hint: "it must be a string",
      });
    }
  }
  const vsockPort = parsePort(port, host);
  try {
    return parseHost(host, vsockPort);
  } catch (thrown) {
    const hint = thrown instanceof ProxyError ? suggestAddress(host, isAddress) ?? cidAsPort(host, port) : undefined;
    throw hint === undefined ? thrown : new ProxyError("usage", (thrown as ProxyError).message, { hint });
  }
}

/**
 * Returns the number of `port`, for the address `host` or for a name of one.
 *
 * @throws {ProxyError} of kind `usage`
 */
export function parsePort(port: string, host: string): number {
  const number = parseNumber(port);
  if (number !== undefined) return number;
  const isVsock = lowerAscii(split(host)[0]).slice(0, -1) === "vsock";
  throw new ProxyError("usage", `port '${escapeForTerminal(port)}': not a port`, {
    hint: `a port is a decimal number from 0 to ${isVsock ? VMADDR_ANY - 1 : VMADDR_ANY}`,
  });
}

/** The first half of {@linkcode parseTarget}, which leaves a mistyped address as it is. */
function parseHost(host: string, vsockPort: number): Target {
  if (isThisMachine(host)) return THIS_HOST;
  const [form, rest] = split(host);
  switch (form.slice(0, -1)) {
    case "unix":
      return { kind: "unix", path: parsePath(host, rest) };
    case "vsock": {
      const cid = parseCid(host, rest);
      if (vsockPort === VMADDR_ANY) throw anyPortError();
      return { kind: "vsock", cid, port: vsockPort };
    }
    case "vsock-mux":
      // The multiplexers take any port of 32 bits, and what listens on it is up to the guest.
      return { kind: "vsock-mux", path: parsePath(host, rest), port: vsockPort };
    case "machine":
      return isThisMachine(rest) ? THIS_HOST : { kind: "machine", name: parseName(host, rest), port: vsockPort };
  }
  // Last, because nearly every connection has it in lower case.
  const lower = lowerAscii(form);
  if (lower !== form) return parseHost(lower + rest, vsockPort);
  throw unusable(host, "not an address", `an address is ${FORMS}`);
}

/** Returns a hint for `vsock:42`, which whoever splits a port off takes for a host and its port; undefined for all else. */
function cidAsPort(host: string, port: string): string | undefined {
  // The port where none was given.
  if (port === "22") return undefined;
  const hint = suggestAddress(`${host}:${port}`, isAddress);
  return hint?.startsWith(`did you mean vsock/${port}?`) ? hint : undefined;
}

function isAddress(text: string): boolean {
  try {
    parseHost(text, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * The host name that stands for `target`; with the target's port, {@linkcode parseTarget} makes the same target of it.
 *
 * @example
 * ```ts
 * import { formatTarget, parseTarget } from "@deno-ssh-proxy/deno-ssh-proxy";
 *
 * console.assert(formatTarget(parseTarget("unix%run/app.sock", "22")) === "unix/run/app.sock");
 * ```
 */
export function formatTarget(target: Target): string {
  switch (target.kind) {
    case "vsock":
      return `vsock/${target.cid}`;
    case "machine":
      return `machine/${target.name}`;
    default:
      return `${target.kind}/${shortPath(target.path)}`;
  }
}

/**
 * The host name as it was typed, where `ssh` only changed its case: `ssh` gives a ProxyCommand `%h` in lower case, and
 * `%n` (since OpenSSH 8.1) as it was typed. Where the two differ in more than that, `%n` is an alias and `%h` counts.
 */
export function restoreCase(host: string, typed: string | undefined): string {
  if (typed === undefined || typed === host || lowerAscii(typed) !== lowerAscii(host)) return host;
  const [form, rest] = split(host);
  switch (lowerAscii(form.slice(0, -1))) {
    case "machine":
      // The one that is no machine's name.
      if (isThisMachine(rest)) return host;
      // falls through
    case "unix":
    case "vsock-mux":
      return form + typed.slice(form.length);
    default:
      // Only a path and a machine's name have a case of their own.
      return host;
  }
}

/** Whether `name` is the one of this machine itself. */
export function isThisMachine(name: string): boolean {
  return name.length === ".host".length && lowerAscii(name) === ".host";
}

/** Refuses VMADDR_PORT_ANY as the port of an AF_VSOCK socket. */
export function anyPortError(): ProxyError {
  return new ProxyError("usage", `port '${VMADDR_ANY}': it stands for any port (VMADDR_PORT_ANY)`, {
    hint: `over vsock, a port is a decimal number from 0 to ${VMADDR_ANY - 1}`,
  });
}

/** `ssh` lower-cases bytes, with tolower(3) in the C locale: `A` to `Z` and nothing else. */
function lowerAscii(text: string): string {
  let lower = "";
  for (const character of text) lower += character >= "A" && character <= "Z" ? character.toLowerCase() : character;
  return lower;
}

/**
 * The form of an address with the separator behind it (nothing where there is none), and the rest. Searched rather than
 * matched: a RegExp costs start-up time.
 */
function split(host: string): [form: string, rest: string] {
  const [slash, percent] = [host.indexOf("/"), host.indexOf("%")];
  const end = (slash === -1 || percent !== -1 && percent < slash ? percent : slash) + 1;
  return [host.slice(0, end), host.slice(end)];
}

function parsePath(host: string, rest: string): string {
  if (rest === "") throw unusable(host, "it has no path", "write the socket's path after the first '/'");
  // Deno turns argument bytes that are not UTF-8 into U+FFFD, so a path that has one is not what was typed.
  if (!rest.isWellFormed() || rest.includes("\0") || rest.includes("\uFFFD")) {
    throw unusable(host, "its path cannot be used", "a path may hold any UTF-8 text but a NUL");
  }
  return isWhole(rest) ? rest : `/${rest}`;
}

/** The shortest text that {@linkcode parsePath} makes `path` of. */
function shortPath(path: string): string {
  return path.startsWith("/") && path.length > 1 && !isWhole(path.slice(1)) ? path.slice(1) : path;
}

/** Whether a path is taken as it is, without a `/` before it. */
function isWhole(path: string): boolean {
  return path.startsWith("/") || path.startsWith("./");
}

/**
 * A machine's name, as far as that can be told here: systemd-machined refuses what else is none. A `/` or a leading dot
 * would make another path of the one that has the name in it.
 */
function parseName(host: string, rest: string): string {
  if (rest === "" || rest.startsWith(".") || rest.includes("/") || endsInPort(rest) || !isPlain(rest)) {
    throw unusable(host, "not a machine's name", "a machine's name has letters, digits and '-', '_', '.' in it");
  }
  return rest;
}

/** Whether a port follows the name, as in `host:22`. */
function endsInPort(name: string): boolean {
  const colon = name.lastIndexOf(":");
  return colon !== -1 && parseNumber(name.slice(colon + 1)) !== undefined;
}

/** Whether nothing in `text` is a control character, or is what Deno turns bytes into that are not UTF-8. */
function isPlain(text: string): boolean {
  return !text.includes("\uFFFD") && escapeForTerminal(text, Infinity) === text;
}

function parseCid(host: string, rest: string): number {
  const cid = parseNumber(rest) ?? namedCid(lowerAscii(rest));
  if (cid !== undefined && cid !== VMADDR_ANY) return cid;
  const colon = rest.indexOf(":");
  // A port is none of the address, and the hint says where it belongs.
  if (colon !== -1 && parseNumber(rest.slice(0, colon)) !== undefined && !endsInPort(rest)) {
    const hint = `a port is a decimal number from 0 to ${VMADDR_ANY - 1}`;
    throw unusable(host, `'${escapeForTerminal(rest.slice(colon + 1))}' is not a port`, hint);
  }
  const names = Object.keys(NAMED_CIDS).join(", ");
  throw unusable(
    host,
    cid === undefined ? "not a CID" : "it stands for any CID (VMADDR_CID_ANY)",
    `a CID is a decimal number from 0 to ${VMADDR_ANY - 1}, or one of ${names}`,
  );
}

function namedCid(name: string): number | undefined {
  return Object.hasOwn(NAMED_CIDS, name) ? NAMED_CIDS[name] : undefined;
}

/** A decimal u32 as one writes it: no sign, no space, no leading zero, no other base. */
function parseNumber(text: string): number | undefined {
  const number = Number(text);
  return String(number) === text && Number.isInteger(number) && number >= 0 && number < 2 ** 32 ? number : undefined;
}

function unusable(host: string, why: string, hint: string): ProxyError {
  return new ProxyError("usage", `'${escapeForTerminal(host)}': ${why}`, { hint });
}
