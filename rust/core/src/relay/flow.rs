//! One direction of a relay, from a source to a sink.
//!
//! Holds at most one pipe or buffer full of bytes, so that a fast sender has to wait for a slow receiver, as it would
//! over a plain connection.

use super::copy::{Copied, BUFFER};
#[cfg(target_os = "linux")]
use super::splice::{directly, enlarge, is_refusal, Piped};
use super::step::{End, State, Step};
use crate::errno::Result;
#[cfg(target_os = "linux")]
use crate::fd::RawFd;

/// How the bytes are moved.
enum Transfer {
    /// By splice(2) between a socket and this pipe.
    #[cfg(target_os = "linux")]
    Direct(RawFd),
    #[cfg(target_os = "linux")]
    Piped(Piped),
    Copied(Copied),
}

pub struct Flow<'a> {
    pub source: End,
    pub sink: End,
    pub state: State,
    transfer: Transfer,
    buffer: &'a mut [u8; BUFFER],
    /// The number of bytes after which the transfer counts as large.
    until_large: usize,
}

/// The size of a transfer that gets a larger pipe. Small ones do not, because the kernel limits the pages in all pipes of
/// a user (pipe(7), pipe-user-pages-soft).
const LARGE_TRANSFER: usize = 8 << 20;

impl<'a> Flow<'a> {
    /// Returns a flow that has moved nothing yet. A sink that is a socket must be non-blocking.
    pub fn new(source: End, sink: End, buffer: &'a mut [u8; BUFFER]) -> Self {
        let transfer = Transfer::between(source, sink);
        Self { source, sink, state: State::Source, transfer, buffer, until_large: LARGE_TRANSFER }
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Moves as many bytes as it can without blocking, and returns their number. Expects that the event of `state` has
    /// occurred.
    pub fn step(&mut self) -> Result<usize> {
        let step = match self.advance() {
            #[cfg(target_os = "linux")]
            Err(errno) if is_refusal(errno) && self.transfer.can_copy_instead() => {
                self.transfer = Transfer::Copied(Copied::EMPTY);
                self.advance()?
            }
            step => step?,
        };
        self.state = step.state;
        if self.until_large > 0 {
            self.until_large = self.until_large.saturating_sub(step.moved);
            if self.until_large == 0 {
                self.transfer.enlarge();
            }
        }
        Ok(step.moved)
    }

    fn advance(&mut self) -> Result<Step> {
        match &mut self.transfer {
            #[cfg(target_os = "linux")]
            Transfer::Direct(_) => directly(self.source.fd, self.sink.fd, self.state),
            #[cfg(target_os = "linux")]
            Transfer::Piped(piped) => piped.advance(self.source.fd, self.sink.fd),
            Transfer::Copied(copied) => copied.advance(self.source, self.sink, self.buffer),
        }
    }
}

impl Transfer {
    #[cfg(target_os = "linux")]
    fn between(source: End, sink: End) -> Self {
        match (source, sink) {
            (pipe, socket) if pipe.is_pipe() && socket.is_socket() => Self::Direct(pipe.fd),
            (socket, pipe) if socket.is_socket() && pipe.is_pipe() => Self::Direct(pipe.fd),
            (one, other) if one.is_socket() && other.is_socket() => {
                // Copies if the system has no pipe left within its limits (pipe(2)).
                Piped::new().map_or(Self::Copied(Copied::EMPTY), Self::Piped)
            }
            // splice(2) would block on a terminal, and files are rare.
            _ => Self::Copied(Copied::EMPTY),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn between(_source: End, _sink: End) -> Self {
        Self::Copied(Copied::EMPTY)
    }

    fn enlarge(&self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Direct(pipe) => enlarge(*pipe),
            #[cfg(target_os = "linux")]
            Self::Piped(piped) => enlarge(piped.number()),
            Self::Copied(_) => (),
        }
    }

    /// Returns whether copying can take over without the loss of a byte.
    #[cfg(target_os = "linux")]
    fn can_copy_instead(&self) -> bool {
        match self {
            Self::Direct(_) => true,
            Self::Piped(piped) => piped.is_empty(),
            Self::Copied(_) => false,
        }
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::fdinfo::FdKind;
    use crate::test_support::pipe;
    use std::io::{Read, Write};
    use std::os::unix::io::AsRawFd;
    use std::os::unix::net::UnixStream;

    /// The size of a pipe that was `size` before this many bytes went through it.
    fn size_after(bytes: usize, size: usize) -> usize {
        let (near, far) = pipe();
        let number = near.as_raw_fd();
        // SAFETY: takes numbers only.
        unsafe { libc::fcntl(number, libc::F_SETPIPE_SZ, size as libc::c_int) };
        let (socket, mut server) = UnixStream::pair().unwrap();
        let mut buffer = [0; BUFFER];
        let source = End { fd: number, kind: FdKind::Pipe };
        let sink = End { fd: socket.as_raw_fd(), kind: FdKind::UnixSocket };
        let mut flow = Flow::new(source, sink, &mut buffer);
        let mut writer = std::fs::File::from(far);
        let (sent, mut got) = ([7; 32 << 10], [0; 32 << 10]);
        for _ in 0..bytes / sent.len() {
            writer.write_all(&sent).unwrap();
            let mut left = sent.len();
            while left > 0 {
                assert!(flow.step().is_ok());
                left -= server.read(&mut got).unwrap();
            }
        }
        // SAFETY: takes numbers only.
        unsafe { libc::fcntl(number, libc::F_GETPIPE_SZ) as usize }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_pipe_is_made_larger_for_a_large_transfer_only_and_never_smaller() {
        assert_eq!(size_after(4 << 20, 64 << 10), 64 << 10);
        assert_eq!(size_after(9 << 20, 64 << 10), 256 << 10);
        assert_eq!(size_after(9 << 20, 512 << 10), 512 << 10);
    }
}
