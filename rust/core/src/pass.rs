//! Passes a file descriptor as OpenSSH's `mm_receive_fd` expects it: one byte, with one SCM_RIGHTS message that holds
//! one file descriptor (unix(7), cmsg(3)).

use core::mem::{size_of, zeroed};
use core::ptr::addr_of_mut;

use crate::deadline::{Deadline, Retry};
use crate::errno::{retry_eintr, Errno, Result};
use crate::fd::RawFd;
use crate::io::NO_SIGNAL;

/// Passes `fd` over the AF_UNIX socket `channel`.
pub fn send_fd(channel: RawFd, fd: RawFd, deadline: Deadline) -> Result<()> {
    let mut byte = [0u8; 1];
    let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: byte.len() };
    let mut control = Control { fd, ..Control::EMPTY };
    // SAFETY: all zeros is a valid msghdr.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &mut part;
    message.msg_iovlen = 1;
    message.msg_control = addr_of_mut!(control).cast();
    message.msg_controllen = size_of::<Control>() as _;
    let mut retry = Retry::new(channel, libc::POLLOUT, deadline);
    loop {
        let sent = retry_eintr(|| {
            // SAFETY: `message` points to `part` and `control`, and `part` to `byte`; all of them outlive the call.
            unsafe { libc::sendmsg(channel, &message, libc::MSG_DONTWAIT | NO_SIGNAL) }
        });
        match sent {
            Ok(_) => return Ok(()),
            Err(Errno(libc::EAGAIN)) => retry.wait()?,
            Err(errno) => return Err(errno),
        }
    }
}

/// One control message with one file descriptor, laid out as CMSG_SPACE and CMSG_DATA do it.
///
/// The padding is a field, because the kernel reads it too: padding of the compiler would pass bytes of the stack.
#[repr(C)]
struct Control {
    header: libc::cmsghdr,
    fd: RawFd,
    padding: [u8; PADDING],
}

const PADDING: usize = {
    // SAFETY: CMSG_SPACE computes a number.
    let space = unsafe { libc::CMSG_SPACE(size_of::<RawFd>() as u32) };
    // SAFETY: CMSG_LEN computes a number.
    let len = unsafe { libc::CMSG_LEN(size_of::<RawFd>() as u32) };
    (space - len) as usize
};

impl Control {
    const EMPTY: Self = Self {
        header: libc::cmsghdr {
            // SAFETY: CMSG_LEN computes a number.
            cmsg_len: unsafe { libc::CMSG_LEN(size_of::<RawFd>() as u32) } as _,
            cmsg_level: libc::SOL_SOCKET,
            cmsg_type: libc::SCM_RIGHTS,
        },
        fd: -1,
        padding: [0; PADDING],
    };
}

const _: () = {
    // SAFETY: CMSG_SPACE computes a number.
    let space = unsafe { libc::CMSG_SPACE(size_of::<RawFd>() as u32) };
    assert!(space as usize == size_of::<Control>());
    assert!(size_of::<libc::cmsghdr>() + size_of::<RawFd>() + PADDING == size_of::<Control>());
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::receive_message;
    use std::io::{Read, Write};
    use std::os::unix::io::AsRawFd;
    use std::os::unix::net::UnixStream;

    fn in_ms(milliseconds: u32) -> Deadline {
        Deadline::in_ms(milliseconds)
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn one_nul_byte_arrives_with_one_fd_that_is_the_same_file() {
        let (channel, theirs) = UnixStream::pair().unwrap();
        let (ours, mut far) = UnixStream::pair().unwrap();
        send_fd(channel.as_raw_fd(), ours.as_raw_fd(), in_ms(1000)).unwrap();
        drop(channel);
        let (bytes, mut fds) = receive_message(&theirs);
        assert_eq!((bytes, fds.len()), (vec![0], 1));
        let mut received = UnixStream::from(fds.remove(0));
        received.write_all(b"same").unwrap();
        let mut got = [0; 4];
        far.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"same");
        let (bytes, fds) = receive_message(&theirs);
        assert_eq!((bytes.len(), fds.len()), (0, 0));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_receiver_that_is_gone_is_an_error_and_no_signal() {
        let (channel, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        // SAFETY: SIG_DFL is a valid disposition.
        let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let sent = send_fd(channel.as_raw_fd(), channel.as_raw_fd(), in_ms(1000));
        // SAFETY: `before` came from signal(2).
        unsafe { libc::signal(libc::SIGPIPE, before) };
        assert_eq!(sent, Err(Errno(libc::EPIPE)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_channel_that_takes_no_more_ends_at_the_deadline() {
        let (channel, _theirs) = UnixStream::pair().unwrap();
        channel.set_nonblocking(true).unwrap();
        while (&channel).write(&[0; 4096]).is_ok() {}
        while (&channel).write(&[0]).is_ok() {}
        let sent = send_fd(channel.as_raw_fd(), channel.as_raw_fd(), in_ms(30));
        assert_eq!(sent, Err(Errno(libc::ETIMEDOUT)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn what_is_no_socket_is_an_error() {
        let file = std::fs::File::open("/dev/null").unwrap();
        let sent = send_fd(file.as_raw_fd(), file.as_raw_fd(), in_ms(1000));
        assert_eq!(sent, Err(Errno(libc::ENOTSOCK)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn file_descriptors_that_a_peer_sends_are_not_kept() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        // A pipe of which the peer keeps no writing end: its end comes when nobody has one any more.
        let (reader, writer) = crate::test_support::pipe();
        send_fd(theirs.as_raw_fd(), writer.as_raw_fd(), in_ms(1000)).unwrap();
        drop(writer);
        assert_eq!(crate::io::peek(ours.as_raw_fd(), &mut [0; 3], in_ms(1000)), Ok(1));
        assert_eq!(crate::io::receive(ours.as_raw_fd(), &mut [0; 3], in_ms(1000)), Ok(1));
        let mut reader = std::fs::File::from(reader);
        assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0);
    }
}
