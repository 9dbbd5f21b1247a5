//! What /proc tells of processes (proc(5)): a closed list of its files and links. This is no way to read any other file.

use crate::errno::{Errno, Result};

/// The texts. The numbers are the ABI's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Text {
    /// `comm`: the name, at most 15 bytes, and a newline.
    Name = 0,
    /// `cmdline`: each argument with a NUL behind it.
    Arguments = 1,
    /// `root`: where its `/` is.
    Root = 2,
    /// `cwd`: its working directory.
    Folder = 3,
    /// `net/unix`: the AF_UNIX sockets of its network namespace.
    UnixSockets = 4,
    /// `mountinfo`: what is mounted where, as it sees it.
    Mounts = 5,
    /// `cmdline` again, cut where it does not fit: it has as many bytes as the process likes.
    ArgumentsStart = 6,
    /// `status`, likewise: which user started it is among the first lines.
    StatusStart = 7,
}

/// The lists of numbers. The numbers are the ABI's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Numbers {
    /// All processes that /proc shows.
    Processes = 0,
    /// The inode numbers of the AF_UNIX sockets that a process has open.
    Sockets = 1,
}

impl Text {
    pub fn from_number(number: u32) -> Result<Self> {
        [
            Self::Name,
            Self::Arguments,
            Self::Root,
            Self::Folder,
            Self::UnixSockets,
            Self::Mounts,
            Self::ArgumentsStart,
            Self::StatusStart,
        ]
        .into_iter()
        .find(|text| *text as u32 == number)
        .ok_or(Errno(libc::EINVAL))
    }
}

impl Numbers {
    pub fn from_number(number: u32) -> Result<Self> {
        [Self::Processes, Self::Sockets]
            .into_iter()
            .find(|numbers| *numbers as u32 == number)
            .ok_or(Errno(libc::EINVAL))
    }
}

#[cfg(not(target_os = "linux"))]
pub fn text(_process: u32, _which: Text, _into: &mut [u8]) -> Result<usize> {
    Err(Errno(libc::ENOTSUP))
}

#[cfg(not(target_os = "linux"))]
pub fn numbers(
    _process: u32,
    _which: Numbers,
    _write: impl FnMut(u32) -> Result<()>,
) -> Result<()> {
    Err(Errno(libc::ENOTSUP))
}

#[cfg(target_os = "linux")]
pub use linux::{numbers, text};

#[cfg(target_os = "linux")]
pub mod linux {
    use super::{Errno, Numbers, Result, Text};
    use crate::decimal::{parse, Decimal};
    use crate::errno::check_uninterrupted;
    use crate::fd::OwnedFd;
    use crate::path::Path;
    use core::mem::MaybeUninit;
    use libc::{c_char, c_int};

    /// Writes a text about `process`, or this one where that is 0, to `into`, and gives its length. `ERANGE` where it
    /// does not fit.
    pub fn text(process: u32, which: Text, into: &mut [u8]) -> Result<usize> {
        match which {
            Text::Name => contents(&place(process, b"/comm")?, into),
            Text::Arguments => contents(&place(process, b"/cmdline")?, into),
            Text::Root => link(&place(process, b"/root")?, into),
            Text::Folder => link(&place(process, b"/cwd")?, into),
            Text::UnixSockets => contents(&place(process, b"/net/unix")?, into),
            Text::Mounts => contents(&place(process, b"/mountinfo")?, into),
            Text::ArgumentsStart => start(&place(process, b"/cmdline")?, into).map(|read| read.1),
            Text::StatusStart => start(&place(process, b"/status")?, into).map(|read| read.1),
        }
    }

    /// More descriptors of a process than this are not looked at: 64 times what a process has unless it asks for more.
    const MOST_DESCRIPTORS: usize = 65536;

    /// Gives each of the numbers to `write`. `process` says nothing where all processes are asked for. `ERANGE` where a
    /// process has more descriptors than are looked at.
    pub fn numbers(
        process: u32,
        which: Numbers,
        mut write: impl FnMut(u32) -> Result<()>,
    ) -> Result<()> {
        match which {
            Numbers::Processes => each_name(&Path::new(&[b"/proc"])?, |_folder, name| {
                parse(name).map_or(Ok(()), &mut write)
            }),
            Numbers::Sockets => {
                let mut left = MOST_DESCRIPTORS;
                each_name(&place(process, b"/fd")?, |folder, name| {
                    left = left.checked_sub(1).ok_or(Errno(libc::ERANGE))?;
                    unix_socket_at(folder, name)?.map_or(Ok(()), &mut write)
                })
            }
        }
    }

