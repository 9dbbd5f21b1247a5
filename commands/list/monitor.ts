/**
 * Parses the names and command lines of virtual machine monitors, for their vsock devices. Pure functions.
 *
 * @module
 */

/** The programs that are known. */
export type Program = "Firecracker" | "Cloud Hypervisor" | "vhost-device-vsock" | "QEMU";

/** A virtual machine monitor, by its command line. */
export interface Monitor {
  readonly program: Program;
  /** The name of the virtual machine. */
  readonly name?: string | undefined;
  /** The CIDs of guests with AF_VSOCK itself. */
  readonly cids: readonly number[];
  /** The sockets of multiplexers; undefined if the command line does not name them. */
  readonly multiplexers: readonly Multiplexer[] | undefined;
  /**
   * Returns whether the listening socket at `path` is for something else than vsock. For a monitor whose {@linkcode multiplexers}
   * are undefined; undefined if the command line does not say.
   */
  readonly isApiSocket?: (path: string) => boolean;
}

/** A multiplexer's socket. */
export interface Multiplexer {
  readonly path: string;
  readonly cid: number | undefined;
}

/** The longest name of a process, in bytes. */
const LONGEST_NAME = 15;

/** Returns the monitor's program by a process's name (at most 15 bytes) and its first argument; undefined for another program. */
export function programOf(name: string, firstArgument: string | undefined): Program | undefined {
  // The name is the file's, cut off, unless the process has set another. The argument is any text of its parent's.
  const typed = firstArgument?.slice(firstArgument.lastIndexOf("/") + 1) ?? "";
  const names = name.length === LONGEST_NAME && typed.startsWith(name) ? [typed] : [name, typed];
  return PROGRAMS.find(([, pattern]) => names.some((name) => pattern.test(name)))?.[0];
}

/** The names with suffixes of releases, but not of other programs: firecracker-containerd, firectl. */
const PROGRAMS: readonly (readonly [Program, RegExp])[] = [
  ["Firecracker", /^firecracker(?:-v?[0-9].*)?$/],
  ["Cloud Hypervisor", /^cloud-hyperviso(?:r(?:-static.*|-v?[0-9].*)?)?$/],
  ["vhost-device-vsock", /^vhost-device-vs(?:ock)?$/],
  ["QEMU", /^(?:qemu-system-.+|qemu-kvm|kvm)$/],
];

/**
 * Returns the monitor with this name and these arguments; undefined for another program. The work is linear in the length of the
 * arguments, because any user can choose them.
 */
export function detectVmm(name: string, args: readonly string[]): Monitor | undefined {
  switch (programOf(name, args[0])) {
    case "Firecracker":
      return firecracker(args);
    case "Cloud Hypervisor":
      return cloudHypervisor(args);
    case "vhost-device-vsock":
      return vhostDeviceVsock(args);
    case "QEMU":
      return qemu(args);
    case undefined:
      return undefined;
  }
}

/** Firecracker's vsock is configured over its API or in a file: it is the socket that the command line does not name. */
function firecracker(args: readonly string[]): Monitor {
  const others = mentioned(args);
  if (!args.includes("--no-api") && valuesOf(args, "api-sock").length === 0) others.add("/run/firecracker.socket");
  return {
    program: "Firecracker",
    name: valuesOf(args, "id")[0],
    cids: [],
    multiplexers: undefined,
    isApiSocket: (path) => others.has(path),
  };
}

/** Cloud Hypervisor's vsock is on its command line, or configured over its API. */
function cloudHypervisor(args: readonly string[]): Monitor {
  const devices = valuesOf(args, "vsock").map((value) => new Map(splitQuoted(value).map(pair)));
  const multiplexers = devices.flatMap((device) => {
    const path = device.get("socket")?.replaceAll('"', "");
    return path ? [{ path, cid: cidOf(device.get("cid")) }] : [];
  });
  const others = mentioned(args);
  return {
    program: "Cloud Hypervisor",
    cids: [],
    multiplexers: multiplexers.length > 0 ? multiplexers : undefined,
    // The default API socket of versions before 29.
    isApiSocket: (path) => others.has(path) || /\/cloud-hypervisor\.[0-9]+$/.test(path),
  };
}

/** vhost-device-vsock has a virtual machine for each `--vm`, one in options of its own, or any number in a file. */
function vhostDeviceVsock(args: readonly string[]): Monitor {
  const configured = valuesOf(args, "config").length > 0;
  const multiplexers = valuesOf(args, "vm").flatMap((value) => {
    const device = new Map(value.split(",").map(pair));
    const path = device.get("uds-path") ?? device.get("uds_path");
    return path ? [{ path, cid: cidOf(device.get("guest-cid") ?? device.get("guest_cid")) }] : [];
  });
  const cid = cidOf(valuesOf(args, "guest-cid")[0] ?? "3");
  for (const path of valuesOf(args, "uds-path")) if (path !== "") multiplexers.push({ path, cid });
  return { program: "vhost-device-vsock", cids: [], multiplexers: configured ? undefined : multiplexers };
}

