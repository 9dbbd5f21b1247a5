//! Runs a relay between a client and a server. The input is a script: the steps of both.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::channel;
use std::time::Duration;

use deno_ssh_proxy_core::relay::relay;

/// The limit of every wait, far above the time that any takes.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The end of a stream that a test writes to.
struct Writer {
    file: Option<File>,
    /// The number of bytes written, which are those of [`byte_at`].
    written: usize,
}

/// The end of a stream that a test reads from.
struct Reader {
    file: Option<File>,
    read: usize,
}

/// Returns byte number `at` of every stream. Hardly any two pieces of it are alike.
fn byte_at(at: usize) -> u8 {
    ((at as u32).wrapping_mul(2_654_435_761) >> 13) as u8
}

impl Writer {
    fn new(file: impl Into<OwnedFd>) -> Self {
        Self { file: Some(nonblocking(file.into())), written: 0 }
    }

    /// Writes up to `count` bytes, as many as there is room for.
    fn write(&mut self, count: usize) {
        let Some(file) = &mut self.file else { return };
        let bytes: Vec<u8> = (self.written..self.written + count).map(byte_at).collect();
        match file.write(&bytes) {
            Ok(count) => self.written += count,
            Err(error) => {
                let kind = error.kind();
                assert!(kind == ErrorKind::WouldBlock || kind == ErrorKind::BrokenPipe, "{error}");
            }
        }
    }
}

impl Reader {
    fn new(file: impl Into<OwnedFd>) -> Self {
        Self { file: Some(nonblocking(file.into())), read: 0 }
    }

    /// Reads up to `count` bytes, and compares them. Returns whether the stream has ended.
    fn read(&mut self, count: usize) -> bool {
        let Some(file) = &mut self.file else { return true };
        let mut bytes = vec![0; count];
        match file.read(&mut bytes) {
            Ok(0) => count > 0,
            Ok(count) => {
                for byte in bytes.iter().take(count) {
                    assert_eq!(*byte, byte_at(self.read), "byte {}", self.read);
                    self.read += 1;
                }
                false
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            // The other side went away with bytes that it had not read.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => true,
            Err(error) => panic!("{error}"),
        }
    }

    /// Reads until the stream has ended.
    fn read_all(&mut self) {
        while !self.read(1 << 16) {
            let Some(file) = &self.file else { return };
            assert!(waits_for(file, libc::POLLIN, TIMEOUT), "byte {} does not come", self.read);
        }
    }
}

fn nonblocking(fd: OwnedFd) -> File {
    // SAFETY: takes numbers only.
    let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) };
    // SAFETY: as above.
    unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK) };
    fd.into()
}

/// Waits for one of `events` or a hang-up. Returns whether it occurred.
fn waits_for(file: &File, events: libc::c_short, time: Duration) -> bool {
    let mut poll = libc::pollfd { fd: file.as_raw_fd(), events, revents: 0 };
    // SAFETY: `poll` is one pollfd, alive for the whole call.
    unsafe { libc::poll(&mut poll, 1, time.as_millis() as libc::c_int) > 0 }
}

fn shut_down(file: &File, how: libc::c_int) {
    // SAFETY: takes numbers only.
    unsafe { libc::shutdown(file.as_raw_fd(), how) };
}

fn pipe() -> (OwnedFd, OwnedFd) {
    let mut fds = [-1; 2];
    // SAFETY: there is room for two fds.
    assert_eq!(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_CLOEXEC) }, 0);
    // SAFETY: pipe2(2) has just made them.
    let [near, far] = fds.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    (near, far)
}

/// Counts the open file descriptors of this process.
fn open_fds() -> usize {
    // SAFETY: takes numbers only.
    (0..1024).filter(|fd| unsafe { libc::fcntl(*fd, libc::F_GETFD) } >= 0).count()
}

/// The files of a client.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Pipes,
    /// One end of a socket pair for both directions, as libssh has it.
    Socket,
    /// A socket for one direction, and a pipe for the other.
    Both,
    /// A pipe, and a file that is written to.
    File,
}

/// Runs the script `input`, and then ends both sides in order.
///
/// Checks that bytes arrive unchanged and in order, and all of them if their reader did not stop; that the relay ends without
/// an error; and that it leaves no file descriptor open.
pub fn relay_script(input: &[u8]) {
    let Some((first, steps)) = input.split_first() else { return };
    let kind = [Kind::Pipes, Kind::Socket, Kind::Both, Kind::File][usize::from(first % 4)];
    let before = open_fds();
    run(kind, [first & 4 != 0, first & 8 != 0], steps);
    assert_eq!(open_fds(), before, "file descriptors are left open");
}

