//! Lists processes, and the AF_UNIX sockets of a process.

use libc::c_int;

use super::directory::each_name;
use super::kinds::ProcList;
use super::link::{path_of, read_link_at};
use crate::decimal::{parse, Decimal};
use crate::errno::{retry_eintr, Errno, Result};
use crate::fd::OwnedFd;
use crate::path::Path;

/// The number of descriptors of a process that are examined: 64 times the usual limit (getrlimit(2), RLIMIT_NOFILE).
const MAX_DESCRIPTORS: usize = 65536;

/// Calls `take` with each number of a list. 0 is this process; for [`ProcList::Processes`] `process` has no meaning.
///
/// Returns `ERANGE` if the process has more than [`MAX_DESCRIPTORS`] descriptors.
pub fn read_list(
    process: u32,
    list: ProcList,
    mut take: impl FnMut(u32) -> Result<()>,
) -> Result<()> {
    match list {
        ProcList::Processes => each_name(&Path::new(&[b"/proc"])?, |_directory, name| {
            parse(name).map_or(Ok(()), &mut take)
        }),
        ProcList::Sockets => {
            let mut left = MAX_DESCRIPTORS;
            each_name(&path_of(process, b"/fd")?, |directory, name| {
                left = left.checked_sub(1).ok_or(Errno(libc::ERANGE))?;
                unix_socket_at(directory, name)?.map_or(Ok(()), &mut take)
            })
        }
    }
}

/// Returns the inode number of the descriptor `name` in `directory`, if it is an AF_UNIX socket.
///
/// Pins the file with O_PATH, which accesses no file system, and examines the pinned file. The process can replace the
/// descriptor at any moment, also by a file of a file system that never answers.
fn unix_socket_at(directory: &OwnedFd, name: &[u8]) -> Result<Option<u32>> {
    // Skips "." and "..".
    if parse(name).is_none() {
        return Ok(None);
    }
    let name = Path::new(&[name])?;
    if socket_link(directory.number(), &name)?.is_none() {
        return Ok(None);
    }
    let flags = libc::O_PATH | libc::O_CLOEXEC;
    let pinned = retry_eintr(|| {
        // SAFETY: the path is a C string, alive for the call.
        unsafe { libc::openat(directory.number(), name.as_ptr(), flags) }
    });
    let pinned = match pinned {
        Ok(fd) => OwnedFd::new(fd),
        Err(Errno(libc::ENOENT)) => return Ok(None),
        Err(errno) => return Err(errno),
    };
    let number = Decimal::new(u32::try_from(pinned.number()).map_err(|_| Errno(libc::EIO))?);
    let path = Path::new(&[b"/proc/self/fd/", number.as_bytes()])?;
    match socket_link(libc::AT_FDCWD, &path)? {
        Some(inode) if is_unix_socket(&path) => Ok(Some(inode)),
        _ => Ok(None),
    }
}

/// Returns the inode number in a link to a socket, or `None` if the link is gone or leads to another file.
fn socket_link(directory: c_int, path: &Path) -> Result<Option<u32>> {
    // Longer than any `socket:[4294967295]`, so that a longer target is no socket.
    let mut target = [0; 32];
    match read_link_at(directory, path, &mut target) {
        Ok(length) => Ok(socket_inode(target.get(..length).unwrap_or_default())),
        // The descriptor was closed meanwhile, or the target is a long path.
        Err(Errno(libc::ENOENT | libc::ERANGE)) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Returns whether the socket at `path` is an AF_UNIX socket.
///
/// Reads an extended attribute, because the inode number is no proof: a path with a line break can forge a line of
/// /proc/net/unix with the inode number of a TCP socket.
fn is_unix_socket(path: &Path) -> bool {
    let mut protocol = [0; 32];
    let (start, room) = (protocol.as_mut_ptr(), protocol.len());
    let attribute = b"system.sockprotoname\0".as_ptr();
    // SAFETY: the path and the name are C strings; `protocol` is alive, writable and that long.
    let length = retry_eintr(|| unsafe {
        libc::getxattr(path.as_ptr(), attribute.cast(), start.cast(), room)
    });
    // The kernel calls it UNIX, and since Linux 5.15 a stream socket UNIX-STREAM.
    length.is_ok() && protocol.starts_with(b"UNIX")
}

/// Parses the number in `socket:[NUMBER]`.
pub fn socket_inode(target: &[u8]) -> Option<u32> {
    parse(target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}
