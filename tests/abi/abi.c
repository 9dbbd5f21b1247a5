/*
 * The C ABI from C: what rust/abi/deno_ssh_proxy.h and the documentation in rust/abi/src promise, one check a line, in
 * TAP (https://testanything.org). tests/unit/abi_test.ts builds and runs it; its one argument is an empty folder.
 *
 * Nothing here opens an AF_VSOCK socket or device: connect_vsock and dsp_local_cid are linked, and not called.
 */
#define _GNU_SOURCE
/* First, so that it cannot lean on what another header has included. */
#include "deno_ssh_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct time_left SOON = {5000};
static const struct time_left A_MOMENT = {40};
static const struct time_left NO_TIME = {0};

static int checks, failures;

static void check(int good, const char *sentence, ...)
{
    va_list rest;
    va_start(rest, sentence);
    printf("%sok %d - ", good ? "" : "not ", ++checks);
    vprintf(sentence, rest);
    putchar('\n');
    va_end(rest);
    failures += !good;
}

/* What a set-up step returned; without it nothing here means anything. */
static int must(int returned, const char *step)
{
    if (returned < 0) {
        printf("Bail out! %s: %s\n", step, strerror(errno));
        exit(2);
    }
    return returned;
}

static int open_fds(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void make_pair(int pair[2])
{
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), "socketpair");
}

static void close_pair(int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

/* A socket bound to path, in the folder that is the working directory. */
static int bind_socket(int type, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = must(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket");
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    must(bind(fd, (struct sockaddr *)&address, sizeof address), path);
    return fd;
}

static int listen_at(int type, const char *path, int backlog)
{
    int fd = bind_socket(type, path);
    must(listen(fd, backlog), path);
    return fd;
}

static void touch(const char *path)
{
    close(must(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), path));
}

static int32_t connect_to(const char *path, struct time_left time)
{
    return connect_unix((const uint8_t *)path, strlen(path), time);
}

/* Fills what a socket can hold, so that the next byte would have to wait. */
static void fill(int fd)
{
    static const char zeros[4096];
    while (send(fd, zeros, sizeof zeros, MSG_DONTWAIT) > 0)
        ;
    while (send(fd, zeros, 1, MSG_DONTWAIT) > 0)
        ;
}

static void version_is_data(void)
{
    check(dsp_version == EXPECTED_VERSION, "the version can be read before anything is called");
}

static void all_functions_are_there(void)
{
    int32_t (*volatile vsock)(uint32_t, uint32_t, struct time_left) = connect_vsock;
    int64_t (*volatile cid)(void) = dsp_local_cid;
    check(vsock != NULL && cid != NULL, "the two functions that need AF_VSOCK are linked");
    check(sizeof(struct time_left) == 4 && sizeof(struct descriptor) == 4, "the structs are as large as their one field");
}

static void connecting(void)
{
    int listener = listen_at(SOCK_STREAM, "stream", 8);
    int fd = connect_to("stream", SOON);
    check(fd > 2, "a stream socket that listens is connected");
    check(fcntl(fd, F_GETFD) & FD_CLOEXEC, "no program that is started inherits the connection");
    check(!(fcntl(fd, F_GETFL) & O_NONBLOCK), "the connection blocks, as whoever gets it expects");

    struct timeval left = {1, 1};
    socklen_t length = sizeof left;
    must(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &left, &length), "getsockopt");
    check(left.tv_sec == 0 && left.tv_usec == 0, "the deadline of connecting does not stay with the connection");

    int type = 0;
    length = sizeof type;
    must(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length), "getsockopt");
    check(type == SOCK_STREAM, "the connection is a stream");

    int server = must(accept(listener, NULL, NULL), "accept");
    char byte = 0;
    check(write(server, "x", 1) == 1 && read(fd, &byte, 1) == 1 && byte == 'x', "it is a connection to that listener");
    int second = connect_unix((const uint8_t *)"stream, and more", 6, SOON);
    check(second > 2, "a path is as long as is said, with no NUL behind it");
    close(second);
    close(server);
    close(fd);
    close(listener);
}

static void paths_of_any_length(void)
{
    static const size_t lengths[] = {106, 107, 108, 109, 300, 4000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        /* Folders of 50 bytes with slashes between, and a name that fills the rest. Made a step at a time. */
        char path[4096] = "./";
        int home = must(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), "open");
        while (lengths[i] - strlen(path) > 100) {
            char folder[52];
            memset(folder, 'd', 50);
            folder[50] = 0;
            if (mkdir(folder, 0700) < 0 && errno != EEXIST)
                must(-1, "mkdir");
            must(chdir(folder), "chdir");
            strcat(strcat(path, folder), "/");
        }
        size_t start = strlen(path);
        memset(path + start, 's', lengths[i] - start);
        int listener = listen_at(SOCK_STREAM, path + start, 8);
        must(fchdir(home), "fchdir");
        close(home);
        int fd = connect_to(path, SOON);
        int server = fd < 0 ? -1 : accept(listener, NULL, NULL);
        check(server >= 0, "a path of %zu bytes is connected", strlen(path));
        close(server);
        close(fd);
        close(listener);
    }
}

