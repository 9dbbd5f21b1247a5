/*
 * The C ABI of libdeno_ssh_proxy. This is the source of its prototypes: the Rust in src/ and the symbols in ffi/ are compared
 * with it. src/ documents each function.
 *
 * Every function returns a value of 0 or more, or -errno. None prints, exits or keeps state.
 */
#ifndef DENO_SSH_PROXY_H
#define DENO_SSH_PROXY_H

#include <stddef.h>
#include <stdint.h>

/* The time that a call can take, from its start. After that it returns -ETIMEDOUT. */
struct time_left {
    uint32_t milliseconds;
};

struct descriptor {
    int32_t fd;
};

/* major * 65536 + minor * 256 + patch */
extern const uint32_t dsp_version;

/* Connects to an AF_UNIX stream socket, by a path of less than PATH_MAX bytes. The caller owns the fd. */
int32_t connect_unix(const uint8_t *path, size_t path_len, struct time_left time);

/* Connects to an AF_VSOCK stream socket; -EAFNOSUPPORT if the system has none. The caller owns the fd. */
int32_t connect_vsock(uint32_t cid, uint32_t port, struct time_left time);

/* Sends all bytes and returns their count. */
int32_t dsp_send_bytes(int32_t fd, const uint8_t *bytes, size_t len, struct time_left time);

/* Receives at least one byte and returns the count, 0 at the end of the stream. */
int32_t dsp_receive_bytes(int32_t fd, uint8_t *into, size_t len, uint32_t flags, struct time_left time);

#define RECEIVE_PEEK 1u  /* leaves the bytes in the socket */
#define RECEIVE_WHOLE 2u /* with RECEIVE_PEEK: waits for len bytes, or until the peer has ended its side */

/* Passes fd over an AF_UNIX socket: one NUL byte with SCM_RIGHTS. Returns 0. */
int32_t send_fd(int32_t channel, int32_t fd, struct time_left time);

/*
 * Relays from from_ssh to socket and from socket to to_ssh until both directions have ended, with no deadline. Closes a
 * pipe among the first two, with its duplicates, when its direction ends. The program has to ignore SIGPIPE. Returns 0.
 */
int32_t dsp_relay(int32_t from_ssh, int32_t to_ssh, struct descriptor socket);

/* Closes the inherited descriptors from first on: those that are not close-on-exec. Returns 0. */
int32_t dsp_close_inherited(struct descriptor first);

/* Returns the kind of a file descriptor. */
int32_t dsp_fd_kind(struct descriptor descriptor);

enum fd_kind {
    FD_OTHER = 0,
    FD_UNIX_SOCKET = 1, /* the only kind that can carry file descriptors */
    FD_OTHER_SOCKET = 2,
    FD_PIPE = 3,
    FD_TERMINAL = 4,
    FD_REGULAR_FILE = 5,
    FD_NULL = 6 /* /dev/null */
};

/* Returns 1 if path is a datagram socket, 0 if it is a stream or seqpacket socket. */
int32_t dsp_is_datagram_socket(const uint8_t *path, size_t path_len);

/* Writes the process id, user id and group id of the listener behind a connected AF_UNIX socket. Returns 0. */
int32_t dsp_peer_credentials(int32_t fd, uint32_t into[3]);

/* Returns the CID of this machine. */
int64_t dsp_local_cid(void);

/* Writes the mode, user id, group id, device and inode number of path. Follows links. Returns 0. */
int32_t dsp_path_status(const uint8_t *path, size_t path_len, uint64_t into[5]);

/* Writes a file or link of /proc about a process (0: this one). Returns its length; -ERANGE if it does not fit. */
int32_t dsp_proc_text(uint32_t pid, uint32_t which, uint8_t *into, size_t len);

enum proc_file {
    PROC_NAME = 0,            /* comm */
    PROC_ARGUMENTS = 1,       /* cmdline */
    PROC_ROOT = 2,            /* the link root */
    PROC_CWD = 3,             /* the link cwd */
    PROC_UNIX_SOCKETS = 4,    /* net/unix */
    PROC_MOUNTS = 5,          /* mountinfo */
    PROC_ARGUMENTS_START = 6, /* cmdline, truncated to len */
    PROC_STATUS_START = 7     /* status, truncated to len */
};

/* Writes a list of numbers in /proc. Returns their count; -ERANGE if there are more, after writing the first ones. */
int32_t dsp_proc_numbers(uint32_t pid, uint32_t which, uint32_t *into, size_t count);

enum proc_list {
    PROC_PROCESSES = 0, /* the ids of all processes; pid has no meaning */
    PROC_SOCKETS = 1    /* the inode numbers of the AF_UNIX sockets that the process has open */
};

/* A query about the stream sockets of this network namespace that listen, and its answer. */
struct listening_socket {
    uint32_t inode;    /* the inode number to find, or 0 to find path */
    uint32_t count;    /* the number of sockets found */
    uint8_t path[108]; /* the path of the socket, padded with NULs */
};

/*
 * Answers all queries. They must be sorted: first those with the inode number 0, by path, then by inode number. Returns 0;
 * -ENOENT if the kernel has no unix_diag.
 */
int32_t dsp_listening_sockets(struct listening_socket *sockets, size_t count);

/*
 * Writes the path of this user's runtime directory, without a NUL: $XDG_RUNTIME_DIR, as the process was started with it, if
 * that is a directory of this user, otherwise /run/user/UID. Returns its length.
 */
int32_t dsp_runtime_directory(uint8_t *into, size_t len);

/* Closes a file descriptor that the caller owns. Returns 0. */
int32_t dsp_close_fd(int32_t fd);

#endif
