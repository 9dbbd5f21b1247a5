"""A program that runs one command with asyncssh: with_asyncssh.py HOST PROXY-COMMAND KEY COMMAND

Its input is that of the command, and the command's output and exit status are its own.
"""

import asyncio
import sys

import asyncssh


async def run(host, proxy_command, key, command):
    options = {"client_keys": [key], "known_hosts": None}
    async with asyncssh.connect(host, proxy_command=proxy_command, **options) as connection:
        streams = {"stdin": sys.stdin.buffer, "stdout": sys.stdout.buffer, "encoding": None}
        status = (await connection.run(command, **streams)).exit_status
        return 255 if status is None else status


sys.exit(asyncio.run(run(*sys.argv[1:])))
