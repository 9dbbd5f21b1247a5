//! The C ABI of deno-ssh-proxy, and nothing else: each function here checks what C cannot promise, calls the
//! module that does the work, and turns its result into a number. `deno_ssh_proxy.h` is the same ABI for C.
//!
//! Every function returns a value of 0 or more, or `-errno`. None prints, exits or keeps state. Those that may wait
//! take a [`TimeLeft`]; past it they return `-ETIMEDOUT`. But for [`relay()`]: a session lasts as long as it lasts.
//!
//! No panic crosses the boundary, because there is none: the library goes without the standard library, the panic
//! handler below could only abort, and a test sees to it that the linker found no use for it.

#![cfg_attr(not(test), no_std)]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

use deno_ssh_proxy_core::deadline::TimeLeft;
use deno_ssh_proxy_core::errno::{Errno, Result};
use deno_ssh_proxy_core::fd::{self, RawFd};
use deno_ssh_proxy_core::unix_diag::{self, ListeningSocket};
use deno_ssh_proxy_core::{bytes, connect, describe, pass, path, process, runtime};

/// `receive_bytes` leaves what it read in the socket.
pub const RECEIVE_PEEK: u32 = 1;
/// With [`RECEIVE_PEEK`]: waits until the whole buffer can be filled, the peer has ended its side, or the time is up.
pub const RECEIVE_WHOLE: u32 = 2;

/// A file descriptor as a struct of one field. To C it costs what an `int32_t` costs; Deno compiles no trampoline at
/// load time for a function that takes a struct, which saves every connection 0.4 ms (`bench/startup.ts`). It is for
/// those functions that somebody waits for and that have no [`TimeLeft`] to do the same.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Descriptor {
    pub fd: RawFd,
}

/// This library's version: major × 65536 + minor × 256 + patch. Data, not a function: whoever opens the library can
/// read it before trusting any prototype.
#[no_mangle]
pub static deno_ssh_proxy_version: u32 = version_number(env!("DENO_SSH_PROXY_VERSION"));

/// Connects to the AF_UNIX stream socket at `path` (bytes, any length up to PATH_MAX, no NUL among them).
///
/// Returns a file descriptor that the caller owns: close-on-exec, blocking. `-EINVAL` for an empty path or a NUL in
/// it, otherwise the errno of open(2), socket(2) or connect(2).
///
/// # Safety
/// `path` points to `path_len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn connect_unix(path: *const u8, path_len: usize, time: TimeLeft) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let path = unsafe { bytes_at(path, path_len) }?;
        connect::unix(path, time.into()).map(fd::OwnedFd::into_raw)
    })
}

/// Connects to `port` of the virtual machine (or host) `cid` over AF_VSOCK.
///
/// Returns a file descriptor that the caller owns: close-on-exec, blocking. Where the system has no AF_VSOCK:
/// `-EAFNOSUPPORT`.
#[no_mangle]
pub extern "C" fn connect_vsock(cid: u32, port: u32, time: TimeLeft) -> i32 {
    as_number(|| connect::vsock(cid, port, time.into()).map(fd::OwnedFd::into_raw))
}

/// Sends all `len` bytes to the socket `fd`, and returns `len`; or an error, after which it is unknown how many of
/// them were sent. Raises no SIGPIPE.
///
/// # Safety
/// `bytes` points to `len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn send_bytes(
    fd: RawFd,
    bytes: *const u8,
    len: usize,
    time: TimeLeft,
) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let bytes = unsafe { bytes_at(bytes, len) }?;
        bytes::send(fd, bytes, time.into())?;
        as_count(bytes.len())
    })
}

/// Receives up to `len` bytes from the socket `fd`, waiting for at least one; 0 is the end of the stream.
///
/// `flags` is 0, [`RECEIVE_PEEK`], or both [`RECEIVE_PEEK`] and [`RECEIVE_WHOLE`]; anything else is `-EINVAL`.
///
/// # Safety
/// `into` points to `len` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn receive_bytes(
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
            0 => bytes::receive(fd, into, time.into()),
            RECEIVE_PEEK => bytes::peek(fd, into, time.into()),
            flags if flags == RECEIVE_PEEK | RECEIVE_WHOLE => {
                bytes::peek_whole(fd, into, time.into())
            }
            _ => Err(Errno(libc::EINVAL)),
        }?)
    })
}

