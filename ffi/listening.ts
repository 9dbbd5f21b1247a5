/**
 * Finds listening AF_UNIX sockets (sock_diag(7)).
 *
 * @module
 */

import { inspectionCalls } from "./inspection.ts";
import type { Library } from "./library.ts";
import { checkResult } from "./socket.ts";

/** The listening sockets of this network namespace that were asked for. */
export interface Listening {
  /** The path of each socket that is bound to one, by its inode number. */
  readonly paths: ReadonlyMap<number, string>;
  /** The inode numbers of several sockets, whose paths cannot be told apart. */
  readonly ambiguous: ReadonlySet<number>;
  /** The paths on which a socket listens. */
  readonly bound: ReadonlySet<string>;
}

/** The size of `struct listening_socket` of the header, and the offset of its path. */
const RECORD = 116;
const RECORD_PATH = 8;

/**
 * Finds the listening stream sockets of this network namespace with one of `inodes`, or bound to one of `paths`. The kernel
 * lists them over netlink, with the length of each path, so that no path can look like another socket.
 *
 * @throws {SystemError} `ENOENT` if the kernel has no unix_diag
 */
export function findListening(library: Library, inodes: Iterable<number>, paths: Iterable<string>): Listening {
  // The library needs the paths first, in the order of their bytes, and then the inode numbers in theirs.
  const encoder = new TextEncoder();
  const names = [...new Set(paths)].map((path) => ({ path, bytes: encoder.encode(path) }))
    .filter(({ bytes }) => bytes.length > 0 && bytes.length <= RECORD - RECORD_PATH).sort(byBytes);
  const numbers = [...new Set(inodes)].filter((inode) => inode !== 0).sort((one, other) => one - other);
  if (names.length + numbers.length === 0) return { paths: new Map(), ambiguous: new Set(), bound: new Set() };
  const records = new Uint8Array(RECORD * (names.length + numbers.length));
  const view = new DataView(records.buffer);
  names.forEach(({ bytes }, at) => records.set(bytes, at * RECORD + RECORD_PATH));
  numbers.forEach((inode, at) => view.setUint32((names.length + at) * RECORD, inode, isLittleEndian));
  checkResult(
    "listening_sockets",
    inspectionCalls(library).dsp_listening_sockets(records, BigInt(names.length + numbers.length)),
  );
  const countAt = (at: number) => view.getUint32(at * RECORD + 4, isLittleEndian);
  const found = new Map<number, string>();
  const ambiguous = new Set<number>();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  numbers.forEach((inode, index) => {
    const at = names.length + index;
    const count = countAt(at);
    if (count > 1) ambiguous.add(inode);
    if (count !== 1) return;
    const path = decoder.decode(records.subarray(at * RECORD + RECORD_PATH, (at + 1) * RECORD)).replace(/\0+$/, "");
    // ssh takes no host name with a line break.
    if (!path.includes("\n")) found.set(inode, path);
  });
  const bound = new Set(names.flatMap(({ path }, at) => countAt(at) > 0 ? path : []));
  return { paths: found, ambiguous, bound };
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function byBytes({ bytes: one }: { bytes: Uint8Array }, { bytes: other }: { bytes: Uint8Array }): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at === -1 ? one.length - other.length : one[at]! - (other[at] ?? -1);
}
