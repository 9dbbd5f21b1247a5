/**
 * The AF_UNIX stream sockets of a network namespace that listen, as `/proc/PID/net/unix` has them (proc_pid_net(5)).
 *
 * @module
 */

// Num: RefCount Protocol Flags Type St Inode Path, as the kernel's unix_seq_show() writes it.
const LINE = /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) ([0-9A-F]{4}) [0-9A-F]{2} +(0|[1-9][0-9]*)(?: (.*))?$/s;

const SO_ACCEPTCON = 0x10000;
const SOCK_STREAM = 1;

/** What a text tells of. */
export interface ListeningText {
  /** Inode number → the path that the socket was bound to, for those that have one in the file system. */
  readonly paths: Map<number, string>;
  /** The inode numbers that it has more than once. */
  readonly ambiguous: Set<number>;
}

/**
 * Returns what listens according to `text`.
 *
 * The kernel writes a path as it is, and a path may have a line break in it, with another line after that: what looks
 * like a socket may be somebody's invention. Its inode number is then another socket's too, and of such two neither is
 * believed. A path that visibly has a line break in it is none.
 */
export function readListening(text: string): ListeningText {
  const paths = new Map<number, string>();
  const seen = new Set<number>();
  const ambiguous = new Set<number>();
  let before = NaN;
  const lines = text.split("\n");
  // Behind the last line break is no line.
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

/** An abstract name (unix(7)) is written with `@` for its first byte. */
function isInFileSystem(path: string): boolean {
  return path !== "" && !path.startsWith("@");
}
