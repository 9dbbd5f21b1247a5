//! The ends of a flow, and the result of one step of it.

use crate::errno::{Errno, Result};
use crate::fd::RawFd;
use crate::fdinfo::FdKind;

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
    pub fn is_pipe(self) -> bool {
        self.kind == FdKind::Pipe
    }
}

/// The state of a flow: the event that it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits until the source has data.
    Source,
    /// Waits until the sink has room.
    Sink,
    /// Has ended: the source has ended and its data has been delivered, or one of the two is gone.
    Over,
}

/// The result of one step.
pub struct Step {
    /// The number of bytes that were written to the sink.
    pub moved: usize,
    pub state: State,
}

impl Step {
    /// Returns a step that moved nothing.
    pub fn to(state: State) -> Self {
        Self { moved: 0, state }
    }

    /// Maps an I/O error to a step: EAGAIN keeps `waiting`; a vanished peer ends the flow. Returns any other error.
    pub fn from_error(errno: Errno, waiting: State) -> Result<Self> {
        match errno {
            Errno(libc::EAGAIN) => Ok(Self::to(waiting)),
            Errno(libc::EPIPE | libc::ECONNRESET | libc::ENOTCONN) => Ok(Self::to(State::Over)),
            errno => Err(errno),
        }
    }
}
