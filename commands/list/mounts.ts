/**
 * Translates paths between mount namespaces. A process in a container, or in the chroot of Firecracker's jailer, has bound its
 * socket to a path that is another file here.
 *
 * @module
 */

interface Mount {
  /** The device number, as `MAJOR:MINOR`. */
  device: string;
  /** The directory of that file system that is mounted. */
  root: string;
  /** The mount point. */
  point: string;
}

/**
 * Returns the paths that the file at `path` can have here, the likeliest first. `theirs` and `ours` are the `/proc/PID/mountinfo`
 * of the process with the path, and of this one (proc_pid_mountinfo(5)).
 */
export function translate(path: string, theirs: string, ours: string): string[] {
  // Of two mounts at one point, the later one hides the other.
  const within =
    read(theirs).filter(({ point }) => isUnder(path, point)).reverse().sort(byLength(({ point }) => point))[0];
  if (within === undefined) return [];
  const inside = within.root + path.slice(within.point.length);
  return read(ours).filter(({ device, root }) => device === within.device && isUnder(inside, root))
    .sort(byLength(({ root }) => root))
    .map(({ root, point }) => point + inside.slice(root.length));
}

function read(mountinfo: string): Mount[] {
  return mountinfo.split("\n").flatMap((line) => {
    const [, , device, root, point] = line.split(" ");
    if (device === undefined || root === undefined || point === undefined) return [];
    return [{ device, root: trimmed(unescape(root)), point: trimmed(unescape(point)) }];
  });
}

/** Decodes a space, tab, line break or backslash, which mountinfo has as an octal number. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_escape, digits) => String.fromCharCode(parseInt(digits, 8)));
}

/** Returns an empty text for `/`, so that a `/` follows every directory. */
function trimmed(path: string): string {
  return path === "/" ? "" : path;
}

function isUnder(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

function byLength<Item>(of: (item: Item) => string): (one: Item, other: Item) => number {
  return (one, other) => of(other).length - of(one).length;
}
