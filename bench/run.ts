/**
 * The two small programs that start what is measured, and count what it costs: launch.rs and carry.rs.
 *
 * @module
 */

import { CHECKOUT, Folder } from "../tools/checkout.ts";
import { outputLater } from "../tools/programs.ts";
import type { Figures } from "./measure.ts";

/** Builds the two of them. */
export async function build(): Promise<void> {
  const manifest = ["--manifest-path", `${CHECKOUT}/rust/Cargo.toml`];
  await outputLater("cargo", "build", "--quiet", "--release", "--locked", "--examples", ...manifest);
}

/** How launch.rs starts a program, and what it has the server do. */
export type Kind = "alone" | "nothing" | "fd" | "multiplexer" | "stream";

/** How often a program is started. */
export interface Times {
  /** How many are started at once. */
  atOnce?: number;
  /** How often that is done, one after the other. */
  rounds?: number;
  /** A file of the kernel's that gets the process id first, so that all that is started is counted there. */
  enter?: string;
}

/**
 * What launch.rs tells of a command line that connects to the AF_UNIX socket at `path`: wall and CPU time in milliseconds,
 * the peak memory of the largest process in KiB, and how many failed.
 */
export async function launch(kind: Kind, words: (path: string) => string[], times: Times = {}): Promise<Figures> {
  const { atOnce = 1, rounds = 1, enter } = times;
  const entering = enter === undefined ? [] : ["sh", "-c", 'echo $$ >"$1" && shift && exec "$@"', "sh", enter];
  const figures = await report((path) => [
    ...[...entering, example("launch"), kind, path, `${atOnce}`, `${rounds}`],
    ...words(path),
  ]);
  if (atOnce === 1 && figures.failures !== 0) throw new Error(`${words("PATH").join(" ")} fails`);
  return figures;
}

/** How carry.rs has the bytes go. */
export type Way = "towards" | "from" | "both" | "echo";

/** A relay's command line: it connects to `path`. One that listens does so at `front`. Nothing is no relay at all. */
export interface Relay {
  words(path: string, front: string): string[];
  listens?: boolean;
}

/** What carry.rs tells of a relay that carries `amount` bytes, or makes as many round trips. */
export function carry(way: Way | `checked-${Way}`, amount: number, { words, listens }: Relay): Promise<Figures> {
  return report((path) => {
    const front = `${path}.front`;
    return [example("carry"), way, `${amount}`, path, listens ? front : "", ...words(path, front)];
  });
}

function example(name: string): string {
  return `${CHECKOUT}/rust/target/release/examples/${name}`;
}

/** The JSON that a command line prints which is given a path for a socket. */
async function report(words: (path: string) => string[]): Promise<Figures> {
  using folder = new Folder();
  const [program, ...args] = words(folder.at("server.sock"));
  return JSON.parse(await outputLater(program!, ...args));
}
