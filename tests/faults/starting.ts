/** What may be wrong around the program before it has done anything. */

import { Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf, works } from "../../tools/programs.ts";
import { OWN_MOUNTS } from "../support/ordinary_user.ts";
import { openFile, pipe, type Place } from "../support/process.ts";
import { compiled, NO_COMPILER } from "./compiled.ts";
import type { Plan, Way } from "./conversation.ts";
import { AS_ORDINARY_USER, everyWay, NO_ORDINARY_USER, type Row, type Runs, surrounded } from "./row.ts";
import { Spoiled } from "./spoiled.ts";

const MISSING = { code: 66, says: "does not exist" };
const NOWHERE = { code: 74, says: "fd 1: it is closed, or /dev/null" };
const PASSED: { ways: readonly Way[] } = { ways: ["pass"] };

const [UNSHARE = "", ...MOUNTS] = OWN_MOUNTS;
const CANNOT_MOUNT = works(UNSHARE, [...MOUNTS, "true"]) ? undefined : "nobody may mount anything here (unshare(1))";

/** A copy of an ELF executable that names a dynamic linker which is not there (elf(5): PT_INTERP). */
function withoutLinker(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = new TextDecoder("latin1").decode(bytes).search(/\/lib[^\0]*\/ld-/);
  bytes.set(new TextEncoder().encode("/no"), at);
  return bytes;
}

/** Starts the program with a shell that does `first`, with the name of something in the test's folder as $0. */
function shell(first: string, before: string[] = []): NonNullable<Plan["words"]> {
  return (command, folder) => found([...before, "sh", "-c", `${first}; exec "$@"`, folder.at("it"), ...command]);
}

/** The first of `words` by its path. */
function found([program, ...rest]: string[]): string[] {
  return [pathOf(program!), ...rest];
}

/** The same fault for a program that would otherwise work, and for one that has something to say. */
function eitherWay(fault: string, from: string, fds: () => (Place | undefined)[]): Row[] {
  return [
    surrounded(fault, from, "handed over", { fds }),
    surrounded(fault, `${from}, and nothing at the path`, MISSING, { fds, place: () => undefined }),
  ];
}

/** A pipe that nobody reads from. */
function abandonedPipe(): Place {
  const [reads, writes] = pipe();
  reads.close();
  return writes;
}

/** An installation that is spoilt in each of these ways, one after the other. */
function spoilt(
  fault: string,
  from: string,
  says: string,
  spoils: ((spoiled: Spoiled) => void)[],
  plan: Pick<Plan, "words"> = {},
  leftOut?: string,
): Row {
  const ending = { code: 71, says };
  const runs = () => {
    const all: Runs = new Map();
    for (const [at, spoil] of spoils.entries()) {
      for (const [name, run] of everyWay({ ...plan, shim: () => new Spoiled(spoil) }, ending)) {
        all.set(`${at}, ${name}`, run);
      }
    }
    return all;
  };
  return { fault, from, ending, runs, leftOut };
}

/** The library as C would have it, of another version. */
function ofAnotherVersion({ library }: Spoiled): void {
  using folder = new Folder();
  const source = folder.file("library.c", "const unsigned dsp_version = 0x090807;\n");
  outputOf("cc", "-shared", "-fPIC", "-o", library, source);
}

/** Lengths at which the library ends, all over it. */
const CUTS = 16;

function cut(library: string, share: number): void {
  Deno.truncateSync(library, Math.floor(Deno.statSync(library).size * share / CUTS));
}