    /// Returns the inode number of the AF_UNIX socket that the descriptor `name` in `folder` is, if it is one.
    ///
    /// The process can put another file there at any moment, also one of a file system that never answers. So the file is
    /// pinned with O_PATH, which asks no file system, and everything after that is about the pinned one.
    fn unix_socket_at(folder: &OwnedFd, name: &[u8]) -> Result<Option<u32>> {
        // Not the directory itself, nor the one above it.
        if parse(name).is_none() {
            return Ok(None);
        }
        let name = Path::new(&[name])?;
        if socket_link(folder.number(), &name)?.is_none() {
            return Ok(None);
        }
        let flags = libc::O_PATH | libc::O_CLOEXEC;
        let pinned = check_uninterrupted(|| {
            // SAFETY: the path is a C string, alive for the call.
            unsafe { libc::openat(folder.number(), name.as_ptr(), flags) }
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

    /// Returns the inode number in a link to a socket; nothing where it is no such link, or gone.
    fn socket_link(folder: c_int, path: &Path) -> Result<Option<u32>> {
        // Longer than any `socket:[4294967295]`: what does not fit is none.
        let mut target = [0; 32];
        match link_at(folder, path, &mut target) {
            Ok(length) => Ok(socket_inode(target.get(..length).unwrap_or_default())),
            // It was closed meanwhile, or is the path of a file.
            Err(Errno(libc::ENOENT | libc::ERANGE)) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Whether the socket at `path` is of AF_UNIX. Inode numbers do not tell: /proc/net/unix can have a line for that of a
    /// TCP socket, which somebody has put into a path.
    fn is_unix_socket(path: &Path) -> bool {
        let mut protocol = [0; 32];
        let (start, room) = (protocol.as_mut_ptr(), protocol.len());
        let attribute = b"system.sockprotoname\0".as_ptr();
        // SAFETY: the path and the name are C strings; `protocol` is alive, writable and that long.
        let length = check_uninterrupted(|| unsafe {
            libc::getxattr(path.as_ptr(), attribute.cast(), start.cast(), room)
        });
        // UNIX, and since Linux 5.15 UNIX-STREAM.
        length.is_ok() && protocol.starts_with(b"UNIX")
    }

    fn place(process: u32, name: &[u8]) -> Result<Path> {
        match process {
            0 => Path::new(&[b"/proc/self", name]),
            _ => Path::new(&[b"/proc/", Decimal::new(process).as_bytes(), name]),
        }
    }

    fn open(path: &Path, flags: c_int) -> Result<OwnedFd> {
        // SAFETY: the path is a C string, alive for the call.
        let fd = check_uninterrupted(|| unsafe {
            libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC | flags)
        })?;
        Ok(OwnedFd::new(fd))
    }

    /// The whole file, from one opening of it.
    fn contents(path: &Path, into: &mut [u8]) -> Result<usize> {
        let (file, length) = start(path, into)?;
        // Full just so, or too small.
        match length == into.len() && read(&file, &mut [0])? > 0 {
            false => Ok(length),
            true => Err(Errno(libc::ERANGE)),
        }
    }

    /// As much of the file as `into` holds: the file, and the length of it.
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
        let count = check_uninterrupted(|| {
            // SAFETY: `into` is alive, writable and that long.
            unsafe { libc::read(file.number(), into.as_mut_ptr().cast(), into.len()) }
        })?;
        usize::try_from(count).map_err(|_| Errno(libc::EIO))
    }

    fn link(path: &Path, into: &mut [u8]) -> Result<usize> {
        link_at(libc::AT_FDCWD, path, into)
    }

    fn link_at(folder: c_int, path: &Path, into: &mut [u8]) -> Result<usize> {
        if into.is_empty() {
            return Err(Errno(libc::ERANGE));
        }
        let start: *mut c_char = into.as_mut_ptr().cast();
        let count = check_uninterrupted(|| {
            // SAFETY: the path is a C string; `into` is alive, writable and that long.
            unsafe { libc::readlinkat(folder, path.as_ptr(), start, into.len()) }
        })?;
        let count = usize::try_from(count).map_err(|_| Errno(libc::EIO))?;
        // readlink(2) cuts what does not fit, and does not say so.
        if count < into.len() {
            Ok(count)
        } else {
            Err(Errno(libc::ERANGE))
        }
    }

    /// The number in `socket:[NUMBER]`.
    pub fn socket_inode(target: &[u8]) -> Option<u32> {
        parse(target.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
    }

    /// As many entries as the kernel gives in one go, aligned as it writes them.
    #[repr(C, align(8))]
    struct Entries([MaybeUninit<u8>; 8192]);

    /// Where in a `struct linux_dirent64` (getdents64(2)) its length is, and where its name.
    pub const LENGTH: usize = 16;
    const NAME: usize = 19;

    /// Gives the name of each file in the folder `path` to `take`. (readdir(3) allocates.)
    fn each_name(path: &Path, mut take: impl FnMut(&OwnedFd, &[u8]) -> Result<()>) -> Result<()> {
        let folder = open(path, libc::O_DIRECTORY)?;
        let mut entries = Entries([MaybeUninit::uninit(); 8192]);
        loop {
            let count = check_uninterrupted(|| {
                let (start, len) = (entries.0.as_mut_ptr(), entries.0.len());
                // SAFETY: the buffer is alive, writable and that long.
                unsafe { libc::syscall(libc::SYS_getdents64, folder.number(), start, len) }
            })?;
            let count = usize::try_from(count).unwrap_or_default().min(entries.0.len());
            if count == 0 {
                return Ok(());
            }
            // SAFETY: the kernel has filled that many bytes.
            let mut rest =
                unsafe { core::slice::from_raw_parts(entries.0.as_ptr().cast::<u8>(), count) };
            while let Some((entry, others)) = split_entry(rest) {
                let name = entry.get(NAME..).unwrap_or_default();
                let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                take(&folder, name)?;
                rest = others;
            }
        }
    }

    pub fn split_entry(entries: &[u8]) -> Option<(&[u8], &[u8])> {
        let length = entries.get(LENGTH..LENGTH + 2)?;
        let length = usize::from(u16::from_ne_bytes(length.try_into().ok()?));
        // An entry of no length would be taken for ever.
        if length == 0 {
            return None;
        }
        // Not split_at: some versions of rustc leave its panic in.
        Some((entries.get(..length)?, entries.get(length..)?))
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::io::AsRawFd;
        use std::os::unix::net::UnixListener;

        fn read_text(process: u32, which: Text) -> Result<Vec<u8>> {
            let mut into = vec![0; 1 << 20];
            text(process, which, &mut into).map(|length| into[..length].to_vec())
        }

        fn all(process: u32, which: Numbers) -> Result<Vec<u32>> {
            let mut found = Vec::new();
            numbers(process, which, |number| {
                found.push(number);
                Ok(())
            })
            .map(|()| found)
        }

        /// Lets one test at a time read its own arguments: under valgrind all of them share one file offset.
        fn alone() -> std::sync::MutexGuard<'static, ()> {
            static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
            ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }

        fn this() -> u32 {
            std::process::id()
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn this_process_is_told_as_the_standard_library_knows_it() {
            let _alone = alone();
            let arguments: Vec<u8> = std::env::args_os()
                .flat_map(|argument| [argument.as_bytes(), b"\0"].concat())
                .collect();
            assert_eq!(read_text(this(), Text::Arguments), Ok(arguments));
            let name = std::fs::read(format!("/proc/{}/comm", this())).unwrap();
            assert_eq!(read_text(this(), Text::Name), Ok(name));
            let folder = std::env::current_dir().unwrap();
            assert_eq!(read_text(this(), Text::Folder).unwrap(), folder.as_os_str().as_bytes());
            assert_eq!(read_text(this(), Text::Root).unwrap(), b"/");
            let mounts = String::from_utf8(read_text(this(), Text::Mounts).unwrap()).unwrap();
            assert!(mounts.contains(" /proc "), "{mounts}");
            let status = String::from_utf8(read_text(this(), Text::StatusStart).unwrap()).unwrap();
            assert!(status.contains("\nUid:\t"), "{status}");
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn the_start_of_the_arguments_is_cut_and_no_error() {
            let _alone = alone();
            let whole = read_text(0, Text::Arguments).unwrap();
            assert_eq!(read_text(0, Text::ArgumentsStart), Ok(whole.clone()));
            let mut into = [0; 3];
            assert_eq!(text(0, Text::ArgumentsStart, &mut into), Ok(3));
            assert_eq!(into, whole[..3]);
            assert_eq!(text(0, Text::ArgumentsStart, &mut []), Ok(0));
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn a_socket_of_another_family_is_none_of_those_that_a_process_has() {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let inode = crate::fd::status(listener.as_raw_fd()).unwrap().st_ino as u32;
            for process in [0, this()] {
                assert!(!all(process, Numbers::Sockets).unwrap().contains(&inode));
            }
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn no_process_number_means_this_process() {
            let _alone = alone();
            for which in [Text::Arguments, Text::Folder, Text::Mounts] {
                assert_eq!(read_text(0, which), read_text(this(), which));
            }
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn a_socket_of_this_process_is_among_its_own_and_in_its_namespace() {
            let folder = crate::test_support::Folder::new();
            let listener = UnixListener::bind(folder.path("s")).unwrap();
            let path = format!("/proc/self/fd/{}", listener.as_raw_fd());
            let target = std::fs::read_link(path).unwrap();
            let inode = socket_inode(target.as_os_str().as_bytes()).unwrap();
            assert!(all(this(), Numbers::Sockets).unwrap().contains(&inode));
            // Others on this machine may have names that are not UTF-8.
            let sockets = read_text(this(), Text::UnixSockets).unwrap();
            let sockets = String::from_utf8_lossy(&sockets);
            let line = format!(" 0001 01 {inode:5} {}", folder.path("s").display());
            assert!(sockets.lines().any(|found| found.ends_with(&line)), "{line}\n{sockets}");
            drop(listener);
            assert!(!all(this(), Numbers::Sockets).unwrap().contains(&inode));
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn this_process_and_the_first_are_among_all() {
            let processes = all(0, Numbers::Processes).unwrap();
            assert!(processes.contains(&this()) && processes.contains(&1), "{processes:?}");
            let mut once = processes.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), processes.len());
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn a_folder_of_more_files_than_one_call_gives_is_read_to_its_end() {
            let folder = crate::test_support::Folder::new();
            for number in 0..1000 {
                std::fs::write(folder.path(&format!("a-name-of-some-length-{number}")), "")
                    .unwrap();
            }
            let path = folder.path("");
            let mut count = 0;
            each_name(&Path::new(&[path.as_os_str().as_bytes()]).unwrap(), |_, name| {
                count += usize::from(name.starts_with(b"a-name"));
                Ok(())
            })
            .unwrap();
            assert_eq!(count, 1000);
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn what_does_not_fit_is_out_of_range_and_what_just_fits_is_not() {
            let _alone = alone();
            for which in [Text::Arguments, Text::Mounts, Text::Name] {
                let whole = read_text(0, which).unwrap();
                let mut exact = vec![0; whole.len()];
                assert_eq!(text(0, which, &mut exact), Ok(whole.len()));
                assert_eq!(exact, whole);
                assert_eq!(text(0, which, &mut exact[1..]), Err(Errno(libc::ERANGE)));
                assert_eq!(text(0, which, &mut []), Err(Errno(libc::ERANGE)));
            }
            let folder = read_text(0, Text::Folder).unwrap();
            let mut into = vec![0; folder.len() + 1];
            assert_eq!(text(0, Text::Folder, &mut into), Ok(folder.len()));
            assert_eq!(text(0, Text::Folder, &mut into[1..]), Err(Errno(libc::ERANGE)));
            assert_eq!(text(0, Text::Folder, &mut []), Err(Errno(libc::ERANGE)));
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn what_takes_no_more_numbers_says_so() {
            let outcome = numbers(0, Numbers::Processes, |_| Err(Errno(libc::ERANGE)));
            assert_eq!(outcome, Err(Errno(libc::ERANGE)));
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn a_process_that_is_not_there_is_missing() {
            // Over the highest that Linux gives (PID_MAX_LIMIT).
            for which in [Text::Name, Text::Root, Text::UnixSockets] {
                assert_eq!(read_text(u32::MAX, which), Err(Errno(libc::ENOENT)));
            }
            assert_eq!(all(u32::MAX, Numbers::Sockets), Err(Errno(libc::ENOENT)));
        }

        #[test]
        fn only_sockets_have_the_number_of_one() {
            assert_eq!(socket_inode(b"socket:[4242]"), Some(4242));
            for other in [
                "pipe:[1]",
                "socket:[]",
                "socket:[x]",
                "socket:[1",
                "/socket:[1]",
                "anon_inode:[eventfd]",
            ] {
                assert_eq!(socket_inode(other.as_bytes()), None, "{other}");
            }
        }

        #[test]
        fn no_broken_entry_is_read_beyond_its_end() {
            let mut entry = [0u8; 24];
            for (length, whole) in [(24u16, true), (0, false), (25, false), (u16::MAX, false)] {
                entry[LENGTH..LENGTH + 2].copy_from_slice(&length.to_ne_bytes());
                assert_eq!(split_entry(&entry).is_some(), whole, "{length}");
            }
            assert!(split_entry(&entry[..LENGTH + 1]).is_none());
            assert!(split_entry(&[]).is_none());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_of_the_abi_is_one_thing_and_no_other_number_is_any() {
        for number in 0..=7 {
            assert_eq!(Text::from_number(number).map(|text| text as u32), Ok(number));
        }
        for number in 0..=1 {
            assert_eq!(Numbers::from_number(number).map(|numbers| numbers as u32), Ok(number));
        }
        for number in [8, u32::MAX] {
            assert_eq!(Text::from_number(number), Err(Errno(libc::EINVAL)));
            assert_eq!(Numbers::from_number(number), Err(Errno(libc::EINVAL)));
        }
    }
}
