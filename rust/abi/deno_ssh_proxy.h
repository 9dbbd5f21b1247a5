/*
 * The C ABI of libdeno_ssh_proxy, for programs in C. src/lib.rs says more about each function.
 *
 * Every function returns a value of 0 or more, or -errno. None prints, exits or keeps state.
 */
#ifndef DENO_SSH_PROXY_H
#define DENO_SSH_PROXY_H

#include <stddef.h>
#include <stdint.h>

/* How long a call may take, from its start on. Past it: -ETIMEDOUT. */
struct time_left {
    uint32_t milliseconds;
};

struct descriptor {
    int32_t fd;
};

/* major * 65536 + minor * 256 + patch */
extern const uint32_t deno_ssh_proxy_version;

/* An AF_UNIX stream socket, by a path of any length up to PATH_MAX. The fd is the caller's. */
int32_t connect_unix(const uint8_t *path, size_t path_len, struct time_left time);

/* An AF_VSOCK stream socket; -EAFNOSUPPORT where the system has none. The fd is the caller's. */
int32_t connect_vsock(uint32_t cid, uint32_t port, struct time_left time);

/* Sends all bytes and returns their count. */
int32_t send_bytes(int32_t fd, const uint8_t *bytes, size_t len, struct time_left time);

/* Receives at least one byte, or 0 at the end of the stream. */
int32_t receive_bytes(int32_t fd, uint8_t *into, size_t len, uint32_t flags, struct time_left time);

#define RECEIVE_PEEK 1u  /* leaves the bytes in the socket */
#define RECEIVE_WHOLE 2u /* with RECEIVE_PEEK: waits until len bytes are there, or the peer has ended */

/* Passes fd over an AF_UNIX socket: one NUL byte with SCM_RIGHTS. Returns 0. */
int32_t send_fd(int32_t channel, int32_t fd, struct time_left time);

/*
 * Carries bytes from from_ssh to socket and from socket to to_ssh until both directions are done, with no deadline. A
 * pipe among the first two is closed when its direction is done, with its duplicates. SIGPIPE is to be ignored. Returns 0.
 */
int32_t relay(int32_t from_ssh, int32_t to_ssh, struct descriptor socket);

/* Closes what is open from first on and not close-on-exec: what the program was started with. Returns 0. */
int32_t close_inherited(struct descriptor first);

/* What a file descriptor is. */
int32_t fd_kind(struct descriptor descriptor);

enum {
    FD_OTHER = 0,
    FD_UNIX_SOCKET = 1, /* the one kind that can carry file descriptors */
    FD_OTHER_SOCKET = 2,
    FD_PIPE = 3,
    FD_TERMINAL = 4,
    FD_REGULAR_FILE = 5,
    FD_NULL = 6 /* /dev/null */
};

/* 1 where path is a datagram socket, 0 where it is a stream or seqpacket socket. */
int32_t is_datagram_socket(const uint8_t *path, size_t path_len);

/* Process id, user id and group id of who listens behind a connected AF_UNIX socket. Returns 0. */
int32_t peer_credentials(int32_t fd, uint32_t into[3]);

/* This machine's own CID. */
int64_t local_cid(void);

/* Mode, user id, group id, device and inode number of what is at path, links followed. Returns 0. */
int32_t path_status(const uint8_t *path, size_t path_len, uint64_t into[5]);

/* What /proc tells of a process (0: this one): the length of what was written, or -ERANGE where it does not fit. */
int32_t proc_text(uint32_t pid, uint32_t which, uint8_t *into, size_t len);

enum {
    PROC_NAME = 0,            /* comm */
    PROC_ARGUMENTS = 1,       /* cmdline */
    PROC_ROOT = 2,            /* the link root */
    PROC_FOLDER = 3,          /* the link cwd */
    PROC_UNIX_SOCKETS = 4,    /* net/unix */
    PROC_MOUNTS = 5,          /* mountinfo */
    PROC_ARGUMENTS_START = 6, /* cmdline, cut where it does not fit */
    PROC_STATUS_START = 7     /* status, likewise */
};

/* What /proc counts: how many numbers were written, or -ERANGE where they are more than count. What
 * was found until then is written. */
int32_t proc_numbers(uint32_t pid, uint32_t which, uint32_t *into, size_t count);

enum {
    PROC_PROCESSES = 0, /* the ids of all processes; pid says nothing */
    PROC_SOCKETS = 1    /* the inode numbers of the AF_UNIX sockets that it has open */
};

/* A question about the stream sockets of this network namespace that listen, and its answer. */
struct listening_socket {
    uint32_t inode;    /* the inode number that is asked for; 0: the path is */
    uint32_t count;    /* how many sockets have it */
    uint8_t path[108]; /* what the socket is bound to, with NULs behind it */
};

/* Answers all of them. They are in order: those with the inode number 0 first, by their paths, then by these numbers.
 * Returns 0; -ENOENT where the kernel has no unix_diag. */
int32_t listening_sockets(struct listening_socket *sockets, size_t count);

/* The path of this user's runtime folder, with no NUL: $XDG_RUNTIME_DIR, as the process was started with it, where that
 * is a directory of this user, or /run/user/UID. Returns its length. */
int32_t runtime_folder(uint8_t *into, size_t len);

int32_t close_fd(int32_t fd);

#endif
