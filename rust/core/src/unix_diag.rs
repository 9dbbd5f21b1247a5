//! Finds the AF_UNIX sockets of this network namespace that listen (sock_diag(7)).
//!
//! Uses netlink instead of /proc/net/unix, because that does not escape paths: a path with a line break can forge the line of
//! another socket. Netlink reports each path with its length.

use crate::errno::{Errno, Result};

/// The longest path that a socket can be bound to: `sun_path` of unix(7).
const PATH: usize = 108;

/// A query and its answer. The layout is that of `struct listening_socket` in the C ABI.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListeningSocket {
    /// The inode number to find, or 0 to find `path`.
    pub inode: u32,
    /// The number of listening stream sockets that have this inode number or path. A socket without a path does not count.
    pub count: u32,
    /// The path, padded with NULs.
    pub path: [u8; PATH],
}

#[cfg(not(target_os = "linux"))]
pub fn find(_sockets: &mut [ListeningSocket]) -> Result<()> {
    Err(Errno(libc::ENOTSUP))
}

#[cfg(target_os = "linux")]
pub use linux::find;

#[cfg(target_os = "linux")]
mod linux {
    use super::{Errno, ListeningSocket, Result, PATH};
    use crate::errno::retry_eintr;
    use crate::fd::OwnedFd;
    use core::mem::{size_of, MaybeUninit};

    // From linux/sock_diag.h, linux/unix_diag.h and net/tcp_states.h: the crate libc lacks them.
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const UDIAG_SHOW_NAME: u32 = 1;
    const UNIX_DIAG_NAME: u16 = 0;
    const TCP_LISTEN: u8 = 10;

    /// A `struct nlmsghdr`, followed by a `struct unix_diag_req`.
    #[repr(C)]
    struct Request {
        length: u32,
        kind: u16,
        flags: u16,
        sequence: u32,
        port: u32,
        family: u8,
        protocol: u8,
        padding: u16,
        states: u32,
        inode: u32,
        show: u32,
        cookie: [u32; 2],
    }

    /// The size of a `struct nlmsghdr`.
    const HEADER: usize = 16;
    /// The offset of the attributes of a `struct unix_diag_msg` in a message.
    const ATTRIBUTES: usize = HEADER + 16;

    /// Fills in `count` and `path` of each of `sockets`.
    ///
    /// They must be sorted: first those with the inode number 0, by their paths, then the others by their inode numbers.
    pub fn find(sockets: &mut [ListeningSocket]) -> Result<()> {
        let netlink = ask()?;
        // The kernel sends a dump in messages of at most 32 KiB (netlink_dump in net/netlink/af_netlink.c).
        let mut buffer = [0; 32768];
        loop {
            let length = receive(&netlink, &mut buffer)?;
            let mut rest = buffer.get(..length).ok_or(Errno(libc::EIO))?;
            while let Some((message, others)) = split(rest, 4, u32_at(rest, 0)) {
                match message.get(4..6).map(|kind| [kind[0], kind[1]]).map(u16::from_ne_bytes) {
                    Some(SOCK_DIAG_BY_FAMILY) => answer(message, sockets),
                    Some(kind) if i32::from(kind) == libc::NLMSG_DONE => return Ok(()),
                    Some(kind) if i32::from(kind) == libc::NLMSG_ERROR => {
                        let error = u32_at(message, HEADER).unwrap_or_default() as i32;
                        return Err(Errno(
                            error.checked_neg().filter(|n| *n > 0).unwrap_or(libc::EIO),
                        ));
                    }
                    _ => {}
                }
                rest = others;
            }
        }
    }

