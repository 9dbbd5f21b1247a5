/**
 * What an address form is: all that makes `unix/PATH` differ from `vsock/CID`, as one value.
 *
 * A new form is a file with a value of {@linkcode AddressForm}, and its entry in forms.ts. Parsing, dialling, `--help`,
 * the ssh_config drop-in, the completions, the hints and the steps of `check` are derived from that value. A form imports
 * neither forms.ts nor target.ts, which import it.
 *
 * @module
 */

import type { Deadline } from "../core/deadline.ts";
import { type ErrorKind, ProxyError } from "../core/errors.ts";
import { escapeForTerminal } from "../core/text.ts";
import type { Library } from "../ffi/library.ts";
import type { Socket } from "../ffi/socket.ts";

/** What every step of a connection needs. */
export interface DialContext {
  readonly library: Library;
  /** When the whole connection has to be made. */
  readonly deadline: Deadline;
}

/** The socket to connect to. */
export type Endpoint =
  | { readonly family: "unix"; readonly path: string }
  | { readonly family: "vsock"; readonly cid: number; readonly port: number };

/** What every target has. */
export interface AnyTarget {
  /** The name of its form. */
  readonly kind: string;
  /** The port to ask for, where the form has one. */
  readonly port?: number;
}

/** An address, split at its separator. */
export interface AddressText {
  /** The address as it was typed, for messages. */
  readonly address: string;
  /** What follows the separator. */
  readonly rest: string;
  /** The port, from 0 to 2^32 − 1. */
  readonly port: number;
}

/** The part of a form that is about its text. */
interface TextForm<T extends AnyTarget> {
  /** The word before the separator, in lower case, and the kind of the form's targets. */
  readonly name: T["kind"];
  /** The name of the rest in a usage line, in capitals: `PATH_SYMBOLS`. */
  readonly argument: string;
  /** The form in a few words, for `--help`. */
  readonly brief: string;
  /** Whether two rests that differ in case alone are different targets. ssh lower-cases `%h`. */
  readonly keepsCase: boolean;
  /** Whether targets have a port. */
  readonly takesPort: boolean;
  /** The highest port that a hint names. Defaults to 2^32 − 1. */
  readonly highestPort?: number;
  /** Whether the rest can be `.host`, for this machine itself. */
  readonly hasThisMachine?: true;
  /** Whether shells complete the rest as the path of a socket. They also complete every address that `list` finds. */
  readonly completesPaths?: true;

  /**
   * Parses an address of this form.
   *
   * @throws {ProxyError} of kind `usage`
   */
  parse(text: AddressText): T;

  /** Formats the rest of the address of `target`: with its port, {@linkcode parse} returns the same target. */
  format(target: T): string;

  /** Describes `target` for the first step of `check`, fit for a terminal. */
  describe(target: T): string;

  /** Returns the address that a text without a form most likely stands for: `vsock/42` for `42`. */
  guess?(text: string): string | undefined;
}

/** A form whose targets are sockets. */
export interface SocketForm<T extends AnyTarget = AnyTarget> extends TextForm<T> {
  /** Returns the socket of `target`. */
  endpoint(target: T): Endpoint;

  /** Returns `target` with another path, for a hint that names a socket near a missing path. */
  atPath?(target: T, path: string): T;

  /** What follows once the socket is connected. */
  readonly handshake?: Handshake<T>;

  /** Asks whether the program that makes the socket runs. A hint for a missing path. */
  readonly makerHint?: string;

  /** Returns a sentence for the hint about a server that connects and sends no SSH banner. */
  silenceHint?(target: T): string;

  /** Finds out on a second connection why a server sends no SSH banner. Only `check` asks. */
  explainSilence?(target: T, library: Library): Promise<ProxyError | undefined>;
}

/** A protocol that is spoken before the server's own. */
export interface Handshake<T extends AnyTarget> {
  /** The program that speaks it, for `check`. */
  readonly peer: string;

  /**
   * Performs the handshake. The next byte that the socket receives after it is the server's first. Each wait takes
   * `deadline.leftForCall` as its timeout.
   *
   * @throws {SystemError} of the socket, which {@linkcode performHandshake} of connect.ts explains for every form
   * @throws {ProxyError} whose message begins with the address of `target`, if the form explains it better
   */
  perform(socket: Pick<Socket, "send" | "receive">, target: T, deadline: Deadline): Promise<void>;
}

/** A form whose targets are names for other addresses. They have a port, because such an address can have one. */
export interface NameForm<T extends AnyTarget = AnyTarget> extends TextForm<T> {
  readonly takesPort: true;

  /**
   * Looks up the address that `target` stands for at this moment, which must be one of a {@linkcode SocketForm}. The port
   * of `target` becomes its port. Files can be read only through `context.library`: a connection has no other permission.
   *
   * @throws {ProxyError} whose message begins with the address of `target`
   */
  resolve(target: T, context: ResolveContext): Promise<string>;
}

/** What a {@linkcode NameForm} needs to look up a name. */
export interface ResolveContext extends DialContext {
  /** Returns whether a text is an address of a {@linkcode SocketForm}. */
  readonly isSocketAddress: (text: string) => boolean;
}

/** All that one form of addresses decides. */
export type AddressForm<T extends AnyTarget = AnyTarget> = SocketForm<T> | NameForm<T>;

/** Why something failed: the kind of error, the reason, and a hint. */
export type Reason = [kind: ErrorKind, why: string, hint?: string];

/** Returns the error for an address that is not one. */
export function invalidAddress(address: string, why: string, hint: string): ProxyError {
  return new ProxyError("usage", `'${escapeForTerminal(address)}': ${why}`, { hint });
}

/** Returns `error` with `address`, which is escaped, and `joint` before its message. */
export function prefixedError(
  address: string,
  { kind, message, hint, cause }: ProxyError,
  joint: ": " | " is " = ": ",
): ProxyError {
  return new ProxyError(kind, `${escapeForTerminal(address)}${joint}${message}`, { hint, cause });
}
