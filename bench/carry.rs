//! `carry WAY AMOUNT PATH FRONT PROGRAM ARGUMENT…` has a relay carry bytes between the server at PATH, which is this process,
//! and whoever started the relay, which is this process too, and prints what that cost:
//!
//!     {"wall": milliseconds, "cpu": milliseconds, "peak": KiB}                     towards, from, both
//!     {"p50": microseconds, "p99": microseconds, "cpu": milliseconds, "peak": KiB}  echo
//!
//! WAY is how the bytes go: `towards` ssh (out of the relay's fd 1), `from` ssh (into its fd 0), `both` at once, each AMOUNT
//! bytes; or `echo`, one byte there and back, AMOUNT times. With `checked-` before it what arrives is compared with what was
//! sent, which takes longer. FRONT is where the relay itself listens, for one that does; empty, its fd 0 and 1 are pipes.
//! Without PROGRAM there is no relay: the bytes go from one end of a connection to the other, and `wall` is all that there is
//! to print.
//!
//! The clocks start when a byte has gone through each way, and stop when the last one has arrived: what the relay's start
//! and its end cost is not in `wall` and `cpu`. It is in `peak`.

#![deny(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block
)]

mod child;

use child::{accept, end_in_time, report, usage, wait};
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::mem::{size_of_val, zeroed};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::ptr::null_mut;
use std::thread;
use std::time::{Duration, Instant};

/// How much is written at once: what a pipe holds by itself, and twice the 32 KiB in which sshd fills a channel
/// (CHAN_SES_PACKET_DEFAULT), several of which it writes together.
const BLOCK: usize = 64 * 1024;

fn main() -> ExitCode {
    report("carry", run())
}

fn run() -> Result<String> {
    end_in_time();
    let mut words = std::env::args_os().skip(1);
    let mut word = || {
        words
            .next()
            .ok_or_else(|| usage("WAY AMOUNT PATH FRONT PROGRAM ARGUMENT…"))
    };
    let (way, amount, path, front) = (word()?, word()?, word()?, word()?);
    let way = way.to_str().ok_or_else(|| usage("which way?"))?;
    let (way, checked) = match way.strip_prefix("checked-") {
        Some(way) => (way, true),
        None => (way, false),
    };
    let amount = amount
        .to_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| usage("AMOUNT is a number"))?;

    if way == "echo" {
        stay_on_one_core()?;
    }
    let listener = UnixListener::bind(&path)?;
    let Some(program) = words.next() else {
        let near = End::of(UnixStream::connect(&path)?)?;
        let far = End::of(accept(&listener)?)?;
        return Ok(format!(
            "{{{}}}",
            measure(way, &near, &far, amount, checked)?
        ));
    };
    let mut command = Command::new(program);
    command.args(words);
    let (mut child, near) = if front.is_empty() {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ends = child.stdin.take().zip(child.stdout.take());
        let (to, from) = ends.ok_or_else(|| usage("it has no pipes"))?;
        (
            child,
            End {
                to: OwnedFd::from(to).into(),
                from: OwnedFd::from(from).into(),
            },
        )
    } else {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        (child, End::of(connect(&front)?)?)
    };
    let far = End::of(accept(&listener)?)?;

    through(&far, &near)?;
    through(&near, &far)?;
    let before = cpu_time(&child)?;
    let figures = measure(way, &near, &far, amount, checked)?;
    drop((near, far));
    // One that listens would do so for ever.
    if !front.is_empty() {
        child.kill()?;
    }
    let ended = wait(child.id())?;
    if front.is_empty() && ended.code != 0 {
        return Err(Error::new(
            ErrorKind::Other,
            format!("exit code {}", ended.code),
        ));
    }
    let cpu = ended.cpu - before;
    Ok(format!(
        r#"{{{figures},"cpu":{cpu},"peak":{}}}"#,
        ended.peak
    ))
}

fn measure(way: &str, near: &End, far: &End, amount: usize, checked: bool) -> Result<String> {
    match way {
        "echo" => echo(near, far, amount),
        _ => stream(way, near, far, amount, checked),
    }
}

/// One end of what the relay connects.
struct End {
    to: File,
    from: File,
}

impl End {
    fn of(socket: UnixStream) -> Result<End> {
        let to = OwnedFd::from(socket.try_clone()?).into();
        Ok(End {
            to,
            from: OwnedFd::from(socket).into(),
        })
    }
}