/** QEMU has `-device vhost-vsock-pci,guest-cid=N`, or the same as JSON from libvirt. */
function qemu(args: readonly string[]): Monitor {
  const cids = valuesOf(args, "device").flatMap((value) => {
    const device = value.startsWith("{") ? parseJson(value) : qemuOptions(value, "driver");
    if (!/^vhost-vsock-(?:pci(?:-(?:non-)?transitional)?|device|ccw)$/.test(device.get("driver") ?? "")) return [];
    return cidOf(device.get("guest-cid")) ?? [];
  });
  const name = valuesOf(args, "name").at(-1);
  return {
    program: "QEMU",
    name: name === undefined ? undefined : qemuOptions(name, "guest").get("guest") || undefined,
    cids,
    multiplexers: [],
  };
}

/** Returns the values of an option: `--name VALUE`, `--name=VALUE` or `-name VALUE`. */
function valuesOf(args: readonly string[], name: string): string[] {
  return args.flatMap((arg, at) => {
    if (arg === `--${name}` || arg === `-${name}`) return args[at + 1] ?? [];
    return arg.startsWith(`--${name}=`) ? arg.slice(name.length + 3) : [];
  });
}

/** The longest path that a socket can be bound to, in bytes (unix(7)). */
const LONGEST_SOCKET = 108;

/**
 * Returns all words of a command line that can be the path of a socket: each argument, its parts between commas, and the text
 * after a `=`, up to the next comma or to the end.
 */
function mentioned(args: readonly string[]): Set<string> {
  const words = new Set<string>();
  for (const arg of args) {
    let comma = -1;
    for (let start = 0; start <= arg.length; start++) {
      const before = arg[start - 1];
      if (start > 0 && before !== "," && before !== "=") continue;
      if (comma < start) comma = endOf(arg, start);
      // Skips longer words, because each of a thousand `=` would begin one as long as the rest.
      const ends = before === "," ? [comma] : [comma, arg.length];
      for (const end of ends) if (end - start <= LONGEST_SOCKET) words.add(arg.slice(start, end));
    }
  }
  return words;
}

/** Returns the position of the next comma, or of the end. */
function endOf(text: string, start: number): number {
  const comma = text.indexOf(",", start);
  return comma === -1 ? text.length : comma;
}

/** Parses QEMU's `first,key=value,…`: the first can lack its key, and a comma in a value is doubled. */
function qemuOptions(text: string, firstKey: string): Map<string, string> {
  const parts: string[] = [];
  let isWhole = true;
  for (const part of text.split(",")) {
    // An empty part is a doubled comma.
    if (!isWhole) {
      parts[parts.length - 1] += `,${part}`;
      isWhole = true;
    } else if (part === "" && parts.length > 0) isWhole = false;
    else parts.push(part);
  }
  return new Map(
    parts.filter((part) => part !== "").map((part, at) =>
      at === 0 && !part.includes("=") ? [firstKey, part] : pair(part)
    ),
  );
}

/** Splits a text at commas outside of quotation marks. */
function splitQuoted(text: string): string[] {
  const parts: string[] = [];
  let [start, isQuoted] = [0, false];
  for (let at = 0; at <= text.length; at++) {
    if (text[at] === '"') isQuoted = !isQuoted;
    else if (at === text.length || text[at] === "," && !isQuoted) {
      if (at > start) parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return parts;
}

/** Splits a text at its first `=`. */
function pair(text: string): [key: string, value: string] {
  const equals = text.indexOf("=");
  return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}

function parseJson(text: string): Map<string, string> {
  try {
    return new Map(
      Object.entries(Object(JSON.parse(text))).map(([key, value]) => [key, isPlain(value) ? String(value) : ""]),
    );
  } catch {
    return new Map();
  }
}

function isPlain(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number";
}

/** The longest text of a CID, with leading zeros. */
const LONGEST_CID = 32;

/** Parses the CID of a guest: 3 or more, decimal or hexadecimal. Returns undefined for another text. */
function cidOf(text: string | undefined): number | undefined {
  const cid = text !== undefined && text.length <= LONGEST_CID && /^(?:[0-9]+|0x[0-9a-fA-F]+)$/.test(text)
    ? Number(text)
    : 0;
  return cid >= 3 && cid < 2 ** 32 ? cid : undefined;
}