/// Passes `fd` over the AF_UNIX socket `channel`: one NUL byte that carries it as SCM_RIGHTS. The caller still owns
/// `fd`. Returns 0. Raises no SIGPIPE.
#[no_mangle]
pub extern "C" fn send_fd(channel: RawFd, fd: RawFd, time: TimeLeft) -> i32 {
    as_number(|| pass::send_fd(channel, fd, time.into()).map(|()| 0))
}

/// Carries bytes from `from_ssh` to the connected socket `socket`, and from that to `to_ssh`, until both directions are
/// done. Returns 0, also where a side hangs up in the middle; an error is one that reading or writing otherwise has.
///
/// `from_ssh` and `to_ssh` are pipes, sockets (which may be one and the same), terminals or files. The end of a direction
/// is passed on, to a socket by shutdown(2), to a pipe by closing it, with all duplicates of it that the process has but
/// standard error: what is a pipe is the caller's to use no more. Where a pipe or a terminal has lost its reader, SIGPIPE
/// is raised as by write(2): it is up to the program to ignore it.
#[no_mangle]
pub extern "C" fn relay(from_ssh: RawFd, to_ssh: RawFd, socket: Descriptor) -> i32 {
    as_number(|| deno_ssh_proxy_core::relay::relay(from_ssh, to_ssh, socket.fd).map(|()| 0))
}

/// Closes the file descriptors from this number on that the program was started with: those that are not close-on-exec.
/// For a program that goes on for long: whoever started it may wait for the end of one (libssh leaves its own end of a
/// relay's socket open there). Those above 1023 stay. Returns 0.
#[no_mangle]
pub extern "C" fn close_inherited(first: Descriptor) -> i32 {
    fd::close_inherited(first.fd);
    0
}

/// What the file descriptor is, as one of the `FD_` numbers of the header; `-EBADF` where it is not open.
#[no_mangle]
pub extern "C" fn fd_kind(descriptor: Descriptor) -> i32 {
    as_number(|| describe::fd_kind(descriptor.fd).map(|kind| kind as i32))
}

/// 1 where the AF_UNIX socket at `path` is a datagram socket, 0 where it is a stream or seqpacket socket: what
/// `-EPROTOTYPE` from [`connect_unix`] leaves open. Its server notices nothing.
///
/// # Safety
/// `path` points to `path_len` readable bytes.
#[no_mangle]
pub unsafe extern "C" fn is_datagram_socket(path: *const u8, path_len: usize) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let path = unsafe { bytes_at(path, path_len) }?;
        connect::is_datagram_socket(path).map(i32::from)
    })
}

/// Writes the process id, user id and group id of the process that listens behind the connected AF_UNIX socket `fd`
/// to `into`. Returns 0. `-ENOTSUP` where the system cannot tell.
///
/// # Safety
/// `into` points to three writable `uint32_t`.
#[no_mangle]
pub unsafe extern "C" fn peer_credentials(fd: RawFd, into: *mut [u32; 3]) -> i32 {
    as_number(|| {
        let credentials = describe::peer_credentials(fd)?;
        if into.is_null() {
            return Err(Errno(libc::EFAULT));
        }
        // SAFETY: not null, and by the caller's promise writable.
        unsafe { into.write_unaligned(credentials) };
        Ok(0)
    })
}

/// This machine's own CID, as the kernel tells it; `-ENODEV` or `-ENOENT` where it has no vsock device.
#[no_mangle]
pub extern "C" fn local_cid() -> i64 {
    as_number(|| describe::local_cid().map(i64::from))
}

/// Writes the mode (type and permission bits, inode(7)), user id, group id, device number and inode number of what is at
/// `path` to `into`. Symbolic links are followed, as connect(2) follows them. Returns 0.
///
/// # Safety
/// `path` points to `path_len` readable bytes, `into` to five writable `uint64_t`.
#[no_mangle]
pub unsafe extern "C" fn path_status(path: *const u8, path_len: usize, into: *mut [u64; 5]) -> i32 {
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

/// Writes what `/proc` tells of the process `pid` (0: this one) to `into`, with no NUL behind it, and returns its
/// length. `which` is one of the `PROC_` numbers of the header: a closed list, of which no other file can be read.
///
/// `-ERANGE` where it is longer than `len` (for what is a link: where it is not shorter; what is cut never is), `-ENOENT`
/// or `-ESRCH` where there is no such process, `-EACCES` where it is another user's secret, `-EINVAL` for an unknown
/// `which`, `-ENOTSUP` where the system is not Linux.
///
/// # Safety
/// `into` points to `len` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn proc_text(pid: u32, which: u32, into: *mut u8, len: usize) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let into = unsafe { bytes_at_mut(into, len) }?;
        as_count(process::text(pid, process::Text::from_number(which)?, into)?)
    })
}

