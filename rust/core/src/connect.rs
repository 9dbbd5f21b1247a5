//! Connects to AF_UNIX sockets by a path of any length, and to AF_VSOCK sockets by CID and port.

use core::mem::{size_of_val, zeroed};
use core::time::Duration;

use libc::{c_char, c_int};

#[cfg(target_os = "linux")]
use crate::deadline::wait_for;
use crate::deadline::Deadline;
use crate::decimal::Decimal;
#[cfg(target_os = "linux")]
use crate::errno::retry_eintr;
use crate::errno::{check, Errno, Result};
use crate::fd::{OwnedFd, RawFd};
#[cfg(target_os = "linux")]
use crate::path::{self, Path};

/// Connects to the AF_UNIX stream socket at `path`.
///
/// Bounds the wait for a full backlog with SO_SNDTIMEO (socket(7)), because poll(2) cannot wait for it: a connection over
/// AF_UNIX is never in progress. Removes that timeout before it returns the socket.
pub fn unix(path: &[u8], deadline: Deadline) -> Result<OwnedFd> {
    let destination = UnixDestination::new(path)?;
    let socket = new_socket(libc::AF_UNIX, libc::SOCK_STREAM)?;
    loop {
        set_send_timeout(&socket, deadline.left()?)?;
        match destination.connect(&socket) {
            Err(Errno(libc::EINTR)) => continue,
            Err(Errno(libc::EAGAIN)) => return Err(Errno(libc::ETIMEDOUT)),
            outcome => outcome?,
        }
        set_send_timeout(&socket, Duration::ZERO)?;
        return Ok(socket);
    }
}

/// Returns whether the AF_UNIX socket at `path` is a datagram socket.
///
/// Its server does not notice, because connecting a datagram socket only sets a default destination (connect(2)).
pub fn is_datagram_socket(path: &[u8]) -> Result<bool> {
    let socket = new_socket(libc::AF_UNIX, libc::SOCK_DGRAM)?;
    match UnixDestination::new(path)?.connect(&socket) {
        Err(Errno(libc::EPROTOTYPE)) => Ok(false),
        outcome => outcome.map(|()| true),
    }
}

/// Connects to `port` of `cid` over AF_VSOCK.
#[cfg(target_os = "linux")]
pub fn vsock(cid: u32, port: u32, deadline: Deadline) -> Result<OwnedFd> {
    let socket = new_socket(libc::AF_VSOCK, libc::SOCK_STREAM | libc::SOCK_NONBLOCK)?;
    // By default the kernel aborts a vsock connect after 2 s (VSOCK_DEFAULT_CONNECT_TIMEOUT). A kernel that refuses the option
    // keeps that limit.
    let _ = set_option(
        &socket,
        libc::AF_VSOCK,
        SO_VM_SOCKETS_CONNECT_TIMEOUT,
        &timeval(deadline.left()?),
    );
    // SAFETY: all zeros is a valid sockaddr_vm.
    let mut address: libc::sockaddr_vm = unsafe { zeroed() };
    address.svm_family = libc::AF_VSOCK as libc::sa_family_t;
    address.svm_cid = cid;
    address.svm_port = port;
    let connected = loop {
        match connect(&socket, &address, size_of_val(&address)) {
            // After a signal the next call tells whether the connection is in progress (EALREADY) or made (EISCONN).
            Err(Errno(libc::EINTR)) => continue,
            Err(Errno(libc::EISCONN)) => break Ok(()),
            Err(Errno(libc::EINPROGRESS | libc::EALREADY)) => break finish(&socket, deadline),
            outcome => break outcome,
        }
    };
    connected?;
    set_blocking(&socket)?;
    Ok(socket)
}

/// Fails: of the systems that Deno runs on, only Linux has AF_VSOCK sockets to its guests.
#[cfg(not(target_os = "linux"))]
pub fn vsock(_cid: u32, _port: u32, _deadline: Deadline) -> Result<OwnedFd> {
    Err(Errno(libc::EAFNOSUPPORT))
}

