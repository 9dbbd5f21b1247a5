//! Sending and receiving under a deadline. The calls never touch the socket's O_NONBLOCK flag, which is shared with
//! whoever else holds the socket: each asks for MSG_DONTWAIT and waits with poll(2).

use core::time::Duration;

use libc::{c_int, c_short};

use crate::deadline::{poll_once, Deadline, Retry};
use crate::errno::{check_uninterrupted, Errno, Result};
use crate::fd::RawFd;

/// Sends all of `bytes`. The first send(2) offers them whole: a multiplexer may take only a request that arrives in
/// one piece.
pub fn send(socket: RawFd, mut bytes: &[u8], deadline: Deadline) -> Result<()> {
    let start = || Retry::new(socket, libc::POLLOUT, deadline);
    let mut retry = start();
    while !bytes.is_empty() {
        match send_some(socket, bytes) {
            Ok(count) => {
                bytes = bytes.get(count..).unwrap_or_default();
                retry = start();
            }
            Err(Errno(libc::EAGAIN)) => retry.wait()?,
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Receives what is there, up to the length of `into`, waiting for at least one byte; 0 at the end of the stream.
pub fn receive(socket: RawFd, into: &mut [u8], deadline: Deadline) -> Result<usize> {
    receive_with(socket, into, 0, deadline)
}

/// The same, and leaves the bytes in the socket.
pub fn peek(socket: RawFd, into: &mut [u8], deadline: Deadline) -> Result<usize> {
    receive_with(socket, into, libc::MSG_PEEK, deadline)
}

/// Peeks until `into` can be filled, or the peer has ended its side: fewer bytes than asked for will stay fewer.
///
/// poll(2) cannot wait for more than is there already (a socket with one byte is readable, and stays so), hence
/// the growing pauses. They end early when the peer hangs up.
pub fn peek_whole(socket: RawFd, into: &mut [u8], deadline: Deadline) -> Result<usize> {
    let mut pause = Duration::from_millis(1);
    let mut ended = false;
    loop {
        let count = peek(socket, into, deadline)?;
        // `ended` is from before this peek, which has then seen all that there will ever be.
        if count == into.len() || count == 0 || ended {
            return Ok(count);
        }
        ended = match poll_once(socket, HANG_UP, pause.min(deadline.left()?)) {
            Err(Errno(libc::EINTR)) => false,
            polled => polled?,
        };
        pause = pause.saturating_mul(2).min(Duration::from_millis(50));
    }
}

/// The peer will send no more. POLLHUP needs no asking for.
#[cfg(target_os = "linux")]
const HANG_UP: c_short = libc::POLLRDHUP;
#[cfg(not(target_os = "linux"))]
const HANG_UP: c_short = 0;

/// A peer that is gone is an EPIPE to report, not a SIGPIPE to die of. macOS knows no such flag: there it is up to
/// the program to ignore the signal, which Deno does.
#[cfg(target_os = "linux")]
pub const NO_SIGNAL: c_int = libc::MSG_NOSIGNAL;
#[cfg(not(target_os = "linux"))]
pub const NO_SIGNAL: c_int = 0;

fn receive_with(socket: RawFd, into: &mut [u8], flags: c_int, deadline: Deadline) -> Result<usize> {
    let mut retry = Retry::new(socket, libc::POLLIN, deadline);
    loop {
        let received = check_uninterrupted(|| {
            // SAFETY: the pointer and the length are those of one live, writable slice.
            unsafe {
                libc::recv(socket, into.as_mut_ptr().cast(), into.len(), flags | libc::MSG_DONTWAIT)
            }
        });
        match received {
            Ok(count) => return Ok(count as usize),
            Err(Errno(libc::EAGAIN)) => retry.wait()?,
            Err(errno) => return Err(errno),
        }
    }
}

fn send_some(socket: RawFd, bytes: &[u8]) -> Result<usize> {
    check_uninterrupted(|| {
        // SAFETY: the pointer and the length are those of one live slice.
        unsafe {
            libc::send(socket, bytes.as_ptr().cast(), bytes.len(), libc::MSG_DONTWAIT | NO_SIGNAL)
        }
    })
    .map(|count| count as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadline::TimeLeft;
    use std::io::{Read, Write};
    use std::net::Shutdown;
    use std::os::unix::io::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::thread;

    fn in_ms(milliseconds: u32) -> Deadline {
        TimeLeft { milliseconds }.into()
    }

    fn pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn more_than_the_socket_can_hold_is_sent_whole() {
        let (ours, mut theirs) = pair();
        let sent: Vec<u8> = (0..4_000_000u32).map(|n| (n % 251) as u8).collect();
        let reader = thread::spawn(move || {
            let mut all = Vec::new();
            theirs.read_to_end(&mut all).unwrap();
            all
        });
        assert_eq!(send(ours.as_raw_fd(), &sent, in_ms(60_000)), Ok(()));
        drop(ours);
        assert!(reader.join().unwrap() == sent);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn sending_to_a_peer_that_never_reads_ends_at_the_deadline() {
        let (ours, _theirs) = pair();
        let sent = send(ours.as_raw_fd(), &[0; 4_000_000], in_ms(30));
        assert_eq!(sent, Err(Errno(libc::ETIMEDOUT)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn sending_to_a_closed_peer_is_an_error_and_no_signal() {
        let (ours, theirs) = pair();
        drop(theirs);
        // Rust's test harness ignores SIGPIPE; a program in C does not, and neither may this need it to.
        // SAFETY: SIG_DFL is a valid disposition.
        let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let sent = send(ours.as_raw_fd(), b"x", in_ms(1000));
        // SAFETY: `before` came from signal(2).
        unsafe { libc::signal(libc::SIGPIPE, before) };
        assert_eq!(sent, Err(Errno(libc::EPIPE)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn receiving_takes_what_is_there_and_zero_at_the_end() {
        let (ours, mut theirs) = pair();
        theirs.write_all(b"hello").unwrap();
        let mut into = [0; 3];
        assert_eq!(receive(ours.as_raw_fd(), &mut into, in_ms(1000)), Ok(3));
        assert_eq!(&into, b"hel");
        theirs.shutdown(Shutdown::Write).unwrap();
        assert_eq!(receive(ours.as_raw_fd(), &mut into, in_ms(1000)), Ok(2));
        assert_eq!(receive(ours.as_raw_fd(), &mut into, in_ms(1000)), Ok(0));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn receiving_from_a_silent_peer_ends_at_the_deadline() {
        let (ours, _theirs) = pair();
        let got = receive(ours.as_raw_fd(), &mut [0; 3], in_ms(30));
        assert_eq!(got, Err(Errno(libc::ETIMEDOUT)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn peeking_leaves_every_byte_in_place() {
        let (mut ours, mut theirs) = pair();
        theirs.write_all(b"SSH-").unwrap();
        theirs.write_all(b"2.0").unwrap();
        let mut into = [0; 16];
        assert_eq!(peek(ours.as_raw_fd(), &mut into, in_ms(1000)), Ok(7));
        let mut all = [0; 7];
        ours.read_exact(&mut all).unwrap();
        assert_eq!(&all, b"SSH-2.0");
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn peeking_for_a_whole_buffer_waits_for_its_last_byte() {
        let (ours, mut theirs) = pair();
        theirs.write_all(b"S").unwrap();
        let writer = thread::spawn(move || {
            for byte in b"SH-2" {
                thread::sleep(Duration::from_millis(5));
                theirs.write_all(&[*byte]).unwrap();
            }
            theirs
        });
        let mut into = [0; 4];
        assert_eq!(peek_whole(ours.as_raw_fd(), &mut into, in_ms(60_000)), Ok(4));
        assert_eq!(&into, b"SSH-");
        writer.join().unwrap();
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn peeking_for_a_whole_buffer_ends_with_less_where_the_peer_has_ended() {
        let (ours, mut theirs) = pair();
        theirs.write_all(b"SS").unwrap();
        theirs.shutdown(Shutdown::Write).unwrap();
        assert_eq!(peek_whole(ours.as_raw_fd(), &mut [0; 4], in_ms(60_000)), Ok(2));
        drop(theirs);
        assert_eq!(peek_whole(ours.as_raw_fd(), &mut [0; 4], in_ms(60_000)), Ok(2));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn peeking_for_a_whole_buffer_that_never_fills_ends_at_the_deadline() {
        let (ours, mut theirs) = pair();
        theirs.write_all(b"SS").unwrap();
        let got = peek_whole(ours.as_raw_fd(), &mut [0; 4], in_ms(30));
        assert_eq!(got, Err(Errno(libc::ETIMEDOUT)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_byte_out_of_band_is_waited_for_without_taking_the_processor() {
        use crate::test_support::{own_cpu_time, send_out_of_band};
        const WAIT_MS: u32 = 500;
        type Receives = fn(RawFd, &mut [u8], Deadline) -> Result<usize>;
        let every_way: [(&str, Receives); 3] =
            [("receive", receive), ("peek", peek), ("peek_whole", peek_whole)];
        for (name, receives) in every_way {
            let (ours, theirs) = pair();
            if !send_out_of_band(&theirs) {
                eprintln!("left out: this kernel has no MSG_OOB for AF_UNIX");
                return;
            }
            let before = own_cpu_time();
            let got = receives(ours.as_raw_fd(), &mut [0; 3], in_ms(WAIT_MS));
            let cpu = own_cpu_time() - before;
            assert_eq!(got, Err(Errno(libc::ETIMEDOUT)), "{name}");
            assert!(cpu < Duration::from_millis(u64::from(WAIT_MS / 10)), "{name}: {cpu:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn what_follows_a_byte_out_of_band_is_found_although_it_was_paused_for() {
        for receives in [receive, peek, peek_whole] {
            let (ours, mut theirs) = pair();
            if !crate::test_support::send_out_of_band(&theirs) {
                return;
            }
            let writer = thread::spawn(move || {
                thread::sleep(Duration::from_millis(20));
                theirs.write_all(b"SSH").unwrap();
                theirs
            });
            let mut into = [0; 3];
            assert_eq!(receives(ours.as_raw_fd(), &mut into, in_ms(60_000)), Ok(3));
            assert_eq!(&into, b"SSH");
            writer.join().unwrap();
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn file_descriptors_that_a_peer_sends_are_not_kept() {
        let (ours, theirs) = pair();
        // A pipe of which the peer keeps no writing end: its end comes when nobody has one any more.
        let (reader, writer) = crate::test_support::pipe();
        crate::pass::send_fd(theirs.as_raw_fd(), writer.as_raw_fd(), in_ms(1000)).unwrap();
        drop(writer);
        assert_eq!(peek(ours.as_raw_fd(), &mut [0; 3], in_ms(1000)), Ok(1));
        assert_eq!(receive(ours.as_raw_fd(), &mut [0; 3], in_ms(1000)), Ok(1));
        let mut reader = std::fs::File::from(reader);
        assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn the_sockets_own_flags_stay_as_they_were() {
        let (ours, _theirs) = pair();
        let _ = receive(ours.as_raw_fd(), &mut [0; 3], in_ms(1));
        // SAFETY: F_GETFL takes no argument.
        let flags = unsafe { libc::fcntl(ours.as_raw_fd(), libc::F_GETFL) };
        assert_eq!(flags & libc::O_NONBLOCK, 0);
    }
}
