//! Owning a file descriptor (the standard library has the same; this library goes without it), and closing those of the
//! process that would keep others waiting for an end.

use core::mem::MaybeUninit;
use core::ops::Range;

use libc::c_int;

use crate::errno::{check, check_uninterrupted, Errno, Result};
use crate::stat;

/// A file descriptor's number, as C has it.
pub type RawFd = c_int;

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

/// Where the file descriptors of a program are, unless it has very many open at once.
const NUMBERS: Range<RawFd> = 0..1024;

/// Closes `pipe`, and whatever else in this process is the same end of it: whoever has the other end sees no end before the
/// last one is closed, and Deno has a duplicate of its standard output. Standard error stays, which may be the same pipe:
/// there are messages to come.
pub fn close_end_of_pipe(pipe: RawFd) {
    let Ok(end) = identity(pipe) else { return };
    for fd in NUMBERS.filter(|fd| *fd != libc::STDERR_FILENO && *fd != pipe) {
        if identity(fd) == Ok(end) {
            let _ = close(fd);
        }
    }
    let _ = close(pipe);
}

/// The device and the inode of an open file, and whether it is read or written.
fn identity(fd: RawFd) -> Result<(libc::dev_t, libc::ino_t, c_int)> {
    // SAFETY: takes numbers only.
    let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    let status = status(fd)?;
    Ok((status.st_dev, status.st_ino, flags & libc::O_ACCMODE))
}

/// What fstat(2) tells of `fd`.
pub fn status(fd: RawFd) -> Result<libc::stat> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `status` is alive, writable and of the size that fstat(2) fills.
    check_uninterrupted(|| unsafe { stat::fstat(fd, status.as_mut_ptr()) })?;
    // SAFETY: fstat(2) succeeded, so it has filled it.
    Ok(unsafe { status.assume_init() })
}

/// Closes what this program was started with from the number `first` on: what would be open after an exec as well.
pub fn close_inherited(first: RawFd) {
    for fd in NUMBERS.start.max(first)..NUMBERS.end {
        // SAFETY: takes numbers only.
        let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFD) });
        if flags.map_or(false, |flags| flags & libc::FD_CLOEXEC == 0) {
            let _ = close(fd);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::fd_kind;
    use std::os::unix::io::IntoRawFd;

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
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