/// From linux/vm_sockets.h. The value is a `struct timeval` with the word size of the machine.
#[cfg(target_os = "linux")]
const SO_VM_SOCKETS_CONNECT_TIMEOUT: c_int = 6;

/// Waits for the result of a connection in progress (connect(2), EINPROGRESS).
#[cfg(target_os = "linux")]
fn finish(socket: &OwnedFd, deadline: Deadline) -> Result<()> {
    wait_for(socket.number(), libc::POLLOUT, deadline)?;
    match crate::fdinfo::option::<c_int>(socket.number(), libc::SOL_SOCKET, libc::SO_ERROR)? {
        0 => Ok(()),
        number => Err(Errno(number)),
    }
}

#[cfg(target_os = "linux")]
fn set_blocking(socket: &OwnedFd) -> Result<()> {
    // SAFETY: F_GETFL takes no argument.
    let flags = retry_eintr(|| unsafe { libc::fcntl(socket.number(), libc::F_GETFL) })?;
    let flags = flags & !libc::O_NONBLOCK;
    // SAFETY: F_SETFL takes an int.
    retry_eintr(|| unsafe { libc::fcntl(socket.number(), libc::F_SETFL, flags) })?;
    Ok(())
}

/// The address of an AF_UNIX socket, for a path of any length.
struct UnixDestination {
    address: libc::sockaddr_un,
    /// The open file, if the path does not fit into the address, which then names this file descriptor in /proc.
    node: Option<OwnedFd>,
}

impl UnixDestination {
    fn new(path: &[u8]) -> Result<Self> {
        if path.is_empty() || path.contains(&0) {
            return Err(Errno(libc::EINVAL));
        }
        if let Some(address) = unix_address(path) {
            return Ok(Self { address, node: None });
        }
        let node = open_node(path)?;
        let address = proc_address(node.number());
        Ok(Self { address, node: Some(node) })
    }

    fn connect(&self, socket: &OwnedFd) -> Result<()> {
        match connect(socket, &self.address, size_of_val(&self.address)) {
            // The file is open, so /proc is missing. Without it the path is too long.
            Err(Errno(libc::ENOENT)) if self.node.is_some() => Err(Errno(libc::ENAMETOOLONG)),
            outcome => outcome,
        }
    }
}

/// Returns `path` as an address, if it fits with its NUL (unix(7): 108 bytes on Linux, 104 on macOS).
fn unix_address(path: &[u8]) -> Option<libc::sockaddr_un> {
    // SAFETY: all zeros is a valid sockaddr_un.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    if path.len() >= address.sun_path.len() {
        return None;
    }
    for (into, from) in address.sun_path.iter_mut().zip(path) {
        *into = *from as c_char;
    }
    Some(address)
}

/// Returns `/proc/self/fd/NUMBER` as an address: a link to the open file `fd`, which always fits (proc(5)).
fn proc_address(fd: RawFd) -> libc::sockaddr_un {
    let number = Decimal::new(fd as u32);
    // SAFETY: all zeros is a valid sockaddr_un.
    let mut address: libc::sockaddr_un = unsafe { zeroed() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (into, from) in
        address.sun_path.iter_mut().zip(b"/proc/self/fd/".iter().chain(number.as_bytes()))
    {
        *into = *from as c_char;
    }
    address
}

/// Opens the file at `path` only to name it, which needs no permission on the file (open(2), O_PATH).
#[cfg(target_os = "linux")]
fn open_node(path: &[u8]) -> Result<OwnedFd> {
    path::open(&Path::new(&[path])?, libc::O_PATH)
}

#[cfg(not(target_os = "linux"))]
fn open_node(_path: &[u8]) -> Result<OwnedFd> {
    Err(Errno(libc::ENAMETOOLONG))
}

#[cfg(target_os = "linux")]
fn new_socket(family: c_int, kind: c_int) -> Result<OwnedFd> {
    // SAFETY: takes numbers only.
    let fd = check(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, 0) })?;
    Ok(OwnedFd::new(fd))
}

