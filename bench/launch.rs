//! `launch PROGRAM ARGUMENT…` starts a program the way `ssh` starts a ProxyCommand with ProxyUseFdpass (both fd 0 and fd 1
//! are one end of a socket pair), waits for its end, and prints what it cost and what it handed over:
//!
//!     {"wall": milliseconds, "cpu": milliseconds, "peak": KiB, "fds": count, "code": exit code}
//!
//! A program of its own because the peak memory that the kernel reports of a process begins with that of whoever started
//! it (getrusage(2), ru_maxrss, as execve(2) leaves it), and Deno would be larger than what it measures.

#![deny(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block
)]

use std::mem::{size_of, size_of_val, zeroed, MaybeUninit};
use std::os::unix::io::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

fn main() -> ExitCode {
    match run() {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("launch: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> std::io::Result<String> {
    let mut words = std::env::args_os().skip(1);
    let program = words
        .next()
        .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidInput, "which program?"))?;
    let (ours, theirs) = UnixStream::pair()?;
    let mut command = Command::new(program);
    command
        .args(words)
        .stdin(Stdio::from(OwnedFd::from(theirs.try_clone()?)));
    command.stdout(Stdio::from(OwnedFd::from(theirs)));

    let start = Instant::now();
    let child = command.spawn()?;
    let (status, usage) = wait(child.id() as libc::pid_t)?;
    let wall = start.elapsed().as_secs_f64() * 1000.0;
    // The command holds the other end; without it, a program that hands nothing over is the end of the stream.
    drop(command);

    let milliseconds = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    let cpu = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
    let (peak, fds) = (usage.ru_maxrss, received_fds(&ours)?);
    let code = if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128
    };
    Ok(format!(
        r#"{{"wall":{wall},"cpu":{cpu},"peak":{peak},"fds":{fds},"code":{code}}}"#
    ))
}

fn wait(pid: libc::pid_t) -> std::io::Result<(libc::c_int, libc::rusage)> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both places are writable and live for the whole call.
    if unsafe { libc::wait4(pid, &mut status, 0, usage.as_mut_ptr()) } != pid {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: zeroed, then filled in; a C struct of numbers.
    Ok((status, unsafe { usage.assume_init() }))
}

/// How many file descriptors came over `socket`. They are left open: this program ends next.
fn received_fds(socket: &UnixStream) -> std::io::Result<usize> {
    let mut byte = [0u8; 1];
    let mut control = [0u64; 8];
    let mut part = libc::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: byte.len(),
    };
    // SAFETY: all zeros is a valid msghdr.
    let mut message: libc::msghdr = unsafe { zeroed() };
    message.msg_iov = &mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: `message` points to buffers that outlive the call.
    if unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, libc::MSG_DONTWAIT) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    // The control message begins with its length, a size_t, which counts the header and the file descriptors.
    // SAFETY: computes a number.
    let header = u64::from(unsafe { libc::CMSG_LEN(0) });
    let [length, ..] = control;
    Ok(length.saturating_sub(header) as usize / size_of::<libc::c_int>())
}