/// Writes what `/proc` counts to `into`, and returns how many numbers that are: with `PROC_PROCESSES` the ids of all
/// processes that it shows, with `PROC_SOCKETS` the inode numbers of the AF_UNIX sockets that `pid` (0: this one) has open.
///
/// `-ERANGE` where they are more than `count`, or the process has more descriptors than are looked at: what was found
/// until then is written, and the rest of `into` as it was. Otherwise it fails as [`proc_text`] does.
///
/// # Safety
/// `into` points to `count` writable `uint32_t`.
#[no_mangle]
pub unsafe extern "C" fn proc_numbers(pid: u32, which: u32, into: *mut u32, count: usize) -> i32 {
    as_number(|| {
        let which = process::Numbers::from_number(which)?;
        let room = count.checked_mul(4).ok_or(Errno(libc::EINVAL))?;
        // SAFETY: the caller's promise, in bytes.
        let into = unsafe { bytes_at_mut(into.cast(), room) }?;
        let mut places = into.chunks_exact_mut(4);
        let mut written = 0;
        process::numbers(pid, which, |number| {
            let place = places.next().ok_or(Errno(libc::ERANGE))?;
            place.copy_from_slice(&number.to_ne_bytes());
            written += 1;
            Ok(())
        })?;
        Ok(written)
    })
}

/// Answers which stream sockets of this network namespace listen. Each of `sockets` asks for an inode number, or with an
/// inode number of 0 for a path: `count` becomes how many there are with it, and `path` what the last of them is bound to.
/// They are in order: first those with an inode number of 0, by the bytes of their paths, then by the inode numbers. A
/// socket with no path, or an abstract name, is none.
///
/// Returns 0. Otherwise it fails as netlink(7) does, with `-ENOENT` where the kernel has no unix_diag, or with `-ENOTSUP`
/// where the system is not Linux.
///
/// # Safety
/// `sockets` points to `count` readable and writable structs.
#[no_mangle]
pub unsafe extern "C" fn listening_sockets(sockets: *mut ListeningSocket, count: usize) -> i32 {
    as_number(|| {
        if sockets.is_null() {
            return Err(Errno(libc::EFAULT));
        }
        let size = core::mem::size_of::<ListeningSocket>();
        checked_len(count.checked_mul(size).ok_or(Errno(libc::EINVAL))?)?;
        if sockets as usize % core::mem::align_of::<ListeningSocket>() != 0 {
            return Err(Errno(libc::EINVAL));
        }
        // SAFETY: not null, aligned, not over isize::MAX, and by the caller's promise readable, writable and unshared.
        let sockets = unsafe { core::slice::from_raw_parts_mut(sockets, count) };
        unix_diag::find(sockets).map(|()| 0)
    })
}

/// Writes the path of this user's runtime folder to `into`, with no NUL behind it, and returns its length:
/// `$XDG_RUNTIME_DIR`, as this process was started with it, where that is the absolute path of a directory which belongs
/// to the effective user, otherwise `/run/user/` and the effective user id. `-ERANGE` where it is longer than `len`.
///
/// # Safety
/// `into` points to `len` writable bytes.
#[no_mangle]
pub unsafe extern "C" fn runtime_folder(into: *mut u8, len: usize) -> i32 {
    as_number(|| {
        // SAFETY: the caller's promise, word for word.
        let into = unsafe { bytes_at_mut(into, len) }?;
        as_count(runtime::folder(into)?)
    })
}

/// Closes `fd`, which the caller owned until now. Returns 0.
#[no_mangle]
pub extern "C" fn close_fd(fd: RawFd) -> i32 {
    as_number(|| fd::close(fd).map(|()| 0))
}

/// The boundary: what Rust calls a result, C gets as one number.
fn as_number<N: From<i32>>(work: impl FnOnce() -> Result<N>) -> N {
    work().unwrap_or_else(|Errno(number)| N::from(-number))
}

