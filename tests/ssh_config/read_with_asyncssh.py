"""Prints what asyncssh finds for hosts in a file: read_with_asyncssh.py FILE HOST..."""

import sys

import asyncssh

OPTIONS = ["host", "port", "username", "known_hosts", "keepalive_interval", "proxy_command", "tunnel"]

for host in sys.argv[2:]:
    options = asyncssh.SSHClientConnectionOptions(config=sys.argv[1], host=host, client_keys=None)
    for option in OPTIONS:
        print(host, option, getattr(options, option))
    for option in ["IdentityFile", "SendEnv", "Compression", "StrictHostKeyChecking", "ProxyJump"]:
        print(host, option, options.config.get(option))
