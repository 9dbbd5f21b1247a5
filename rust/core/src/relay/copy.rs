//! Moves bytes with read(2) and write(2), by way of a buffer: for terminals and files, and where splice(2) does not work.

use super::step::{End, State, Step};
use crate::errno::{retry_eintr, Result};
use crate::fdinfo::FdKind;
use crate::io::NO_SIGNAL;

/// The size of the buffer, and the most that a copying flow holds.
pub const BUFFER: usize = 64 << 10;

/// The bytes from `start` to `end` of the buffer still have to be written.
pub struct Copied {
    start: usize,
    end: usize,
}

impl Copied {
    pub const EMPTY: Self = Self { start: 0, end: 0 };

    /// Reads into the buffer if it is empty, and then writes from it to the sink.
    pub fn advance(&mut self, source: End, sink: End, buffer: &mut [u8; BUFFER]) -> Result<Step> {
        if self.start == self.end {
            match read(source, buffer) {
                Ok(0) => return Ok(Step::to(State::Over)),
                Ok(count) => (self.start, self.end) = (0, count),
                Err(errno) => return Step::from_error(errno, State::Source),
            }
            // Only a socket can be written to without blocking. Anything else has to be polled first.
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
            Err(errno) => Step::from_error(errno, State::Sink),
        }
    }
}

fn read(source: End, into: &mut [u8]) -> Result<usize> {
    retry_eintr(|| {
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
    retry_eintr(|| {
        let (start, len) = (bytes.as_ptr().cast(), bytes.len().min(room(sink)));
        if sink.is_socket() {
            // SAFETY: the pointer and the length are within one live slice.
            unsafe { libc::send(sink.fd, start, len, libc::MSG_DONTWAIT | NO_SIGNAL) }
        } else {
            // SAFETY: as above.
            unsafe { libc::write(sink.fd, start, len) }
        }
    })
    .map(|count| count as usize)
}

/// Returns how many bytes write(2) takes without blocking once poll(2) has reported POLLOUT. A larger write can block
/// (poll(2)).
fn room(sink: End) -> usize {
    match sink.kind {
        // Linux reports POLLOUT for a pipe with a free slot, which holds a page (pipe_poll in fs/pipe.c). No page is
        // smaller than PIPE_BUF.
        FdKind::Pipe => libc::PIPE_BUF,
        // Linux reports POLLOUT for a terminal with room for one byte, and makes room in multiples of 256 bytes
        // (drivers/tty/tty_buffer.c). A line feed can become two bytes.
        FdKind::Terminal => 128,
        // A file takes all, and a socket does not block.
        _ => usize::MAX,
    }
}