static void connecting_fails(void)
{
    int stream = listen_at(SOCK_STREAM, "listens", 8);
    int datagram = bind_socket(SOCK_DGRAM, "datagram");
    int seqpacket = listen_at(SOCK_SEQPACKET, "seqpacket", 8);
    close(bind_socket(SOCK_STREAM, "stale"));
    touch("file");
    must(symlink("loop", "loop"), "symlink");

    check(connect_to("none", SOON) == -ENOENT, "a path where nothing is: -ENOENT");
    check(connect_to("none/s", SOON) == -ENOENT, "a folder that is not there: -ENOENT");
    check(connect_to("file/s", SOON) == -ENOTDIR, "a folder that is none: -ENOTDIR");
    check(connect_to("loop", SOON) == -ELOOP, "a link to itself: -ELOOP");
    check(connect_to("stale", SOON) == -ECONNREFUSED, "a socket that nobody listens on any more: -ECONNREFUSED");
    check(connect_to("file", SOON) == -ECONNREFUSED, "a file that is no socket: -ECONNREFUSED");
    check(connect_to("datagram", SOON) == -EPROTOTYPE, "a datagram socket: -EPROTOTYPE");
    check(connect_to("seqpacket", SOON) == -EPROTOTYPE, "a seqpacket socket: -EPROTOTYPE");
    check(connect_to("", SOON) == -EINVAL, "an empty path: -EINVAL, and not the abstract namespace");
    check(connect_unix((const uint8_t *)"\0x", 2, SOON) == -EINVAL, "a NUL at the beginning: -EINVAL, likewise");
    check(connect_unix((const uint8_t *)"listens\0x", 9, SOON) == -EINVAL, "a NUL within the path: -EINVAL");
    check(connect_unix((const uint8_t *)"listens", 8, SOON) == -EINVAL, "a NUL that was counted in: -EINVAL");
    check(connect_unix(NULL, 7, SOON) == -EFAULT, "a null pointer: -EFAULT");
    check(connect_unix(NULL, 0, SOON) == -EINVAL, "a null pointer to nothing: -EINVAL");
    check(connect_unix((const uint8_t *)"listens", SIZE_MAX, SOON) == -EINVAL, "a length beyond all buffers: -EINVAL");
    check(connect_unix((const uint8_t *)"listens", (size_t)INT_MAX + 1, SOON) == -EINVAL, "a length beyond int32_t: -EINVAL");
    check(connect_to("listens", NO_TIME) == -ETIMEDOUT, "no time at all: -ETIMEDOUT");

    char longest[PATH_MAX + 100];
    memset(longest, 'x', sizeof longest);
    check(connect_unix((uint8_t *)longest, PATH_MAX, SOON) == -ENAMETOOLONG, "a path of PATH_MAX: -ENAMETOOLONG");
    check(connect_unix((uint8_t *)longest, 300, SOON) == -ENAMETOOLONG, "a name of 300 bytes: -ENAMETOOLONG");

    close(stream);
    close(datagram);
    close(seqpacket);
}

static void a_full_backlog(void)
{
    int listener = listen_at(SOCK_STREAM, "busy", 0);
    int waiting = connect_to("busy", SOON);
    int64_t start = milliseconds();
    int32_t full = connect_to("busy", A_MOMENT);
    check(waiting >= 0 && full == -ETIMEDOUT, "a backlog that is full: -ETIMEDOUT");
    check(milliseconds() - start >= A_MOMENT.milliseconds, "and not before its time");
    close(waiting);
    close(listener);
}

