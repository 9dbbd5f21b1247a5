/*
 * A user who wants list to fail for everybody. By its first argument:
 *
 *   inflate MIB     has a command line of that many MiB (prctl(2), PR_SET_MM_MAP)
 *   many COUNT      is that many processes under the name firecracker, which share their memory
 *   bind PATH...    listens on these paths, whatever is in them
 *   measure FILE PROGRAM...  runs a program and writes the most memory that it had, in KiB, to the file
 *
 * The first three say "listening" when they are what they are to be.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* struct prctl_mm_map of linux/prctl.h, which does not go together with sys/prctl.h everywhere. */
struct memory_map {
    uint64_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
    uint64_t arg_start, arg_end, env_start, env_end;
    uint64_t *auxv;
    uint32_t auxv_size, exe_fd;
};

static void must(int returned, const char *step)
{
    if (returned < 0) {
        perror(step);
        exit(1);
    }
}

static void wait_for_ever(void)
{
    puts("listening");
    fflush(stdout);
    for (;;)
        pause();
}

/* A field of /proc/self/stat (proc_pid_stat(5)) by its number there. */
static uint64_t field(int number)
{
    static char text[4096];
    FILE *file = fopen("/proc/self/stat", "r");
    must(file && fgets(text, sizeof text, file) ? 0 : -1, "/proc/self/stat");
    fclose(file);
    char *at = strrchr(text, ')') + 2;
    for (int i = 3; i < number; i++)
        at = strchr(at, ' ') + 1;
    return strtoull(at, NULL, 10);
}

static void inflate(size_t size)
{
    char *text = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(text == MAP_FAILED ? -1 : 0, "mmap");
    memset(text, '=', size - 1);
    strcpy(text, "firecracker");
    struct memory_map map = {
        .start_code = field(26), .end_code = field(27), .start_stack = field(28), .start_data = field(45),
        .end_data = field(46), .start_brk = field(47), .brk = (uintptr_t)sbrk(0), .env_start = field(50),
        .env_end = field(51), .arg_start = (uintptr_t)text, .arg_end = (uintptr_t)text + size, .exe_fd = (uint32_t)-1,
    };
    must(prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0), "PR_SET_MM_MAP");
    must(prctl(PR_SET_NAME, "firecracker"), "PR_SET_NAME");
    wait_for_ever();
}

static int sleeper(void *nothing)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "firecracker");
    for (;;)
        pause();
    return nothing != NULL;
}

static void many(size_t count)
{
    enum { STACK = 16384 };
    char *stacks = mmap(NULL, count * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(stacks == MAP_FAILED ? -1 : 0, "mmap");
    for (size_t i = 0; i < count; i++)
        must(clone(sleeper, stacks + (i + 1) * STACK, CLONE_VM | SIGCHLD, NULL), "clone");
    wait_for_ever();
}

static void listen_on(char **paths)
{
    for (; *paths; paths++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(fd, "socket");
        strncpy(address.sun_path, *paths, sizeof address.sun_path - 1);
        must(bind(fd, (struct sockaddr *)&address, sizeof address), *paths);
        must(listen(fd, 8), *paths);
    }
    wait_for_ever();
}

static int measure(const char *file, char **words)
{
    struct rusage usage;
    int status;
    pid_t child = fork();
    must(child, "fork");
    if (child == 0) {
        execvp(words[0], words);
        must(-1, words[0]);
    }
    must(wait4(child, &status, 0, &usage), "wait4");
    FILE *into = fopen(file, "w");
    must(into ? 0 : -1, file);
    fprintf(into, "%ld\n", usage.ru_maxrss);
    fclose(into);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int count, char **words)
{
    if (count > 2 && !strcmp(words[1], "inflate"))
        inflate(strtoull(words[2], NULL, 10) << 20);
    if (count > 2 && !strcmp(words[1], "many"))
        many(strtoull(words[2], NULL, 10));
    if (count > 2 && !strcmp(words[1], "bind"))
        listen_on(words + 2);
    if (count > 3 && !strcmp(words[1], "measure"))
        return measure(words[2], words + 3);
    return 64;
}
