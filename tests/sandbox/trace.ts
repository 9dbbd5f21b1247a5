/**
 * What a program did that the kernel knows of: its system calls, as strace writes them down.
 *
 * @module
 */

import type { Folder } from "../../tools/checkout.ts";
import { pathOf } from "../../tools/programs.ts";

/** What a trace says of a run. Calls that failed count like the others: they show what was tried. */
export interface Trace {
  /** The programs that were started, each in the place of the one before. */
  readonly programs: readonly string[];
  /** The files and folders that were opened. */
  readonly opened: ReadonlySet<string>;
  /** What was looked at without opening it: whether it is there, what kind of file it is, where a link leads. */
  readonly seen: ReadonlySet<string>;
  /** What was opened for writing, made, renamed, removed, or given another mode or owner. */
  readonly changed: ReadonlySet<string>;
  /** The address families of the sockets that were made. */
  readonly families: ReadonlySet<string>;
  /** The addresses that were connected or bound to, or sent to, as strace has them. */
  readonly addresses: readonly string[];
  /** How processes were made that are not threads. */
  readonly children: readonly string[];
  /** Calls that lead around all of these. */
  readonly others: readonly string[];
}

/** More than strace's classes have: those that change a file which is open, and the rings that make calls untraced. */
const TRACED = "trace=%file,%network,%process,fchmod,fchown,ftruncate,fallocate,fsetxattr,io_uring_setup,bpf,ptrace";

/** The words that run a program with its calls written down in files which begin with `log`. */
export function traced(log: string): string[] {
  // A log a thread: no call is in two pieces. With -y each number of a file has its path behind it.
  return [pathOf("strace"), "-ff", "-y", "-s", "4096", "-e", TRACED, "-o", log];
}

/** The calls in the logs of `folder` which begin with `log`. */
export function readTrace(folder: Folder, log: string): Trace {
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name).filter((name) => name.startsWith(`${log}.`));
  const lines = names.flatMap((name) => Deno.readTextFileSync(folder.at(name)).split("\n"));
  const trace = {
    programs: [] as string[],
    opened: new Set<string>(),
    seen: new Set<string>(),
    changed: new Set<string>(),
    families: new Set<string>(),
    addresses: [] as string[],
    children: [] as string[],
    others: [] as string[],
  };
  for (const line of lines) {
    const [, call, rest] = /^(\w+)\((.*)$/s.exec(line) ?? [];
    if (call === undefined || rest === undefined) continue;
    const paths = pathsIn(rest);
    switch (call) {
      case "execve":
      case "execveat":
        if (/ = 0$/.test(line)) trace.programs.push(paths[0]!);
        break;
      case "open":
      case "openat":
      case "openat2":
      case "creat":
        trace.opened.add(paths[0]!);
        if (call === "creat" || /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(rest)) trace.changed.add(paths[0]!);
        break;
      case "socket":
      case "socketpair":
        trace.families.add(/^\w+/.exec(rest)?.[0] ?? rest);
        break;
      case "connect":
      case "bind":
      case "sendto":
      case "sendmsg":
      case "sendmmsg":
        trace.addresses.push(...rest.match(/\{sa_family=[^}]*\}/g) ?? []);
        break;
      case "fork":
      case "vfork":
        trace.children.push(line);
        break;
      case "clone":
      case "clone3":
        if (!rest.includes("CLONE_THREAD")) trace.children.push(line);
        break;
      case "symlink":
      case "symlinkat":
        // The first is only text.
        trace.changed.add(paths.at(-1)!);
        break;
      default:
        if (CHANGES.test(call)) { for (const path of paths) trace.changed.add(path); }
        // One that is about a file which is open has no path, or an empty one.
        else if (LOOKS.test(call)) { if (/^[^"]*"[^"]/.test(rest)) trace.seen.add(paths[0]!); }
        else if (!HARMLESS.test(call)) trace.others.push(line);
    }
  }
  return trace;
}

const CHANGES =
  /^(?:mkdir|mknod|rename|link|unlink|rmdir|f?chmod|f?chown|lchown|f?truncate|fallocate|utime|futimesat|utimensat|f?l?setxattr|f?l?removexattr)/;
const LOOKS = /^(?:l?stat|newfstat|statx|f?access|readlink|getcwd|statfs|l?getxattr|chdir|inotify_add_watch)/;
/** What says nothing of a file and reaches nobody that a socket was not connected to. */
const HARMLESS =
  /^(?:exit|wait|kill|tg?kill|rt_|pidfd_|getsock|setsock|getpeername|recv|shutdown|listen|accept|arch_prctl|unshare)/;

/** The paths in the arguments of a call: whole, where they stand behind the folder that they begin in. */
function pathsIn(rest: string): string[] {
  const paths: string[] = [];
  for (const [, folder, path] of rest.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>(?:, )?)?(?:"((?:[^"\\]|\\.)*)")?/g)) {
    if (path?.startsWith("/")) paths.push(path);
    else if (folder !== undefined) paths.push(path && path !== "." ? `${folder}/${path}` : folder);
    else if (path) paths.push(path);
  }
  return paths;
}