static void types_of_sockets(void)
{
    int stream = listen_at(SOCK_STREAM, "type-stream", 1);
    int datagram = bind_socket(SOCK_DGRAM, "type-datagram");
    int seqpacket = listen_at(SOCK_SEQPACKET, "type-seqpacket", 1);
    check(dsp_is_datagram_socket((const uint8_t *)"type-datagram", 13) == 1, "a datagram socket is one");
    check(dsp_is_datagram_socket((const uint8_t *)"type-stream", 11) == 0, "a stream socket is no datagram socket");
    check(dsp_is_datagram_socket((const uint8_t *)"type-seqpacket", 14) == 0, "nor is a seqpacket socket");
    check(dsp_is_datagram_socket((const uint8_t *)"type-none", 9) == -ENOENT, "what is not there is neither: -ENOENT");
    check(dsp_is_datagram_socket((const uint8_t *)"", 0) == -EINVAL, "nor is an empty path: -EINVAL");
    check(dsp_is_datagram_socket(NULL, 3) == -EFAULT, "nor a null pointer: -EFAULT");
    char byte;
    check(recv(datagram, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "its server notices nothing");
    close(stream);
    close(datagram);
    close(seqpacket);
}

static void sending(void)
{
    int pair[2];
    char got[16] = "";
    make_pair(pair);
    check(dsp_send_bytes(pair[0], (const uint8_t *)"CONNECT 22\n", 11, SOON) == 11, "all bytes are sent, and counted");
    check(read(pair[1], got, sizeof got) == 11 && !strcmp(got, "CONNECT 22\n"), "and arrive in one piece");
    check(dsp_send_bytes(pair[0], NULL, 0, SOON) == 0, "nothing is sent at once");
    check(dsp_send_bytes(pair[0], NULL, 1, SOON) == -EFAULT, "bytes at a null pointer: -EFAULT");
    check(dsp_send_bytes(pair[0], (const uint8_t *)"x", SIZE_MAX, SOON) == -EINVAL, "more bytes than can be counted: -EINVAL");
    check(!(fcntl(pair[0], F_GETFL) & O_NONBLOCK), "the socket's flags stay as they were");

    fill(pair[0]);
    int64_t start = milliseconds();
    check(dsp_send_bytes(pair[0], (const uint8_t *)"x", 1, A_MOMENT) == -ETIMEDOUT, "a peer that never reads: -ETIMEDOUT");
    check(milliseconds() - start >= A_MOMENT.milliseconds, "and not before its time");

    close(pair[1]);
    check(dsp_send_bytes(pair[0], (const uint8_t *)"x", 1, SOON) == -EPIPE, "a peer that is gone: -EPIPE, and no SIGPIPE");
    close(pair[0]);
    check(dsp_send_bytes(pair[0], (const uint8_t *)"x", 1, SOON) == -EBADF, "an fd that is not open: -EBADF");
    check(dsp_send_bytes(-1, (const uint8_t *)"x", 1, SOON) == -EBADF, "an fd that can never be: -EBADF");

    int ends[2];
    must(pipe2(ends, O_CLOEXEC), "pipe2");
    check(dsp_send_bytes(ends[1], (const uint8_t *)"x", 1, SOON) == -ENOTSOCK, "what is no socket: -ENOTSOCK");
    check(dsp_receive_bytes(ends[0], (uint8_t *)got, 1, 0, SOON) == -ENOTSOCK, "nor can be received from: -ENOTSOCK");
    close_pair(ends);
}

static void receiving(void)
{
    static const uint32_t WHOLE = RECEIVE_PEEK | RECEIVE_WHOLE;
    int pair[2];
    uint8_t into[8] = {0};
    make_pair(pair);

    int64_t start = milliseconds();
    check(dsp_receive_bytes(pair[0], into, 4, 0, A_MOMENT) == -ETIMEDOUT, "a peer that is silent: -ETIMEDOUT");
    check(milliseconds() - start >= A_MOMENT.milliseconds, "and not before its time");
    check(dsp_receive_bytes(pair[0], into, 4, RECEIVE_PEEK, NO_TIME) == -ETIMEDOUT, "also to a peek, and with no time at all");

    must(write(pair[1], "SSH", 3), "write");
    check(dsp_receive_bytes(pair[0], into, 8, RECEIVE_PEEK, SOON) == 3 && !memcmp(into, "SSH", 3), "a peek gives what is there");
    check(dsp_receive_bytes(pair[0], into, 2, RECEIVE_PEEK, SOON) == 2, "as far as the buffer goes");
    check(dsp_receive_bytes(pair[0], into, 3, WHOLE, NO_TIME) == 3, "for a whole buffer it needs no time where all is there");
    check(dsp_receive_bytes(pair[0], into, 4, WHOLE, A_MOMENT) == -ETIMEDOUT, "a buffer that is not filled: -ETIMEDOUT");
    must(write(pair[1], "-2", 2), "write");
    check(dsp_receive_bytes(pair[0], into, 4, WHOLE, SOON) == 4 && !memcmp(into, "SSH-", 4), "one that is, is full");
    memset(into, 0, sizeof into);
    check(dsp_receive_bytes(pair[0], into, 4, 0, SOON) == 4 && !memcmp(into, "SSH-\0", 5), "all that was left, and not a byte more");

    must(shutdown(pair[1], SHUT_WR), "shutdown");
    check(dsp_receive_bytes(pair[0], into, 4, WHOLE, SOON) == 1, "a whole buffer is not waited for beyond the end");
    check(dsp_receive_bytes(pair[0], into, 4, 0, SOON) == 1 && into[0] == '2', "what came before the end is given");
    check(dsp_receive_bytes(pair[0], into, 4, 0, SOON) == 0, "and then the end");
    check(dsp_receive_bytes(pair[0], into, 4, RECEIVE_PEEK, SOON) == 0, "which a peek gives too");
    check(dsp_receive_bytes(pair[0], into, 4, WHOLE, SOON) == 0, "of either kind");
    check(!(fcntl(pair[0], F_GETFL) & O_NONBLOCK), "the socket's flags stay as they were");

    static const uint32_t unknown[] = {RECEIVE_WHOLE, 4, 5, 7, 0x80000000, UINT32_MAX};
    int refused = 0;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        refused += dsp_receive_bytes(pair[0], into, 4, unknown[i], SOON) == -EINVAL;
    check(refused == sizeof unknown / sizeof *unknown, "flags that there are none of: -EINVAL");
    check(dsp_receive_bytes(pair[0], NULL, 4, 0, SOON) == -EFAULT, "a null pointer: -EFAULT");
    check(dsp_receive_bytes(pair[0], into, SIZE_MAX, 0, SOON) == -EINVAL, "a length that cannot be counted: -EINVAL");
    close_pair(pair);
    check(dsp_receive_bytes(pair[0], into, 4, 0, SOON) == -EBADF, "an fd that is not open: -EBADF");

    make_pair(pair);
    must(write(pair[0], "unread", 6), "write");
    close(pair[1]);
    check(dsp_receive_bytes(pair[0], into, 4, 0, SOON) == -ECONNRESET, "a peer that closed with bytes unread: -ECONNRESET");
    close(pair[0]);
}

/* The next message: how many bytes and fds it has, its first byte, and its first fd. */
static void receive_message(int channel, ssize_t *bytes, int *fds, char *byte, int *fd)
{
    char body[8] = "xxxxxxx";
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec part = {body, sizeof body};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *bytes = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    *byte = body[0];
    *fds = 0;
    struct cmsghdr *header = *bytes < 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *fds = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fd, CMSG_DATA(header), sizeof *fd);
    }
}

