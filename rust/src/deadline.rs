//! Waiting, but not for ever: a deadline, and poll(2) under it.

use core::time::Duration;

use crate::errno::{check, Errno, Result};
use crate::fd::RawFd;

/// How long a call may take from its start on. A struct of one field, passed by value: to C it costs what a
/// `uint32_t` costs, and Deno builds no machine code at load time for a function that takes a struct.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TimeLeft {
    pub milliseconds: u32,
}

/// The moment at which a call gives up, in nanoseconds on the clock that no administrator can set back.
#[derive(Clone, Copy)]
pub struct Deadline(u64);

impl From<TimeLeft> for Deadline {
    fn from(time: TimeLeft) -> Self {
        Self(now().saturating_add(u64::from(time.milliseconds) * 1_000_000))
    }
}

impl Deadline {
    /// The time until the deadline, or ETIMEDOUT where there is none left.
    pub fn left(self) -> Result<Duration> {
        match self.0.saturating_sub(now()) {
            0 => Err(Errno(libc::ETIMEDOUT)),
            left => Ok(Duration::from_nanos(left)),
        }
    }
}

/// CLOCK_MONOTONIC, which no system goes without.
fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is alive and writable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    (now.tv_sec as u64).saturating_mul(1_000_000_000) + now.tv_nsec as u64
}

/// Waits until one of `events` (or an error or a hang-up) is there for `fd`. `Ok` says that a system call on `fd` is
/// worth another try, not that it will succeed.
pub fn wait_for(fd: RawFd, events: libc::c_short, deadline: Deadline) -> Result<()> {
    loop {
        match poll_once(fd, events, deadline.left()?) {
            Ok(false) | Err(Errno(libc::EINTR)) => continue,
            Ok(true) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}

/// One poll(2) of at most `time`: whether anything happened.
pub fn poll_once(fd: RawFd, events: libc::c_short, time: Duration) -> Result<bool> {
    let mut poll = libc::pollfd { fd, events, revents: 0 };
    // Rounded up: a rest under a millisecond must not become a busy loop of polls that do not wait.
    let milliseconds = ((time.as_micros() + 999) / 1000).try_into().unwrap_or(i32::MAX);
    // SAFETY: `poll` is one pollfd, alive for the whole call.
    check(unsafe { libc::poll(&mut poll, 1, milliseconds) }).map(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::io::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    fn in_ms(milliseconds: u32) -> Deadline {
        TimeLeft { milliseconds }.into()
    }

    #[test]
    fn no_time_at_all_is_a_timeout_at_once() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert_eq!(wait_for(ours.as_raw_fd(), libc::POLLIN, in_ms(0)), Err(Errno(libc::ETIMEDOUT)));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn waiting_ends_when_the_time_is_up_and_not_before() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let start = Instant::now();
        assert_eq!(
            wait_for(ours.as_raw_fd(), libc::POLLIN, in_ms(40)),
            Err(Errno(libc::ETIMEDOUT))
        );
        assert!(start.elapsed() >= Duration::from_millis(40));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_peer_that_hangs_up_ends_the_wait() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert_eq!(wait_for(ours.as_raw_fd(), libc::POLLIN, in_ms(60_000)), Ok(()));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn the_longest_time_that_can_be_given_does_not_overflow() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert_eq!(wait_for(ours.as_raw_fd(), libc::POLLIN, in_ms(u32::MAX)), Ok(()));
    }
}
