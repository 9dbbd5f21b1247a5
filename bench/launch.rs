//! `launch KIND PATH SIZE ROUNDS PROGRAM ARGUMENT…` starts a program, waits for its end, and prints what it cost:
//!
//!     {"wall": milliseconds, "cpu": milliseconds, "peak": KiB, "failures": count}
//!
//! SIZE of them are started at once, and when all are gone, the next SIZE, for ROUNDS times. The wall time and the CPU
//! time are sums, the peak is that of the largest one. A failure is an end with another code than 0, or with anything
//! else handed over than KIND says:
//!
//! - `alone`: nothing. fd 0 and fd 1 are /dev/null.
//! - `fd`: as `ssh` starts a ProxyCommand with ProxyUseFdpass, both fd 0 and fd 1 are one end of a socket pair, and a
//!   file descriptor comes over it. At PATH is a server that says nothing.
//! - `nothing`: started like that, but nothing comes.
//! - `multiplexer`: the same, but at PATH is a multiplexer that answers `OK` at once.
//! - `stream`: fd 0 and fd 1 are pipes, and the first bytes that the server at PATH says come out of fd 1. Then both
//!   sides hang up.
//!
//! A program of its own because the peak memory that the kernel reports of a process begins with that of whoever started
//! it (getrusage(2), ru_maxrss, as execve(2) leaves it), and Deno would be larger than what it measures. The server is
//! this same process, which sleeps whenever it is not needed: a server that wakes up beside what is measured would take
//! a core from it.

#![deny(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block
)]

mod child;

use child::{accept, end_in_time, report, usage, wait, Ended};
use std::ffi::OsString;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::mem::{size_of, size_of_val, zeroed};
use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// As many connections as any round makes may wait until the processes are gone: `fd` takes them then.
const BACKLOG: libc::c_int = 4096;

const REQUEST: &[u8] = b"CONNECT 22\n";
const ANSWER: &[u8] = b"OK 22\n";
const BANNER: &[u8] = b"SSH-2.0-bench\r\n";

fn main() -> ExitCode {
    report("launch", run())
}

fn run() -> Result<String> {
    end_in_time();
    let mut words = std::env::args_os().skip(1);
    let mut word = || {
        words
            .next()
            .ok_or_else(|| usage("KIND PATH SIZE ROUNDS PROGRAM ARGUMENT…"))
    };
    let (kind, path, size, rounds) = (Kind::of(word()?)?, word()?, word()?, word()?);
    let mut command = Command::new(word()?);
    command.args(words);
    let listener = match kind {
        Kind::Alone | Kind::Nothing => None,
        _ => Some(listen(path)?),
    };
    let (size, rounds) = (number(size)?, number(rounds)?);

    let (mut wall, mut cpu, mut peak, mut failures) = (Duration::ZERO, 0.0, 0, 0);
    for _ in 0..rounds {
        let start = Instant::now();
        let mut started = (0..size)
            .map(|_| Started::new(kind, &mut command))
            .collect::<Result<Vec<_>>>()?;
        if let Some(listener) = &listener {
            serve(kind, listener, &mut started)?;
        }
        let mut ended = Vec::with_capacity(size);
        for one in &started {
            ended.push(wait(one.child.id())?);
        }
        wall += start.elapsed();

        for (one, ended) in started.iter().zip(&ended) {
            cpu += ended.cpu;
            peak = peak.max(ended.peak);
            match (one.verify(ended), &listener) {
                (Ok(()), Some(listener)) if kind == Kind::Fd => drop(accept(listener)?),
                (Ok(()), _) => {}
                (Err(error), _) => {
                    failures += 1;
                    eprintln!("launch: {error}");
                }
            }
        }
    }
    let wall = wall.as_secs_f64() * 1e3;
    Ok(format!(
        r#"{{"wall":{wall},"cpu":{cpu},"peak":{peak},"failures":{failures}}}"#
    ))
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Alone,
    Nothing,
    Fd,
    Multiplexer,
    Stream,
}

impl Kind {
    fn of(word: OsString) -> Result<Kind> {
        match word.to_str() {
            Some("alone") => Ok(Kind::Alone),
            Some("nothing") => Ok(Kind::Nothing),
            Some("fd") => Ok(Kind::Fd),
            Some("multiplexer") => Ok(Kind::Multiplexer),
            Some("stream") => Ok(Kind::Stream),
            _ => Err(usage("KIND is alone, nothing, fd, multiplexer or stream")),
        }
    }
}

