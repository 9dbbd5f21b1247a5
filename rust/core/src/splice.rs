//! Moving bytes with splice(2): the pages that hold them go from one file descriptor to the other, and nothing is copied to
//! this process. One of the two must be a pipe.

use core::ptr::null_mut;

use crate::errno::{check_uninterrupted, Errno, Result};
use crate::fd::{OwnedFd, RawFd};
use crate::flow::{after, State, Step};

/// How large a pipe is made for a large transfer, and the most that one splice(2) is asked for.
const LARGE: usize = 256 << 10;

/// From a pipe to a socket, or from a socket to a pipe.
pub fn directly(source: RawFd, sink: RawFd, state: State) -> Result<Step> {
    match splice(source, sink) {
        Ok(0) => Ok(Step::to(State::Over)),
        Ok(moved) => Ok(Step { moved, state: State::Source }),
        // Which of the two keeps it from going on, it does not say: not the one that was waited for.
        Err(errno) if state == State::Source => after(errno, State::Sink),
        Err(errno) => after(errno, State::Source),
    }
}

/// From a socket to a socket, through a pipe that nobody else knows of.
pub struct Piped {
    /// The end to read from.
    near: OwnedFd,
    /// The end to write to.
    far: OwnedFd,
    /// How many bytes are in it.
    held: usize,
}

impl Piped {
    pub fn new() -> Result<Self> {
        let mut fds = [-1; 2];
        // SAFETY: there is room for two fds.
        check_uninterrupted(|| unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) })?;
        let [near, far] = fds.map(OwnedFd::new);
        Ok(Self { near, far, held: 0 })
    }

    pub fn number(&self) -> RawFd {
        self.near.number()
    }

    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    pub fn advance(&mut self, source: RawFd, sink: RawFd) -> Result<Step> {
        if self.held == 0 {
            match splice(source, self.far.number()) {
                Ok(0) => return Ok(Step::to(State::Over)),
                Ok(count) => self.held = count,
                Err(errno) => return after(errno, State::Source),
            }
        }
        match splice(self.near.number(), sink) {
            Ok(moved) => {
                self.held -= moved;
                Ok(Step { moved, state: if self.held == 0 { State::Source } else { State::Sink } })
            }
            Err(errno) => after(errno, State::Sink),
        }
    }
}

/// Whether this error means that splice(2) is not for these two files, or not for this process (seccomp), rather than that
/// something is wrong with them.
pub fn is_refusal(errno: Errno) -> bool {
    matches!(errno, Errno(libc::EINVAL | libc::ENOSYS | libc::EPERM))
}

/// One splice(2). It does not wait for a pipe; for a socket it does, unless that is non-blocking.
fn splice(from: RawFd, to: RawFd) -> Result<usize> {
    check_uninterrupted(|| {
        // SAFETY: takes numbers only; the offsets may be left out.
        unsafe { libc::splice(from, null_mut(), to, null_mut(), LARGE, libc::SPLICE_F_NONBLOCK) }
    })
    .map(|count| count as usize)
}

/// Makes `pipe` larger: the more it holds, the fewer times do whoever fills it, this, and whoever empties it wake each other.
/// Where the kernel does not want to, or its owner has made it larger still, it stays as it is.
pub fn enlarge(pipe: RawFd) {
    // SAFETY: takes numbers only.
    let size = check_uninterrupted(|| unsafe { libc::fcntl(pipe, libc::F_GETPIPE_SZ) });
    if size.map_or(false, |size| (size as usize) < LARGE) {
        // SAFETY: takes numbers only.
        unsafe { libc::fcntl(pipe, libc::F_SETPIPE_SZ, LARGE as libc::c_int) };
    }
}
