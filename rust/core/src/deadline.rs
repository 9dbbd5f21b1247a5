//! Deadlines, and waiting with poll(2) until one.

use core::time::Duration;

use crate::errno::{check, Errno, Result};
use crate::fd::RawFd;

/// The time at which a call gives up, in nanoseconds of CLOCK_MONOTONIC, which nobody can set back.
#[derive(Clone, Copy)]
pub struct Deadline(u64);

impl Deadline {
    /// Returns the deadline that is this many milliseconds from now.
    pub fn in_ms(milliseconds: u32) -> Self {
        Self(now().saturating_add(u64::from(milliseconds) * 1_000_000))
    }

    /// Returns the time until the deadline, or `ETIMEDOUT` if it has passed.
    pub fn left(self) -> Result<Duration> {
        match self.0.saturating_sub(now()) {
            0 => Err(Errno(libc::ETIMEDOUT)),
            left => Ok(Duration::from_nanos(left)),
        }
    }
}

/// Reads CLOCK_MONOTONIC, which every system has.
fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is alive and writable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    (now.tv_sec as u64).saturating_mul(1_000_000_000) + now.tv_nsec as u64
}

/// Waits between the tries of a system call that returns EAGAIN.
///
/// A peer can keep a socket readable for poll(2) and empty for recv(2), with a byte out of band (unix(7), MSG_OOB).
/// So each wait but the first begins with a pause, twice as long as the one before.
pub struct Retry {
    fd: RawFd,
    events: libc::c_short,
    deadline: Deadline,
    pauses: Pauses,
}

impl Retry {
    pub fn new(fd: RawFd, events: libc::c_short, deadline: Deadline) -> Self {
        Self { fd, events, deadline, pauses: Pauses::after(1) }
    }

    /// Waits until another try is worthwhile, which can fail with EAGAIN all the same.
    pub fn wait(&mut self) -> Result<()> {
        self.pauses.next(|| self.deadline.left())?;
        wait_for(self.fd, self.events, self.deadline)
    }
}

/// Growing pauses, for a loop in which poll(2) returns at once and no byte moves.
pub struct Pauses {
    /// The number of further rounds without a pause.
    free: u32,
    pause: Duration,
}

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

impl Pauses {
    /// Begins to pause after `free` rounds.
    pub const fn after(free: u32) -> Self {
        Self { free, pause: FIRST_PAUSE }
    }

    /// Pauses, unless this round is free, for at most the time that `left` returns.
    pub fn next(&mut self, left: impl FnOnce() -> Result<Duration>) -> Result<()> {
        if self.free > 0 {
            self.free -= 1;
            return Ok(());
        }
        let pause = self.pause.min(left()?);
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        // Sleeps, because poll(2) ignores negative file descriptors.
        match poll_once(-1, 0, pause) {
            Ok(_) | Err(Errno(libc::EINTR)) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

/// Waits until `fd` has one of `events`, an error or a hang-up.
///
/// The next system call on `fd` can return EAGAIN all the same: [`Retry`] is for loops.
pub fn wait_for(fd: RawFd, events: libc::c_short, deadline: Deadline) -> Result<()> {
    loop {
        match poll_once(fd, events, deadline.left()?) {
            Ok(false) | Err(Errno(libc::EINTR)) => continue,
            Ok(true) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}

/// Calls poll(2) once, for at most `time`, and returns whether an event occurred.
pub fn poll_once(fd: RawFd, events: libc::c_short, time: Duration) -> Result<bool> {
    let mut poll = libc::pollfd { fd, events, revents: 0 };
    // Rounds up, because less than a millisecond would become a busy loop of polls that do not wait.
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
        Deadline::in_ms(milliseconds)
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
