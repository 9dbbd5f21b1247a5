//! Carrying bytes between an SSH client that cannot take a file descriptor and a connected socket, until both directions
//! are done. One thread, which waits in poll(2) and nowhere else: however both sides read and write, neither keeps the
//! other waiting for what is not its own.

use libc::{c_int, c_short};

use crate::bytes::NO_SIGNAL;
use crate::describe::{fd_kind, FdKind};
use crate::errno::{check, check_uninterrupted, Errno, Result};
use crate::fd::{close, RawFd};
use crate::flow::{End, Flow, State, BUFFER};

/// Relays from `from_ssh` to `socket`, and from `socket` to `to_ssh`.
///
/// When one direction ends, the side that it came from or went to is told, and the other direction goes on: a socket is
/// shut down for that, and a pipe, which has no other way to say it, is closed. That a side takes no more is an end and
/// no error: clients and servers leave when they like.
pub fn relay(from_ssh: RawFd, to_ssh: RawFd, socket: RawFd) -> Result<()> {
    let [from_ssh, to_ssh, socket] = [end(from_ssh)?, end(to_ssh)?, end(socket)?];
    // splice(2) has no other way not to wait for a socket. A client's own is as it was when this is over.
    let _socket = Nonblocking::set(socket.fd)?;
    let _to_ssh = if to_ssh.is_socket() { Some(Nonblocking::set(to_ssh.fd)?) } else { None };
    let mut buffers = [[0; BUFFER]; 2];
    let [one, other] = &mut buffers;
    let mut upstream = Flow::new(from_ssh, socket, one)?;
    let mut downstream = Flow::new(socket, to_ssh, other)?;
    while !(upstream.is_over() && downstream.is_over()) {
        let ready = wait(&upstream, &downstream)?;
        if !upstream.is_over() {
            if ready.upstream {
                upstream.step()?;
            } else if ready.server_gone {
                upstream.state = State::Refused;
            }
            match upstream.state {
                State::Ended => shut_down(socket, libc::SHUT_WR),
                State::Refused => hang_up(from_ssh, libc::SHUT_RD),
                State::Source | State::Sink => (),
            }
        }
        if !downstream.is_over() {
            if ready.downstream {
                downstream.step()?;
            } else if ready.client_gone {
                downstream.state = State::Refused;
            }
            match downstream.state {
                State::Ended => {
                    hang_up(to_ssh, libc::SHUT_WR);
                    if !upstream.is_over() && !takes_bytes(socket) {
                        upstream.state = State::Refused;
                    }
                }
                State::Refused => shut_down(socket, libc::SHUT_RD),
                State::Source | State::Sink => (),
            }
        }
    }
    Ok(())
}

/// What poll(2) has found.
struct Ready {
    /// What the flow from ssh waits for is there.
    upstream: bool,
    /// What the flow to ssh waits for is there.
    downstream: bool,
    /// Nobody reads what goes to ssh any more.
    client_gone: bool,
    /// Nobody reads what goes to the socket any more.
    server_gone: bool,
}

/// Waits until a flow can go on, or has nowhere to go to. Where nothing can be done about an fd it is not looked at: poll(2)
/// says of a hang-up that it is there for as long as it is there.
fn wait(upstream: &Flow, downstream: &Flow) -> Result<Ready> {
    let (up, down) = (upstream.state, downstream.state);
    let from_ssh = if up == State::Source { Some(libc::POLLIN) } else { None };
    let to_ssh = match down {
        State::Sink => Some(libc::POLLOUT),
        State::Source => Some(0),
        State::Ended | State::Refused => None,
    };
    let socket = match (up, down) {
        (State::Sink, State::Source) => Some(libc::POLLIN | libc::POLLOUT),
        (State::Sink, _) => Some(libc::POLLOUT),
        (_, State::Source) => Some(libc::POLLIN),
        (State::Source, State::Ended | State::Refused) => Some(0),
        _ => None,
    };
    let [from_ssh, to_ssh, socket] = poll([
        (upstream.source.fd, from_ssh),
        (downstream.sink.fd, to_ssh),
        (downstream.source.fd, socket),
    ])?;
    const GONE: c_short = libc::POLLERR | libc::POLLHUP;
    Ok(Ready {
        upstream: if up == State::Sink { socket & !libc::POLLIN != 0 } else { from_ssh != 0 },
        downstream: if down == State::Sink { to_ssh != 0 } else { socket & !libc::POLLOUT != 0 },
        client_gone: to_ssh & GONE != 0,
        server_gone: downstream.is_over() && socket & GONE != 0,
    })
}

/// Waits for one of the events of these fds, or for an error or a hang-up. `None` leaves one out.
fn poll<const N: usize>(fds: [(RawFd, Option<c_short>); N]) -> Result<[c_short; N]> {
    let mut polled = fds.map(|(fd, events)| libc::pollfd {
        fd: if events.is_some() { fd } else { -1 },
        events: events.unwrap_or(0),
        revents: 0,
    });
    // SAFETY: the pointer and the length are those of one live, writable array.
    match check(unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, -1) }) {
        Ok(_) | Err(Errno(libc::EINTR)) => Ok(polled.map(|one| one.revents)),
        Err(errno) => Err(errno),
    }
}

fn end(fd: RawFd) -> Result<End> {
    fd_kind(fd).map(|kind| End { fd, kind })
}

/// Tells the other side of a client's fd that this direction is over: that no more will be written, or read.
fn hang_up(client: End, how: c_int) {
    match client.kind {
        FdKind::Pipe => {
            let _ = close(client.fd);
        }
        _ if client.is_socket() => shut_down(client, how),
        // A terminal or a file has nobody to tell.
        _ => (),
    }
}

/// Its error means that the other side is gone.
fn shut_down(socket: End, how: c_int) {
    // SAFETY: takes numbers only.
    unsafe { libc::shutdown(socket.fd, how) };
}

/// Whether the other side of the socket, which sends no more, still reads. Sending it nothing tells: poll(2) knows of an
/// AF_UNIX socket, but not of an AF_VSOCK one, that both of its directions have ended.
fn takes_bytes(socket: End) -> bool {
    let nothing = [];
    // SAFETY: the pointer is that of a live array, of which nothing is read.
    check(unsafe { libc::send(socket.fd, nothing.as_ptr(), 0, libc::MSG_DONTWAIT | NO_SIGNAL) })
        .is_ok()
}

/// A file descriptor that is non-blocking for a while. Whoever else has the same open file sees it too.
struct Nonblocking {
    fd: RawFd,
    flags: c_int,
}

impl Nonblocking {
    fn set(fd: RawFd) -> Result<Self> {
        // SAFETY: takes numbers only.
        let flags = check_uninterrupted(|| unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
        let set = Self { fd, flags };
        set.change_to(flags | libc::O_NONBLOCK)?;
        Ok(set)
    }

    fn change_to(&self, flags: c_int) -> Result<c_int> {
        // SAFETY: takes numbers only.
        check_uninterrupted(|| unsafe { libc::fcntl(self.fd, libc::F_SETFL, flags) })
    }
}

impl Drop for Nonblocking {
    fn drop(&mut self) {
        let _ = self.change_to(self.flags);
    }
}
