/**
 * Error numbers, which differ between systems, and their names and texts.
 *
 * @module
 */

/**
 * Name: number on Linux, number on macOS, text as in errno(3). A function, because a connection that succeeds needs none
 * of it.
 */
function errors() {
  return {
    EPERM: [1, 1, "operation not permitted"],
    ENOENT: [2, 2, "no such file or directory"],
    EINTR: [4, 4, "interrupted by a signal"],
    EIO: [5, 5, "input/output error"],
    EBADF: [9, 9, "bad file descriptor"],
    EAGAIN: [11, 35, "resource temporarily unavailable"],
    ENOMEM: [12, 12, "out of memory"],
    EACCES: [13, 13, "permission denied"],
    EFAULT: [14, 14, "bad address"],
    ENODEV: [19, 19, "no such device"],
    ENOTDIR: [20, 20, "not a directory"],
    EINVAL: [22, 22, "invalid argument"],
    ENFILE: [23, 23, "too many open files on this system"],
    EMFILE: [24, 24, "too many open files"],
    ENOSPC: [28, 28, "no space left on device"],
    EPIPE: [32, 32, "broken pipe"],
    ENAMETOOLONG: [36, 63, "file name too long"],
    ELOOP: [40, 62, "too many levels of symbolic links"],
    ENOTSOCK: [88, 38, "not a socket"],
    EPROTOTYPE: [91, 41, "protocol wrong type for socket"],
    EAFNOSUPPORT: [97, 47, "address family not supported"],
    EADDRNOTAVAIL: [99, 49, "cannot assign requested address"],
    ENETUNREACH: [101, 51, "network is unreachable"],
    ECONNRESET: [104, 54, "connection reset by peer"],
    ENOBUFS: [105, 55, "no buffer space available"],
    ENOTCONN: [107, 57, "socket is not connected"],
    ETIMEDOUT: [110, 60, "timed out"],
    ECONNREFUSED: [111, 61, "connection refused"],
    EHOSTUNREACH: [113, 65, "no route to host"],
  } as const;
}

/** An error number's name, as in errno(3). */
export type ErrorName = keyof ReturnType<typeof errors>;

/** A system call of the library that failed. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  /** The error's name; undefined where it has a number that this program does not expect. */
  readonly code: ErrorName | undefined;

  /** `call` is the library's function, `returned` the negative error number that it gave. */
  constructor(call: string, returned: number) {
    const all = errors();
    const column = systemColumn();
    const code = (Object.keys(all) as ErrorName[]).find((name) => all[name][column] === -returned);
    super(code === undefined ? `error ${-returned} of ${call}` : `${all[code][2]} (${code})`);
    this.code = code;
  }

  /** Returns the error called `name`, for what was found out without a system call that gave it. */
  static named(name: ErrorName): SystemError {
    return new SystemError("", -errors()[name][systemColumn()]);
  }
}

/** Which of the two numbers of an error is this system's. */
function systemColumn(): 0 | 1 {
  return Deno.build.os === "darwin" ? 1 : 0;
}