#[cfg(not(target_os = "linux"))]
fn new_socket(family: c_int, kind: c_int) -> Result<OwnedFd> {
    // SAFETY: takes numbers only.
    let fd = check(unsafe { libc::socket(family, kind, 0) })?;
    let socket = OwnedFd::new(fd);
    // SAFETY: F_SETFD takes an int.
    check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    Ok(socket)
}

fn connect<T>(socket: &OwnedFd, address: &T, len: usize) -> Result<()> {
    let address: *const T = address;
    // SAFETY: the address is alive for the call and `len` bytes long.
    check(unsafe { libc::connect(socket.number(), address.cast(), len as libc::socklen_t) })?;
    Ok(())
}

/// Sets SO_SNDTIMEO. Zero removes the timeout (socket(7)).
fn set_send_timeout(socket: &OwnedFd, time: Duration) -> Result<()> {
    set_option(socket, libc::SOL_SOCKET, libc::SO_SNDTIMEO, &timeval(time))
}

fn timeval(time: Duration) -> libc::timeval {
    libc::timeval {
        tv_sec: time.as_secs() as libc::time_t,
        // Rounds up, because zero would mean no timeout.
        tv_usec: ((time.subsec_nanos() + 999) / 1000).min(999_999) as libc::suseconds_t,
    }
}

