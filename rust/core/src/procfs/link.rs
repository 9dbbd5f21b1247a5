//! Paths in /proc, and the links there.

use libc::{c_char, c_int};

use crate::decimal::Decimal;
use crate::errno::{retry_eintr, Errno, Result};
use crate::path::Path;

/// Returns the path of `name`, which begins with a slash, in the directory of `process`. 0 is this process.
pub fn path_of(process: u32, name: &[u8]) -> Result<Path> {
    match process {
        0 => Path::new(&[b"/proc/self", name]),
        _ => Path::new(&[b"/proc/", Decimal::new(process).as_bytes(), name]),
    }
}

/// Reads the target of the link at `path` into `into`, and returns its length. Returns `ERANGE` unless it is shorter
/// than `into`.
pub fn read_link(path: &Path, into: &mut [u8]) -> Result<usize> {
    read_link_at(libc::AT_FDCWD, path, into)
}

/// Reads a link as [`read_link`] does, by a path relative to the open directory `directory`.
pub fn read_link_at(directory: c_int, path: &Path, into: &mut [u8]) -> Result<usize> {
    if into.is_empty() {
        return Err(Errno(libc::ERANGE));
    }
    let start: *mut c_char = into.as_mut_ptr().cast();
    let count = retry_eintr(|| {
        // SAFETY: the path is a C string; `into` is alive, writable and that long.
        unsafe { libc::readlinkat(directory, path.as_ptr(), start, into.len()) }
    })?;
    let count = usize::try_from(count).map_err(|_| Errno(libc::EIO))?;
    // readlink(2) truncates silently.
    if count < into.len() {
        Ok(count)
    } else {
        Err(Errno(libc::ERANGE))
    }
}
