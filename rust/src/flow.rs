//! One direction of a relay: bytes on their way from a source to a sink. At most one pipe or buffer full of them is under
//! way, so whoever sends faster than the other side takes has to wait, as over a plain connection.

use crate::describe::FdKind;
use crate::errno::{check_uninterrupted, Errno, Result};
use crate::fd::RawFd;

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

/// What a flow waits for, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// For the source to have something.
    Source,
    /// For the sink to have room.
    Sink,
    /// The source has ended, and all that it sent has arrived.
    Ended,
    /// The sink is gone, or takes no more.
    Refused,
}

/// How the bytes get across.
enum Way {
    /// From one to the other within the kernel: splice(2) can where either is a pipe.
    #[cfg(target_os = "linux")]
    Direct { pipe: RawFd, growth: Growth },
    /// The same through a pipe of this flow's own, which holds so many bytes.
    #[cfg(target_os = "linux")]
    Piped { pipe: Pipe, held: usize, growth: Growth },
    /// By way of the buffer, in which these bytes still have to be written.
    Copied { start: usize, end: usize },
}

/// How many bytes a copying flow has under way at most.
pub const BUFFER: usize = 64 << 10;

pub struct Flow<'a> {
    pub source: End,
    pub sink: End,
    pub state: State,
    way: Way,
    buffer: &'a mut [u8; BUFFER],
}

impl<'a> Flow<'a> {
    /// A flow that moves nothing yet. A sink that is a socket must be non-blocking.
    pub fn new(source: End, sink: End, buffer: &'a mut [u8; BUFFER]) -> Result<Self> {
        let way = Way::between(source, sink)?;
        Ok(Self { source, sink, state: State::Source, way, buffer })
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Ended | State::Refused)
    }

    /// Moves what can be moved without waiting. To be called when what the state waits for is there.
    pub fn step(&mut self) -> Result<()> {
        self.state = match self.advance() {
            #[cfg(target_os = "linux")]
            Err(errno) if self.cannot_splice(errno) => {
                self.way = Way::COPIED;
                self.advance()?
            }
            state => state?,
        };
        Ok(())
    }

    fn advance(&mut self) -> Result<State> {
        match self.way {
            #[cfg(target_os = "linux")]
            Way::Direct { .. } => self.splice_directly(),
            #[cfg(target_os = "linux")]
            Way::Piped { .. } => self.splice_through_pipe(),
            Way::Copied { .. } => self.copy(),
        }
    }

    fn copy(&mut self) -> Result<State> {
        let Way::Copied { start, end } = &mut self.way else { return Ok(self.state) };
        if start == end {
            match read(self.source, self.buffer) {
                Ok(0) => return Ok(State::Ended),
                Ok(count) => (*start, *end) = (0, count),
                Err(errno) => return source_state(errno),
            }
            // Only poll(2) knows whether there is room in what cannot be told not to wait.
            if !self.sink.is_socket() {
                return Ok(State::Sink);
            }
        }
        let left = self.buffer.get(*start..*end).unwrap_or_default();
        match write(self.sink, left) {
            Ok(count) => *start += count,
            Err(errno) => return sink_state(errno),
        }
        Ok(if start == end { State::Source } else { State::Sink })
    }
}

impl Way {
    const COPIED: Self = Self::Copied { start: 0, end: 0 };

