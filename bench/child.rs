//! What the programs of bench/ share: the end of a process that they started, and sockets that are waited for in bounds.

use std::mem::MaybeUninit;
use std::os::unix::io::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::ExitCode;

/// Prints what `program` has found, or why it has not.
pub fn report(program: &str, outcome: std::io::Result<String>) -> ExitCode {
    match outcome {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// How a process ended, and what it cost with those that it waited for itself.
pub struct Ended {
    /// The exit code; 128 where a signal ended it.
    pub code: libc::c_int,
    /// User and system time, in milliseconds.
    pub cpu: f64,
    /// The most memory that was resident at once, in KiB.
    pub peak: libc::c_long,
}

/// Waits for the end of the child `pid`.
pub fn wait(pid: u32) -> std::io::Result<Ended> {
    let pid = pid as libc::pid_t;
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both places are writable and live for the whole call.
    if unsafe { libc::wait4(pid, &mut status, 0, usage.as_mut_ptr()) } != pid {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: zeroed, then filled in; a C struct of numbers.
    let usage = unsafe { usage.assume_init() };
    let milliseconds = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    let code = if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128
    };
    let cpu = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
    Ok(Ended {
        code,
        cpu,
        peak: usage.ru_maxrss,
    })
}

/// How long somebody may take to connect, in milliseconds: much, for 200 that are started at once.
const PATIENCE: libc::c_int = 60_000;

/// The next connection to `listener`, which comes from a process that may have failed instead.
pub fn accept(listener: &UnixListener) -> std::io::Result<UnixStream> {
    let mut poll = libc::pollfd {
        fd: listener.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: points to one pollfd, which lives for the whole call.
    match unsafe { libc::poll(&mut poll, 1, PATIENCE) } {
        0 => Err(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            "nobody connects",
        )),
        1 => Ok(listener.accept()?.0),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Has the kernel end this process after five minutes: it waits for others, which may be broken.
pub fn end_in_time() {
    // SAFETY: takes a number.
    unsafe { libc::alarm(300) };
}

/// The error of a command line that is none.
pub fn usage(text: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidInput, text)
}
