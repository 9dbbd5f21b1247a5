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
    ESRCH: [3, 3, "no such process"],
    EINTR: [4, 4, "interrupted by a signal"],
    EIO: [5, 5, "input/output error"],
    ENXIO: [6, 6, "no such device or address"],
    E2BIG: [7, 7, "argument list too long"],
    EBADF: [9, 9, "bad file descriptor"],
    EAGAIN: [11, 35, "resource temporarily unavailable"],
    ENOMEM: [12, 12, "out of memory"],
    EACCES: [13, 13, "permission denied"],
    EFAULT: [14, 14, "bad address"],
    EBUSY: [16, 16, "device or resource busy"],
    ENODEV: [19, 19, "no such device"],
    ENOTDIR: [20, 20, "not a directory"],
    EISDIR: [21, 21, "is a directory"],
    EINVAL: [22, 22, "invalid argument"],
    ENFILE: [23, 23, "too many open files on this system"],
    EMFILE: [24, 24, "too many open files"],
    ENOTTY: [25, 25, "inappropriate ioctl for device"],
    EFBIG: [27, 27, "file too large"],
    ENOSPC: [28, 28, "no space left on device"],
    ESPIPE: [29, 29, "illegal seek"],
    EROFS: [30, 30, "read-only file system"],
    EPIPE: [32, 32, "broken pipe"],
    ERANGE: [34, 34, "result too large"],
    ENAMETOOLONG: [36, 63, "file name too long"],
    ENOSYS: [38, 78, "function not implemented"],
    ELOOP: [40, 62, "too many levels of symbolic links"],
    EPROTO: [71, 100, "protocol error"],
    EOVERFLOW: [75, 84, "value too large"],
    ENOTSOCK: [88, 38, "not a socket"],
    EDESTADDRREQ: [89, 39, "destination address required"],
    EMSGSIZE: [90, 40, "message too long"],
    EPROTOTYPE: [91, 41, "protocol wrong type for socket"],
    ENOPROTOOPT: [92, 42, "protocol not available"],
    EPROTONOSUPPORT: [93, 43, "protocol not supported"],
    ESOCKTNOSUPPORT: [94, 44, "socket type not supported"],
    EOPNOTSUPP: [95, 102, "operation not supported"],
    EAFNOSUPPORT: [97, 47, "address family not supported"],
    EADDRINUSE: [98, 48, "address already in use"],
    EADDRNOTAVAIL: [99, 49, "cannot assign requested address"],
    ENETDOWN: [100, 50, "network is down"],
    ENETUNREACH: [101, 51, "network is unreachable"],
    ENETRESET: [102, 52, "connection reset by network"],
    ECONNABORTED: [103, 53, "connection aborted"],
    ECONNRESET: [104, 54, "connection reset by peer"],
    ENOBUFS: [105, 55, "no buffer space available"],
    EISCONN: [106, 56, "socket is connected"],
    ENOTCONN: [107, 57, "socket is not connected"],
    ESHUTDOWN: [108, 58, "socket has been shut down"],
    ETOOMANYREFS: [109, 59, "too many file descriptors in flight"],
    ETIMEDOUT: [110, 60, "timed out"],
    ECONNREFUSED: [111, 61, "connection refused"],
    EHOSTDOWN: [112, 64, "host is down"],
    EHOSTUNREACH: [113, 65, "no route to host"],
    EALREADY: [114, 37, "operation already in progress"],
    EINPROGRESS: [115, 36, "operation now in progress"],
    ESTALE: [116, 70, "stale file handle"],
    EDQUOT: [122, 69, "disk quota exceeded"],
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
