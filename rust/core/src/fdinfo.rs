//! Finds the kind of a file descriptor, the process behind a socket, and the CID of this machine.

use core::mem::{size_of, MaybeUninit};
use core::ptr::addr_of_mut;

use libc::{c_int, c_uint};

use crate::errno::{retry_eintr, Result};
use crate::fd::{status, RawFd};

/// The kinds of files that decide how a connection is handed over. The numbers are those of the C ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum FdKind {
    Other = 0,
    /// The only kind that can carry file descriptors.
    UnixSocket = 1,
    OtherSocket = 2,
    Pipe = 3,
    Terminal = 4,
    RegularFile = 5,
    /// /dev/null. A closed fd 0, 1 or 2 is this kind in a Deno program, because Rust's start-up code opens it there.
    Null = 6,
}

/// Returns the kind of the open file `fd`, `EBADF` if it is not open.
pub fn fd_kind(fd: RawFd) -> Result<FdKind> {
    let status = status(fd)?;
    Ok(match status.st_mode & libc::S_IFMT {
        libc::S_IFSOCK if is_unix_socket(fd)? => FdKind::UnixSocket,
        libc::S_IFSOCK => FdKind::OtherSocket,
        libc::S_IFIFO => FdKind::Pipe,
        libc::S_IFREG => FdKind::RegularFile,
        libc::S_IFCHR if is_null_device(&status) => FdKind::Null,
        // SAFETY: takes a number only.
        libc::S_IFCHR if unsafe { libc::isatty(fd) } == 1 => FdKind::Terminal,
        _ => FdKind::Other,
    })
}

/// Returns the process id, user id and group id of the peer of a connected AF_UNIX socket: those of the process that
/// called listen(2), at that time (unix(7), SO_PEERCRED).
#[cfg(target_os = "linux")]
pub fn peer_credentials(fd: RawFd) -> Result<[u32; 3]> {
    let peer: libc::ucred = option(fd, libc::SOL_SOCKET, libc::SO_PEERCRED)?;
    Ok([peer.pid as u32, peer.uid, peer.gid])
}

#[cfg(not(target_os = "linux"))]
pub fn peer_credentials(_fd: RawFd) -> Result<[u32; 3]> {
    Err(crate::errno::Errno(libc::ENOTSUP))
}

/// Returns the CID of this machine (vsock(7), IOCTL_VM_SOCKETS_GET_LOCAL_CID).
#[cfg(target_os = "linux")]
pub fn local_cid() -> Result<u32> {
    use crate::fd::OwnedFd;
    const IOCTL_VM_SOCKETS_GET_LOCAL_CID: libc::Ioctl = 0x7b9;
    // SAFETY: the path is a C string, alive for ever.
    let fd = retry_eintr(|| unsafe {
        libc::open(b"/dev/vsock\0".as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC)
    })?;
    let device = OwnedFd::new(fd);
    let mut cid: c_uint = 0;
    retry_eintr(|| {
        // SAFETY: `cid` is alive and writable, and the unsigned int that this request fills.
        unsafe { libc::ioctl(device.number(), IOCTL_VM_SOCKETS_GET_LOCAL_CID, addr_of_mut!(cid)) }
    })?;
    Ok(cid)
}

#[cfg(not(target_os = "linux"))]
pub fn local_cid() -> Result<u32> {
    Err(crate::errno::Errno(libc::ENODEV))
}

/// Returns the value of a socket option. `T` must be the C type of the option, and valid for every bit pattern.
pub fn option<T: Copy>(fd: RawFd, level: c_int, name: c_int) -> Result<T> {
    let mut value = MaybeUninit::<T>::zeroed();
    let mut len = size_of::<T>() as libc::socklen_t;
    retry_eintr(|| {
        // SAFETY: `value` is alive and writable, and `len` says how long it is.
        unsafe { libc::getsockopt(fd, level, name, value.as_mut_ptr().cast(), &mut len) }
    })?;
    // SAFETY: zeroed, then filled by the kernel; a C type, valid for every bit pattern.
    Ok(unsafe { value.assume_init() })
}

#[cfg(target_os = "linux")]
fn is_unix_socket(fd: RawFd) -> Result<bool> {
    option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_DOMAIN).map(|domain| domain == libc::AF_UNIX)
}

