//! Relays between an SSH client that cannot take a file descriptor and a connected socket.
//!
//! Runs in one thread, which waits only in poll(2), so that neither direction can block the other.

mod copy;
mod flow;
mod nonblocking;
mod ready;
#[cfg(target_os = "linux")]
mod splice;
mod step;
#[cfg(test)]
mod tests;

use core::time::Duration;

use libc::c_int;

use crate::deadline::Pauses;
use crate::errno::{check, Errno, Result};
use crate::fd::{close_end_of_pipe, RawFd};
use crate::fdinfo::{fd_kind, FdKind};
use crate::io::NO_SIGNAL;
use copy::BUFFER;
use flow::Flow;
use nonblocking::Nonblocking;
use ready::wait;
use step::{End, State};

/// Relays from `from_ssh` to `socket` and from `socket` to `to_ssh`, until both directions have ended.
///
/// Passes on the end of a direction to both sides: shuts a socket down, and closes a pipe, which has no other way. The
/// other direction goes on. A vanished peer ends a direction and is no error, because clients and servers can leave at
/// any time.
pub fn relay(from_ssh: RawFd, to_ssh: RawFd, socket: RawFd) -> Result<()> {
    let [from_ssh, to_ssh, socket] = [end(from_ssh)?, end(to_ssh)?, end(socket)?];
    // splice(2) would wait for a blocking socket. The flags are restored at the end, because the client shares its socket.
    let _socket = Nonblocking::set(socket.fd)?;
    let _to_ssh = if to_ssh.is_socket() { Some(Nonblocking::set(to_ssh.fd)?) } else { None };
    let mut buffers = [[0; BUFFER]; 2];
    let [one, other] = &mut buffers;
    let mut upstream = Flow::new(from_ssh, socket, one);
    let mut downstream = Flow::new(socket, to_ssh, other);
    let mut busy_polls = 0;
    let mut pauses = Pauses::after(FREE_ROUNDS);
    while !(upstream.is_over() && downstream.is_over()) {
        let mut ready = wait(&upstream, &downstream, busy_polls)?;
        let mut moved = 0;
        if !downstream.is_over() {
            if ready.downstream {
                moved += downstream.step()?;
            } else if ready.client_gone {
                downstream.state = State::Over;
            }
            if downstream.is_over() {
                hang_up(to_ssh, libc::SHUT_WR);
                ready.server_gone |= is_gone(socket);
                shut_down(socket, libc::SHUT_RD);
            }
        }
        if !upstream.is_over() {
            if ready.server_gone {
                upstream.state = State::Over;
            } else if ready.upstream {
                moved += upstream.step()?;
            }
            if upstream.is_over() {
                hang_up(from_ssh, libc::SHUT_RD);
                shut_down(socket, libc::SHUT_WR);
            }
        }
        busy_polls = if moved < BUSY_BYTES { 0 } else { BUSY_POLLS };
        if moved > 0 {
            pauses = Pauses::after(FREE_ROUNDS);
        } else {
            // A session has no deadline.
            pauses.next(|| Ok(Duration::MAX))?;
        }
    }
    Ok(())
}

/// After moving at least BUSY_BYTES, polls up to BUSY_POLLS times without blocking: more data usually follows at once.
///
/// Yields the processor before each of these polls. That moves more bytes for less processor time than to sleep and be
/// woken at once. Any other wait is one sleep.
const BUSY_BYTES: usize = 32 << 10;
const BUSY_POLLS: u32 = 4;

/// The number of consecutive rounds that can move nothing without a pause: one finds the other side full, and two find
/// that a direction has ended. Further rounds pause, so that no peer can keep the relay busy with empty events.
const FREE_ROUNDS: u32 = 4;

fn end(fd: RawFd) -> Result<End> {
    fd_kind(fd).map(|kind| End { fd, kind })
}

/// Tells the other side of a client's file descriptor that this direction is over: shuts down `how`, or closes a pipe.
fn hang_up(client: End, how: c_int) {
    match client.kind {
        FdKind::Pipe => close_end_of_pipe(client.fd),
        _ if client.is_socket() => shut_down(client, how),
        // A terminal or a file has no other side.
        _ => (),
    }
}

/// Shuts down one direction of a socket. Ignores the error, which means that the peer is gone.
fn shut_down(socket: End, how: c_int) {
    // SAFETY: takes numbers only.
    unsafe { libc::shutdown(socket.fd, how) };
}

/// Returns whether the peer of `socket` reads no more, once the other direction has ended.
///
/// Sends zero bytes to find out, because poll(2) reports the end of both directions for AF_UNIX but not for AF_VSOCK.
fn is_gone(socket: End) -> bool {
    let nothing = [];
    let flags = libc::MSG_DONTWAIT | NO_SIGNAL;
    // SAFETY: the pointer is that of a live array, of which nothing is read.
    let sent = check(unsafe { libc::send(socket.fd, nothing.as_ptr(), 0, flags) });
    !matches!(sent, Ok(_) | Err(Errno(libc::EAGAIN | libc::EINTR)))
}
