/**
 * What is measured side by side: this program as it is installed, and what people use instead. One that this machine has
 * not is left out.
 *
 * @module
 */

import { CHECKOUT } from "../tools/checkout.ts";
import { exists } from "../tools/programs.ts";
import type { Relay } from "./run.ts";

/** This program, in the tables. */
export const OURS = "deno-ssh-proxy";

/** systemd's, in the tables. */
export const SYSTEMD = "systemd-ssh-proxy";

/** What a process of Deno costs that does nothing, in the tables. */
export const EMPTY = "empty Deno script";

/** Something that a ProxyCommand can be, with its name in the tables. */
export interface Proxy {
  name: string;
  /** Its command line for an address such as unix/PATH, for those that pass a file descriptor. */
  words(address: string): string[];
}

/** Something that carries bytes, with its name in the tables. */
export interface NamedRelay extends Relay {
  name: string;
}

/** All of them. */
export interface Peers {
  /** Where what is measured of this program is installed. */
  prefix: string;
  ours: Proxy;
  systemd: Proxy | undefined;
  /** `deno run` of an empty script. */
  empty: string[];
  /** This program as a relay, and every other one. */
  relays: NamedRelay[];
  /** What is left out. */
  missing: string[];
  /** What prints the version of each. */
  versions: Record<string, string[]>;
}

/** What other relays this one is compared with: what people write after ProxyCommand. */
export const COMMON_RELAYS = {
  names: ["socat", "socat -b 65536", "ncat", "nc"],
  title: "the best of socat, ncat and nc",
};

/** Finds them. `empty` is an empty script. */
export function findPeers(prefix: string, empty: string): Peers {
  const ours = (address: string) => [`${prefix}/bin/deno-ssh-proxy`, address, "22", "--as-typed", address];
  const relays: NamedRelay[] = [{ name: OURS, words: (path) => ours(`unix${path}`) }];
  const missing: string[] = [];
  const versions: Record<string, string[]> = { deno: [Deno.execPath(), "--version"], ssh: ["ssh", "-V"] };
  /** Adds `named` relays, where there is the `program` that they are, whose version is printed with `version`. */
  const add = (program: string | undefined, name: string, version: string, ...named: NamedRelay[]) => {
    if (program === undefined) return missing.push(name);
    relays.push(...named);
    versions[name] = [program, version];
  };

  const [socat, ncat, nc] = ["socat", "ncat", "nc.openbsd"].map(onPath);
  add(socat, "socat", "-V", { name: "socat", words: (path) => [socat!, "-", `UNIX-CONNECT:${path}`] }, {
    name: "socat -b 65536",
    words: (path) => [socat!, "-b", "65536", "-", `UNIX-CONNECT:${path}`],
  });
  add(ncat, "ncat", "--version", { name: "ncat", words: (path) => [ncat!, "-U", path] });
  add(nc, "nc", "-h", { name: "nc", words: (path) => [nc!, "-U", path] });
  const [proxyd, activate] = [existing("/usr/lib/systemd/systemd-socket-proxyd"), onPath("systemd-socket-activate")];
  add(activate && proxyd, "systemd-socket-proxyd", "--version", {
    name: "systemd-socket-proxyd",
    listens: true,
    words: (path, front) => [activate!, "-l", front, proxyd!, path],
  });

  const systemd = findSystemd();
  if (systemd === undefined) missing.push(SYSTEMD);
  // It prints no version of its own.
  else versions[SYSTEMD] = systemd.with("bin/systemctl", "--version");
  return {
    prefix,
    ours: { name: OURS, words: ours },
    systemd: systemd && {
      name: SYSTEMD,
      words: (address) => systemd.with("lib/systemd/systemd-ssh-proxy", address, "22"),
    },
    empty: [Deno.execPath(), "run", empty],
    relays,
    missing,
    versions,
  };
}

/**
 * How to start what is in a folder of systemd's package: by this system, where its systemd is new enough, or with the dynamic
 * linker and the libraries that peers.sh fetched with it.
 */
function findSystemd(): { with(program: string, ...args: string[]): string[] } | undefined {
  const proxy = "lib/systemd/systemd-ssh-proxy";
  if (exists(`/usr/${proxy}`)) return { with: (program, ...args) => [`/usr/${program}`, ...args] };
  const usr = `${CHECKOUT}/build/bench/systemd/usr`;
  if (!exists(`${usr}/${proxy}`)) return undefined;
  const entries = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`);
  const libraries = entries(`${usr}/lib`).find((path) => path.endsWith("-linux-gnu"));
  const linker = libraries && entries(libraries).find((path) => path.includes("/ld-linux-"));
  if (linker === undefined) return undefined;
  const start = [linker, "--library-path", `${libraries}:${libraries}/systemd`];
  return { with: (program, ...args) => [...start, `${usr}/${program}`, ...args] };
}

/** Where `program` is. What only root usually has on its PATH is found for everybody. */
export function onPath(program: string): string | undefined {
  return `${Deno.env.get("PATH")}:/usr/sbin`.split(":").map((folder) => `${folder}/${program}`).find(exists);
}

function existing(path: string): string | undefined {
  return exists(path) ? path : undefined;
}
