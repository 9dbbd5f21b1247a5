/**
 * The names and texts of error numbers, which differ between systems.
 *
 * @module
 */

/**
 * Each line: a name, its number on Linux, its number on macOS, and a text as in errno(3). One string, because V8 would parse an
 * object for every connection.
 */
const ERRORS = `\
EPERM 1 1 operation not permitted
ENOENT 2 2 no such file or directory
ESRCH 3 3 no such process
EINTR 4 4 interrupted by a signal
EIO 5 5 input/output error
ENXIO 6 6 no such device or address
E2BIG 7 7 argument list too long
EBADF 9 9 bad file descriptor
EAGAIN 11 35 resource temporarily unavailable
ENOMEM 12 12 out of memory
EACCES 13 13 permission denied
EFAULT 14 14 bad address
EBUSY 16 16 device or resource busy
ENODEV 19 19 no such device
ENOTDIR 20 20 not a directory
EISDIR 21 21 is a directory
EINVAL 22 22 invalid argument
ENFILE 23 23 too many open files on this system
EMFILE 24 24 too many open files
ENOTTY 25 25 inappropriate ioctl for device
EFBIG 27 27 file too large
ENOSPC 28 28 no space left on device
ESPIPE 29 29 illegal seek
EROFS 30 30 read-only file system
EPIPE 32 32 broken pipe
ERANGE 34 34 result too large
ENAMETOOLONG 36 63 file name too long
ENOSYS 38 78 function not implemented
ELOOP 40 62 too many levels of symbolic links
EPROTO 71 100 protocol error
EOVERFLOW 75 84 value too large
ENOTSOCK 88 38 not a socket
EDESTADDRREQ 89 39 destination address required
EMSGSIZE 90 40 message too long
EPROTOTYPE 91 41 protocol wrong type for socket
ENOPROTOOPT 92 42 protocol not available
EPROTONOSUPPORT 93 43 protocol not supported
ESOCKTNOSUPPORT 94 44 socket type not supported
EOPNOTSUPP 95 102 operation not supported
EAFNOSUPPORT 97 47 address family not supported
EADDRINUSE 98 48 address already in use
EADDRNOTAVAIL 99 49 cannot assign requested address
ENETDOWN 100 50 network is down
ENETUNREACH 101 51 network is unreachable
ENETRESET 102 52 connection reset by network
ECONNABORTED 103 53 connection aborted
ECONNRESET 104 54 connection reset by peer
ENOBUFS 105 55 no buffer space available
EISCONN 106 56 socket is connected
ENOTCONN 107 57 socket is not connected
ESHUTDOWN 108 58 socket has been shut down
ETOOMANYREFS 109 59 too many file descriptors in flight
ETIMEDOUT 110 60 timed out
ECONNREFUSED 111 61 connection refused
EHOSTDOWN 112 64 host is down
EHOSTUNREACH 113 65 no route to host
EALREADY 114 37 operation already in progress
EINPROGRESS 115 36 operation now in progress
ESTALE 116 70 stale file handle
EDQUOT 122 69 disk quota exceeded
`;

/** The name of an error number, as in errno(3). */
export type ErrorName = NamesIn<typeof ERRORS>;

type NamesIn<Lines extends string, Found = never> = Lines extends `${infer Name} ${string}\n${infer Rest}`
  ? NamesIn<Rest, Found | Name>
  : Found;

/** A system call of the library that failed. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  /** The error's name; undefined for a number that is not in the table. */
  readonly code: ErrorName | undefined;

  /** `call` is the library's function, and `returned` its result, a negative error number. */
  constructor(call: string, returned: number) {
    const line = lines().find((fields) => fields[systemColumn()] === String(-returned));
    super(line === undefined ? `error ${-returned} of ${call}` : `${line.slice(3).join(" ")} (${line[0]})`);
    this.code = line?.[0] as ErrorName | undefined;
  }

  /** Returns the error called `name`, where no system call returned it. */
  static named(name: ErrorName): SystemError {
    return new SystemError("", -Number(lines().find((fields) => fields[0] === name)![systemColumn()]));
  }
}

function lines(): string[][] {
  return ERRORS.split("\n").map((line) => line.split(" "));
}

/** Returns the field that has this system's number. */
function systemColumn(): 1 | 2 {
  return Deno.build.os === "darwin" ? 2 : 1;
}
