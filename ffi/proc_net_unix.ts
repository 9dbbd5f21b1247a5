/**
 * Parses `/proc/PID/net/unix`, the list of the AF_UNIX sockets of a network namespace (proc_pid_net(5)).
 *
 * @module
 */

// Num: RefCount Protocol Flags Type St Inode Path, as the kernel's unix_seq_show() writes it.
const LINE = /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) ([0-9A-F]{4}) [0-9A-F]{2} +(0|[1-9][0-9]*)(?: (.*))?$/s;

const SO_ACCEPTCON = 0x10000;
const SOCK_STREAM = 1;

/** The listening stream sockets in such a list. */
export interface ListeningText {
  /** The path of each socket that is bound in the file system, by its inode number. */
  readonly paths: Map<number, string>;
  /** The inode numbers that the list has more than once. */
  readonly ambiguous: Set<number>;
}

/**
 * Returns the listening stream sockets in `text`.
 *
 * The kernel does not escape paths, and a path can have a line break, followed by a forged line. A forged line has the inode
 * number of another socket, and sockets with the same number are all left out. So are paths that have a line break.
 */
export function readListening(text: string): ListeningText {
  const paths = new Map<number, string>();
  const seen = new Set<number>();
  const ambiguous = new Set<number>();
  let before = NaN;
  const lines = text.split("\n");
  // The text ends with a line break.
  if (lines.at(-1) === "") lines.pop();
  for (const line of lines) {
    const [, flags = "", type = "", number, path = ""] = LINE.exec(line) ?? [];
    if (number === undefined) {
      paths.delete(before);
      continue;
    }
    const inode = before = Number(number);
    if (seen.has(inode)) {
      ambiguous.add(inode);
      paths.delete(inode);
    } else if (parseInt(flags, 16) & SO_ACCEPTCON && parseInt(type, 16) === SOCK_STREAM && isInFileSystem(path)) {
      paths.set(inode, path);
    }
    seen.add(inode);
  }
  return { paths, ambiguous };
}

/** Returns whether `path` is not an abstract name (unix(7)), whose first byte the list has as `@`. */
function isInFileSystem(path: string): boolean {
  return path !== "" && !path.startsWith("@");
}
