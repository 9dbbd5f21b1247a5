//! One direction of a relay: bytes on their way from a source to a sink. At most one pipe or buffer full of them is under
//! way, so whoever sends faster than the other side takes has to wait, as over a plain connection.

use crate::describe::FdKind;
use crate::errno::{check_uninterrupted, Errno, Result};
use crate::fd::RawFd;
#[cfg(target_os = "linux")]
use crate::splice::{directly, enlarge, is_refusal, Piped};

/// One end of a flow.
#[derive(Clone, Copy)]
pub struct End {
    pub fd: RawFd,
    pub kind: FdKind,
}

impl End {
    pub fn is_socket(self) -> bool {
        matches!(self.kind, FdKind::UnixSocket | FdKind::OtherSocket)
    }

    #[cfg(target_os = "linux")]
    fn is_pipe(self) -> bool {
        self.kind == FdKind::Pipe
    }

    /// How many bytes can be written to this once poll(2) has said that there is room, so that the call does not wait.
    fn room(self) -> usize {
        match self.kind {
            // poll(2) on a pipe says that there is room when there is this much (pipe(7)).
            FdKind::Pipe => libc::PIPE_BUF,
            // Terminals promise a byte; Linux makes room 256 at a time, and a line break may become two.
            FdKind::Terminal => 128,
            // A file takes all, and a socket is told not to wait.
            _ => usize::MAX,
        }
    }
}

/// What a flow waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// For the source to have something.
    Source,
    /// For the sink to have room.
    Sink,
    /// For nothing more: the source has ended and all that it sent has arrived, or one of the two is gone.
    Over,
}

/// What came of a step.
pub struct Step {
    /// How many bytes the sink has got.
    pub moved: usize,
    pub state: State,
}

impl Step {
    pub fn to(state: State) -> Self {
        Self { moved: 0, state }
    }
}

/// How the bytes get across.
enum Way {
    /// By splice(2), because one of the two is this pipe.
    #[cfg(target_os = "linux")]
    Direct(RawFd),
    #[cfg(target_os = "linux")]
    Piped(Piped),
    Copied(Copied),
}

/// How many bytes a copying flow has under way at most.
pub const BUFFER: usize = 64 << 10;

pub struct Flow<'a> {
    pub source: End,
    pub sink: End,
    pub state: State,
    way: Way,
    buffer: &'a mut [u8; BUFFER],
    /// How many bytes more make it a large transfer.
    until_large: usize,
}

/// What proves to be a large transfer, and worth a larger pipe. Not every session is: the pages in all pipes of a user are
/// counted (pipe(7), pipe-user-pages-soft).
const LARGE_TRANSFER: usize = 8 << 20;

impl<'a> Flow<'a> {
    /// A flow that moves nothing yet. A sink that is a socket must be non-blocking.
    pub fn new(source: End, sink: End, buffer: &'a mut [u8; BUFFER]) -> Self {
        let way = Way::between(source, sink);
        Self { source, sink, state: State::Source, way, buffer, until_large: LARGE_TRANSFER }
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Moves what can be moved without waiting, and gives how many bytes that were. To be called when what the state waits for
    /// is there.
    pub fn step(&mut self) -> Result<usize> {
        let step = match self.advance() {
            #[cfg(target_os = "linux")]
            Err(errno) if is_refusal(errno) && self.way.may_change() => {
                self.way = Way::COPIED;
                self.advance()?
            }
            step => step?,
        };
        self.state = step.state;
        if self.until_large > 0 {
            self.until_large = self.until_large.saturating_sub(step.moved);
            if self.until_large == 0 {
                self.way.enlarge();
            }
        }
        Ok(step.moved)
    }

    fn advance(&mut self) -> Result<Step> {
        match &mut self.way {
            #[cfg(target_os = "linux")]
            Way::Direct(_) => directly(self.source.fd, self.sink.fd, self.state),
            #[cfg(target_os = "linux")]
            Way::Piped(piped) => piped.advance(self.source.fd, self.sink.fd),
            Way::Copied(copied) => copied.advance(self.source, self.sink, self.buffer),
        }
    }
}

impl Way {
    const COPIED: Self = Self::Copied(Copied { start: 0, end: 0 });