fn set_option<T>(socket: &OwnedFd, level: c_int, name: c_int, value: &T) -> Result<()> {
    let start: *const T = value;
    let len = size_of_val(value) as libc::socklen_t;
    // SAFETY: the value is alive for the call and `len` bytes long.
    check(unsafe { libc::setsockopt(socket.number(), level, name, start.cast(), len) })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Folder;
    use std::io::{Read, Write};
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::io::FromRawFd;
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
    use std::path::Path;

    fn in_ms(milliseconds: u32) -> Deadline {
        Deadline::in_ms(milliseconds)
    }

    fn bytes(path: &Path) -> &[u8] {
        path.as_os_str().as_bytes()
    }

    fn flags(socket: &OwnedFd, command: c_int) -> c_int {
        // SAFETY: F_GETFD and F_GETFL take no argument.
        unsafe { libc::fcntl(socket.number(), command) }
    }

    fn stream(socket: OwnedFd) -> UnixStream {
        // SAFETY: given away by its owner the moment before.
        unsafe { UnixStream::from_raw_fd(socket.into_raw()) }
    }

    fn exchange(listener: &UnixListener, socket: OwnedFd) {
        let (mut theirs, _) = listener.accept().unwrap();
        let mut ours = stream(socket);
        ours.write_all(b"ping").unwrap();
        let mut got = [0; 4];
        theirs.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"ping");
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_listening_socket_is_reached_by_its_path() {
        let folder = Folder::new();
        let listener = UnixListener::bind(folder.path("s")).unwrap();
        exchange(&listener, unix(bytes(&folder.path("s")), in_ms(5000)).unwrap());
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn the_fd_is_close_on_exec_and_blocking_with_no_timeout_left_on_it() {
        let folder = Folder::new();
        let _listener = UnixListener::bind(folder.path("s")).unwrap();
        let socket = unix(bytes(&folder.path("s")), in_ms(5000)).unwrap();
        assert_eq!(flags(&socket, libc::F_GETFD), libc::FD_CLOEXEC);
        assert_eq!(flags(&socket, libc::F_GETFL) & libc::O_NONBLOCK, 0);
        assert_eq!(stream(socket).write_timeout().unwrap(), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn every_path_length_about_the_limit_of_an_address_connects() {
        let folder = Folder::new();
        for total in [106, 107, 108, 109, 250, 1000] {
            let deep = folder.path_of_length(total);
            assert_eq!(bytes(&deep).len(), total);
            let listener = folder.listen_in(&deep);
            exchange(&listener, unix(bytes(&deep), in_ms(5000)).unwrap());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_long_path_fails_with_the_same_errors_as_a_short_one() {
        let folder = Folder::new();
        for total in [80, 300] {
            let path = folder.path_of_length(total);
            assert_eq!(unix(bytes(&path), in_ms(5000)).err(), Some(Errno(libc::ENOENT)));
            drop(folder.listen_in(&path));
            assert_eq!(unix(bytes(&path), in_ms(5000)).err(), Some(Errno(libc::ECONNREFUSED)));
        }
    }

    #[test]
    fn an_empty_path_and_a_nul_are_refused() {
        assert_eq!(unix(b"", in_ms(5000)).err(), Some(Errno(libc::EINVAL)));
        assert_eq!(unix(b"/tmp/a\0b", in_ms(5000)).err(), Some(Errno(libc::EINVAL)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn an_ordinary_file_refuses() {
        let folder = Folder::new();
        std::fs::write(folder.path("file"), "").unwrap();
        let outcome = unix(bytes(&folder.path("file")), in_ms(5000));
        assert_eq!(outcome.err(), Some(Errno(libc::ECONNREFUSED)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_datagram_and_a_seqpacket_socket_are_told_apart() {
        let folder = Folder::new();
        let (datagram, seqpacket) = (folder.path("d"), folder.path("q"));
        let _datagram = UnixDatagram::bind(&datagram).unwrap();
        let socket = new_socket(libc::AF_UNIX, libc::SOCK_SEQPACKET).unwrap();
        let address = unix_address(bytes(&seqpacket)).unwrap();
        let start: *const libc::sockaddr_un = &address;
        // SAFETY: the address lives for the call and is that long.
        let bound =
            unsafe { libc::bind(socket.number(), start.cast(), size_of_val(&address) as u32) };
        assert_eq!(bound, 0);
        // SAFETY: takes numbers only.
        assert_eq!(unsafe { libc::listen(socket.number(), 1) }, 0);
        for path in [&datagram, &seqpacket] {
            assert_eq!(unix(bytes(path), in_ms(5000)).err(), Some(Errno(libc::EPROTOTYPE)));
        }
        assert_eq!(is_datagram_socket(bytes(&datagram)), Ok(true));
        assert_eq!(is_datagram_socket(bytes(&seqpacket)), Ok(false));
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_full_backlog_is_waited_for_until_the_deadline() {
        let folder = Folder::new();
        let (listener, waiting) = folder.listen_full("full");
        let path = folder.path("full");
        assert_eq!(unix(bytes(&path), in_ms(40)).err(), Some(Errno(libc::ETIMEDOUT)));
        let patient = std::thread::spawn(move || unix(bytes(&path), in_ms(60_000)).map(|_| ()));
        for _ in 0..=waiting.len() {
            listener.accept().unwrap();
        }
        assert_eq!(patient.join().unwrap(), Ok(()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn signals_neither_end_nor_prolong_the_wait() {
        let folder = Folder::new();
        let (_listener, _waiting) = folder.listen_full("full");
        let path = folder.path("full");
        let start = std::time::Instant::now();
        let interrupted = crate::test_support::under_signals(move || unix(bytes(&path), in_ms(60)));
        assert_eq!(interrupted.err(), Some(Errno(libc::ETIMEDOUT)));
        assert!(start.elapsed() >= Duration::from_millis(60));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn the_shortest_timeout_is_never_rounded_to_no_limit() {
        assert_eq!(timeval(Duration::from_nanos(1)).tv_usec, 1);
        assert_eq!(timeval(Duration::from_nanos(1_999_999_999)).tv_usec, 999_999);
    }

    /// Only where CID 1 is known to be this machine's own loopback: `tests/run.sh` asks first.
    #[cfg(target_os = "linux")]
    #[test]
    #[ignore = "needs vsock loopback (the vsock_loopback kernel module)"]
    fn vsock_loopback_is_reached_and_refuses_where_nothing_listens() {
        let _listener = crate::test_support::VsockListener::bind(9022);
        let socket = vsock(libc::VMADDR_CID_LOCAL, 9022, in_ms(5000)).unwrap();
        assert_eq!(flags(&socket, libc::F_GETFD), libc::FD_CLOEXEC);
        assert_eq!(flags(&socket, libc::F_GETFL) & libc::O_NONBLOCK, 0);
        let refused = vsock(libc::VMADDR_CID_LOCAL, 9023, in_ms(5000));
        assert_eq!(refused.err(), Some(Errno(libc::ECONNRESET)));
    }
}
