//! Moving bytes with splice(2): the pages that hold them go from one file descriptor to the other, and nothing is copied to
//! this process. One of the two must be a pipe.

use core::ptr::null_mut;

use crate::errno::{check_uninterrupted, Errno, Result};
use crate::fd::{OwnedFd, RawFd};
use crate::flow::{after, State};

/// How large a pipe is made for a large transfer, and the most that one splice(2) is asked for.
const LARGE: usize = 256 << 10;

/// From a pipe to a socket, or from a socket to a pipe.
pub struct Direct {
    growth: Growth,
}

impl Direct {
    /// `pipe` is the one of the two that is a pipe.
    pub fn new(pipe: RawFd) -> Self {
        Self { growth: Growth::of(pipe) }
    }

    pub fn advance(&mut self, source: RawFd, sink: RawFd, state: State) -> Result<State> {
        match splice(source, sink) {
            Ok(0) => Ok(State::Over),
            Ok(count) => {
                self.growth.count(count);
                Ok(State::Source)
            }
            // Which of the two keeps it from going on, it does not say: not the one that was waited for.
            Err(errno) if state == State::Source => after(errno, State::Sink),
            Err(errno) => after(errno, State::Source),
        }
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
    growth: Growth,
}

impl Piped {
    pub fn new() -> Result<Self> {
        let mut fds = [-1; 2];
        // SAFETY: there is room for two fds.
        check_uninterrupted(|| unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) })?;
        let [near, far] = fds.map(OwnedFd::new);
        let growth = Growth::of(near.number());
        Ok(Self { near, far, held: 0, growth })
    }

    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    pub fn advance(&mut self, source: RawFd, sink: RawFd) -> Result<State> {
        if self.held == 0 {
            match splice(source, self.far.number()) {
                Ok(0) => return Ok(State::Over),
                Ok(count) => self.held = count,
                Err(errno) => return after(errno, State::Source),
            }
            self.growth.count(self.held);
        }
        while self.held > 0 {
            match splice(self.near.number(), sink) {
                Ok(count) => self.held -= count,
                Err(errno) => return after(errno, State::Sink),
            }
        }
        Ok(State::Source)
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

/// When a pipe is made larger: the more it holds, the fewer times do whoever fills it, this, and whoever empties it wake each
/// other. Only for what proves to be a large transfer, because the pages in all pipes of a user are counted (pipe(7),
/// pipe-user-pages-soft), and most sessions would have no use for them.
struct Growth {
    pipe: RawFd,
    /// How many bytes there are until then.
    left: usize,
}

impl Growth {
    fn of(pipe: RawFd) -> Self {
        Self { pipe, left: 8 << 20 }
    }

    fn count(&mut self, moved: usize) {
        if self.left > 0 {
            self.left = self.left.saturating_sub(moved);
            if self.left == 0 {
                self.grow();
            }
        }
    }

    /// Where the kernel does not want to, or its owner has made it larger, it stays as it is.
    fn grow(&self) {
        // SAFETY: takes numbers only.
        let size = check_uninterrupted(|| unsafe { libc::fcntl(self.pipe, libc::F_GETPIPE_SZ) });
        if size.map_or(false, |size| (size as usize) < LARGE) {
            // SAFETY: takes numbers only.
            unsafe { libc::fcntl(self.pipe, libc::F_SETPIPE_SZ, LARGE as libc::c_int) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::pipe;
    use std::io::{Read, Write};
    use std::os::unix::io::AsRawFd;
    use std::os::unix::net::UnixStream;

    /// The size of a pipe that was `size` before this many bytes went through it.
    fn size_after(bytes: usize, size: usize) -> usize {
        let (near, far) = pipe();
        // SAFETY: takes numbers only.
        unsafe { libc::fcntl(near.as_raw_fd(), libc::F_SETPIPE_SZ, size as libc::c_int) };
        let ((socket, mut server), number) = (UnixStream::pair().unwrap(), near.as_raw_fd());
        let mut direct = Direct::new(number);
        let mut writer = std::fs::File::from(far);
        let (sent, mut got) = ([7; 32 << 10], [0; 32 << 10]);
        for _ in 0..bytes / sent.len() {
            writer.write_all(&sent).unwrap();
            let mut left = sent.len();
            while left > 0 {
                assert!(
                    direct.advance(number, socket.as_raw_fd(), State::Source) == Ok(State::Source)
                );
                left -= server.read(&mut got).unwrap();
            }
        }
        // SAFETY: takes numbers only.
        unsafe { libc::fcntl(number, libc::F_GETPIPE_SZ) as usize }
    }

    #[test]
    fn a_pipe_is_made_larger_for_a_large_transfer_only_and_never_smaller() {
        assert_eq!(size_after(4 << 20, 64 << 10), 64 << 10);
        assert_eq!(size_after(9 << 20, 64 << 10), LARGE);
        assert_eq!(size_after(9 << 20, 512 << 10), 512 << 10);
    }
}
