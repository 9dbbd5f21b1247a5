/**
 * The AF_UNIX stream sockets of a network namespace that listen, as `/proc/PID/net/unix` has them (proc_pid_net(5)).
 *
 * @module
 */

// Num: RefCount Protocol Flags Type St Inode Path, as the kernel's unix_seq_show() writes it.
const LINE = /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) ([0-9A-F]{4}) [0-9A-F]{2} +(0|[1-9][0-9]*)(?: (.*))?$/s;

const SO_ACCEPTCON = 0x10000;
const SOCK_STREAM = 1;

/**
 * Inode number → the path that the socket was bound to, for those that have one in the file system.
 *
 * The kernel writes a path as it is, and a path may have a line break in it, with another line after that: what looks
 * like a socket may be somebody's invention. Its inode number is then another socket's too, and of such two neither is
 * believed.
 */
export function listeningSockets(text: string): Map<number, string> {
  const listening = new Map<number, string>();
  const seen = new Set<number>();
  for (const line of text.split("\n")) {
    const [, flags = "", type = "", number, path = ""] = LINE.exec(line) ?? [];
    if (number === undefined) continue;
    const inode = Number(number);
    if (seen.has(inode)) listening.delete(inode);
    else if (parseInt(flags, 16) & SO_ACCEPTCON && parseInt(type, 16) === SOCK_STREAM && isInFileSystem(path)) {
      listening.set(inode, path);
    }
    seen.add(inode);
  }
  return listening;
}

/** An abstract name (unix(7)) is written with `@` for its first byte. */
function isInFileSystem(path: string): boolean {
  return path !== "" && !path.startsWith("@");
}
