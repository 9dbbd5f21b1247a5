"""A program that runs one command with Paramiko: with_paramiko.py HOST PROXY-COMMAND KEY COMMAND

Its input is that of the command, and the command's output and exit status are its own.
"""

import os
import sys
import threading

import paramiko

host, proxy_command, key, command = sys.argv[1:]

client = paramiko.SSHClient()
client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
client.connect(host, sock=paramiko.ProxyCommand(proxy_command), key_filename=key, allow_agent=False)
# Its ProxyCommand does not see that the server has ended. What it sends to ask whether it is there fails then.
client.get_transport().set_keepalive(1)
channel = client.get_transport().open_session()
channel.exec_command(command)


def send():
    while part := os.read(0, 65536):
        channel.sendall(part)
    channel.shutdown_write()


threading.Thread(target=send, daemon=True).start()
while part := channel.recv(65536):
    sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()
status = channel.recv_exit_status()
client.close()
sys.exit(status if status >= 0 else 255)