    #[cfg(target_os = "linux")]
    fn between(source: End, sink: End) -> Result<Self> {
        Ok(match (source, sink) {
            (one, other) if one.is_pipe() && other.is_socket() => {
                Self::Direct { pipe: one.fd, growth: Growth::NEW }
            }
            (one, other) if one.is_socket() && other.is_pipe() => {
                Self::Direct { pipe: other.fd, growth: Growth::NEW }
            }
            (one, other) if one.is_socket() && other.is_socket() => {
                Self::Piped { pipe: Pipe::new()?, held: 0, growth: Growth::NEW }
            }
            // Terminals have no splice(2) that can be told not to wait, and files come and go in any size.
            _ => Self::COPIED,
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn between(_source: End, _sink: End) -> Result<Self> {
        Ok(Self::COPIED)
    }
}

/// The state after an error of the source: one whose other side is gone has ended.
fn source_state(errno: Errno) -> Result<State> {
    match errno {
        Errno(libc::EAGAIN) => Ok(State::Source),
        Errno(libc::ECONNRESET | libc::ENOTCONN) => Ok(State::Ended),
        errno => Err(errno),
    }
}

/// The state after an error of the sink.
fn sink_state(errno: Errno) -> Result<State> {
    match errno {
        Errno(libc::EAGAIN) => Ok(State::Sink),
        Errno(libc::EPIPE | libc::ECONNRESET | libc::ENOTCONN) => Ok(State::Refused),
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
mod spliced {
    use core::ptr::null_mut;

    use super::{sink_state, source_state, Flow, State, Way};
    use crate::errno::{check_uninterrupted, Errno, Result};
    use crate::fd::{OwnedFd, RawFd};

    /// The most that one splice(2) is asked for, and what a pipe is made large enough for: as large as any may be by
    /// default (pipe(7), pipe-max-size).
    const MOST: usize = 1 << 18;

    impl Flow<'_> {
        pub(super) fn splice_directly(&mut self) -> Result<State> {
            let Way::Direct { pipe, growth } = &mut self.way else { return Ok(self.state) };
            match splice(self.source.fd, self.sink.fd, MOST) {
                Ok(0) => Ok(State::Ended),
                Ok(count) => {
                    growth.after(count, *pipe);
                    Ok(State::Source)
                }
                // Which of the two keeps it from going on, it does not say: it is not the one that was waited for.
                Err(Errno(libc::EAGAIN)) if self.state == State::Source => Ok(State::Sink),
                Err(Errno(libc::EAGAIN)) => Ok(State::Source),
                // A pipe has one error, EPIPE, and that as a sink: any other is the socket's.
                Err(errno) if self.source.is_pipe() || errno == Errno(libc::EPIPE) => {
                    sink_state(errno)
                }
                Err(errno) => source_state(errno),
            }
        }

        pub(super) fn splice_through_pipe(&mut self) -> Result<State> {
            let Way::Piped { pipe, held, growth } = &mut self.way else { return Ok(self.state) };
            if *held == 0 {
                match splice(self.source.fd, pipe.far.number(), MOST) {
                    Ok(0) => return Ok(State::Ended),
                    Ok(count) => {
                        growth.after(count, pipe.near.number());
                        *held = count;
                    }
                    Err(errno) => return source_state(errno),
                }
            }
            while *held > 0 {
                match splice(pipe.near.number(), self.sink.fd, *held) {
                    Ok(count) => *held -= count,
                    Err(errno) => return sink_state(errno),
                }
            }
            Ok(State::Source)
        }

        /// Whether this error means that splice(2) is not for these two, or not for this process (seccomp), rather than
        /// that something is wrong with them. Nothing has been moved then.
        pub(super) fn cannot_splice(&self, errno: Errno) -> bool {
            let empty_handed = match self.way {
                Way::Direct { .. } => true,
                Way::Piped { held, .. } => held == 0,
                Way::Copied { .. } => false,
            };
            empty_handed && matches!(errno, Errno(libc::EINVAL | libc::ENOSYS | libc::EPERM))
        }
    }

    /// One splice(2). It does not wait for a pipe; for a socket it does unless that is non-blocking.
    fn splice(from: RawFd, to: RawFd, len: usize) -> Result<usize> {
        check_uninterrupted(|| {
            // SAFETY: takes numbers only; the offsets may be left out.
            unsafe { libc::splice(from, null_mut(), to, null_mut(), len, libc::SPLICE_F_NONBLOCK) }
        })
        .map(|count| count as usize)
    }

    /// When a pipe is made larger: the more it holds, the fewer times whoever fills it, empties it and this wake each other.
    /// Only for what proves to be a large transfer, because the pages that all pipes of a user may have are counted
    /// (pipe(7), pipe-user-pages-soft), and most sessions would have no use for them.
    pub struct Growth {
        left: usize,
    }

    impl Growth {
        pub const NEW: Self = Self { left: 8 << 20 };

        /// Counts what was moved through `pipe`. Where the kernel refuses to make it larger, it stays as it is.
        fn after(&mut self, count: usize, pipe: RawFd) {
            let before = self.left;
            self.left = before.saturating_sub(count);
            if before > 0 && self.left == 0 {
                // SAFETY: takes numbers only.
                unsafe { libc::fcntl(pipe, libc::F_SETPIPE_SZ, MOST as libc::c_int) };
            }
        }
    }

    /// A pipe that nobody else knows of.
    pub struct Pipe {
        /// The end to read from.
        near: OwnedFd,
        /// The end to write to.
        far: OwnedFd,
    }

    impl Pipe {
        pub fn new() -> Result<Self> {
            let mut fds = [-1; 2];
            // SAFETY: there is room for two fds.
            check_uninterrupted(|| unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) })?;
            let [near, far] = fds.map(OwnedFd::new);
            Ok(Self { near, far })
        }
    }
}
#[cfg(target_os = "linux")]
use spliced::{Growth, Pipe};
