//! Reads the files and links of a process.

use super::kinds::ProcFile;
use super::link::{path_of, read_link};
use crate::errno::{retry_eintr, Errno, Result};
use crate::fd::OwnedFd;
use crate::path::{open, Path};

/// Reads a file or link of `process` into `into`, and returns its length. 0 is this process.
///
/// Returns `ERANGE` if it does not fit.
pub fn read_file(process: u32, file: ProcFile, into: &mut [u8]) -> Result<usize> {
    match file {
        ProcFile::Name => whole(&path_of(process, b"/comm")?, into),
        ProcFile::Arguments => whole(&path_of(process, b"/cmdline")?, into),
        ProcFile::Root => read_link(&path_of(process, b"/root")?, into),
        ProcFile::Cwd => read_link(&path_of(process, b"/cwd")?, into),
        ProcFile::UnixSockets => whole(&path_of(process, b"/net/unix")?, into),
        ProcFile::Mounts => whole(&path_of(process, b"/mountinfo")?, into),
        ProcFile::ArgumentsStart => start(&path_of(process, b"/cmdline")?, into).map(|read| read.1),
        ProcFile::StatusStart => start(&path_of(process, b"/status")?, into).map(|read| read.1),
    }
}

/// Reads a whole file, and returns its length.
fn whole(path: &Path, into: &mut [u8]) -> Result<usize> {
    let (file, length) = start(path, into)?;
    // A full buffer can be large enough or too small: one more byte tells.
    match length == into.len() && read(&file, &mut [0])? > 0 {
        false => Ok(length),
        true => Err(Errno(libc::ERANGE)),
    }
}

/// Reads as much of a file as fits. Returns the open file and the number of bytes read.
fn start(path: &Path, into: &mut [u8]) -> Result<(OwnedFd, usize)> {
    let file = open(path, 0)?;
    let mut length = 0;
    while let Some(rest) = into.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match read(&file, rest)? {
            0 => break,
            count => length += count,
        }
    }
    Ok((file, length))
}

fn read(file: &OwnedFd, into: &mut [u8]) -> Result<usize> {
    let count = retry_eintr(|| {
        // SAFETY: `into` is alive, writable and that long.
        unsafe { libc::read(file.number(), into.as_mut_ptr().cast(), into.len()) }
    })?;
    usize::try_from(count).map_err(|_| Errno(libc::EIO))
}
