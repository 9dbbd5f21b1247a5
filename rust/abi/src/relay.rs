//! The functions for an SSH client that cannot take a file descriptor.

use crate::boundary::as_number;
use crate::types::Descriptor;
use deno_ssh_proxy_core::fd::{self, RawFd};
use deno_ssh_proxy_core::relay;

/// Relays from `from_ssh` to the connected socket `socket`, and from that to `to_ssh`, until both directions have ended.
///
/// Returns 0, also if a side hangs up before the end. Returns any other error of read(2), write(2) or splice(2). Has no
/// deadline.
///
/// `from_ssh` and `to_ssh` are pipes, sockets (one socket can be both), terminals or files. The end of a direction is
/// passed on: a socket is shut down, a pipe is closed with all duplicates in this process but standard error. So the caller
/// must not use a pipe after the call. Writing to a pipe or terminal without a reader raises SIGPIPE, as write(2) does:
/// the program has to ignore it.
#[no_mangle]
pub extern "C" fn dsp_relay(from_ssh: RawFd, to_ssh: RawFd, socket: Descriptor) -> i32 {
    as_number(|| relay::relay(from_ssh, to_ssh, socket.fd).map(|()| 0))
}

/// Closes the file descriptors from `first` to 1023 that the program inherited: those that are not close-on-exec.
/// Returns 0.
///
/// For a program that runs long, because its parent can wait for the end of an inherited descriptor: libssh leaves its own
/// end of a relay's socket open in the relay.
#[no_mangle]
pub extern "C" fn dsp_close_inherited(first: Descriptor) -> i32 {
    fd::close_inherited(first.fd);
    0
}
