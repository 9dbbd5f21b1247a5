/**
 * Connects to AF_UNIX sockets, virtual machines over AF_VSOCK, hybrid-vsock multiplexers, and the machines that
 * systemd-machined knows, and passes the connected file descriptors on.
 *
 * Importing this opens nothing. The native library is opened at the first {@linkcode dial}, under `--allow-ffi`.
 *
 * @example
 * ```ts
 * import { dial, parseTarget, ProxyError } from "@deno-ssh-proxy/deno-ssh-proxy";
 *
 * try {
 *   using socket = await dial(parseTarget("vsock-mux/run/vm.sock", "22"), { timeout: 5_000 });
 *   const banner = new Uint8Array(255);
 *   const length = await socket.receive(banner);
 *   console.log(new TextDecoder().decode(banner.subarray(0, length)));
 * } catch (error) {
 *   if (!(error instanceof ProxyError)) throw error;
 *   console.error(error.message, error.hint);
 * }
 * ```
 *
 * @module
 */

import { dial as dialTarget } from "./addresses/dial.ts";
import type { MachineTarget } from "./addresses/machine.ts";
import { requireTarget } from "./addresses/require_target.ts";
import { formatTarget as formatAddress, parseTarget as parseAddress } from "./addresses/target.ts";
import type { UnixTarget } from "./addresses/unix.ts";
import type { VsockTarget } from "./addresses/vsock.ts";
import type { VsockMuxTarget } from "./addresses/vsock_mux.ts";
import { Deadline, DEFAULT_TIMEOUT_MS } from "./core/deadline.ts";
import { ProxyError } from "./core/errors.ts";
import { escapeForTerminal } from "./core/text.ts";
import { Library, libraryPath } from "./ffi/library.ts";
import { NONBLOCKING_SYMBOLS } from "./ffi/nonblocking.ts";
import type { Socket } from "./ffi/socket.ts";

export { type ErrorKind, ProxyError, type ProxyErrorOptions } from "./core/errors.ts";
export type { ReceiveOptions, Socket, WaitOptions } from "./ffi/socket.ts";
export type { MachineTarget, UnixTarget, VsockMuxTarget, VsockTarget };

/** What can be connected to. A target that {@linkcode parseTarget} made is valid. */
export type Target = UnixTarget | VsockTarget | VsockMuxTarget | MachineTarget;

/**
 * Parses a host name and a port as they stand on an `ssh` command line.
 *
 * The first `/` of `host` can be a `%` instead, and its words can be in any case. The port of an AF_UNIX socket has no
 * meaning, but must be a port.
 *
 * @throws {ProxyError} of kind `usage` if `host` is not an address or `port` is not a port
 *
 * @example
 * ```ts
 * import { parseTarget } from "@deno-ssh-proxy/deno-ssh-proxy";
 *
 * console.assert(parseTarget("vsock/42", "22").kind === "vsock");
 * ```
 */
export function parseTarget(host: string, port: string): Target {
  return parseAddress(host, port);
}

/**
 * Formats `target` as an address: with the target's port, {@linkcode parseTarget} returns the same target.
 *
 * @example
 * ```ts
 * import { formatTarget, parseTarget } from "@deno-ssh-proxy/deno-ssh-proxy";
 *
 * console.assert(formatTarget(parseTarget("unix%run/app.sock", "22")) === "unix/run/app.sock");
 * ```
 */
export function formatTarget(target: Target): string {
  return formatAddress(target);
}

/** How to {@linkcode dial}. */
export interface DialOptions {
  /**
   * How long connecting may take, with asking for a machine and a multiplexer's handshake, in milliseconds: over 0, at most
   * 2^32 − 1.
   *
   * @default {10000}
   */
  timeout?: number;
  /**
   * Gives up early. A system call that is under way then still ends by its deadline, and what it connected is closed.
   */
  signal?: AbortSignal;
  /**
   * The absolute path of the native library, which is of this package's version: such as
   * `/usr/local/lib/deno-ssh-proxy/current/libdeno_ssh_proxy.so`, where `install.sh` has put the program into `/usr/local`, or
   * `/usr/lib/deno-ssh-proxy/libdeno_ssh_proxy.so`, where the Debian package has. `--allow-ffi` has the same path. A relative
   * one is refused: it would be another file after `Deno.chdir`, and one without a slash any that the dynamic linker finds.
   *
   * @default {the one that was built in the checkout that this module is in, or that is beside it in a bundle}
   */
  library?: string;
}

/** Those that were opened, by their paths. */
const libraries = new Map<string, Library>();

/**
 * Connects to `target`. The event loop goes on while it waits.
 *
 * @throws {ProxyError} where no connection can be made, or the native library cannot be opened, and of kind `usage` where an
 * argument is none; the signal's reason where it was aborted
 *
 * @example
 * ```ts
 * import { dial, parseTarget, ProxyError } from "@deno-ssh-proxy/deno-ssh-proxy";
 *
 * try {
 *   using socket = await dial(parseTarget("unix/no/such/socket", "22"));
 *   console.log(socket.fd);
 * } catch (error) {
 *   console.assert(error instanceof ProxyError && error.kind === "missing");
 * }
 * ```
 */
export async function dial(target: Target, options: DialOptions = {}): Promise<Socket> {
  const { timeout = DEFAULT_TIMEOUT_MS, signal } = options;
  if (!(signal === undefined || signal instanceof AbortSignal)) {
    throw new ProxyError("usage", `signal ${escapeForTerminal(Deno.inspect(signal))}: it is no AbortSignal`);
  }
  signal?.throwIfAborted();
  const deadline = new Deadline(timeout);
  const valid = requireTarget(target);
  const library = openLibrary(options.library === undefined ? ownLibrary() : options.library);
  const dialing = dialTarget(valid, { library, deadline });
  if (signal === undefined) return await dialing;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([dialing, aborted.promise]);
  } catch (thrown) {
    dialing.then((socket) => socket.close(), () => {});
    throw thrown;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** The library at `path`, which is opened once. */
function openLibrary(path: string): Library {
  if (!(typeof path === "string" && path.startsWith("/"))) {
    throw new ProxyError(
      "usage",
      `library ${
        escapeForTerminal(typeof path === "string" ? `'${path}'` : Deno.inspect(path))
      }: it is no absolute path`,
      {
        hint: "give the path that --allow-ffi has, from / on",
      },
    );
  }
  let library = libraries.get(path);
  if (library === undefined) {
    library = Library.open(path, NONBLOCKING_SYMBOLS);
    libraries.set(path, library);
  }
  return library;
}

/** Where the library is that belongs to this very file. */
function ownLibrary(): string {
  if (import.meta.url.startsWith("file:")) return libraryPath(import.meta.url);
  throw new ProxyError("resource", "the native library: a module that comes from a registry has none beside it", {
    hint: "give dial() the path of an installed one as 'library', such as " +
      "/usr/local/lib/deno-ssh-proxy/current/libdeno_ssh_proxy.so",
  });
}
