/*
 * Loaded into the program (LD_PRELOAD) to make its surroundings unfriendly, without its knowing:
 *
 * STORM=1: a signal every millisecond, whose handler lets system calls fail with EINTR.
 * SHORT=1: whatever is sent and received, read and written over a socket, a pipe or a terminal goes a byte at a time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int is_short;

static void ignore(int signal)
{
    (void)signal;
}

__attribute__((constructor)) static void begin(void)
{
    is_short = getenv("SHORT") != NULL;
    if (getenv("STORM")) {
        /* One that is ignored where it has no handler: until this runs again after the next execve(2). */
        struct sigaction action = {.sa_handler = ignore};
        struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG};
        struct itimerspec every = {.it_interval = {.tv_nsec = 1000000}, .it_value = {.tv_nsec = 1000000}};
        timer_t timer;
        sigaction(SIGURG, &action, NULL);
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
            timer_settime(timer, 0, &every, NULL);
    }
}

/* Files stay as they are: a byte at a time, Deno would take minutes to start. */
static size_t cut(int fd, size_t len)
{
    struct stat status;
    if (!is_short || len < 2 || fstat(fd, &status) != 0)
        return len;
    return S_ISSOCK(status.st_mode) || S_ISFIFO(status.st_mode) || isatty(fd) ? 1 : len;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    return NEXT(send)(fd, bytes, cut(fd, len), flags);
}

/* What is peeked at is as much as there is: a byte would be there for ever. */
ssize_t recv(int fd, void *into, size_t len, int flags)
{
    return NEXT(recv)(fd, into, flags & MSG_PEEK ? len : cut(fd, len), flags);
}

ssize_t read(int fd, void *into, size_t len)
{
    return NEXT(read)(fd, into, cut(fd, len));
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    return NEXT(write)(fd, bytes, cut(fd, len));
}

ssize_t splice(int in, off_t *in_at, int out, off_t *out_at, size_t len, unsigned flags)
{
    return NEXT(splice)(in, in_at, out, out_at, is_short ? 1 : len, flags);
}
