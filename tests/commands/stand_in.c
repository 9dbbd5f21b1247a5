/*
 * Stands in for a virtual machine monitor that has listening sockets, under whatever name and with whatever arguments it
 * is started: list tells monitors by those. It says "listening" when it does, and "visited" when somebody comes.
 *
 * LISTEN has the paths of the sockets, one a line. JAIL is a folder that becomes its root first, as Firecracker's jailer
 * does it: in a mount namespace of its own, by pivot_root(2).
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static void must(int returned, const char *step)
{
    if (returned < 0) {
        perror(step);
        exit(1);
    }
}

static void enter(const char *jail)
{
    must(unshare(CLONE_NEWNS), "unshare");
    must(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL), "mount /");
    must(mount(jail, jail, NULL, MS_BIND | MS_REC, NULL), jail);
    must(chdir(jail), jail);
    must(mkdir("old_root", 0700), "mkdir");
    must((int)syscall(SYS_pivot_root, ".", "old_root"), "pivot_root");
    must(chdir("/"), "chdir");
    must(umount2("old_root", MNT_DETACH), "umount2");
    must(rmdir("old_root"), "rmdir");
}

int main(void)
{
    struct pollfd sockets[8];
    nfds_t count = 0;
    char *paths = getenv("LISTEN"), *jail = getenv("JAIL");
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (jail)
        enter(jail);
    for (char *path = strtok(paths, "\n"); path && count < 8; path = strtok(NULL, "\n")) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(fd, "socket");
        strncpy(address.sun_path, path, sizeof address.sun_path - 1);
        must(bind(fd, (struct sockaddr *)&address, sizeof address), path);
        must(listen(fd, 8), path);
        sockets[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    puts("listening");
    while (poll(sockets, count, -1) >= 0)
        for (nfds_t i = 0; i < count; i++)
            if (sockets[i].revents) {
                close(accept(sockets[i].fd, NULL, NULL));
                puts("visited");
            }
    return 1;
}
