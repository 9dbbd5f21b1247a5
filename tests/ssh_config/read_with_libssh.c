/*
 * Prints what libssh finds for hosts in the files that ssh reads: read_with_libssh HOST...
 */
#include <libssh/libssh.h>

#include <stdio.h>

static const struct {
    const char *name;
    enum ssh_options_e type;
} options[] = {
    {"HostName", SSH_OPTIONS_HOST},
    {"User", SSH_OPTIONS_USER},
    {"IdentityFile", SSH_OPTIONS_IDENTITY},
    {"ProxyCommand", SSH_OPTIONS_PROXYCOMMAND},
    {"UserKnownHostsFile", SSH_OPTIONS_KNOWNHOSTS},
};

int main(int argc, char **argv)
{
    for (int n = 1; n < argc; n++) {
        ssh_session session = ssh_new();
        unsigned int port;
        if (ssh_options_set(session, SSH_OPTIONS_HOST, argv[n]) < 0 || ssh_options_parse_config(session, NULL) < 0 ||
            ssh_options_get_port(session, &port) < 0) {
            fprintf(stderr, "read_with_libssh: %s: %s\n", argv[n], ssh_get_error(session));
            return 1;
        }
        printf("%s Port %u\n", argv[n], port);
        for (size_t option = 0; option < sizeof options / sizeof *options; option++) {
            char *value = NULL;
            if (ssh_options_get(session, options[option].type, &value) < 0)
                value = NULL;
            printf("%s %s %s\n", argv[n], options[option].name, value ? value : "none");
            ssh_string_free_char(value);
        }
        ssh_free(session);
    }
    return 0;
}