static void passing(void)
{
    int channel[2], pair[2], fds = 0, fd = -1;
    ssize_t bytes = 0;
    char byte = 'x';
    struct stat ours, theirs;
    make_pair(channel);
    make_pair(pair);

    check(send_fd(channel[0], pair[0], SOON) == 0, "a descriptor is passed");
    receive_message(channel[1], &bytes, &fds, &byte, &fd);
    check(bytes == 1 && byte == 0, "with one NUL byte");
    check(fds == 1, "alone");
    must(fstat(pair[0], &ours), "fstat");
    must(fstat(fd, &theirs), "fstat");
    check(fd != pair[0] && ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev, "and is the same socket");
    close(fd);
    receive_message(channel[1], &bytes, &fds, &byte, &fd);
    check(bytes == -1, "nothing follows");
    check(fcntl(pair[0], F_GETFD) != -1, "the caller still has its own");

    check(send_fd(channel[0], -1, SOON) == -EBADF, "a descriptor that is not open: -EBADF");
    check(send_fd(-1, pair[0], SOON) == -EBADF, "a channel that is not open: -EBADF");
    int null = must(open("/dev/null", O_RDWR | O_CLOEXEC), "open");
    check(send_fd(null, pair[0], SOON) == -ENOTSOCK, "a channel that is no socket: -ENOTSOCK");
    close(null);

    fill(channel[0]);
    int64_t start = milliseconds();
    check(send_fd(channel[0], pair[0], A_MOMENT) == -ETIMEDOUT, "a channel that takes no more: -ETIMEDOUT");
    check(milliseconds() - start >= A_MOMENT.milliseconds, "and not before its time");
    close(channel[1]);
    check(send_fd(channel[0], pair[0], SOON) == -EPIPE, "a receiver that is gone: -EPIPE, and no SIGPIPE");
    close(channel[0]);
    close_pair(pair);
}

/* What a child does with the three ends of a relay: nothing else has them then. */
static pid_t relay_apart(int from, int to, int socket, const int *others, int count)
{
    pid_t child = must(fork(), "fork");
    if (child)
        return child;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < count; i++)
        close(others[i]);
    _exit(-dsp_relay(from, to, (struct descriptor){socket}));
}

