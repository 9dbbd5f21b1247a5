//! The functions that explain a failed connection, and that find sockets to connect to.

use crate::boundary::{as_count, as_number, bytes_at, bytes_at_mut, checked_len};
use deno_ssh_proxy_core::errno::{Errno, Result};
use deno_ssh_proxy_core::fd::RawFd;
use deno_ssh_proxy_core::procfs::{self, ProcFile, ProcList};
use deno_ssh_proxy_core::unix_diag::{self, ListeningSocket};
use deno_ssh_proxy_core::{connect, fdinfo, path, runtime};

/// Returns 1 if the AF_UNIX socket at `path` is a datagram socket, 0 if it is a stream or seqpacket socket: the reason of
/// `-EPROTOTYPE` from [`connect_unix`](crate::connect_unix). Its server does not notice.
///
/// # Safety
/// `path` points to `path_len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn dsp_is_datagram_socket(path: *const u8, path_len: usize) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let path = unsafe { bytes_at(path, path_len) }?;
        connect::is_datagram_socket(path).map(i32::from)
    })
}

/// Writes the process id, user id and group id of the process that listens behind the connected AF_UNIX socket `fd` to
/// `into`. Returns 0, or `-ENOTSUP` if the system cannot tell.
///
/// # Safety
/// `into` points to three writable `uint32_t`.
#[no_mangle]
pub unsafe extern "C" fn dsp_peer_credentials(fd: RawFd, into: *mut [u32; 3]) -> i32 {
    as_number(|| {
        let credentials = fdinfo::peer_credentials(fd)?;
        if into.is_null() {
            return Err(Errno(libc::EFAULT));
        }
        // SAFETY: not null, and by the caller's promise writable.
        unsafe { into.write_unaligned(credentials) };
        Ok(0)
    })
}

/// Returns the CID of this machine, or `-ENODEV` or `-ENOENT` if it has no vsock device.
#[no_mangle]
pub extern "C" fn dsp_local_cid() -> i64 {
    as_number(|| fdinfo::local_cid().map(i64::from))
}

/// Writes the mode (type and permission bits, inode(7)), user id, group id, device and inode number of `path` to `into`.
/// Returns 0. Follows symbolic links, as connect(2) does.
///
/// # Safety
/// `path` points to `path_len` readable bytes, `into` to five writable `uint64_t`.
#[no_mangle]
pub unsafe extern "C" fn dsp_path_status(
    path: *const u8,
    path_len: usize,
    into: *mut [u64; 5],
) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let path = unsafe { bytes_at(path, path_len) }?;
        let status = path::status(path)?;
        if into.is_null() {
            return Err(Errno(libc::EFAULT));
        }
        // SAFETY: not null, and by the caller's promise writable.
        unsafe { into.write_unaligned(status) };
        Ok(0)
    })
}

/// Writes a file or link of /proc about the process `pid` to `into`, without a NUL at its end, and returns its length.
///
/// `pid` 0 is this process. `which` is an `enum proc_file` of the header: no other file can be read.
///
/// Returns `-ERANGE` if a file is longer than `len`, or a link is not shorter, unless it is one that is truncated.
/// `-ENOENT` or `-ESRCH`: there is no such process. `-EACCES`: its user hides it. `-EINVAL`: an unknown `which`.
/// `-ENOTSUP`: the system is not Linux.
///
/// # Safety
/// `into` points to `len` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn dsp_proc_text(pid: u32, which: u32, into: *mut u8, len: usize) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let into = unsafe { bytes_at_mut(into, len) }?;
        as_count(procfs::read_file(pid, ProcFile::from_number(which)?, into)?)
    })
}

/// Writes a list of /proc to `into`, and returns the number of its elements.
///
/// `pid` 0 is this process. `which` is an `enum proc_list` of the header.
///
/// Returns `-ERANGE` if there are more than `count`, or if the process has more descriptors than are examined. Those found
/// before are written, and the rest of `into` stays as it was. Otherwise it fails as [`dsp_proc_text`] does.
///
/// # Safety
/// `into` points to `count` writable `uint32_t`.
#[no_mangle]
pub unsafe extern "C" fn dsp_proc_numbers(
    pid: u32,
    which: u32,
    into: *mut u32,
    count: usize,
) -> i32 {
    as_number(|| {
        let list = ProcList::from_number(which)?;
        let room = count.checked_mul(4).ok_or(Errno(libc::EINVAL))?;
        // SAFETY: the caller's promise, in bytes.
        let into = unsafe { bytes_at_mut(into.cast(), room) }?;
        let mut places = into.chunks_exact_mut(4);
        let mut written = 0;
        procfs::read_list(pid, list, |number| {
            let place = places.next().ok_or(Errno(libc::ERANGE))?;
            place.copy_from_slice(&number.to_ne_bytes());
            written += 1;
            Ok(())
        })?;
        Ok(written)
    })
}

/// Finds the stream sockets of this network namespace that listen.
///
/// Each of `sockets` is a query by inode number, or by path if the inode number is 0. Sets `count` to the number of sockets
/// found, and `path` to the path of the last one. A socket without a path, or with an abstract name, does not count.
///
/// `sockets` must be sorted: first those with the inode number 0, by the bytes of their paths, then by inode number.
///
/// Returns 0. Otherwise it fails as netlink(7) does, with `-ENOENT` if the kernel has no unix_diag, or with `-ENOTSUP` if
/// the system is not Linux.
///
/// # Safety
/// `sockets` points to `count` readable and writable structs.
#[no_mangle]
pub unsafe extern "C" fn dsp_listening_sockets(sockets: *mut ListeningSocket, count: usize) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let sockets = unsafe { sockets_at(sockets, count) }?;
        unix_diag::find(sockets).map(|()| 0)
    })
}

/// Returns the `count` structs at `start`.
///
/// # Safety
/// `start` points to `count` readable and writable structs that nothing else uses while the result lives.
unsafe fn sockets_at<'a>(
    start: *mut ListeningSocket,
    count: usize,
) -> Result<&'a mut [ListeningSocket]> {
    if start.is_null() {
        return Err(Errno(libc::EFAULT));
    }
    let size = core::mem::size_of::<ListeningSocket>();
    checked_len(count.checked_mul(size).ok_or(Errno(libc::EINVAL))?)?;
    if start as usize % core::mem::align_of::<ListeningSocket>() != 0 {
        return Err(Errno(libc::EINVAL));
    }
    // SAFETY: not null, aligned, not over isize::MAX, and by the caller's promise readable, writable and unshared.
    Ok(unsafe { core::slice::from_raw_parts_mut(start, count) })
}

/// Writes the path of this user's runtime directory to `into`, without a NUL at its end, and returns its length.
///
/// This is `$XDG_RUNTIME_DIR`, as this process was started with it, if it is the absolute path of a directory that belongs
/// to the effective user. Otherwise it is `/run/user/` and the effective user id. Returns `-ERANGE` if it is longer than
/// `len`.
///
/// # Safety
/// `into` points to `len` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn dsp_runtime_directory(into: *mut u8, len: usize) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let into = unsafe { bytes_at_mut(into, len) }?;
        as_count(runtime::directory(into)?)
    })
}