/// Reads the family from the socket's address, because macOS has no SO_DOMAIN.
#[cfg(not(target_os = "linux"))]
fn is_unix_socket(fd: RawFd) -> Result<bool> {
    let mut address = MaybeUninit::<libc::sockaddr_storage>::zeroed();
    let mut len = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    retry_eintr(|| {
        // SAFETY: `address` is alive and writable, and `len` says how long it is.
        unsafe { libc::getsockname(fd, address.as_mut_ptr().cast(), &mut len) }
    })
    .map(|_| {
        // SAFETY: zeroed, then filled by the kernel; a C type, valid for every bit pattern.
        let address = unsafe { address.assume_init() };
        c_int::from(address.ss_family) == libc::AF_UNIX
    })
}

/// Compares device numbers, because /dev/null can be another file in a container.
#[cfg(target_os = "linux")]
fn is_null_device(status: &libc::stat) -> bool {
    status.st_rdev == libc::makedev(1, 3)
}

#[cfg(not(target_os = "linux"))]
fn is_null_device(status: &libc::stat) -> bool {
    let mut null = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the path is a C string; `null` is alive, writable and of the size that stat(2) fills.
    let found =
        retry_eintr(|| unsafe { libc::stat(b"/dev/null\0".as_ptr().cast(), null.as_mut_ptr()) });
    // SAFETY: stat(2) succeeded, so it has filled it.
    found.map_or(false, |_| unsafe { null.assume_init() }.st_rdev == status.st_rdev)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::errno::Errno;
    use crate::test_support::{pipe, Folder};
    use std::fs::File;
    use std::net::TcpListener;
    use std::os::unix::io::AsRawFd;
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn each_kind_of_file_is_told_apart() {
        let folder = Folder::new();
        let (socket, _peer) = UnixStream::pair().unwrap();
        let (datagram, _other) = UnixDatagram::pair().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let (reader, writer) = pipe();
        let file = File::create(folder.path("file")).unwrap();
        let null = File::open("/dev/null").unwrap();
        let zero = File::open("/dev/zero").unwrap();
        let directory = File::open("/").unwrap();
        for (fd, kind) in [
            (socket.as_raw_fd(), FdKind::UnixSocket),
            (datagram.as_raw_fd(), FdKind::UnixSocket),
            (tcp.as_raw_fd(), FdKind::OtherSocket),
            (reader.as_raw_fd(), FdKind::Pipe),
            (writer.as_raw_fd(), FdKind::Pipe),
            (file.as_raw_fd(), FdKind::RegularFile),
            (null.as_raw_fd(), FdKind::Null),
            (zero.as_raw_fd(), FdKind::Other),
            (directory.as_raw_fd(), FdKind::Other),
        ] {
            assert_eq!(fd_kind(fd), Ok(kind));
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_terminal_is_a_terminal() {
        let (_near, terminal) = crate::test_support::open_terminal();
        assert_eq!(fd_kind(terminal.as_raw_fd()), Ok(FdKind::Terminal));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn an_fd_that_is_not_open_is_bad() {
        assert_eq!(fd_kind(crate::test_support::closed_fd()), Err(Errno(libc::EBADF)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn the_peer_of_a_connection_is_who_listened() {
        let folder = Folder::new();
        let _listener = UnixListener::bind(folder.path("s")).unwrap();
        let socket = UnixStream::connect(folder.path("s")).unwrap();
        // SAFETY: takes no argument.
        let (uid, gid) = (unsafe { libc::getuid() }, unsafe { libc::getgid() });
        assert_eq!(peer_credentials(socket.as_raw_fd()), Ok([std::process::id(), uid, gid]));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn credentials_of_what_is_no_socket_are_an_error() {
        let null = File::open("/dev/null").unwrap();
        assert!(peer_credentials(null.as_raw_fd()).is_err());
    }

    /// Only where vsock is known to be this machine's own loopback: `tests/run.sh` asks first.
    #[cfg(target_os = "linux")]
    #[test]
    #[ignore = "needs vsock loopback (the vsock_loopback kernel module)"]
    fn this_machine_has_a_cid() {
        assert!(local_cid().is_ok());
    }
}
