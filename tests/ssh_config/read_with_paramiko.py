"""Prints what Paramiko finds for hosts in a file: read_with_paramiko.py FILE HOST..."""

import sys

import paramiko

config = paramiko.SSHConfig.from_path(sys.argv[1])
for host in sys.argv[2:]:
    for option, value in sorted(config.lookup(host).items()):
        print(host, option, value)