/// Connects to `path` as soon as somebody listens there.
fn connect(path: &std::ffi::OsStr) -> Result<UnixStream> {
    let start = Instant::now();
    loop {
        match UnixStream::connect(path) {
            Ok(socket) => return Ok(socket),
            Err(error) if start.elapsed() > Duration::from_secs(10) => return Err(error),
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// One byte.
fn through(one: &End, other: &End) -> Result<()> {
    (&one.to).write_all(b"x")?;
    (&other.from).read_exact(&mut [0])
}

/// What `child` has used of the processors until now, in milliseconds.
fn cpu_time(child: &Child) -> Result<f64> {
    let mut clock = 0;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes a number to a place that lives for the whole call.
    match unsafe { libc::clock_getcpuclockid(child.id() as libc::pid_t, &mut clock) } {
        0 => {}
        error => return Err(Error::from_raw_os_error(error)),
    }
    // SAFETY: writes a timespec to a place that lives for the whole call.
    if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
        return Err(Error::last_os_error());
    }
    Ok(time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6)
}

/// Keeps this process, and those that it starts, on one core. Only one of them has something to do at any time of an
/// echo; whether the kernel finds it a core that sleeps, which takes long to wake, is chance.
fn stay_on_one_core() -> Result<()> {
    // SAFETY: all zeros is a valid set: the empty one.
    let mut cores: libc::cpu_set_t = unsafe { zeroed() };
    // SAFETY: takes nothing.
    let current = unsafe { libc::sched_getcpu() };
    // SAFETY: `current` is the number of a core, and the set has room for all.
    unsafe { libc::CPU_SET(current as usize, &mut cores) };
    // SAFETY: points to a set that lives for the whole call.
    match unsafe { libc::sched_setaffinity(0, size_of_val(&cores), &cores) } {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}

/// There and back in one thread, so that nothing but the relay is woken in between.
fn echo(near: &End, far: &End, trips: usize) -> Result<String> {
    let mut took = Vec::with_capacity(trips);
    for _ in 0..trips {
        let start = Instant::now();
        through(near, far)?;
        through(far, near)?;
        took.push(start.elapsed());
    }
    took.sort();
    let at = |part: f64| {
        let index = ((trips as f64 * part).ceil() as usize).saturating_sub(1);
        took.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    Ok(format!(r#""p50":{},"p99":{}"#, at(0.5), at(0.99)))
}

fn stream(way: &str, near: &End, far: &End, amount: usize, checked: bool) -> Result<String> {
    let pairs = match way {
        "towards" => vec![(far, near)],
        "from" => vec![(near, far)],
        "both" => vec![(far, near), (near, far)],
        _ => return Err(usage("WAY is towards, from, both or echo")),
    };
    let start = Instant::now();
    thread::scope(|scope| {
        let workers: Vec<_> = pairs
            .iter()
            .flat_map(|(source, sink)| {
                let sending = scope.spawn(move || send(&source.to, amount, checked));
                let receiving = scope.spawn(move || match checked {
                    true => compare(&sink.from, amount),
                    false => discard(&sink.from, amount),
                });
                [sending, receiving]
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(_) => Err(Error::new(ErrorKind::Other, "a thread broke")),
            })
    })?;
    Ok(format!(r#""wall":{}"#, start.elapsed().as_secs_f64() * 1e3))
}

/// A block of a stream in which every 8 bytes are other ones: their own number.
fn fill(block: &mut [u8], from: usize) {
    for (index, word) in block.chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&(from / 8 + index).to_ne_bytes());
    }
}

fn send(mut to: &File, amount: usize, checked: bool) -> Result<()> {
    let mut block = vec![0; BLOCK];
    for from in (0..amount).step_by(BLOCK) {
        if checked {
            fill(&mut block, from);
        }
        to.write_all(block.get(..amount - from).unwrap_or(&block))?;
    }
    Ok(())
}

fn compare(mut from: &File, amount: usize) -> Result<()> {
    let (mut came, mut sent) = (vec![0; BLOCK], vec![0; BLOCK]);
    for at in (0..amount).step_by(BLOCK) {
        came.truncate(amount - at);
        from.read_exact(&mut came)?;
        fill(&mut sent, at);
        if !sent.starts_with(&came) {
            let text = format!("other bytes came after {at}");
            return Err(Error::new(ErrorKind::InvalidData, text));
        }
    }
    Ok(())
}

/// Takes `amount` bytes, and does no more with them than the kernel asks for: they are not even copied. What `ssh` and sshd
/// do with them instead would be the same for every relay, and hide how they differ.
fn discard(from: &File, amount: usize) -> Result<()> {
    let nowhere = File::options().write(true).open("/dev/null")?;
    // A socket's go through a pipe: one of two must be one.
    let piped = from.metadata()?.file_type().is_fifo();
    let pipe = if piped { None } else { Some(pipe()?) };
    let mut left = amount;
    while left > 0 {
        let count = match &pipe {
            None => splice(from, &nowhere, left)?,
            Some((near, into)) => {
                let count = splice(from, into, left)?;
                let mut held = count;
                while held > 0 {
                    held -= splice(near, &nowhere, held)?;
                }
                count
            }
        };
        if count == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        left -= count;
    }
    Ok(())
}

/// A new pipe: the end to read from and the end to write to.
fn pipe() -> Result<(File, File)> {
    let mut fds = [-1; 2];
    // SAFETY: there is room for two fds.
    if unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(Error::last_os_error());
    }
    let [near, into] = fds;
    // SAFETY: pipe2(2) has just made it.
    let near = unsafe { File::from_raw_fd(near) };
    // SAFETY: as above.
    let into = unsafe { File::from_raw_fd(into) };
    Ok((near, into))
}

fn splice(from: &File, to: &File, length: usize) -> Result<usize> {
    let (from, to) = (from.as_raw_fd(), to.as_raw_fd());
    // SAFETY: takes numbers; the null pointers are offsets, which neither has.
    match unsafe { libc::splice(from, null_mut(), to, null_mut(), length, 0) } {
        count if count >= 0 => Ok(count as usize),
        _ => Err(Error::last_os_error()),
    }
}