    /// Requests a dump of all AF_UNIX sockets that listen.
    fn ask() -> Result<OwnedFd> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: takes numbers only.
        let netlink = retry_eintr(|| unsafe {
            libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_SOCK_DIAG)
        })?;
        let netlink = OwnedFd::new(netlink);
        let request = Request {
            length: size_of::<Request>() as u32,
            kind: SOCK_DIAG_BY_FAMILY,
            flags: (libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16,
            sequence: 1,
            port: 0,
            family: libc::AF_UNIX as u8,
            protocol: 0,
            padding: 0,
            states: 1 << TCP_LISTEN,
            inode: 0,
            show: UDIAG_SHOW_NAME,
            cookie: [0; 2],
        };
        let start: *const Request = &request;
        // SAFETY: the request is alive and that long.
        retry_eintr(|| unsafe {
            libc::send(netlink.number(), start.cast(), size_of::<Request>(), 0)
        })?;
        Ok(netlink)
    }

    /// Receives a datagram from the kernel, and returns its length.
    fn receive(netlink: &OwnedFd, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let mut sender = MaybeUninit::<libc::sockaddr_nl>::zeroed();
            let mut size = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
            let (start, length) = (buffer.as_mut_ptr(), buffer.len());
            let address = sender.as_mut_ptr();
            let received = retry_eintr(|| {
                // SAFETY: the buffer, the address and its size are alive, writable and that long.
                unsafe {
                    libc::recvfrom(
                        netlink.number(),
                        start.cast(),
                        length,
                        libc::MSG_TRUNC,
                        address.cast(),
                        &mut size,
                    )
                }
            })?;
            // SAFETY: all zeros are a `sockaddr_nl`, and the kernel has written nothing else.
            let sender = unsafe { sender.assume_init() };
            // Ignores other senders: a process with CAP_NET_ADMIN can send messages too.
            if sender.nl_pid == 0 {
                return match usize::try_from(received) {
                    Ok(0) | Err(_) => Err(Errno(libc::EIO)),
                    Ok(received) => Ok(received),
                };
            }
        }
    }

    /// Enters the socket of a `struct unix_diag_msg` into the queries that it answers.
    pub fn answer(message: &[u8], sockets: &mut [ListeningSocket]) {
        let kind = message.get(HEADER + 1).copied().map(i32::from);
        let (Some(libc::SOCK_STREAM), Some(inode)) = (kind, u32_at(message, HEADER + 4)) else {
            return;
        };
        let mut rest = message.get(ATTRIBUTES..).unwrap_or_default();
        while let Some((attribute, others)) = split(rest, 4, u16_at(rest, 0).map(u32::from)) {
            if u16_at(attribute, 2) == Some(UNIX_DIAG_NAME) {
                enter(inode, attribute.get(4..).unwrap_or_default(), sockets);
            }
            rest = others;
        }
    }

    /// Enters a socket with this inode number and name: a path with a NUL at its end, or an abstract name, which begins with
    /// a NUL and is ignored.
    fn enter(inode: u32, name: &[u8], sockets: &mut [ListeningSocket]) {
        let name = name.strip_suffix(&[0]).unwrap_or(name);
        if name.is_empty() || name.len() > PATH || name.first() == Some(&0) {
            return;
        }
        let mut path = [0; PATH];
        for (to, from) in path.iter_mut().zip(name) {
            *to = *from;
        }
        let found = sockets.binary_search_by(|socket| (socket.inode, socket.path).cmp(&(0, path)));
        if let Some(socket) = found.ok().and_then(|at| sockets.get_mut(at)) {
            socket.count = socket.count.saturating_add(1);
        }
        let found = sockets.binary_search_by(|socket| socket.inode.cmp(&inode));
        if let Some(socket) = found.ok().and_then(|at| sockets.get_mut(at)) {
            if inode != 0 {
                socket.count = socket.count.saturating_add(1);
                socket.path = path;
            }
        }
    }

    /// Splits off an item of `length` bytes and the padding to a multiple of 4 bytes. Returns the item and the rest, or
    /// `None` if the item is shorter than `least` or longer than `bytes`.
    fn split(bytes: &[u8], least: usize, length: Option<u32>) -> Option<(&[u8], &[u8])> {
        let length = usize::try_from(length?).ok()?;
        let whole = bytes.get(..length).filter(|whole| whole.len() >= least)?;
        Some((whole, bytes.get(length.checked_add(3)? & !3..).unwrap_or_default()))
    }

    fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
        bytes.get(at..at + 2)?.try_into().ok().map(u16::from_ne_bytes)
    }

    fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
        bytes.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes)
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::os::unix::ffi::OsStrExt;
        use std::os::unix::net::{UnixDatagram, UnixListener};

        fn inode_of(socket: &impl std::os::unix::io::AsRawFd) -> u32 {
            crate::fd::status(socket.as_raw_fd()).unwrap().st_ino as u32
        }

        fn question(inode: u32, path: &[u8]) -> ListeningSocket {
            let mut bytes = [0; PATH];
            bytes[..path.len()].copy_from_slice(path);
            ListeningSocket { inode, count: 0, path: bytes }
        }

        #[test]
        #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
        fn what_listens_is_found_by_its_inode_and_by_its_path_and_nothing_else_is() {
            let folder = crate::test_support::Folder::new();
            let bytes = |name: &str| folder.path(name).as_os_str().as_bytes().to_vec();
            let plain = UnixListener::bind(folder.path("s")).unwrap();
            let broken = UnixListener::bind(folder.path("a\nb")).unwrap();
            let datagram = UnixDatagram::bind(folder.path("d")).unwrap();
            let connected = std::os::unix::net::UnixStream::connect(folder.path("s")).unwrap();
            let mut sockets = [
                question(0, &bytes("a\nb")),
                question(0, &bytes("d")),
                question(0, &bytes("none")),
                question(0, &bytes("s")),
                question(inode_of(&plain), b""),
                question(inode_of(&broken), b""),
                question(inode_of(&datagram), b""),
                question(inode_of(&connected), b""),
            ];
            sockets[4..].sort_by_key(|socket| socket.inode);
            assert_eq!(find(&mut sockets), Ok(()));
            let counts: Vec<u32> = sockets[..4].iter().map(|socket| socket.count).collect();
            assert_eq!(counts, [1, 0, 0, 1]);
            let path_of = |inode: u32| {
                let found = sockets.iter().find(|socket| socket.inode == inode).unwrap();
                assert_eq!(found.count, u32::from(found.path[0] != 0));
                found.path.iter().copied().take_while(|byte| *byte != 0).collect::<Vec<u8>>()
            };
            assert_eq!(path_of(inode_of(&plain)), bytes("s"));
            assert_eq!(path_of(inode_of(&broken)), bytes("a\nb"));
            assert_eq!(path_of(inode_of(&datagram)), b"");
            assert_eq!(path_of(inode_of(&connected)), b"");
        }

        #[test]
        fn no_broken_message_is_read_beyond_its_end() {
            let mut message = vec![0; HEADER];
            message.extend([1, 1, TCP_LISTEN, 0]);
            message.extend(7u32.to_ne_bytes());
            message.extend([0; 8]);
            message.extend(7u16.to_ne_bytes());
            message.extend(UNIX_DIAG_NAME.to_ne_bytes());
            message.extend(b"/a\0");
            for length in 0..=message.len() {
                let mut sockets = [question(7, b"")];
                answer(&message[..length], &mut sockets);
                assert_eq!(sockets[0].count, u32::from(length == message.len()), "{length}");
            }
            for broken in [0u16, 3, 8, u16::MAX] {
                message[ATTRIBUTES..ATTRIBUTES + 2].copy_from_slice(&broken.to_ne_bytes());
                let mut sockets = [question(7, b"")];
                answer(&message, &mut sockets);
                assert_eq!(sockets[0].count, 0, "{broken}");
            }
        }

        #[test]
        fn an_abstract_name_a_name_too_long_and_the_inode_number_0_are_none() {
            let mut sockets = [question(0, b""), question(7, b"")];
            enter(7, b"\0abstract", &mut sockets);
            enter(7, b"", &mut sockets);
            enter(7, &[b'x'; PATH + 2], &mut sockets);
            enter(0, b"/a\0", &mut sockets);
            assert_eq!(sockets, [question(0, b""), question(7, b"")]);
            enter(7, &[b'x'; PATH], &mut sockets);
            enter(7, b"/a\0", &mut sockets);
            assert_eq!(sockets[1].count, 2);
        }
    }
}
