/**
 * What a process's name and command line tell of a virtual machine monitor and its vsock. Nothing here looks at anything.
 *
 * @module
 */

/** The programs that are known. */
export type Program = "Firecracker" | "Cloud Hypervisor" | "vhost-device-vsock" | "QEMU";

/** A virtual machine monitor, as far as its command line tells. */
export interface Monitor {
  readonly program: Program;
  /** What its user calls the virtual machine. */
  readonly name?: string | undefined;
  /** The guests that have AF_VSOCK itself. */
  readonly cids: readonly number[];
  /** The multiplexers' sockets, as it was given them; undefined where the command line does not have them. */
  readonly multiplexers: readonly Multiplexer[] | undefined;
  /**
   * Where {@linkcode multiplexers} is undefined, whether the socket at `path` on which it listens is for something else
   * than its vsock; undefined where nothing tells.
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

/** The program that a process with this name (at most 15 bytes) and this first argument is, where it is a monitor. */
export function programOf(name: string, firstArgument: string | undefined): Program | undefined {
  // The first is the file's, cut, unless the process has taken another; the second is whatever its parent wrote.
  const typed = firstArgument?.slice(firstArgument.lastIndexOf("/") + 1) ?? "";
  const names = name.length === LONGEST_NAME && typed.startsWith(name) ? [typed] : [name, typed];
  return PROGRAMS.find(([, pattern]) => names.some((name) => pattern.test(name)))?.[0];
}

/** With what the releases add to the names, and not what others do: firecracker-containerd, firectl. */
const PROGRAMS: readonly (readonly [Program, RegExp])[] = [
  ["Firecracker", /^firecracker(?:-v?[0-9].*)?$/],
  ["Cloud Hypervisor", /^cloud-hyperviso(?:r(?:-static.*|-v?[0-9].*)?)?$/],
  ["vhost-device-vsock", /^vhost-device-vs(?:ock)?$/],
  ["QEMU", /^(?:qemu-system-.+|qemu-kvm|kvm)$/],
];

/**
 * The monitor that a process with this name and these arguments is, where it is one. Whoever runs the process decides on its
 * arguments: the work is linear in their length.
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

/** Its vsock is configured over its API, or in a file: what is left when the sockets of its command line are not it. */
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

/** Its vsock is on the command line, or configured over its API. */
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
    // Where versions before 29 had their API when nobody said so.
    isApiSocket: (path) => others.has(path) || /\/cloud-hypervisor\.[0-9]+$/.test(path),
  };
}

/** A virtual machine an argument, one in arguments of its own, or any number in a file. */
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

/** `-device vhost-vsock-pci,guest-cid=N`, or the same as JSON, which is libvirt's way. */
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

/** The values of an option, in each of the forms `--name VALUE`, `--name=VALUE` and `-name VALUE`. */
function valuesOf(args: readonly string[], name: string): string[] {
  return args.flatMap((arg, at) => {
    if (arg === `--${name}` || arg === `-${name}`) return args[at + 1] ?? [];
    return arg.startsWith(`--${name}=`) ? arg.slice(name.length + 3) : [];
  });
}

/** The longest path that a socket can be bound to, in bytes (unix(7)). */
const LONGEST_SOCKET = 108;

/**
 * Everything in a command line that may be a socket's path: each argument, its parts between commas, and what is behind a `=`,
 * as far as the next comma or to the end.
 */
function mentioned(args: readonly string[]): Set<string> {
  const words = new Set<string>();
  for (const arg of args) {
    let comma = -1;
    for (let start = 0; start <= arg.length; start++) {
      const before = arg[start - 1];
      if (start > 0 && before !== "," && before !== "=") continue;
      if (comma < start) comma = endOf(arg, start);
      // What is longer is not looked at: of a thousand `=`, each would be as long as all that is behind it.
      const ends = before === "," ? [comma] : [comma, arg.length];
      for (const end of ends) if (end - start <= LONGEST_SOCKET) words.add(arg.slice(start, end));
    }
  }
  return words;
}

/** Where the next comma is, or the end. */
function endOf(text: string, start: number): number {
  const comma = text.indexOf(",", start);
  return comma === -1 ? text.length : comma;
}

/** QEMU's `first,key=value,…`: the first may go without its key, and a comma is doubled. */
function qemuOptions(text: string, firstKey: string): Map<string, string> {
  const parts: string[] = [];
  let isWhole = true;
  for (const part of text.split(",")) {
    // Between the two commas of a doubled one is nothing.
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

/** The parts between commas, of which those in quotation marks are none. */
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

/** What is before the first `=` and what is after it. */
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

/** More digits than any CID has, with some zeros before it. */
const LONGEST_CID = 32;

/** The CID of a guest: 3 and more, decimal or hexadecimal. */
function cidOf(text: string | undefined): number | undefined {
  const cid = text !== undefined && text.length <= LONGEST_CID && /^(?:[0-9]+|0x[0-9a-fA-F]+)$/.test(text)
    ? Number(text)
    : 0;
  return cid >= 3 && cid < 2 ** 32 ? cid : undefined;
}