/// Never reached; the compiler wants to know what to do all the same.
#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: takes nothing and does not return.
    unsafe { libc::abort() }
}

/// `len` bytes at `start`, which may be null only where `len` is 0.
///
/// # Safety
/// `start` is null, or points to `len` readable bytes that outlive the use of the result.
unsafe fn bytes_at<'a>(start: *const u8, len: usize) -> Result<&'a [u8]> {
    match (start.is_null(), checked_len(len)?) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Errno(libc::EFAULT)),
        // SAFETY: not null, not over isize::MAX, and by the caller's promise readable.
        (false, len) => Ok(unsafe { core::slice::from_raw_parts(start, len) }),
    }
}

/// The same for bytes to write to.
///
/// # Safety
/// `start` is null, or points to `len` writable bytes that nothing else uses while the result lives.
unsafe fn bytes_at_mut<'a>(start: *mut u8, len: usize) -> Result<&'a mut [u8]> {
    match (start.is_null(), checked_len(len)?) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(Errno(libc::EFAULT)),
        // SAFETY: not null, not over isize::MAX, and by the caller's promise writable and unshared.
        (false, len) => Ok(unsafe { core::slice::from_raw_parts_mut(start, len) }),
    }
}

/// Counts are returned as `i32`, so no buffer may be longer than one can say.
fn checked_len(len: usize) -> Result<usize> {
    as_count(len).map(|_| len)
}

fn as_count(len: usize) -> Result<i32> {
    i32::try_from(len).map_err(|_| Errno(libc::EINVAL))
}

/// "1.2.3" as one number. Runs at compile time, where a version that it cannot read stops the build.
const fn version_number(text: &str) -> u32 {
    let text = text.as_bytes();
    let (mut number, mut part, mut at) = (0, 0, 0);
    while at < text.len() {
        match text[at] {
            b'.' => {
                number = (number << 8) + part;
                part = 0;
            }
            digit @ b'0'..=b'9' => {
                part = part * 10 + (digit - b'0') as u32;
                assert!(part < 256, "each part of the version fits in one byte");
            }
            _ => panic!("the version is three numbers"),
        }
        at += 1;
    }
    (number << 8) + part
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: TimeLeft = TimeLeft { milliseconds: 1000 };

    #[test]
    fn the_version_is_the_one_of_the_manifest_as_a_number() {
        assert_eq!(version_number("1.2.3"), 0x01_02_03);
        assert_eq!(version_number("0.10.255"), 0x00_0a_ff);
        assert_eq!(deno_ssh_proxy_version, version_number(env!("DENO_SSH_PROXY_VERSION")));
    }

    #[test]
    fn a_null_pointer_is_refused_unless_nothing_is_to_be_read() {
        // SAFETY: null is what the functions are to refuse.
        let sent = unsafe { send_bytes(0, std::ptr::null(), 1, SOON) };
        assert_eq!(sent, -libc::EFAULT);
        // SAFETY: as above.
        let path = unsafe { connect_unix(std::ptr::null(), 0, SOON) };
        assert_eq!(path, -libc::EINVAL);
    }

    #[test]
    fn a_length_that_no_count_can_hold_is_refused() {
        // SAFETY: the length is refused before anything is read.
        let sent = unsafe { send_bytes(0, b"x".as_ptr(), usize::MAX, SOON) };
        assert_eq!(sent, -libc::EINVAL);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_negative_fd_is_bad_everywhere() {
        assert_eq!(fd_kind(Descriptor { fd: -1 }), -libc::EBADF);
        assert_eq!(send_fd(-1, 0, SOON), -libc::EBADF);
        let (channel, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let channel = std::os::unix::io::AsRawFd::as_raw_fd(&channel);
        assert_eq!(send_fd(channel, -5, SOON), -libc::EBADF);
        assert_eq!(close_fd(-1), -libc::EBADF);
    }

    #[test]
    fn unknown_receive_flags_are_refused() {
        let mut into = [0u8; 4];
        for flags in [RECEIVE_WHOLE, 4, u32::MAX] {
            // SAFETY: `into` is that long.
            let got = unsafe { receive_bytes(0, into.as_mut_ptr(), into.len(), flags, SOON) };
            assert_eq!(got, -libc::EINVAL);
        }
    }
}
