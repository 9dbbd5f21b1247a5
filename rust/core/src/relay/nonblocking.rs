//! Sets O_NONBLOCK for the time of a relay.

use libc::c_int;

use crate::errno::{retry_eintr, Result};
use crate::fd::RawFd;

/// A file descriptor with O_NONBLOCK. Dropping it restores the flags, which all duplicates share.
pub struct Nonblocking {
    fd: RawFd,
    flags: c_int,
}

impl Nonblocking {
    pub fn set(fd: RawFd) -> Result<Self> {
        // SAFETY: takes numbers only.
        let flags = retry_eintr(|| unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
        let set = Self { fd, flags };
        set.change_to(flags | libc::O_NONBLOCK)?;
        Ok(set)
    }

    fn change_to(&self, flags: c_int) -> Result<c_int> {
        // SAFETY: takes numbers only.
        retry_eintr(|| unsafe { libc::fcntl(self.fd, libc::F_SETFL, flags) })
    }
}

impl Drop for Nonblocking {
    fn drop(&mut self) {
        let _ = self.change_to(self.flags);
    }
}
