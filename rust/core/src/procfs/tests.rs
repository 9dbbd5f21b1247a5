//! Tests on the processes of this machine.

use super::directory::{each_name, split_entry, LENGTH};
use super::list::socket_inode;
use super::{read_file, read_list, ProcFile, ProcList};
use crate::errno::{Errno, Result};
use crate::path::Path;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::io::AsRawFd;
use std::os::unix::net::UnixListener;

fn read_all(process: u32, file: ProcFile) -> Result<Vec<u8>> {
    let mut into = vec![0; 1 << 20];
    read_file(process, file, &mut into).map(|length| into[..length].to_vec())
}

fn all(process: u32, list: ProcList) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    read_list(process, list, |number| {
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
    let arguments: Vec<u8> =
        std::env::args_os().flat_map(|argument| [argument.as_bytes(), b"\0"].concat()).collect();
    assert_eq!(read_all(this(), ProcFile::Arguments), Ok(arguments));
    let name = std::fs::read(format!("/proc/{}/comm", this())).unwrap();
    assert_eq!(read_all(this(), ProcFile::Name), Ok(name));
    let folder = std::env::current_dir().unwrap();
    assert_eq!(read_all(this(), ProcFile::Cwd).unwrap(), folder.as_os_str().as_bytes());
    assert_eq!(read_all(this(), ProcFile::Root).unwrap(), b"/");
    let mounts = String::from_utf8(read_all(this(), ProcFile::Mounts).unwrap()).unwrap();
    assert!(mounts.contains(" /proc "), "{mounts}");
    let status = String::from_utf8(read_all(this(), ProcFile::StatusStart).unwrap()).unwrap();
    assert!(status.contains("\nUid:\t"), "{status}");
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn the_start_of_the_arguments_is_cut_and_no_error() {
    let _alone = alone();
    let whole = read_all(0, ProcFile::Arguments).unwrap();
    assert_eq!(read_all(0, ProcFile::ArgumentsStart), Ok(whole.clone()));
    let mut into = [0; 3];
    assert_eq!(read_file(0, ProcFile::ArgumentsStart, &mut into), Ok(3));
    assert_eq!(into, whole[..3]);
    assert_eq!(read_file(0, ProcFile::ArgumentsStart, &mut []), Ok(0));
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn a_socket_of_another_family_is_none_of_those_that_a_process_has() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let inode = crate::fd::status(listener.as_raw_fd()).unwrap().st_ino as u32;
    for process in [0, this()] {
        assert!(!all(process, ProcList::Sockets).unwrap().contains(&inode));
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn no_process_number_means_this_process() {
    let _alone = alone();
    for which in [ProcFile::Arguments, ProcFile::Cwd, ProcFile::Mounts] {
        assert_eq!(read_all(0, which), read_all(this(), which));
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
    assert!(all(this(), ProcList::Sockets).unwrap().contains(&inode));
    // Others on this machine may have names that are not UTF-8.
    let sockets = read_all(this(), ProcFile::UnixSockets).unwrap();
    let sockets = String::from_utf8_lossy(&sockets);
    let line = format!(" 0001 01 {inode:5} {}", folder.path("s").display());
    assert!(sockets.lines().any(|found| found.ends_with(&line)), "{line}\n{sockets}");
    drop(listener);
    assert!(!all(this(), ProcList::Sockets).unwrap().contains(&inode));
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn this_process_and_the_first_are_among_all() {
    let processes = all(0, ProcList::Processes).unwrap();
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
        std::fs::write(folder.path(&format!("a-name-of-some-length-{number}")), "").unwrap();
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
    for which in [ProcFile::Arguments, ProcFile::Mounts, ProcFile::Name] {
        let whole = read_all(0, which).unwrap();
        let mut exact = vec![0; whole.len()];
        assert_eq!(read_file(0, which, &mut exact), Ok(whole.len()));
        assert_eq!(exact, whole);
        assert_eq!(read_file(0, which, &mut exact[1..]), Err(Errno(libc::ERANGE)));
        assert_eq!(read_file(0, which, &mut []), Err(Errno(libc::ERANGE)));
    }
    let folder = read_all(0, ProcFile::Cwd).unwrap();
    let mut into = vec![0; folder.len() + 1];
    assert_eq!(read_file(0, ProcFile::Cwd, &mut into), Ok(folder.len()));
    assert_eq!(read_file(0, ProcFile::Cwd, &mut into[1..]), Err(Errno(libc::ERANGE)));
    assert_eq!(read_file(0, ProcFile::Cwd, &mut []), Err(Errno(libc::ERANGE)));
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn what_takes_no_more_numbers_says_so() {
    let outcome = read_list(0, ProcList::Processes, |_| Err(Errno(libc::ERANGE)));
    assert_eq!(outcome, Err(Errno(libc::ERANGE)));
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn a_process_that_is_not_there_is_missing() {
    // Over the highest that Linux gives (PID_MAX_LIMIT).
    for which in [ProcFile::Name, ProcFile::Root, ProcFile::UnixSockets] {
        assert_eq!(read_all(u32::MAX, which), Err(Errno(libc::ENOENT)));
    }
    assert_eq!(all(u32::MAX, ProcList::Sockets), Err(Errno(libc::ENOENT)));
}

#[test]
fn only_sockets_have_the_number_of_one() {
    assert_eq!(socket_inode(b"socket:[4242]"), Some(4242));
    for other in
        ["pipe:[1]", "socket:[]", "socket:[x]", "socket:[1", "/socket:[1]", "anon_inode:[eventfd]"]
    {
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
