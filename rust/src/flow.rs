//! One direction of a relay: bytes on their way from a source to a sink. At most one pipe or buffer full of them is under
//! way, so whoever sends faster than the other side takes has to wait, as over a plain connection.

use crate::describe::FdKind;
use crate::errno::{check_uninterrupted, Errno, Result};
use crate::fd::RawFd;
#[cfg(target_os = "linux")]
use crate::splice::{is_refusal, Direct, Piped};

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

/// How the bytes get across.
enum Way {
    #[cfg(target_os = "linux")]
    Direct(Direct),
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
}

impl<'a> Flow<'a> {
    /// A flow that moves nothing yet. A sink that is a socket must be non-blocking.
    pub fn new(source: End, sink: End, buffer: &'a mut [u8; BUFFER]) -> Result<Self> {
        let way = Way::between(source, sink)?;
        Ok(Self { source, sink, state: State::Source, way, buffer })
    }

    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Moves what can be moved without waiting. To be called when what the state waits for is there.
    pub fn step(&mut self) -> Result<()> {
        self.state = match self.advance() {
            #[cfg(target_os = "linux")]
            Err(errno) if is_refusal(errno) && self.way.may_change() => {
                self.way = Way::COPIED;
                self.advance()?
            }
            state => state?,
        };
        Ok(())
    }

    fn advance(&mut self) -> Result<State> {
        match &mut self.way {
            #[cfg(target_os = "linux")]
            Way::Direct(direct) => direct.advance(self.source.fd, self.sink.fd, self.state),
            #[cfg(target_os = "linux")]
            Way::Piped(piped) => piped.advance(self.source.fd, self.sink.fd),
            Way::Copied(copied) => copied.advance(self.source, self.sink, self.buffer),
        }
    }
}

impl Way {
    const COPIED: Self = Self::Copied(Copied { start: 0, end: 0 });

    #[cfg(target_os = "linux")]
    fn between(source: End, sink: End) -> Result<Self> {
        Ok(match (source, sink) {
            (pipe, socket) if pipe.is_pipe() && socket.is_socket() => {
                Self::Direct(Direct::new(pipe.fd))
            }
            (socket, pipe) if socket.is_socket() && pipe.is_pipe() => {
                Self::Direct(Direct::new(pipe.fd))
            }
            (one, other) if one.is_socket() && other.is_socket() => Self::Piped(Piped::new()?),
            // Terminals have no splice(2) that can be told not to wait, and files come and go in any size.
            _ => Self::COPIED,
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn between(_source: End, _sink: End) -> Result<Self> {
        Ok(Self::COPIED)
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
    fn advance(&mut self, source: End, sink: End, buffer: &mut [u8; BUFFER]) -> Result<State> {
        if self.start == self.end {
            match read(source, buffer) {
                Ok(0) => return Ok(State::Over),
                Ok(count) => (self.start, self.end) = (0, count),
                Err(errno) => return after(errno, State::Source),
            }
            // Only poll(2) knows whether there is room in what cannot be told not to wait.
            if !sink.is_socket() {
                return Ok(State::Sink);
            }
        }
        match write(sink, buffer.get(self.start..self.end).unwrap_or_default()) {
            Ok(count) => self.start += count,
            Err(errno) => return after(errno, State::Sink),
        }
        Ok(if self.start == self.end { State::Source } else { State::Sink })
    }
}

/// The state after an error of one that was `waiting`. That the other side of a source or a sink is gone is an end.
pub fn after(errno: Errno, waiting: State) -> Result<State> {
    match errno {
        Errno(libc::EAGAIN) => Ok(waiting),
        Errno(libc::EPIPE | libc::ECONNRESET | libc::ENOTCONN) => Ok(State::Over),
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
