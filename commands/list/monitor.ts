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
  readonly isForOthers?: (path: string) => boolean;
}

/** A multiplexer's socket. */
export interface Multiplexer {
  readonly path: string;
  readonly cid: number | undefined;
}

/** The longest name of a process, in bytes. */
const LONGEST_NAME = 15;

/** The monitor that a process with this name (at most 15 bytes) and these arguments is, where it is one. */
export function monitorOf(name: string, args: readonly string[]): Monitor | undefined {
  // The first is the file's, cut, unless the process has taken another; the second is whatever its parent wrote.
  const typed = args[0]?.replace(/^.*\//s, "") ?? "";
  const names = name.length === LONGEST_NAME && typed.startsWith(name) ? [typed] : [name, typed];
  const is = (pattern: RegExp) => names.some((name) => pattern.test(name));
  // With what the releases add to the names, and not what others do: firecracker-containerd, firectl.
  if (is(/^firecracker(?:-v?[0-9].*)?$/)) return firecracker(args);
  if (is(/^cloud-hyperviso(?:r(?:-static.*|-v?[0-9].*)?)?$/)) return cloudHypervisor(args);
  if (is(/^vhost-device-vs(?:ock)?$/)) return vhostDeviceVsock(args);
  if (is(/^(?:qemu-system-.+|qemu-kvm|kvm)$/)) return qemu(args);
  return undefined;
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
    isForOthers: (path) => others.has(path),
  };
}

/** Its vsock is on the command line, or configured over its API. */
function cloudHypervisor(args: readonly string[]): Monitor {
  const devices = valuesOf(args, "vsock").map((value) => new Map(split(value, /(?:"[^"]*"?|[^,"])+/g).map(pair)));
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
    isForOthers: (path) => others.has(path) || /\/cloud-hypervisor\.[0-9]+$/.test(path),
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
  for (const path of valuesOf(args, "uds-path")) {
    if (path !== "") multiplexers.push({ path, cid: cidOf(valuesOf(args, "guest-cid")[0] ?? "3") });
  }
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

/** Everything in a command line that may be a path: each argument, its parts between commas, and what is behind a `=`. */
function mentioned(args: readonly string[]): Set<string> {
  const words = new Set<string>();
  for (const part of args.flatMap((arg) => [arg, ...arg.split(",")])) {
    words.add(part);
    for (let at = part.indexOf("="); at !== -1; at = part.indexOf("=", at + 1)) words.add(part.slice(at + 1));
  }
  return words;
}

/** QEMU's `first,key=value,…`: the first may go without its key, and a comma is doubled. */
function qemuOptions(text: string, firstKey: string): Map<string, string> {
  const parts = split(text, /(?:[^,]|,,)+/g).map((part) => part.replaceAll(",,", ","));
  return new Map(parts.map((part, at) => at === 0 && !part.includes("=") ? [firstKey, part] : pair(part)));
}

function split(text: string, part: RegExp): string[] {
  return text.match(part) ?? [];
}

/** What is before the first `=` and what is after it. */
function pair(text: string): [key: string, value: string] {
  const equals = text.indexOf("=");
  return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
}

function parseJson(text: string): Map<string, string> {
  try {
    return new Map(Object.entries(Object(JSON.parse(text))).map(([key, value]) => [key, String(value)]));
  } catch {
    return new Map();
  }
}

/** The CID of a guest: 3 and more, decimal or hexadecimal. */
function cidOf(text: string | undefined): number | undefined {
  const cid = text !== undefined && /^(?:[0-9]+|0x[0-9a-fA-F]+)$/.test(text) ? Number(text) : 0;
  return cid >= 3 && cid < 2 ** 32 ? cid : undefined;
}
