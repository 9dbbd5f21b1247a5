//! Paths as system calls take them, and the status of a file.

use core::mem::MaybeUninit;

use libc::{c_char, c_int};

use crate::errno::{retry_eintr, Errno, Result};
use crate::fd::OwnedFd;
use crate::stat;

/// A path with its NUL, in a buffer of PATH_MAX bytes: the kernel takes no longer one, and nothing is allocated.
pub struct Path([u8; libc::PATH_MAX as usize]);

impl Path {
    /// Joins `parts`.
    ///
    /// Returns `EINVAL` if the path is empty or contains a NUL, `ENAMETOOLONG` if it has `PATH_MAX` bytes or more.
    pub fn new(parts: &[&[u8]]) -> Result<Self> {
        let mut bytes = [0; libc::PATH_MAX as usize];
        // The last byte stays zero: it is the NUL.
        let room = bytes.len() - 1;
        let mut places = bytes.iter_mut().take(room);
        let mut is_empty = true;
        for byte in parts.iter().copied().flatten() {
            if *byte == 0 {
                return Err(Errno(libc::EINVAL));
            }
            *places.next().ok_or(Errno(libc::ENAMETOOLONG))? = *byte;
            is_empty = false;
        }
        if is_empty {
            return Err(Errno(libc::EINVAL));
        }
        Ok(Self(bytes))
    }

    /// Returns the path as a C string, which lives as long as `self`.
    pub fn as_ptr(&self) -> *const c_char {
        self.0.as_ptr().cast()
    }
}

/// Opens the file at `path` to read, close-on-exec, with these further `flags` of open(2).
pub fn open(path: &Path, flags: c_int) -> Result<OwnedFd> {
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | flags;
    // SAFETY: the path is a C string, alive for the call.
    let fd = retry_eintr(|| unsafe { libc::open(path.as_ptr(), flags) })?;
    Ok(OwnedFd::new(fd))
}

/// Returns the mode (type and permission bits, inode(7)), user id, group id, device and inode number of `path`.
///
/// Follows symbolic links, as connect(2) does: the mode and the owner of a link decide nothing.
pub fn status(path: &[u8]) -> Result<[u64; 5]> {
    let path = Path::new(&[path])?;
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the path is a C string; `status` is alive, writable and of the size that stat(2) fills.
    retry_eintr(|| unsafe { stat::stat(path.as_ptr(), status.as_mut_ptr()) })?;
    // SAFETY: stat(2) succeeded, so it has filled it.
    let status = unsafe { status.assume_init() };
    // The types differ between systems.
    #[allow(clippy::unnecessary_cast)]
    let (device, inode) = (status.st_dev as u64, status.st_ino as u64);
    Ok([status.st_mode.into(), status.st_uid.into(), status.st_gid.into(), device, inode])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Folder;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{symlink, MetadataExt, PermissionsExt};
    use std::os::unix::net::UnixListener;

    fn status_of(path: &std::path::Path) -> Result<[u64; 5]> {
        status(path.as_os_str().as_bytes())
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_socket_has_its_type_mode_owner_and_place() {
        let folder = Folder::new();
        let path = folder.path("s");
        let _listener = UnixListener::bind(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let known = path.metadata().unwrap();
        let [mode, user, group, device, inode] = status_of(&path).unwrap();
        assert_eq!(mode, u64::from(libc::S_IFSOCK) | 0o640);
        assert_eq!((user, group), (known.uid().into(), known.gid().into()));
        assert_eq!((device, inode), (known.dev(), known.ino()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_link_is_what_it_leads_to() {
        let folder = Folder::new();
        let _listener = UnixListener::bind(folder.path("s")).unwrap();
        symlink("s", folder.path("link")).unwrap();
        symlink("none", folder.path("dangling")).unwrap();
        assert_eq!(status_of(&folder.path("link")), status_of(&folder.path("s")));
        assert_eq!(status_of(&folder.path("dangling")), Err(Errno(libc::ENOENT)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "it takes Miri half a minute")]
    fn a_path_may_be_as_long_as_the_kernel_takes_it() {
        let folder = Folder::new();
        let path = folder.path_of_length(4000);
        std::fs::write(&path, "").unwrap();
        assert!(status_of(&path).is_ok());
        let longest = vec![b'/'; libc::PATH_MAX as usize - 1];
        assert_eq!(status(&longest), status(b"/"));
        let too_long = vec![b'/'; libc::PATH_MAX as usize];
        assert_eq!(status(&too_long), Err(Errno(libc::ENAMETOOLONG)));
        // Before the kernel sees it: there would be no NUL behind it.
        assert_eq!(Path::new(&[&too_long]).err(), Some(Errno(libc::ENAMETOOLONG)));
        assert!(Path::new(&[b"/", &longest[1..]]).is_ok());
    }

    #[test]
    fn what_no_path_can_be_is_refused() {
        for path in [&b""[..], b"\0", b"/\0", b"/tmp\0x"] {
            assert_eq!(status(path), Err(Errno(libc::EINVAL)));
        }
    }
}
