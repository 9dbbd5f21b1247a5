//! Owning a file descriptor. (The standard library has the same; this library goes without it.)

use crate::errno::{check, Errno, Result};

/// A file descriptor's number, as C has it.
pub type RawFd = libc::c_int;

/// An open file descriptor that is closed with its owner, unless it is given away.
#[derive(Debug)]
pub struct OwnedFd(RawFd);

impl OwnedFd {
    /// Takes over what a system call has just made and nobody else knows of.
    pub fn new(fd: RawFd) -> Self {
        Self(fd)
    }

    pub fn number(&self) -> RawFd {
        self.0
    }

    /// Gives the file descriptor away, open.
    pub fn into_raw(self) -> RawFd {
        let fd = self.0;
        core::mem::forget(self);
        fd
    }
}

impl Drop for OwnedFd {
    fn drop(&mut self) {
        let _ = close(self.0);
    }
}

/// Closes `fd`. A signal during close(2) is no error: Linux has released the number by then, and a second try could
/// hit a file that another thread has just opened.
pub fn close(fd: RawFd) -> Result<()> {
    // SAFETY: takes a number only; a wrong one gives EBADF.
    match check(unsafe { libc::close(fd) }) {
        Ok(_) | Err(Errno(libc::EINTR)) => Ok(()),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::fd_kind;
    use std::os::unix::io::IntoRawFd;

    #[test]
    fn an_owner_closes_its_fd_and_one_that_is_given_away_stays_open() {
        let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        let (near, far) = (OwnedFd::new(near.into_raw_fd()), OwnedFd::new(far.into_raw_fd()));
        drop(near);
        let mut end = [1u8; 1];
        let soon = crate::deadline::TimeLeft { milliseconds: 5000 };
        assert_eq!(crate::bytes::receive(far.number(), &mut end, soon.into()), Ok(0));
        let given = far.into_raw();
        assert!(fd_kind(given).is_ok());
        assert_eq!(close(given), Ok(()));
    }

    #[test]
    fn closing_what_is_not_open_is_an_error() {
        assert_eq!(close(crate::test_support::closed_fd()), Err(Errno(libc::EBADF)));
    }
}
