//! Finds the runtime directory of this user, because the TypeScript has no permission to read the environment.

use crate::decimal::Decimal;
#[cfg(target_os = "linux")]
use crate::errno::retry_eintr;
use crate::errno::{Errno, Result};
#[cfg(target_os = "linux")]
use crate::fd::OwnedFd;
use crate::path;

/// Writes the path of this user's runtime directory to `into`, and returns its length.
///
/// This is `$XDG_RUNTIME_DIR` if that is an absolute path (the XDG Base Directory Specification ignores any other) of a
/// directory that belongs to this user. Otherwise it is the directory that systemd-logind makes (pam_systemd(8)). Returns
/// `ERANGE` if the path does not fit.
///
/// Checks the owner, because the variable can be another user's after `su` or `sudo`: root would ask that user's
/// systemd-machined for machines.
pub fn directory(into: &mut [u8]) -> Result<usize> {
    // SAFETY: takes nothing and cannot fail.
    let user = unsafe { libc::geteuid() };
    let mut value = Value::new(b"XDG_RUNTIME_DIR=");
    let read = read_environment(|bytes| value.read(bytes));
    // Without /proc the variable counts as unset.
    let set = if read.is_ok() { value.get() } else { &[] };
    write_directory(if is_directory_of(set, user) { set } else { &[] }, user, into)
}

/// Reads the environment that this process was started with, in pieces (proc_pid_environ(5)).
///
/// Does not call getenv(3), because another thread can change the environment meanwhile, as a `Worker` does with
/// `Deno.env.set`, and free the value. The file shows the memory that the kernel filled at the start. setenv(3) leaves
/// that alone.
#[cfg(target_os = "linux")]
fn read_environment(mut take: impl FnMut(&[u8])) -> Result<()> {
    // SAFETY: the path is a C string, alive for ever.
    let fd = retry_eintr(|| unsafe {
        libc::open(b"/proc/self/environ\0".as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC)
    })?;
    let file = OwnedFd::new(fd);
    let mut piece = [0; PIECE];
    loop {
        let count = retry_eintr(|| {
            // SAFETY: the pointer and the length are those of one live, writable array.
            unsafe { libc::read(file.number(), piece.as_mut_ptr().cast(), piece.len()) }
        })?;
        match piece.get(..count as usize) {
            None | Some([]) => return Ok(()),
            Some(bytes) => take(bytes),
        }
    }
}

/// The size of a read. Most environments fit, but execve(2) accepts up to 6 MiB.
#[cfg(target_os = "linux")]
const PIECE: usize = 4096;

/// Fails, because only Linux has a systemd-machined.
#[cfg(not(target_os = "linux"))]
fn read_environment(_take: impl FnMut(&[u8])) -> Result<()> {
    Err(Errno(libc::ENOTSUP))
}

/// Finds the value of one variable in an environment that is read in pieces: `NAME=value` and a NUL, repeated.
/// The first variable of that name counts, as with getenv(3).
struct Value<'a> {
    /// The name with its `=`.
    name: &'a [u8],
    /// The number of bytes of this variable that match the name so far, or `None` if it is another variable.
    matched: Option<usize>,
    /// Whether the whole value was read, so that no later variable counts.
    is_whole: bool,
    value: [u8; libc::PATH_MAX as usize],
    /// The length of the value, which can exceed the buffer.
    length: usize,
}

impl<'a> Value<'a> {
    fn new(name: &'a [u8]) -> Self {
        let value = [0; libc::PATH_MAX as usize];
        Self { name, matched: Some(0), is_whole: false, value, length: 0 }
    }

    /// Reads the next piece of the environment.
    fn read(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().copied() {
            let found = self.matched == Some(self.name.len());
            if self.is_whole {
                return;
            } else if byte == 0 {
                self.is_whole = found;
                self.matched = Some(0);
            } else if found {
                if let Some(place) = self.value.get_mut(self.length) {
                    *place = byte;
                }
                self.length = self.length.saturating_add(1);
            } else {
                self.matched =
                    self.matched.filter(|at| self.name.get(*at) == Some(&byte)).map(|at| at + 1);
            }
        }
    }

