//! The closed list of files and lists in /proc. The numbers are those of the C ABI.

use crate::errno::{Errno, Result};

/// A file or link in the directory of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ProcFile {
    /// `comm`: the name, at most 15 bytes, and a newline.
    Name = 0,
    /// `cmdline`: the arguments, each with a NUL.
    Arguments = 1,
    /// `root`: a link to its root directory.
    Root = 2,
    /// `cwd`: a link to its working directory.
    Cwd = 3,
    /// `net/unix`: the AF_UNIX sockets of its network namespace.
    UnixSockets = 4,
    /// `mountinfo`: the mounts in its mount namespace.
    Mounts = 5,
    /// `cmdline`, truncated to the buffer, because its length is up to the process.
    ArgumentsStart = 6,
    /// `status`, truncated to the buffer. Its user is in one of the first lines.
    StatusStart = 7,
}

/// A list of numbers in /proc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ProcList {
    /// The ids of all processes that /proc shows.
    Processes = 0,
    /// The inode numbers of the AF_UNIX sockets that a process has open.
    Sockets = 1,
}

impl ProcFile {
    /// Returns the file with this number in the C ABI, or `EINVAL`.
    pub fn from_number(number: u32) -> Result<Self> {
        [
            Self::Name,
            Self::Arguments,
            Self::Root,
            Self::Cwd,
            Self::UnixSockets,
            Self::Mounts,
            Self::ArgumentsStart,
            Self::StatusStart,
        ]
        .into_iter()
        .find(|file| *file as u32 == number)
        .ok_or(Errno(libc::EINVAL))
    }
}

impl ProcList {
    /// Returns the list with this number in the C ABI, or `EINVAL`.
    pub fn from_number(number: u32) -> Result<Self> {
        [Self::Processes, Self::Sockets]
            .into_iter()
            .find(|list| *list as u32 == number)
            .ok_or(Errno(libc::EINVAL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_of_the_abi_is_one_thing_and_no_other_number_is_any() {
        for number in 0..=7 {
            assert_eq!(ProcFile::from_number(number).map(|file| file as u32), Ok(number));
        }
        for number in 0..=1 {
            assert_eq!(ProcList::from_number(number).map(|list| list as u32), Ok(number));
        }
        for number in [8, u32::MAX] {
            assert_eq!(ProcFile::from_number(number), Err(Errno(libc::EINVAL)));
            assert_eq!(ProcList::from_number(number), Err(Errno(libc::EINVAL)));
        }
    }
}
