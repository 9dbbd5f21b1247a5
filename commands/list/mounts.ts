/**
 * From a path in one mount namespace to the same file's path in another: a process in a container, or in the chroot of
 * Firecracker's jailer, has bound its socket to a path that is none here.
 *
 * @module
 */

interface Mount {
  /** The device number, as `MAJOR:MINOR`. */
  device: string;
  /** Which folder of that file system is mounted. */
  root: string;
  /** Where. */
  point: string;
}

/**
 * The paths that the file at `path` may have here, the likeliest first. `theirs` and `ours` are what `/proc/PID/mountinfo`
 * has for the process that the path is from, and for this one (proc_pid_mountinfo(5)).
 */
export function translate(path: string, theirs: string, ours: string): string[] {
  // Of two mounts at one place the later one covers the other.
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

/** Space, tab, line break and backslash are written as octal numbers. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_escape, digits) => String.fromCharCode(parseInt(digits, 8)));
}

/** `/` is nothing here, so that a path is always what it begins with and a `/`. */
function trimmed(path: string): string {
  return path === "/" ? "" : path;
}

function isUnder(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

function byLength<Item>(of: (item: Item) => string): (one: Item, other: Item) => number {
  return (one, other) => of(other).length - of(one).length;
}
