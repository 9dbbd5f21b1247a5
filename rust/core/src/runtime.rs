//! Where the programs of this user put their sockets. The TypeScript has no permission to see the environment.

#[cfg(target_os = "linux")]
use crate::errno::check_uninterrupted;
use crate::errno::{Errno, Result};
#[cfg(target_os = "linux")]
use crate::fd::OwnedFd;
use crate::path;

/// Writes the path of this user's runtime folder to `into`, and gives its length: `$XDG_RUNTIME_DIR` where it is an
/// absolute path (the XDG Base Directory Specification has any other one ignored) of a directory that is this user's,
/// otherwise where systemd-logind makes it (pam_systemd(8)). `ERANGE` where it does not fit.
///
/// After `su` or `sudo` the variable may be another user's: root would ask that user's systemd-machined for machines.
pub fn folder(into: &mut [u8]) -> Result<usize> {
    // SAFETY: takes nothing and cannot fail.
    let user = unsafe { libc::geteuid() };
    let mut value = Value::new(b"XDG_RUNTIME_DIR=");
    let read = read_environment(|bytes| value.read(bytes));
    // Where there is no /proc, the variable is as good as not set.
    let set = if read.is_ok() { value.get() } else { &[] };
    write_folder(if is_directory_of(set, user) { set } else { &[] }, user, into)
}

/// Reads the environment that this process was started with, piece by piece (proc_pid_environ(5)).
///
/// Not by getenv(3): another thread can change the environment at any time, as a `Worker` does with `Deno.env.set`, and
/// frees what getenv(3) has returned. The file shows the memory in which the kernel put the variables at the start, which
/// setenv(3) leaves alone.
#[cfg(target_os = "linux")]
fn read_environment(mut take: impl FnMut(&[u8])) -> Result<()> {
    // SAFETY: the path is a C string, alive for ever.
    let fd = check_uninterrupted(|| unsafe {
        libc::open(b"/proc/self/environ\0".as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC)
    })?;
    let file = OwnedFd::new(fd);
    let mut piece = [0; PIECE];
    loop {
        let count = check_uninterrupted(|| {
            // SAFETY: the pointer and the length are those of one live, writable array.
            unsafe { libc::read(file.number(), piece.as_mut_ptr().cast(), piece.len()) }
        })?;
        match piece.get(..count as usize) {
            None | Some([]) => return Ok(()),
            Some(bytes) => take(bytes),
        }
    }
}

/// Most environments are one piece. execve(2) takes up to 6 MiB.
#[cfg(target_os = "linux")]
const PIECE: usize = 4096;

/// Nothing else has a systemd-machined to ask.
#[cfg(not(target_os = "linux"))]
fn read_environment(_take: impl FnMut(&[u8])) -> Result<()> {
    Err(Errno(libc::ENOTSUP))
}

/// The value of one variable in an environment that is read piece by piece: `NAME=value` and a NUL, one behind the other.
/// The first one counts, as with getenv(3).
struct Value<'a> {
    /// The name, and the `=` behind it.
    name: &'a [u8],
    /// How many bytes of this variable were the name's so far; none where it is another variable.
    matched: Option<usize>,
    /// Whether the value is over, and no other one counts.
    is_whole: bool,
    value: [u8; libc::PATH_MAX as usize],
    /// How long the value is, of which no more than there is room for is kept.
    length: usize,
}

impl<'a> Value<'a> {
    fn new(name: &'a [u8]) -> Self {
        let value = [0; libc::PATH_MAX as usize];
        Self { name, matched: Some(0), is_whole: false, value, length: 0 }
    }

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

    /// The value; nothing where there is none, or one that is too long for a path.
    fn get(&self) -> &[u8] {
        self.value.get(..self.length).unwrap_or_default()
    }
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
