/** What `--help` tells before the list of commands. Lines of at most 80 characters. */
export const DESCRIPTION = `Connects ssh to virtual machines, containers and local sockets.

As the ProxyCommand of ssh (with ProxyUseFdpass yes):

  deno-ssh-proxy HOST PORT [--as-typed NAME] [--timeout SECONDS]
                           [--wait[=SECONDS]]

  HOST is one of
    unix/PATH       an AF_UNIX socket
    vsock/CID       a virtual machine, or local, host, hypervisor
    vsock-mux/PATH  a virtual machine behind the socket of Firecracker,
                    Cloud Hypervisor or vhost-device-vsock
    .host           this machine's own sshd (systemd 256 and later)
  PORT is the vsock port.

  --as-typed NAME    the host name before ssh lower-cased it: %n
  --timeout SECONDS  for connecting and the multiplexer's answer together
                     (default 10)
  --wait[=SECONDS]   tries again until an SSH server answers (default 60)

Exit codes: 0 handed over, 64 usage, 66 no such path, 69 nothing answers,
71 system or library, 74 not handed over, 75 deadline passed,
76 no multiplexer, 77 permission denied.`;