fn number(word: OsString) -> Result<usize> {
    word.to_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| usage("SIZE and ROUNDS are numbers"))
}

fn listen(path: OsString) -> Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    // SAFETY: takes numbers. A second listen(2) sets the length of the queue anew.
    if unsafe { libc::listen(listener.as_raw_fd(), BACKLOG) } != 0 {
        return Err(Error::last_os_error());
    }
    Ok(listener)
}

/// A program that was started, and this side of what it has as fd 0 and fd 1.
struct Started {
    kind: Kind,
    child: Child,
    channel: Option<UnixStream>,
    /// What came out of it, where it carries a stream.
    said: Vec<u8>,
}

impl Started {
    fn new(kind: Kind, command: &mut Command) -> Result<Started> {
        let mut channel = None;
        match kind {
            Kind::Alone => command.stdin(Stdio::null()).stdout(Stdio::null()),
            Kind::Stream => command.stdin(Stdio::piped()).stdout(Stdio::piped()),
            Kind::Nothing | Kind::Fd | Kind::Multiplexer => {
                let (ours, theirs) = UnixStream::pair()?;
                channel = Some(ours);
                command.stdin(Stdio::from(OwnedFd::from(theirs.try_clone()?)));
                command.stdout(Stdio::from(OwnedFd::from(theirs)))
            }
        };
        let child = command.spawn()?;
        // The command holds the other end; without it, a program that hands nothing over is the end of the stream.
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Started {
            kind,
            child,
            channel,
            said: Vec::new(),
        })
    }

    /// Whether what `ended` has handed over what it was to.
    fn verify(&self, ended: &Ended) -> Result<()> {
        let passed = match &self.channel {
            Some(channel) => received_fd(channel)?.is_some(),
            None => false,
        };
        let complete = match self.kind {
            Kind::Alone => true,
            Kind::Nothing => !passed,
            Kind::Fd | Kind::Multiplexer => passed,
            Kind::Stream => self.said == BANNER,
        };
        if ended.code == 0 && complete {
            return Ok(());
        }
        let said = self.said.len();
        let text = format!("exit code {}, an fd: {passed}, {said} bytes", ended.code);
        Err(Error::new(ErrorKind::Other, text))
    }
}

/// What the server does while `started` run.
fn serve(kind: Kind, listener: &UnixListener, started: &mut [Started]) -> Result<()> {
    let mut visitors = Vec::new();
    for _ in started.iter() {
        match kind {
            // They wait in the queue, if they come.
            Kind::Alone | Kind::Nothing | Kind::Fd => {}
            Kind::Multiplexer => {
                let mut visitor = accept(listener)?;
                visitor.read_exact(&mut [0; REQUEST.len()])?;
                visitor.write_all(ANSWER)?;
                visitors.push(visitor);
            }
            Kind::Stream => {
                let mut visitor = accept(listener)?;
                visitor.write_all(BANNER)?;
                visitors.push(visitor);
            }
        }
    }
    for one in started {
        if let Some(output) = &mut one.child.stdout {
            output
                .take(BANNER.len() as u64)
                .read_to_end(&mut one.said)?;
        }
        drop(one.child.stdin.take());
    }
    Ok(())
}

/// The file descriptor that came over `socket`.
fn received_fd(socket: &UnixStream) -> Result<Option<OwnedFd>> {
    let mut byte = [0u8; 1];
    // A header (the length, level and type), and one number, padded (cmsg(3)).
    let mut control = [0u64; 3];
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
        return Err(Error::last_os_error());
    }
    let [length, _, number] = control;
    // SAFETY: computes a number.
    if length != u64::from(unsafe { libc::CMSG_LEN(size_of::<libc::c_int>() as _) }) {
        return Ok(None);
    }
    let [a, b, c, d, ..] = number.to_ne_bytes();
    // SAFETY: the kernel has just made it for this process.
    Ok(Some(unsafe {
        OwnedFd::from_raw_fd(libc::c_int::from_ne_bytes([a, b, c, d]))
    }))
}
