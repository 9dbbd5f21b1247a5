//! The functions that every connection needs.

use crate::boundary::{as_count, as_number, bytes_at, bytes_at_mut};
use crate::types::{Descriptor, TimeLeft};
use deno_ssh_proxy_core::errno::Errno;
use deno_ssh_proxy_core::fd::{self, OwnedFd, RawFd};
use deno_ssh_proxy_core::{connect, fdinfo, io, pass};

/// Flag of [`dsp_receive_bytes`]: leaves the bytes in the socket.
pub const RECEIVE_PEEK: u32 = 1;
/// Flag of [`dsp_receive_bytes`], with [`RECEIVE_PEEK`]: waits until the buffer is full or the peer has ended its side.
pub const RECEIVE_WHOLE: u32 = 2;

/// Connects to the AF_UNIX stream socket at `path`, which has fewer than PATH_MAX bytes and no NUL.
///
/// Returns a file descriptor that the caller owns: close-on-exec, blocking. Returns `-EINVAL` if the path is empty or
/// contains a NUL, otherwise the errno of open(2), socket(2) or connect(2).
///
/// # Safety
/// `path` points to `path_len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn connect_unix(path: *const u8, path_len: usize, time: TimeLeft) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let path = unsafe { bytes_at(path, path_len) }?;
        connect::unix(path, time.into()).map(OwnedFd::into_raw)
    })
}

/// Connects to `port` of the virtual machine (or host) `cid` over AF_VSOCK.
///
/// Returns a file descriptor that the caller owns: close-on-exec, blocking. Returns `-EAFNOSUPPORT` if the system has no
/// AF_VSOCK.
#[no_mangle]
pub extern "C" fn connect_vsock(cid: u32, port: u32, time: TimeLeft) -> i32 {
    as_number(|| connect::vsock(cid, port, time.into()).map(OwnedFd::into_raw))
}

/// Sends all `len` bytes to the socket `fd`, and returns `len`. Raises no SIGPIPE.
///
/// After an error the number of bytes that were sent is unknown.
///
/// # Safety
/// `bytes` points to `len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn dsp_send_bytes(
    fd: RawFd,
    bytes: *const u8,
    len: usize,
    time: TimeLeft,
) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let bytes = unsafe { bytes_at(bytes, len) }?;
        io::send(fd, bytes, time.into())?;
        as_count(bytes.len())
    })
}

/// Receives between one byte and `len` bytes from the socket `fd`. Returns the count, 0 at the end of the stream.
///
/// `flags` is 0, [`RECEIVE_PEEK`], or both [`RECEIVE_PEEK`] and [`RECEIVE_WHOLE`]. Returns `-EINVAL` for any other value.
///
/// # Safety
/// `into` points to `len` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn dsp_receive_bytes(
    fd: RawFd,
    into: *mut u8,
    len: usize,
    flags: u32,
    time: TimeLeft,
) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let into = unsafe { bytes_at_mut(into, len) }?;
        as_count(match flags {
            0 => io::receive(fd, into, time.into()),
            RECEIVE_PEEK => io::peek(fd, into, time.into()),
            flags if flags == RECEIVE_PEEK | RECEIVE_WHOLE => io::peek_whole(fd, into, time.into()),
            _ => Err(Errno(libc::EINVAL)),
        }?)
    })
}

/// Passes `fd` over the AF_UNIX socket `channel`: one NUL byte with SCM_RIGHTS. Returns 0. Raises no SIGPIPE.
///
/// The caller still owns `fd`.
#[no_mangle]
pub extern "C" fn send_fd(channel: RawFd, fd: RawFd, time: TimeLeft) -> i32 {
    as_number(|| pass::send_fd(channel, fd, time.into()).map(|()| 0))
}

/// Returns the kind of the file descriptor, an `enum fd_kind` of the header, or `-EBADF` if it is not open.
#[no_mangle]
pub extern "C" fn dsp_fd_kind(descriptor: Descriptor) -> i32 {
    as_number(|| fdinfo::fd_kind(descriptor.fd).map(|kind| kind as i32))
}

/// Closes `fd`, which the caller owns. Returns 0.
#[no_mangle]
pub extern "C" fn dsp_close_fd(fd: RawFd) -> i32 {
    as_number(|| fd::close(fd).map(|()| 0))
}
