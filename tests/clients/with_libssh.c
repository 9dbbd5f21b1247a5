/*
 * A program that runs one command with libssh: with_libssh PROXY-COMMAND KEY COMMAND. Its input is that of the command,
 * and the command's output and exit status are its own.
 */
#include <libssh/libssh.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static ssh_session session;

/* Ends with what libssh says where a step failed. */
static void must(int returned)
{
    if (returned >= 0)
        return;
    fprintf(stderr, "with_libssh: %s\n", ssh_get_error(session));
    exit(255);
}

/* Prints what has come in so far. */
static void receive(ssh_channel channel)
{
    static char bytes[65536];
    int count;
    while ((count = ssh_channel_read_nonblocking(channel, bytes, sizeof bytes, 0)) > 0)
        if (fwrite(bytes, 1, count, stdout) != (size_t)count)
            exit(255);
    if (count != SSH_EOF)
        must(count);
    fflush(stdout);
}

/* Passes on some of the standard input, of which the other side takes `window` bytes. Gives whether there may be more. */
static int send_some(ssh_channel channel, size_t window)
{
    static char bytes[32768];
    ssize_t count = read(STDIN_FILENO, bytes, window < sizeof bytes ? window : sizeof bytes);
    must(count > 0 ? ssh_channel_write(channel, bytes, count) : ssh_channel_send_eof(channel));
    return count > 0;
}

/* Returns -1 where there is none. Version 0.11 has deprecated the older function. */
static int exit_status(ssh_channel channel)
{
#if LIBSSH_VERSION_INT >= SSH_VERSION_INT(0, 11, 0)
    uint32_t code;
    return ssh_channel_get_exit_state(channel, &code, NULL, NULL) == SSH_OK ? (int)code : -1;
#else
    return ssh_channel_get_exit_status(channel);
#endif
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 64;
    /* Otherwise libssh, which writes to its command, is the end of this program where that one has ended. */
    signal(SIGPIPE, SIG_IGN);
    session = ssh_new();
    must(ssh_options_set(session, SSH_OPTIONS_HOST, "vm"));
    must(ssh_options_set(session, SSH_OPTIONS_PROXYCOMMAND, argv[1]));
    must(ssh_connect(session));
    ssh_key key;
    must(ssh_pki_import_privkey_file(argv[2], NULL, NULL, NULL, &key));
    must(ssh_userauth_publickey(session, NULL, key) == SSH_AUTH_SUCCESS ? 0 : -1);
    ssh_channel channel = ssh_channel_new(session);
    must(ssh_channel_open_session(channel));
    must(ssh_channel_request_exec(channel, argv[3]));

    int more = 1;
    for (;;) {
        receive(channel);
        if (ssh_channel_is_eof(channel))
            break;
        size_t window = ssh_channel_window_size(channel);
        struct pollfd fds[] = {
            {.fd = ssh_get_fd(session), .events = POLLIN},
            {.fd = more && window > 0 ? STDIN_FILENO : -1, .events = POLLIN},
        };
        poll(fds, 2, -1);
        if (fds[1].revents)
            more = send_some(channel, window);
    }
    int status = exit_status(channel);
    ssh_disconnect(session);
    return status < 0 ? 255 : status;
}
