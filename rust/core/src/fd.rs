//! Owns file descriptors, without the standard library, and closes those that would keep another process waiting.

use core::mem::MaybeUninit;
use core::ops::Range;

use libc::c_int;

use crate::errno::{check, retry_eintr, Errno, Result};
use crate::stat;

/// The number of a file descriptor.
pub type RawFd = c_int;

/// An open file descriptor. Dropping it closes it.
#[derive(Debug)]
pub struct OwnedFd(RawFd);

impl OwnedFd {
    /// Takes ownership of a file descriptor that a system call has just returned.
    pub fn new(fd: RawFd) -> Self {
        Self(fd)
    }

    pub fn number(&self) -> RawFd {
        self.0
    }

    /// Gives up ownership. The file descriptor stays open.
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

/// Closes `fd`.
///
/// Ignores EINTR, because Linux has released the number by then: a second close(2) could hit a file that another thread
/// has just opened (close(2)).
pub fn close(fd: RawFd) -> Result<()> {
    // SAFETY: takes a number only; a wrong one gives EBADF.
    match check(unsafe { libc::close(fd) }) {
        Ok(_) | Err(Errno(libc::EINTR)) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// The file descriptors that are searched. A program with more than 1024 open files is rare.
const SEARCHED: Range<RawFd> = 0..1024;

/// Closes `pipe` and all duplicates of it but standard error.
///
/// The other end sees the end of the stream only when the last duplicate is closed, and Deno has one of its standard
/// output. Standard error can be the same pipe, and stays open for messages.
pub fn close_end_of_pipe(pipe: RawFd) {
    let Ok(end) = identity(pipe) else { return };
    for fd in SEARCHED.filter(|fd| *fd != libc::STDERR_FILENO && *fd != pipe) {
        if identity(fd) == Ok(end) {
            let _ = close(fd);
        }
    }
    let _ = close(pipe);
}

/// Returns the device and inode numbers of an open file, and its access mode.
fn identity(fd: RawFd) -> Result<(libc::dev_t, libc::ino_t, c_int)> {
    // SAFETY: takes numbers only.
    let flags = check(unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    let status = status(fd)?;
    Ok((status.st_dev, status.st_ino, flags & libc::O_ACCMODE))
}

/// Returns the status of the open file `fd` (fstat(2)).
pub fn status(fd: RawFd) -> Result<libc::stat> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `status` is alive, writable and of the size that fstat(2) fills.
    retry_eintr(|| unsafe { stat::fstat(fd, status.as_mut_ptr()) })?;
    // SAFETY: fstat(2) succeeded, so it has filled it.
    Ok(unsafe { status.assume_init() })
}

/// Closes the file descriptors from `first` on that this program inherited: those that are not close-on-exec.
pub fn close_inherited(first: RawFd) {
    for fd in SEARCHED.start.max(first)..SEARCHED.end {
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
    use std::os::unix::io::IntoRawFd;

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn an_owner_closes_its_fd_and_one_that_is_given_away_stays_open() {
        let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        let (near, far) = (OwnedFd::new(near.into_raw_fd()), OwnedFd::new(far.into_raw_fd()));
        drop(near);
        let mut end = [1u8; 1];
        // SAFETY: the pointer and the length are those of one live, writable array.
        let count = unsafe { libc::recv(far.number(), end.as_mut_ptr().cast(), end.len(), 0) };
        assert_eq!(count, 0);
        let given = far.into_raw();
        assert!(status(given).is_ok());
        assert_eq!(close(given), Ok(()));
    }

    #[test]
    fn closing_what_is_not_open_is_an_error() {
        assert_eq!(close(crate::test_support::closed_fd()), Err(Errno(libc::EBADF)));
    }
}
