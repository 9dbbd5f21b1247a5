//! Sends and receives until a deadline.
//!
//! Uses MSG_DONTWAIT and poll(2) instead of O_NONBLOCK, because every process that has the socket shares that flag.

use core::time::Duration;

use libc::{c_int, c_short};

use crate::deadline::{poll_once, Deadline, Retry};
use crate::errno::{retry_eintr, Errno, Result};
use crate::fd::RawFd;

/// Sends all of `bytes`.
///
/// Passes all of them to the first send(2), because a multiplexer can require its request in one piece.
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

/// Receives between one byte and `into.len()` bytes. Returns the count, 0 at the end of the stream.
pub fn receive(socket: RawFd, into: &mut [u8], deadline: Deadline) -> Result<usize> {
    receive_with(socket, into, 0, deadline)
}

/// Receives as [`receive`] does, and leaves the bytes in the socket.
pub fn peek(socket: RawFd, into: &mut [u8], deadline: Deadline) -> Result<usize> {
    receive_with(socket, into, libc::MSG_PEEK, deadline)
}

/// Peeks until `into` is full or the peer has ended its side. Returns the count.
///
/// Pauses between two peeks, because poll(2) cannot wait for a second byte: a socket with one byte is readable. The
/// pauses grow, and end early when the peer hangs up.
pub fn peek_whole(socket: RawFd, into: &mut [u8], deadline: Deadline) -> Result<usize> {
    let mut pause = Duration::from_millis(1);
    let mut ended = false;
    loop {
        let count = peek(socket, into, deadline)?;
        // The peer had ended before this peek, so no byte can follow.
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

/// The event of a peer that sends no more. poll(2) reports POLLHUP without a request.
#[cfg(target_os = "linux")]
const HANG_UP: c_short = libc::POLLRDHUP;
#[cfg(not(target_os = "linux"))]
const HANG_UP: c_short = 0;

/// Makes send(2) return EPIPE, instead of raising SIGPIPE, if the peer is gone. macOS has no such flag: there the
/// program has to ignore the signal, as Deno does.
#[cfg(target_os = "linux")]
pub const NO_SIGNAL: c_int = libc::MSG_NOSIGNAL;
#[cfg(not(target_os = "linux"))]
pub const NO_SIGNAL: c_int = 0;

fn receive_with(socket: RawFd, into: &mut [u8], flags: c_int, deadline: Deadline) -> Result<usize> {
    let mut retry = Retry::new(socket, libc::POLLIN, deadline);
    loop {
        let received = retry_eintr(|| {
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
    retry_eintr(|| {
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
    use std::io::{Read, Write};
    use std::net::Shutdown;
    use std::os::unix::io::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::thread;

    fn in_ms(milliseconds: u32) -> Deadline {
        Deadline::in_ms(milliseconds)
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
