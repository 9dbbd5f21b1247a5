//! Where the programs of this user put their sockets. The TypeScript has no permission to see the environment.

use core::ffi::CStr;

use crate::errno::{Errno, Result};
use crate::path;

/// Writes the path of this user's runtime folder to `into`, and gives its length: `$XDG_RUNTIME_DIR` where it is an
/// absolute path (the XDG Base Directory Specification has any other one ignored) of a directory that is this user's,
/// otherwise where systemd-logind makes it (pam_systemd(8)). `ERANGE` where it does not fit.
///
/// After `su` or `sudo` the variable may be another user's: root would ask that user's systemd-machined for machines.
pub fn folder(into: &mut [u8]) -> Result<usize> {
    // SAFETY: takes nothing and cannot fail.
    let user = unsafe { libc::geteuid() };
    // SAFETY: the name is a C string, alive for ever.
    let value = unsafe { libc::getenv(b"XDG_RUNTIME_DIR\0".as_ptr().cast()) };
    if value.is_null() {
        return write_folder(&[], user, into);
    }
    // SAFETY: not null, so it is a C string of the environment, which nobody changes during this call: Deno's own
    // calls that do so are made by the thread that makes this one.
    let set = unsafe { CStr::from_ptr(value) }.to_bytes();
    write_folder(if is_directory_of(set, user) { set } else { &[] }, user, into)
}

/// Whether `folder` leads to a directory that belongs to `user`. One that cannot be looked at is not known to.
fn is_directory_of(folder: &[u8], user: u32) -> bool {
    let is_directory = |mode: u64| mode & u64::from(libc::S_IFMT) == u64::from(libc::S_IFDIR);
    matches!(path::status(folder), Ok([mode, owner, ..]) if is_directory(mode) && owner == u64::from(user))
}

/// The same, from the value that the environment has (nothing where it has none) and the user's id.
pub fn write_folder(set: &[u8], user: u32, into: &mut [u8]) -> Result<usize> {
    if set.first() == Some(&b'/') {
        return write(into, &[set]);
    }
    // The digits of the user id, from the last one on: 2^32 - 1 has ten.
    let mut digits = [0; 10];
    let mut rest = user;
    let mut count = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    write(into, &[b"/run/user/", digits.get(digits.len() - count..).unwrap_or_default()])
}

/// Writes `parts` to the beginning of `into`, one behind the other, and gives their length.
fn write(into: &mut [u8], parts: &[&[u8]]) -> Result<usize> {
    let mut end = 0;
    for part in parts {
        let place = into.get_mut(end..end + part.len()).ok_or(Errno(libc::ERANGE))?;
        place.copy_from_slice(part);
        end += part.len();
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(set: &[u8], user: u32) -> Vec<u8> {
        let mut into = [b'x'; 64];
        let length = write_folder(set, user, &mut into).unwrap();
        assert_eq!(into[length..], [b'x'; 64][length..]);
        into[..length].to_vec()
    }

    #[test]
    fn an_absolute_path_of_the_environment_is_the_folder() {
        for path in ["/run/user/7", "/", "//x", "/tmp/\u{e9} "] {
            assert_eq!(written(path.as_bytes(), 1000), path.as_bytes());
        }
        assert_eq!(written(b"/\xff", 1000), b"/\xff");
    }

    #[test]
    fn without_one_it_is_that_of_the_user_id() {
        for set in ["", "run/user/7", "./x", " /x"] {
            for user in [0, 7, 10, 1000, 65534, u32::MAX] {
                assert_eq!(written(set.as_bytes(), user), format!("/run/user/{user}").as_bytes());
            }
        }
    }

    #[test]
    fn a_path_that_does_not_fit_is_out_of_range_and_one_that_just_fits_is_not() {
        let mut into = [0; 11];
        assert_eq!(write_folder(b"/run/user/7", 0, &mut into), Ok(11));
        assert_eq!(write_folder(b"/run/user/77", 0, &mut into), Err(Errno(libc::ERANGE)));
        assert_eq!(write_folder(b"", 7, &mut into), Ok(11));
        assert_eq!(write_folder(b"", 77, &mut into), Err(Errno(libc::ERANGE)));
        assert_eq!(write_folder(b"", 77, &mut []), Err(Errno(libc::ERANGE)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_directory_of_this_user_is_believed_and_nothing_else_is() {
        use crate::test_support::Folder;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::fs::{symlink, MetadataExt};
        let folder = Folder::new();
        std::fs::create_dir(folder.path("run")).unwrap();
        std::fs::write(folder.path("file"), "").unwrap();
        symlink("run", folder.path("link")).unwrap();
        let user = folder.path("run").metadata().unwrap().uid();
        let believed =
            |name: &str, user| is_directory_of(folder.path(name).as_os_str().as_bytes(), user);
        assert!(believed("run", user) && believed("link", user));
        assert!(!believed("run", user + 1) && !believed("link", user + 1));
        assert!(!believed("file", user) && !believed("none", user) && !believed("file/run", user));
        for nothing in [&b""[..], b"\0", b"/\0"] {
            assert!(!is_directory_of(nothing, user));
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn the_folder_of_this_process_is_found() {
        let mut into = [0; 4096];
        let length = folder(&mut into).unwrap();
        assert_eq!(into[0], b'/');
        assert!(!into[..length].contains(&0));
    }
}
