//! Moves bytes with splice(2), which copies nothing to this process. One of the two files must be a pipe.

use core::ptr::null_mut;

use super::step::{State, Step};
use crate::errno::{retry_eintr, Errno, Result};
use crate::fd::{OwnedFd, RawFd};

/// The size of an enlarged pipe, and the most that one splice(2) moves.
const LARGE: usize = 256 << 10;

/// Moves bytes from a pipe to a socket, or from a socket to a pipe.
pub fn directly(source: RawFd, sink: RawFd, state: State) -> Result<Step> {
    match splice(source, sink) {
        Ok(0) => Ok(Step::to(State::Over)),
        Ok(moved) => Ok(Step { moved, state: State::Source }),
        // splice(2) does not tell which of the two would block. Waits for the one that it has not just waited for.
        Err(errno) if state == State::Source => Step::from_error(errno, State::Sink),
        Err(errno) => Step::from_error(errno, State::Source),
    }
}

/// Moves bytes from a socket to a socket, through a pipe of its own.
pub struct Piped {
    /// The end to read from.
    near: OwnedFd,
    /// The end to write to.
    far: OwnedFd,
    /// The number of bytes in the pipe.
    held: usize,
}

impl Piped {
    pub fn new() -> Result<Self> {
        let mut fds = [-1; 2];
        // SAFETY: there is room for two fds.
        retry_eintr(|| unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) })?;
        let [near, far] = fds.map(OwnedFd::new);
        Ok(Self { near, far, held: 0 })
    }

    pub fn number(&self) -> RawFd {
        self.near.number()
    }

    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Fills the pipe if it is empty, and then moves bytes from it to the sink.
    pub fn advance(&mut self, source: RawFd, sink: RawFd) -> Result<Step> {
        if self.held == 0 {
            match splice(source, self.far.number()) {
                Ok(0) => return Ok(Step::to(State::Over)),
                Ok(count) => self.held = count,
                Err(errno) => return Step::from_error(errno, State::Source),
            }
        }
        match splice(self.near.number(), sink) {
            Ok(moved) => {
                self.held -= moved;
                Ok(Step { moved, state: if self.held == 0 { State::Source } else { State::Sink } })
            }
            Err(errno) => Step::from_error(errno, State::Sink),
        }
    }
}

/// Returns whether splice(2) does not support these files, or is forbidden to this process (seccomp(2)).
pub fn is_refusal(errno: Errno) -> bool {
    matches!(errno, Errno(libc::EINVAL | libc::ENOSYS | libc::EPERM))
}

/// Calls splice(2), which does not block on a pipe. On a socket it does, unless the socket is non-blocking.
fn splice(from: RawFd, to: RawFd) -> Result<usize> {
    retry_eintr(|| {
        // SAFETY: takes numbers only; the offsets may be left out.
        unsafe { libc::splice(from, null_mut(), to, null_mut(), LARGE, libc::SPLICE_F_NONBLOCK) }
    })
    .map(|count| count as usize)
}

/// Enlarges `pipe`, so that its two ends wake each other less often. Keeps the size if the kernel refuses, or if the pipe
/// is larger already.
pub fn enlarge(pipe: RawFd) {
    // SAFETY: takes numbers only.
    let size = retry_eintr(|| unsafe { libc::fcntl(pipe, libc::F_GETPIPE_SZ) });
    if size.map_or(false, |size| (size as usize) < LARGE) {
        // SAFETY: takes numbers only.
        unsafe { libc::fcntl(pipe, libc::F_SETPIPE_SZ, LARGE as libc::c_int) };
    }
}