static int outcome(pid_t child)
{
    int status = 0;
    must(waitpid(child, &status, 0), "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void relaying(void)
{
    int in[2], out[2], pair[2];
    char into[16] = {0};
    must(pipe2(in, O_CLOEXEC), "pipe2");
    must(pipe2(out, O_CLOEXEC), "pipe2");
    make_pair(pair);
    const int ours[] = {in[1], out[0], pair[1]};
    pid_t child = relay_apart(in[0], out[1], pair[0], ours, 3);
    close(in[0]);
    close(out[1]);

    must(write(in[1], "from ssh", 8), "write");
    check(read(pair[1], into, sizeof into) == 8 && !memcmp(into, "from ssh", 8), "the socket gets what ssh sends");
    must(write(pair[1], "to ssh", 6), "write");
    check(read(out[0], into, sizeof into) == 6 && !memcmp(into, "to ssh", 6), "ssh gets what the socket sends");
    close(in[1]);
    check(read(pair[1], into, sizeof into) == 0, "the socket gets ssh's end");
    must(write(pair[1], "more", 4), "write");
    check(read(out[0], into, sizeof into) == 4, "and still sends");
    must(shutdown(pair[1], SHUT_WR), "shutdown");
    check(read(out[0], into, sizeof into) == 0, "ssh gets the socket's end");
    check(outcome(child) == 0, "and then it is over, in order");
    check(!(fcntl(pair[0], F_GETFL) & O_NONBLOCK), "the socket's flags are as they were");
    close(out[0]);
    close_pair(pair);

    must(pipe2(in, O_CLOEXEC), "pipe2");
    must(pipe2(out, O_CLOEXEC), "pipe2");
    make_pair(pair);
    /* Another descriptor of the same end, as Deno has one, and standard error, which stays. */
    child = must(fork(), "fork");
    if (!child) {
        signal(SIGPIPE, SIG_IGN);
        const int others[] = {in[1], out[0], pair[1]};
        for (int i = 0; i < 3; i++)
            close(others[i]);
        int second = dup(out[1]);
        dup2(out[1], STDERR_FILENO);
        dsp_relay(in[0], out[1], (struct descriptor){pair[0]});
        _exit(fcntl(second, F_GETFD) == -1 && fcntl(STDERR_FILENO, F_GETFD) != -1 ? 0 : 1);
    }
    close(in[0]);
    close(in[1]);
    close(out[1]);
    close_pair(pair);
    check(outcome(child) == 0, "a pipe is closed with its duplicates, but for standard error");
    close(out[0]);

    child = must(fork(), "fork");
    if (!child) {
        int inherited = dup2(STDIN_FILENO, 40), own = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 41), below = dup2(STDIN_FILENO, 39);
        dsp_close_inherited((struct descriptor){40});
        int open = (fcntl(inherited, F_GETFD) != -1) + 2 * (fcntl(own, F_GETFD) != -1) + 4 * (fcntl(below, F_GETFD) != -1);
        _exit(open == 6 ? 0 : 1);
    }
    check(outcome(child) == 0, "what was inherited is closed from a number on, and nothing else");

    make_pair(pair);
    check(dsp_relay(-1, pair[0], (struct descriptor){pair[1]}) == -EBADF, "an end that is not open: -EBADF");
    check(dsp_relay(pair[0], -1, (struct descriptor){pair[1]}) == -EBADF, "whichever it is");
    check(dsp_relay(pair[0], pair[0], (struct descriptor){-1}) == -EBADF, "of the three");
    close_pair(pair);
}

static int32_t kind_of(int fd)
{
    return dsp_fd_kind((struct descriptor){fd});
}

static void kinds(void)
{
    int pair[2], ends[2];
    make_pair(pair);
    must(pipe2(ends, O_CLOEXEC), "pipe2");
    int datagram = must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
    int inet = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    int null = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "open");
    int zero = must(open("/dev/zero", O_RDONLY | O_CLOEXEC), "open");
    int folder = must(open(".", O_RDONLY | O_CLOEXEC), "open");
    int file = must(open("kind", O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open");
    int near = must(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "posix_openpt");
    must(grantpt(near), "grantpt");
    must(unlockpt(near), "unlockpt");
    int terminal = must(open(ptsname(near), O_RDWR | O_NOCTTY | O_CLOEXEC), "open");

    check(kind_of(pair[0]) == FD_UNIX_SOCKET, "a stream socket of AF_UNIX can carry descriptors");
    check(kind_of(datagram) == FD_UNIX_SOCKET, "so can its other types");
    check(kind_of(inet) == FD_OTHER_SOCKET, "no other address family can");
    check(kind_of(ends[0]) == FD_PIPE && kind_of(ends[1]) == FD_PIPE, "a pipe is a pipe at both ends");
    check(kind_of(terminal) == FD_TERMINAL, "a terminal is a terminal");
    check(kind_of(file) == FD_REGULAR_FILE, "a file is a file");
    check(kind_of(null) == FD_NULL, "/dev/null is nothing");
    check(kind_of(zero) == FD_OTHER && kind_of(folder) == FD_OTHER, "a device or a folder is something else");
    close(file);
    check(kind_of(file) == -EBADF && kind_of(-1) == -EBADF, "what is not open: -EBADF");

    close_pair(pair);
    close_pair(ends);
    close(datagram);
    close(inet);
    close(null);
    close(zero);
    close(folder);
    close(near);
    close(terminal);
}

static void credentials(void)
{
    int listener = listen_at(SOCK_STREAM, "credentials", 1);
    int fd = connect_to("credentials", SOON);
    /* At an odd address, and with a guard: into need not be aligned, and three numbers are written. */
    struct {
        char odd;
        uint32_t into[3];
        uint32_t guard;
    } __attribute__((packed)) place = {0, {0, 0, 0}, 42};
    uint32_t into[3];
    check(dsp_peer_credentials(fd, (uint32_t *)((char *)&place + 1)) == 0, "the peer of a connection is known");
    memcpy(into, (char *)&place + 1, sizeof into);
    check(into[0] == (uint32_t)getpid() && into[1] == getuid() && into[2] == getgid(), "it is who listened");
    check(place.guard == 42, "three numbers are written");
    check(dsp_peer_credentials(fd, NULL) == -EFAULT, "a null pointer: -EFAULT");
    close(fd);
    check(dsp_peer_credentials(fd, into) == -EBADF, "an fd that is not open: -EBADF");
    int null = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "open");
    check(dsp_peer_credentials(null, into) == -ENOTSOCK, "what is no socket: -ENOTSOCK");
    close(null);
    close(listener);
}

static int32_t status_of(const char *path, uint64_t into[5])
{
    return dsp_path_status((const uint8_t *)path, strlen(path), into);
}

static void statuses(void)
{
    int listener = listen_at(SOCK_STREAM, "status", 1);
    /* At an odd address, and with a guard, as in credentials(). */
    struct {
        char odd;
        uint64_t into[5];
        uint64_t guard;
    } __attribute__((packed)) place = {0, {0, 0, 0, 0, 0}, 42};
    uint64_t into[5];
    struct stat known;
    must(chmod("status", 0620), "chmod");
    must(stat("status", &known), "stat");
    check(status_of("status", (uint64_t *)((char *)&place + 1)) == 0, "what is at a path is known");
    memcpy(into, (char *)&place + 1, sizeof into);
    check(into[0] == (S_IFSOCK | 0620), "its type and permissions");
    check(into[1] == known.st_uid && into[2] == known.st_gid, "its owner and group");
    check(into[3] == known.st_dev && into[4] == known.st_ino, "and which file it is");
    check(place.guard == 42, "five numbers are written");
    must(symlink("status", "status-link"), "symlink");
    uint64_t linked[5];
    check(status_of("status-link", linked) == 0 && !memcmp(linked, into, sizeof into), "a link is what it leads to");
    check(status_of("status-none", into) == -ENOENT, "a path where nothing is: -ENOENT");
    check(status_of("status/x", into) == -ENOTDIR, "a folder that is none: -ENOTDIR");
    check(status_of("", into) == -EINVAL, "an empty path: -EINVAL");
    check(dsp_path_status((const uint8_t *)"status\0x", 8, into) == -EINVAL, "a NUL within the path: -EINVAL");
    check(dsp_path_status((const uint8_t *)"status-link", 6, into) == 0, "a path is as long as is said");
    check(dsp_path_status(NULL, 3, into) == -EFAULT, "a null pointer: -EFAULT");
    check(status_of("status", NULL) == -EFAULT, "nowhere to write to: -EFAULT");
    close(listener);
}

static int32_t text_of(uint32_t pid, uint32_t which, char *into, size_t len)
{
    memset(into, 0, len);
    return dsp_proc_text(pid, which, (uint8_t *)into, len - 1);
}

/* Of the socket at "process" that listens and has this inode number. */
static void listening(uint32_t inode)
{
    struct listening_socket asked[] = {{.path = "none"}, {.path = "process"}, {.inode = inode}};
    int32_t returned = dsp_listening_sockets(asked, 3);
    if (returned == -ENOENT) /* the kernel has no unix_diag */
        return;
    check(returned == 0 && asked[1].count == 1, "what listens is found by its path");
    check(asked[2].count == 1 && !strcmp((char *)asked[2].path, "process"), "and by its inode number");
    check(asked[0].count == 0, "and what does not is not");
    check(dsp_listening_sockets(asked, 0) == 0, "nothing that is asked for is found at once");
    check(dsp_listening_sockets(NULL, 1) == -EFAULT, "a null pointer: -EFAULT");
    check(dsp_listening_sockets(asked, SIZE_MAX) == -EINVAL, "a count beyond all buffers: -EINVAL");
    check(dsp_listening_sockets((struct listening_socket *)((char *)asked + 1), 1) == -EINVAL, "an odd address: -EINVAL");
}

static void processes(void)
{
    char text[4096], folder[PATH_MAX], line[300];
    uint32_t pid = (uint32_t)getpid();
    must(getcwd(folder, sizeof folder) ? 0 : -1, "getcwd");
    check(text_of(pid, PROC_NAME, text, sizeof text) == 4 && !strcmp(text, "abi\n"), "a process has a name");
    check(text_of(0, PROC_NAME, text, sizeof text) == 4 && !strcmp(text, "abi\n"), "no number is this process");
    int32_t length = text_of(pid, PROC_ARGUMENTS, text, sizeof text);
    check(length > 4 && !memcmp(text + strlen(text) - 4, "/abi", 5) && text[length - 1] == 0, "it has arguments");
    length = text_of(pid, PROC_CWD, text, sizeof text);
    check(length == (int32_t)strlen(folder) && !strcmp(text, folder), "a working directory");
    check(text_of(pid, PROC_ROOT, text, sizeof text) > 0 && text[0] == '/', "a root");
    check(text_of(pid, PROC_UNIX_SOCKETS, text, 8) == -ERANGE, "a text that does not fit: -ERANGE");
    check(text_of(pid, PROC_CWD, text, 3) == -ERANGE, "nor does a link: -ERANGE");
    check(dsp_proc_text(pid, PROC_NAME, (uint8_t *)text, 4) == 4, "a text that just fits is whole");
    check(dsp_proc_text(pid, PROC_NAME, NULL, 4) == -EFAULT, "a null pointer: -EFAULT");
    check(dsp_proc_text(pid, PROC_NAME, NULL, 0) == -ERANGE, "no room at all: -ERANGE");
    check(dsp_proc_text(pid, PROC_NAME, (uint8_t *)text, SIZE_MAX) == -EINVAL, "a length beyond all buffers: -EINVAL");
    check(dsp_proc_text(pid, PROC_ARGUMENTS_START, (uint8_t *)text, 3) == 3, "the start of the arguments is cut where it does not fit");
    check(text_of(pid, PROC_STATUS_START, text, sizeof text) > 0 && strstr(text, "\nUid:\t"), "it has a user");
    check(text_of(pid, 8, text, sizeof text) == -EINVAL, "what is not in the list: -EINVAL");
    check(text_of(pid, UINT32_MAX, text, sizeof text) == -EINVAL, "nor is the last number: -EINVAL");
    check(text_of(UINT32_MAX, PROC_NAME, text, sizeof text) == -ENOENT, "no such process: -ENOENT");

    int listener = listen_at(SOCK_STREAM, "process", 1);
    struct stat socket_status;
    must(fstat(listener, &socket_status), "fstat");
    uint32_t into[4096], found = 0;
    int32_t count = dsp_proc_numbers(pid, PROC_SOCKETS, into, 4096);
    for (int32_t i = 0; i < count; i++)
        found += into[i] == socket_status.st_ino;
    check(count > 0 && found == 1, "a socket that is open is among those of the process");
    static char sockets[1 << 20];
    snprintf(line, sizeof line, " 00010000 0001 01 %5lu process\n", (unsigned long)socket_status.st_ino);
    length = text_of(pid, PROC_UNIX_SOCKETS, sockets, sizeof sockets);
    check(length > 0 && strstr(sockets, line) != NULL, "and in its network, with its path");
    check(dsp_proc_numbers(pid, PROC_SOCKETS, into, 0) == -ERANGE, "more sockets than there is room for: -ERANGE");
    listening((uint32_t)socket_status.st_ino);
    close(listener);

    count = dsp_proc_numbers(0, PROC_PROCESSES, into, 4096);
    found = 0;
    for (int32_t i = 0; i < count; i++)
        found += into[i] == pid;
    check(count > 0 && found == 1, "this process is among all");
    /* At an odd address, and with a guard. */
    char few[2 + 2 * sizeof(uint32_t)] = {0};
    few[sizeof few - 1] = 42;
    check(dsp_proc_numbers(0, PROC_PROCESSES, (uint32_t *)(few + 1), 1) == -ERANGE, "more than there is room for: -ERANGE");
    check(few[sizeof few - 1] == 42 && few[1 + sizeof(uint32_t)] == 0, "and no more than that is written");
    check(dsp_proc_numbers(0, PROC_PROCESSES, NULL, 4) == -EFAULT, "a null pointer: -EFAULT");
    check(dsp_proc_numbers(0, PROC_PROCESSES, into, SIZE_MAX) == -EINVAL, "a count beyond all buffers: -EINVAL");
    check(dsp_proc_numbers(0, PROC_PROCESSES, into, SIZE_MAX / 4 + 1) == -EINVAL, "one that wraps round: -EINVAL");
    check(dsp_proc_numbers(0, 2, into, 4096) == -EINVAL, "what is not in the list: -EINVAL");
    check(dsp_proc_numbers(UINT32_MAX, PROC_SOCKETS, into, 4096) == -ENOENT, "no such process: -ENOENT");
}

static int folder_is(const char *path)
{
    uint8_t into[64];
    memset(into, 'x', sizeof into);
    int32_t length = dsp_runtime_directory(into, sizeof into);
    return length == (int32_t)strlen(path) && !memcmp(into, path, length) && into[length] == 'x';
}

/* Whether a process that starts with this XDG_RUNTIME_DIR, or none, is told of the folder `path`. */
static int folder_of_new_process(char *variable, char *path)
{
    pid_t child = must(fork(), "fork");
    if (child == 0) {
        char *const environment[] = {"A=1", variable, NULL};
        execve("/proc/self/exe", (char *[]){"abi", "--folder-is", path, NULL}, environment);
        _exit(127);
    }
    return outcome(child) == 0;
}

static void the_runtime_folder(void)
{
    char own[64], set[64], named[] = "/tmp/XXXXXX";
    uint8_t into[64];
    snprintf(own, sizeof own, "/run/user/%u", (unsigned)geteuid());
    check(folder_of_new_process(NULL, own), "the runtime folder is that of the user id");
    if (mkdtemp(named) == NULL) must(-1, "mkdtemp");
    snprintf(set, sizeof set, "XDG_RUNTIME_DIR=%s", named);
    check(folder_of_new_process(set, named), "unless XDG_RUNTIME_DIR names a directory of this user");
    int32_t length = must(dsp_runtime_directory(into, sizeof into), "dsp_runtime_directory");
    setenv("XDG_RUNTIME_DIR", named, 1);
    check(dsp_runtime_directory(into, sizeof into) == length && (length != (int)strlen(named) || memcmp(into, named, length)),
          "a variable that was set later changes nothing");
    unsetenv("XDG_RUNTIME_DIR");
    check(dsp_runtime_directory(into, length) == length, "it may fill the buffer: nothing is written behind it");
    check(dsp_runtime_directory(into, length - 1) == -ERANGE, "a buffer that is too short: -ERANGE");
    check(dsp_runtime_directory(into, 0) == -ERANGE && dsp_runtime_directory(NULL, 0) == -ERANGE, "likewise one of no length");
    check(dsp_runtime_directory(NULL, 64) == -EFAULT, "a null pointer: -EFAULT");
    check(dsp_runtime_directory(into, SIZE_MAX) == -EINVAL, "a length that cannot be counted: -EINVAL");
    must(rmdir(named), "rmdir");
    check(folder_of_new_process(set, own), "one that is not there is ignored");
    check(folder_of_new_process("XDG_RUNTIME_DIR=/dev/null", own), "and what is no directory");
    check(folder_of_new_process("XDG_RUNTIME_DIR=.", own), "a relative path in XDG_RUNTIME_DIR is ignored");
    check(folder_of_new_process("XDG_RUNTIME_DIR=", own), "and so is an empty one");
}

static void closing(void)
{
    int fd = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "open");
    check(dsp_close_fd(fd) == 0 && fcntl(fd, F_GETFD) == -1, "an fd is closed");
    check(dsp_close_fd(fd) == -EBADF, "once: -EBADF");
    check(dsp_close_fd(-1) == -EBADF, "an fd that can never be: -EBADF");
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--folder-is"))
        return !folder_is(argv[2]);
    if (argc != 2)
        return 2;
    must(chdir(argv[1]), argv[1]);
    /* Line by line, so that a crash says after which check it came. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    /* A wait that never ends is a failure too. */
    alarm(20);

    int before = open_fds();
    version_is_data();
    all_functions_are_there();
    connecting();
    paths_of_any_length();
    connecting_fails();
    a_full_backlog();
    types_of_sockets();
    sending();
    receiving();
    passing();
    relaying();
    kinds();
    credentials();
    statuses();
    processes();
    the_runtime_folder();
    closing();
    check(open_fds() == before, "no call has left a descriptor open");
    printf("1..%d\n", checks);
    return failures != 0;
}