/// Runs the steps. A client or server that is `late` reads nothing before everything is written.
fn run(kind: Kind, late: [bool; 2], steps: &[u8]) {
    // SAFETY: SIG_IGN is a valid disposition.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let (near, far) = UnixStream::pair().expect("a socket pair");
    let (from, to, writes, reads): (OwnedFd, OwnedFd, OwnedFd, OwnedFd) = match kind {
        Kind::Pipes => {
            let ((from, writes), (reads, to)) = (pipe(), pipe());
            (from, to, writes, reads)
        }
        Kind::Socket => {
            let (twin, other) =
                (far.try_clone().expect("a twin"), near.try_clone().expect("a twin"));
            (far.into(), twin.into(), other.into(), near.into())
        }
        Kind::Both => {
            let (reads, to) = pipe();
            (far.into(), to, near.into(), reads)
        }
        Kind::File => {
            let (from, writes) = pipe();
            // SAFETY: the name is a C string, alive for ever.
            let file = unsafe { libc::memfd_create(b"out\0".as_ptr().cast(), libc::MFD_CLOEXEC) };
            // SAFETY: memfd_create(2) has just made it.
            let to = unsafe { OwnedFd::from_raw_fd(file) };
            // With a file offset of its own.
            let reads = File::open(format!("/proc/self/fd/{file}")).expect("the same file").into();
            (from, to, writes, reads)
        }
    };
    let (socket, server) = UnixStream::pair().expect("a socket pair");
    let mut client_writes = Writer::new(writes);
    let mut client_reads = Reader::new(reads);
    let mut server_writes = Writer::new(server.try_clone().expect("a twin"));
    let mut server_reads = Reader::new(server);

    let (tell, outcome) = channel();
    let relaying = std::thread::spawn(move || {
        // The relay closes pipes, and another file can have the number by then.
        let is_pipe = |fd: &OwnedFd| {
            deno_ssh_proxy_core::fdinfo::fd_kind(fd.as_raw_fd())
                == Ok(deno_ssh_proxy_core::fdinfo::FdKind::Pipe)
        };
        let [from, to] = [from, to].map(|fd| match is_pipe(&fd) {
            true => (fd.into_raw_fd(), None),
            false => (fd.as_raw_fd(), Some(fd)),
        });
        let _ = tell.send(relay(from.0, to.0, socket.as_raw_fd()));
    });

    // Whether each of the two reads to the end.
    let (mut client_stays, mut server_stays) = (true, true);
    for step in steps.chunks_exact(2) {
        let [what, much] = [step[0], step[1]];
        let count = match what >> 6 {
            0 => usize::from(much),
            1 => usize::from(much) << 5,
            2 => usize::from(much) << 9,
            _ => usize::from(much) << 10,
        };
        match what & 15 {
            0 | 1 => client_writes.write(count),
            2 | 3 => server_writes.write(count),
            4 | 5 if !late[0] => drop(client_reads.read(count)),
            6 | 7 if !late[1] => drop(server_reads.read(count)),
            8 => {
                if let Some(file) = &server_reads.file {
                    waits_for(file, libc::POLLIN, Duration::from_millis(1));
                }
            }
            9 => std::thread::yield_now(),
            10 if what < 128 => end_client(&mut client_writes, kind),
            11 if what < 128 => end_server(&server_writes),
            12 if what < 64 => {
                // Closes with bytes unread.
                client_stays = false;
                client_reads.file = None;
                if kind == Kind::Socket {
                    client_writes.file = None;
                }
            }
            13 if what < 64 => {
                server_stays = false;
                server_reads.file = None;
                server_writes.file = None;
            }
            14 if what < 64 => {
                // Shuts down its reading side.
                server_stays = false;
                if let Some(file) = &server_reads.file {
                    shut_down(file, libc::SHUT_RD);
                }
            }
            _ => (),
        }
    }

    end_client(&mut client_writes, kind);
    end_server(&server_writes);
    // One after the other: bytes that are not read must not block the other direction.
    let files = kind == Kind::File;
    server_reads.read_all();
    if !files {
        client_reads.read_all();
    }
    server_reads.file = None;
    server_writes.file = None;
    if !files {
        client_reads.file = None;
    }
    client_writes.file = None;
    assert_eq!(outcome.recv_timeout(TIMEOUT).expect("it ends"), Ok(()));
    relaying.join().expect("no panic");
    if files && client_stays {
        client_reads.read_all();
    }
    if server_stays {
        assert_eq!(server_reads.read, client_writes.written, "of what the client wrote");
    }
    if client_stays {
        assert_eq!(client_reads.read, server_writes.written, "of what the server wrote");
    }
}

/// Ends the stream of the client.
fn end_client(writes: &mut Writer, kind: Kind) {
    let Some(file) = &writes.file else { return };
    match kind {
        Kind::Pipes | Kind::File => writes.file = None,
        Kind::Socket | Kind::Both => shut_down(file, libc::SHUT_WR),
    }
}

/// Ends the stream of the server.
fn end_server(writes: &Writer) {
    if let Some(file) = &writes.file {
        shut_down(file, libc::SHUT_WR);
    }
}