    #[cfg(target_os = "linux")]
    fn between(source: End, sink: End) -> Self {
        match (source, sink) {
            (pipe, socket) if pipe.is_pipe() && socket.is_socket() => Self::Direct(pipe.fd),
            (socket, pipe) if socket.is_socket() && pipe.is_pipe() => Self::Direct(pipe.fd),
            (one, other) if one.is_socket() && other.is_socket() => {
                // A system that has no pipe left for it, by its limits (pipe(2)), is no reason not to go on.
                Piped::new().map_or(Self::COPIED, Self::Piped)
            }
            // Terminals have no splice(2) that can be told not to wait, and files come and go in any size.
            _ => Self::COPIED,
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn between(_source: End, _sink: End) -> Self {
        Self::COPIED
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

    /// Whether no byte would be lost if another way took over.
    #[cfg(target_os = "linux")]
    fn may_change(&self) -> bool {
        match self {
            Self::Direct(_) => true,
            Self::Piped(piped) => piped.is_empty(),
            Self::Copied(_) => false,
        }
    }
}

/// By way of a buffer, in which the bytes from `start` to `end` still have to be written.
struct Copied {
    start: usize,
    end: usize,
}

impl Copied {
    fn advance(&mut self, source: End, sink: End, buffer: &mut [u8; BUFFER]) -> Result<Step> {
        if self.start == self.end {
            match read(source, buffer) {
                Ok(0) => return Ok(Step::to(State::Over)),
                Ok(count) => (self.start, self.end) = (0, count),
                Err(errno) => return after(errno, State::Source),
            }
            // Only poll(2) knows whether there is room in what cannot be told not to wait.
            if !sink.is_socket() {
                return Ok(Step::to(State::Sink));
            }
        }
        match write(sink, buffer.get(self.start..self.end).unwrap_or_default()) {
            Ok(moved) => {
                self.start += moved;
                let state = if self.start == self.end { State::Source } else { State::Sink };
                Ok(Step { moved, state })
            }
            Err(errno) => after(errno, State::Sink),
        }
    }
}

/// What an error means that one gave who would go on `waiting`. That the other side of a source or a sink is gone is an end.
pub fn after(errno: Errno, waiting: State) -> Result<Step> {
    match errno {
        Errno(libc::EAGAIN) => Ok(Step::to(waiting)),
        Errno(libc::EPIPE | libc::ECONNRESET | libc::ENOTCONN) => Ok(Step::to(State::Over)),
        errno => Err(errno),
    }
}

fn read(source: End, into: &mut [u8]) -> Result<usize> {
    check_uninterrupted(|| {
        let (start, len) = (into.as_mut_ptr().cast(), into.len());
        if source.is_socket() {
            // SAFETY: the pointer and the length are those of one live, writable slice.
            unsafe { libc::recv(source.fd, start, len, libc::MSG_DONTWAIT) }
        } else {
            // SAFETY: as above.
            unsafe { libc::read(source.fd, start, len) }
        }
    })
    .map(|count| count as usize)
}

fn write(sink: End, bytes: &[u8]) -> Result<usize> {
    check_uninterrupted(|| {
        let (start, len) = (bytes.as_ptr().cast(), bytes.len().min(sink.room()));
        if sink.is_socket() {
            let flags = libc::MSG_DONTWAIT | crate::bytes::NO_SIGNAL;
            // SAFETY: the pointer and the length are within one live slice.
            unsafe { libc::send(sink.fd, start, len, flags) }
        } else {
            // SAFETY: as above.
            unsafe { libc::write(sink.fd, start, len) }
        }
    })
    .map(|count| count as usize)
}

#[cfg(target_os = "linux")]
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