export const starting: Row[] = [
  surrounded("fd 0 closed", "from the start on", "handed over", { fds: () => ["closed"] }, PASSED),
  surrounded("fd 1 closed", "from the start on", NOWHERE, { fds: () => [undefined, "closed"] }, PASSED),
  ...eitherWay("fd 2 closed", "from the start on", () => [undefined, undefined, "closed"]),
  surrounded(
    "fds 0, 1 and 2 closed",
    "from the start on",
    NOWHERE,
    { fds: () => ["closed", "closed", "closed"] },
    PASSED,
  ),
  ...eitherWay("stderr full", "/dev/full", () => [undefined, undefined, openFile("/dev/full", 1)]),
  ...eitherWay("stderr that nobody reads", "a pipe", () => [undefined, undefined, abandonedPipe()]),
  surrounded("the current directory deleted", "from the start on", "handed over", {
    words: shell('mkdir "$0" && cd "$0" && rmdir "$0"'),
    noise: /^sh: .*getcwd\(\) failed.*\n/,
  }),
  surrounded("the current directory deleted", "from the start on, for a path in it", {
    code: 66,
    says: "the current directory: it was deleted",
  }, {
    words: ([shim, address, ...rest], folder) =>
      shell('mkdir "$0" && cd "$0" && rmdir "$0"')([shim!, address!.replace(/\/.*/, "/./s"), ...rest], folder),
    noise: /^sh: .*getcwd\(\) failed.*\n/,
  }),
  surrounded("no environment", "env -i", "handed over", { words: (command) => found(["env", "-i", ...command]) }),
  surrounded("HOME missing", "a path where nothing is", "handed over", {
    env: (folder) => ({ HOME: folder.at("none") }),
  }),
  surrounded("HOME read-only", "an ordinary user", "handed over", {
    words: shell("export HOME=/", AS_ORDINARY_USER),
  }, { leftOut: NO_ORDINARY_USER }),
  surrounded("DENO_DIR missing", "a path where nothing can be made", "handed over", {
    env: () => ({ DENO_DIR: "/proc/none/deno" }),
  }),
  surrounded("DENO_DIR read-only", "an ordinary user", "handed over", {
    words: shell("export DENO_DIR=/", AS_ORDINARY_USER),
  }, { leftOut: NO_ORDINARY_USER }),
  surrounded("DENO_DIR no folder", "/dev/null", "handed over", { env: () => ({ DENO_DIR: "/dev/null" }) }),
  surrounded("a full disk for DENO_DIR", "a file system of one page", "handed over", {
    words: shell('mkdir "$0" && mount -t tmpfs -o size=4k none "$0" && export DENO_DIR="$0/deno"', OWN_MOUNTS),
  }, { leftOut: CANNOT_MOUNT }),
  surrounded("/proc not mounted", "from the start on", "handed over", {
    words: shell("mount -t tmpfs none /proc", OWN_MOUNTS),
  }, {
    leftOut: CANNOT_MOUNT,
  }),
  {
    fault: "EMFILE",
    from: "RLIMIT_NOFILE of 3 to 40",
    ending: "handed over, or nothing is",
    runs: () => {
      const all: Runs = new Map();
      for (let limit = 3; limit <= 40; limit++) {
        const words = shell(`ulimit -n ${limit}`);
        const runs = everyWay({ words }, "handed over, or nothing is", { forms: ["vsock-mux"] });
        for (const [name, run] of runs) all.set(`${limit}, ${name}`, run);
      }
      return all;
    },
  },
  spoilt("the library missing", "the installation", "the native library is missing", [
    ({ library }) => Deno.removeSync(library),
  ]),
  spoilt(
    "the library cut short",
    "any length",
    "the native library is cut short",
    Array.from({ length: CUTS }, (_, share) => ({ library }: Spoiled) => cut(library, share)),
  ),
  spoilt("the library of another version", "the installation", "not of this program's version", [ofAnotherVersion]),
  spoilt(
    "the library not readable",
    "an ordinary user",
    "the native library cannot be loaded",
    [
      ({ library }) => Deno.chmodSync(library, 0),
    ],
    { words: (command) => [...AS_ORDINARY_USER, ...command] },
    NO_ORDINARY_USER,
  ),
  spoilt("the library no library", "a text", "the native library cannot be loaded", [
    ({ library }) => Deno.writeTextFileSync(library, "no library\n".repeat(1000)),
  ]),
  spoilt("the script missing or empty", "the installation", "it is missing or empty", [
    (spoiled) => Deno.removeSync(spoiled.at("proxy.mjs")),
    (spoiled) => Deno.truncateSync(spoiled.at("proxy.mjs")),
  ]),
  spoilt("Deno missing", "the installation", "there is no Deno any more", [
    (spoiled) => spoiled.leadTo("/none/deno"),
  ]),
  spoilt("Deno's dynamic linker missing", "an executable for another C library", "its dynamic linker is missing", [
    (spoiled) => {
      const path = spoiled.at("other");
      Deno.writeFileSync(path, withoutLinker(Deno.readFileSync(spoiled.at("deno-ssh-proxy"))), { mode: 0o755 });
      spoiled.leadTo(path);
    },
  ]),
  spoilt("Deno no program", "a text, a directory", "it cannot start", [
    (spoiled) => {
      Deno.writeTextFileSync(spoiled.at("text"), "no program\n", { mode: 0o755 });
      spoiled.leadTo(spoiled.at("text"));
    },
    (spoiled) => spoiled.leadTo("/"),
  ]),
  ...(["v 33800000", "d 500000", "s 384", "n 17"] as const).map((limit) =>
    surrounded("a limit too low for Deno", `ulimit -${limit}`, {
      code: 71,
      says: "it cannot start: this process may have",
    }, { words: shell(`ulimit -${limit}`) })
  ),
  surrounded(
    "memory that may not be made executable",
    "seccomp",
    {
      code: 71,
      says: "no memory may be made executable here",
    },
    { words: (command) => [compiled("no_executable_memory"), ...command] },
    { leftOut: NO_COMPILER },
  ),
];