    /// Returns the value, or nothing if the variable is unset or longer than a path can be.
    fn get(&self) -> &[u8] {
        self.value.get(..self.length).unwrap_or_default()
    }
}

/// Returns whether `path` leads to a directory that belongs to `user`. If its status cannot be read, it does not.
fn is_directory_of(path: &[u8], user: u32) -> bool {
    let is_directory = |mode: u64| mode & u64::from(libc::S_IFMT) == u64::from(libc::S_IFDIR);
    matches!(path::status(path), Ok([mode, owner, ..]) if is_directory(mode) && owner == u64::from(user))
}

/// Writes the runtime directory as [`directory`] does, from the value of the variable (empty if it is unset) and the user id.
pub fn write_directory(set: &[u8], user: u32, into: &mut [u8]) -> Result<usize> {
    if set.first() == Some(&b'/') {
        return write(into, &[set]);
    }
    write(into, &[b"/run/user/", Decimal::new(user).as_bytes()])
}

/// Joins `parts` at the beginning of `into`, and returns their length.
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
        let length = write_directory(set, user, &mut into).unwrap();
        assert_eq!(into[length..], [b'x'; 64][length..]);
        into[..length].to_vec()
    }

    /// The value of `X` in an environment that is read in pieces of this length.
    fn value_in(environment: &[u8], piece: usize) -> Vec<u8> {
        let mut value = Value::new(b"X=");
        environment.chunks(piece).for_each(|bytes| value.read(bytes));
        value.get().to_vec()
    }

    #[test]
    fn the_first_variable_of_that_name_counts_however_the_environment_is_cut() {
        let examples: [(&[u8], &[u8]); 13] = [
            (b"", b""),
            (b"X=/run\0", b"/run"),
            (b"X=/run", b"/run"),
            (b"A=1\0X=/run\0B=2\0", b"/run"),
            (b"X=/one\0X=/two\0", b"/one"),
            (b"X=\0X=/two\0", b""),
            (b"XX=/other\0X=/run\0", b"/run"),
            (b"AX=/other\0", b""),
            (b"A=X=/other\0", b""),
            (b"X\0=/other\0", b""),
            (b"X=/a=b=X=\0", b"/a=b=X="),
            (b"\0\0X=/run\0", b"/run"),
            (b"x=/other\0X", b""),
        ];
        for (environment, value) in examples {
            for piece in 1..=environment.len().max(1) {
                assert_eq!(value_in(environment, piece), value, "{environment:?} by {piece}");
            }
        }
    }

    #[test]
    fn a_value_that_is_too_long_for_a_path_is_none() {
        let longest = [b"X=".as_slice(), &vec![b'/'; libc::PATH_MAX as usize]].concat();
        assert_eq!(value_in(&longest, 4096), longest[2..]);
        assert_eq!(value_in(&[&longest[..], b"/"].concat(), 4096), b"");
        assert_eq!(value_in(&[&longest[..], &vec![b'/'; 100_000]].concat(), 4096), b"");
    }

    #[test]
    fn an_absolute_path_of_the_environment_is_the_directory() {
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
        assert_eq!(write_directory(b"/run/user/7", 0, &mut into), Ok(11));
        assert_eq!(write_directory(b"/run/user/77", 0, &mut into), Err(Errno(libc::ERANGE)));
        assert_eq!(write_directory(b"", 7, &mut into), Ok(11));
        assert_eq!(write_directory(b"", 77, &mut into), Err(Errno(libc::ERANGE)));
        assert_eq!(write_directory(b"", 77, &mut []), Err(Errno(libc::ERANGE)));
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
    fn the_directory_of_this_process_is_found() {
        let mut into = [0; 4096];
        let length = directory(&mut into).unwrap();
        assert_eq!(into[0], b'/');
        assert!(!into[..length].contains(&0));
    }
}
