/**
 * The C library's functions that the tests call: for sockets and file descriptors that Deno has no way to make.
 *
 * @module
 */

/** Each function beside its C prototype. */
export const libc = Deno.dlopen(
  Deno.build.os === "darwin" ? "libSystem.dylib" : "libc.so.6",
  {
    // int socket(int domain, int type, int protocol);
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    // int bind(int fd, const struct sockaddr *address, socklen_t len);
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    // int listen(int fd, int backlog);
    listen: { parameters: ["i32", "i32"], result: "i32" },
    // int connect(int fd, const struct sockaddr *address, socklen_t len);
    connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    // int getsockname(int fd, struct sockaddr *address, socklen_t *len);
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    // int socketpair(int domain, int type, int protocol, int fds[2]);
    socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
    // int pipe(int fds[2]);
    pipe: { parameters: ["buffer"], result: "i32" },
    // int open(const char *path, int flags);
    open: { parameters: ["buffer", "i32"], result: "i32" },
    // int close(int fd);
    close: { parameters: ["i32"], result: "i32" },
    // int fcntl(int fd, int command, int argument);
    fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
    // ssize_t read(int fd, void *into, size_t len);
    read: {
      parameters: ["i32", "buffer", "usize"],
      result: "isize",
      nonblocking: true,
    },
    // ssize_t write(int fd, const void *bytes, size_t len);
    write: {
      parameters: ["i32", "buffer", "usize"],
      result: "isize",
      nonblocking: true,
    },
    // ssize_t recvmsg(int fd, struct msghdr *message, int flags);
    recvmsg: {
      parameters: ["i32", "buffer", "i32"],
      result: "isize",
      nonblocking: true,
    },
    // ssize_t send(int fd, const void *bytes, size_t len, int flags);
    send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
    // int accept(int fd, struct sockaddr *address, socklen_t *len);
    accept: { parameters: ["i32", "pointer", "pointer"], result: "i32" },
    // int poll(struct pollfd *fds, nfds_t count, int milliseconds);
    poll: { parameters: ["buffer", "usize", "i32"], result: "i32", nonblocking: true },
    // int ioctl(int fd, unsigned long request, struct winsize *size);
    ioctl: { parameters: ["i32", "usize", "buffer"], result: "i32" },
    // int posix_openpt(int flags);
    posix_openpt: { parameters: ["i32"], result: "i32" },
    // int grantpt(int fd);
    grantpt: { parameters: ["i32"], result: "i32" },
    // int unlockpt(int fd);
    unlockpt: { parameters: ["i32"], result: "i32" },
    // char *ptsname(int fd);
    ptsname: { parameters: ["i32"], result: "pointer" },
    // int shutdown(int fd, int how);
    shutdown: { parameters: ["i32", "i32"], result: "i32" },
    // pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);
    wait4: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32", nonblocking: true },
    // long syscall(long number, ...);
    syscall: { parameters: ["isize", "isize", "isize", "isize", "isize"], result: "isize" },
    // int kill(pid_t pid, int signal);
    kill: { parameters: ["i32", "i32"], result: "i32" },
    posix_spawn: {
      parameters: ["buffer", "buffer", "buffer", "pointer", "buffer", "buffer"],
      result: "i32",
    },
    posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
    posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
    posix_spawn_file_actions_adddup2: {
      parameters: ["buffer", "i32", "i32"],
      result: "i32",
    },
    posix_spawn_file_actions_addclose: {
      parameters: ["buffer", "i32"],
      result: "i32",
    },
  } as const,
).symbols;
