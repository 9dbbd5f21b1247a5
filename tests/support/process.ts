/**
 * Starting a program with any file descriptor at any place, as `ssh` starts a ProxyCommand: `Deno.Command` can give it
 * pipes and files, but no socket pair and no closed fd. By the C library, so that what a test starts is just what it says.
 *
 * @module
 */

import { libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const F_DUPFD_CLOEXEC = Deno.build.os === "darwin" ? 67 : 1030;
const O_RDWR_NOCTTY = Deno.build.os === "darwin" ? 0x20002 : 0x102;
const TIOCSWINSZ = Deno.build.os === "darwin" ? 0x80087467n : 0x5414n;
const POLLIN = 1;
const SIGKILL = 9;
/** The numbers of system calls, the same for nearly every processor. */
const PIDFD_OPEN = 434n;
const PIDFD_SEND_SIGNAL = 424n;

/** A file descriptor of this test process, closed when its scope ends. No program that is started inherits it. */
export class Fd implements Disposable {
  #number: number;

  /** Takes `number` over, and moves it out of the way of 0, 1 and 2 and of whatever a program is given. */
  constructor(number: number) {
    if (number < 0) throw new Error("a system call failed");
    this.#number = libc.fcntl(number, F_DUPFD_CLOEXEC, 100);
    libc.close(number);
    if (this.#number < 0) throw new Error("no file descriptor is left");
  }

  get number(): number {
    if (this.#number < 0) throw new Error("this file descriptor is closed");
    return this.#number;
  }

  get isOpen(): boolean {
    return this.#number >= 0;
  }

  /** What comes in until the other side ends, or `length` bytes. */
  async read(length = Infinity): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let total = 0;
    while (total < length) {
      const part = new Uint8Array(Math.min(65536, length - total));
      const count = Number(await libc.read(this.number, part, BigInt(part.length)));
      if (count <= 0) break;
      parts.push(part.subarray(0, count));
      total += count;
    }
    const all = new Uint8Array(total);
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.subarray(at);
      const count = Number(await libc.write(this.number, rest, BigInt(rest.length)));
      if (count <= 0) throw new Error("the other side is gone");
      at += count;
    }
  }

  /** The next message: its bytes, and the file descriptors that came with it. */
  async receive(): Promise<{ bytes: Uint8Array; fds: Fd[] }> {
    const bytes = new Uint8Array(64);
    const control = new Uint8Array(256);
    const address = (of: Uint8Array<ArrayBuffer>) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(of));
    const part = new BigUint64Array([address(bytes), BigInt(bytes.length)]);
    const message = new BigUint64Array([
      0n, // msg_name
      0n, // msg_namelen
      address(new Uint8Array(part.buffer)), // msg_iov
      1n, // msg_iovlen
      address(control), // msg_control
      BigInt(control.length), // msg_controllen
      0n, // msg_flags
    ]);
    const count = Number(await libc.recvmsg(this.number, message, 0));
    if (count < 0) throw new Error("recvmsg failed");
    const used = Number(message[5]);
    const view = new DataView(control.buffer);
    const fds: Fd[] = [];
    // struct cmsghdr { size_t len; int level; int type; } and the numbers: cmsg(3).
    for (let at = 0; at + 16 <= used;) {
      const length = Number(view.getBigUint64(at, true));
      for (let fd = at + 16; fd + 4 <= at + length; fd += 4) {
        fds.push(new Fd(view.getInt32(fd, true)));
      }
      at += Math.ceil(length / 8) * 8;
    }
    return { bytes: bytes.slice(0, count), fds };
  }

  /** The next connection of a socket that listens. */
  async accept(): Promise<Fd> {
    await this.arrival();
    return new Fd(libc.accept(this.number, null, null));
  }

  /** Waits for something to come in, and leaves it there. */
  async arrival(): Promise<void> {
    // struct pollfd { int fd; short events; short revents; }
    const poll = new Uint8Array(8);
    new DataView(poll.buffer).setInt32(0, this.number, true);
    poll[4] = POLLIN;
    if (await libc.poll(poll, 1n, 10_000) !== 1) throw new Error("nothing comes in");
  }

  /** Says that no more will be written. */
  end(): void {
    libc.shutdown(this.number, 1);
  }

  close(): void {
    if (this.#number >= 0) libc.close(this.#number);
    this.#number = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Two ends of a connection, like those that `ssh` makes for its ProxyCommand. */
export function socketPair(type = SOCK_STREAM): [Fd, Fd] {
  const fds = new Int32Array(2);
  if (libc.socketpair(AF_UNIX, type, 0, fds) !== 0) throw new Error("socketpair failed");
  return [new Fd(fds[0]!), new Fd(fds[1]!)];
}

/** A pipe: the end to read from and the end to write to. */
export function pipe(): [Fd, Fd] {
  const fds = new Int32Array(2);
  if (libc.pipe(fds) !== 0) throw new Error("pipe failed");
  return [new Fd(fds[0]!), new Fd(fds[1]!)];
}

/** A file, opened with `flags` as in open(2): 0 reads, 1 writes, 2 does both. */
export function openFile(path: string, flags: number): Fd {
  return new Fd(libc.open(cString(path), flags));
}

/**
 * A new terminal of 80x24: the side of the program that shows it, and the terminal itself. It becomes nobody's own. Programs
 * take one without a size (0x0, as script(1) makes it) for something else: Deno shows no progress there.
 */
export function terminal(): [Fd, Fd] {
  const near = new Fd(libc.posix_openpt(O_RDWR_NOCTTY));
  const name = libc.grantpt(near.number) === 0 && libc.unlockpt(near.number) === 0 ? libc.ptsname(near.number) : null;
  // struct winsize { unsigned short rows, columns, width, height; }
  const size = new Uint8Array(Uint16Array.of(24, 80, 0, 0).buffer);
  if (name === null || libc.ioctl(near.number, TIOCSWINSZ, size) !== 0) throw new Error("there are no terminals here");
  return [near, openFile(Deno.UnsafePointerView.getCString(name), O_RDWR_NOCTTY)];
}

/** A process that somebody else has started. */
export class Process extends Fd {
  constructor(pid: number) {
    // The C library has no name for it before glibc 2.36: pidfd_open(2).
    super(Number(libc.syscall(PIDFD_OPEN, BigInt(pid), 0n, 0n, 0n)));
  }

  /** Until it has ended. */
  ended(): Promise<void> {
    return this.arrival();
  }

  kill(): void {
    libc.syscall(PIDFD_SEND_SIGNAL, BigInt(this.number), BigInt(SIGKILL), 0n, 0n);
  }
}

/** A program that was started. */
export interface Started {
  pid: number;
  /** The exit code, or 128 and the signal that ended it, as a shell says it. */
  ended: Promise<number>;
  /** How many milliseconds it has had a processor, once it has ended. */
  cpuTime: Promise<number>;
  kill(): void;
}

/** What a program has as fd 0, 1 and 2: a file descriptor, or "closed". */
export type Place = Fd | "closed";

/** A word of a command line: text, or any bytes but a NUL. */
export type Word = string | Uint8Array;

/** Starts `argv[0]` (a path) with `env` and nothing else, and with just these three file descriptors. */
export function start(
  argv: readonly Word[],
  places: [Place, Place, Place],
  env: Record<string, string>,
): Started {
  const actions = new Uint8Array(1024);
  libc.posix_spawn_file_actions_init(actions);
  places.forEach((place, number) => {
    if (place === "closed") libc.posix_spawn_file_actions_addclose(actions, number);
    else libc.posix_spawn_file_actions_adddup2(actions, place.number, number);
  });
  const strings: Uint8Array<ArrayBuffer>[] = [];
  const list = (texts: readonly Word[]) => {
    const pointers = texts.map((text) => {
      const string = cString(text);
      strings.push(string);
      return Deno.UnsafePointer.value(Deno.UnsafePointer.of(string));
    });
    return new BigUint64Array([...pointers, 0n]);
  };
  const pid = new Int32Array(1);
  const [args, vars] = [list(argv), list(Object.entries(env).map(([name, value]) => `${name}=${value}`))];
  const path = cString(argv[0]!);
  const failed = libc.posix_spawn(pid, path, actions, null, args, vars);
  libc.posix_spawn_file_actions_destroy(actions);
  if (failed !== 0) throw new Error(`'${argv[0]}' cannot be started: errno ${failed}`);
  const ending = wait(pid[0]!);
  return {
    pid: pid[0]!,
    ended: ending.then(({ code }) => code),
    cpuTime: ending.then(({ cpuTime }) => cpuTime),
    kill: () => libc.kill(pid[0]!, SIGKILL),
  };
}

async function wait(pid: number): Promise<{ code: number; cpuTime: number }> {
  const status = new Int32Array(1);
  // struct rusage begins with two struct timeval: the time in the program, and that in the kernel for it. macOS has an
  // int32_t for the microseconds, and 4 bytes of nothing.
  const usage = new BigInt64Array(32);
  if (await libc.wait4(pid, status, 0, usage) !== pid) throw new Error("wait4 failed");
  const [signal, code] = [status[0]! & 0x7f, (status[0]! >> 8) & 0xff];
  const [seconds = 0, microseconds = 0, more = 0, rest = 0] = [...usage.subarray(0, 4)].map((field, at) =>
    Number(at % 2 === 0 ? field : BigInt.asIntN(32, field))
  );
  return { code: signal ? 128 + signal : code, cpuTime: (seconds + more) * 1000 + (microseconds + rest) / 1000 };
}

function cString(text: Word): Uint8Array<ArrayBuffer> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  const string = new Uint8Array(bytes.length + 1);
  string.set(bytes);
  return string;
}
