//! Waits with poll(2) until a flow can go on.

use libc::c_short;

use super::flow::Flow;
use super::step::State;
use crate::errno::{check, Errno, Result};
use crate::fd::RawFd;

/// The result of a wait.
pub struct Ready {
    /// Whether the flow from ssh can go on.
    pub upstream: bool,
    /// Whether the flow to ssh can go on.
    pub downstream: bool,
    /// Whether the client reads no more.
    pub client_gone: bool,
    /// Whether the server reads no more.
    pub server_gone: bool,
}

/// Waits until a flow can go on, or its sink is gone. Polls up to `busy_polls` times without blocking first.
///
/// Leaves out each file descriptor that no flow waits for, because poll(2) would report its hang-up again and again.
pub fn wait(upstream: &Flow, downstream: &Flow, busy_polls: u32) -> Result<Ready> {
    let (up, down) = (upstream.state, downstream.state);
    let from_ssh = if up == State::Source { Some(libc::POLLIN) } else { None };
    let to_ssh = match down {
        State::Sink => Some(libc::POLLOUT),
        State::Source => Some(0),
        State::Over => None,
    };
    let socket = match (up, down) {
        (State::Sink, State::Source) => Some(libc::POLLIN | libc::POLLOUT),
        (State::Sink, _) => Some(libc::POLLOUT),
        (_, State::Source) => Some(libc::POLLIN),
        (State::Source, State::Over) => Some(0),
        _ => None,
    };
    let fds = [
        (upstream.source.fd, from_ssh),
        (downstream.sink.fd, to_ssh),
        (downstream.source.fd, socket),
    ];
    let [from_ssh, to_ssh, socket] = poll(fds, busy_polls)?;
    const GONE: c_short = libc::POLLERR | libc::POLLHUP;
    Ok(Ready {
        upstream: if up == State::Sink { socket & !libc::POLLIN != 0 } else { from_ssh != 0 },
        downstream: if down == State::Sink { to_ssh != 0 } else { socket & !libc::POLLOUT != 0 },
        client_gone: to_ssh & GONE != 0,
        server_gone: socket & GONE != 0,
    })
}

/// Waits until one of `fds` has one of its events, an error or a hang-up, and returns the events of each.
///
/// Leaves out a file descriptor with `None`. Polls up to `busy_polls` times without blocking first.
pub fn poll<const N: usize>(
    fds: [(RawFd, Option<c_short>); N],
    busy_polls: u32,
) -> Result<[c_short; N]> {
    let mut polled = fds.map(|(fd, events)| libc::pollfd {
        fd: if events.is_some() { fd } else { -1 },
        events: events.unwrap_or(0),
        revents: 0,
    });
    for polls_left in (0..=busy_polls).rev() {
        let timeout = if polls_left == 0 { -1 } else { 0 };
        if timeout == 0 {
            // SAFETY: takes nothing.
            unsafe { libc::sched_yield() };
        }
        // SAFETY: the pointer and the length are those of one live, writable array.
        match check(unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, timeout) }) {
            Ok(0) => continue,
            Ok(_) | Err(Errno(libc::EINTR)) => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(polled.map(|one| one.revents))
}
