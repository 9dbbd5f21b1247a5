//! Tests of the whole relay.

use super::ready::poll;
use super::*;
use crate::deadline::Deadline;
use crate::test_support::{closed_fd, open_terminal, pipe, under_signals, Folder};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::io::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::Duration;

/// The files of a client: where it writes and reads, and the relay's ends of the same.
struct Client {
    writes: File,
    reads: File,
    from: OwnedFd,
    to: OwnedFd,
}

fn with_pipes() -> Client {
    let ((from, writes), (reads, to)) = (pipe(), pipe());
    Client { writes: writes.into(), reads: reads.into(), from, to }
}

/// One end of a socket pair for both directions, as libssh has it.
fn with_a_socket() -> Client {
    let (near, far) = UnixStream::pair().unwrap();
    Client {
        writes: OwnedFd::from(near.try_clone().unwrap()).into(),
        reads: OwnedFd::from(near).into(),
        from: far.try_clone().unwrap().into(),
        to: far.into(),
    }
}

/// A socket for one direction and a pipe for the other, as asyncio has it until Python 3.11.
fn with_a_socket_and_a_pipe() -> Client {
    let (socket, pipes) = (with_a_socket(), with_pipes());
    Client { writes: socket.writes, from: socket.from, ..pipes }
}

/// A terminal in which a byte is a byte.
fn with_a_terminal() -> Client {
    let (near, far) = open_terminal();
    // SAFETY: all zeros is a valid termios.
    let mut modes: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: `modes` is writable.
    assert_eq!(unsafe { libc::tcgetattr(far.as_raw_fd(), &mut modes) }, 0);
    // SAFETY: as above.
    unsafe { libc::cfmakeraw(&mut modes) };
    // SAFETY: `modes` is filled in.
    assert_eq!(unsafe { libc::tcsetattr(far.as_raw_fd(), libc::TCSANOW, &modes) }, 0);
    Client {
        writes: near.try_clone().unwrap().into(),
        reads: near.into(),
        from: far.try_clone().unwrap(),
        to: far,
    }
}

/// A running relay, and the files on both sides of it.
struct Relaying {
    writes: File,
    reads: File,
    server: UnixStream,
    outcome: Receiver<Result<()>>,
}

impl Relaying {
    fn start(client: Client, over: Over) -> Self {
        let Client { writes, reads, from, to } = client;
        let (socket, server) = over();
        let (tell, outcome) = channel();
        thread::spawn(move || {
            ignore_sigpipe();
            let result = relay_and_close([from, to], socket);
            let _ = tell.send(result);
        });
        Self { writes, reads, server, outcome }
    }

    fn goes_on(&self) -> bool {
        self.outcome.try_recv().is_err()
    }
}

/// Waits for the result of the relay, and fails after 20 s.
fn ends(outcome: &Receiver<Result<()>>) -> Result<()> {
    outcome.recv_timeout(Duration::from_secs(20)).unwrap()
}

/// Relays, and closes only what the relay has left open: it closes pipes, and another test can have their numbers by then.
fn relay_and_close(client: [OwnedFd; 2], socket: UnixStream) -> Result<()> {
    let [from, to] = client.map(|fd| match fd_kind(fd.as_raw_fd()) {
        Ok(FdKind::Pipe) => (fd.into_raw_fd(), None),
        _ => (fd.as_raw_fd(), Some(fd)),
    });
    relay(from.0, to.0, socket.as_raw_fd())
}

fn ignore_sigpipe() {
    // SAFETY: SIG_IGN is a valid disposition.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn read(mut from: impl Read, count: usize) -> Vec<u8> {
    let mut got = vec![0; count];
    from.read_exact(&mut got).unwrap();
    got
}

fn rest(mut from: impl Read) -> Vec<u8> {
    let mut got = Vec::new();
    from.read_to_end(&mut got).unwrap();
    got
}

fn every_client() -> [Client; 3] {
    [with_pipes(), with_a_socket(), with_a_socket_and_a_pipe()]
}

/// Sends `count` bytes from both sides while both read.
fn both_ways_at_once(client: Client, over: Over, count: usize) {
    let mut relaying = Relaying::start(client, over);
    let sent = bytes(count);
    thread::scope(|scope| {
        let (mut writes, mut server) = (&relaying.writes, &relaying.server);
        let all = &sent;
        scope.spawn(move || writes.write_all(all).unwrap());
        scope.spawn(move || server.write_all(all).unwrap());
        let reads = scope.spawn(|| read(&relaying.reads, count));
        assert!(read(&relaying.server, count) == sent);
        assert!(reads.join().unwrap() == sent);
    });
    relaying.server.write_all(b"end").unwrap();
    relaying.server.shutdown(Shutdown::Both).unwrap();
    assert_eq!(read(&relaying.reads, 3), b"end");
    assert_eq!(ends(&relaying.outcome), Ok(()));
}

/// Returns a connected socket and its server's side.
type Over = fn() -> (UnixStream, UnixStream);

fn unix_pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

#[cfg(target_os = "linux")]
fn vsock_pair() -> (UnixStream, UnixStream) {
    let listener = crate::test_support::VsockListener::bind(9024);
    let socket =
        crate::connect::vsock(libc::VMADDR_CID_LOCAL, 9024, Deadline::in_ms(5000)).unwrap();
    // A UnixStream only reads, writes and shuts down, which works the same for both families.
    // SAFETY: it is given away, and open.
    let socket = unsafe { OwnedFd::from_raw_fd(socket.into_raw()) };
    (socket.into(), listener.accept().into())
}

/// Makes of each function a test over AF_UNIX, and of all of them one test over AF_VSOCK.
macro_rules! over_any_socket {
    ($(fn $name:ident($over:ident) $body:block)*) => {
        $(
            #[test]
            #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
            fn $name() {
                let $over: Over = unix_pair;
                $body
            }
        )*

        /// Only where vsock is known to be this machine's own loopback: `tests/run.sh` asks first.
        #[cfg(target_os = "linux")]
        #[test]
        #[ignore = "needs vsock loopback (the vsock_loopback kernel module)"]
        fn all_of_it_holds_over_vsock_too() {
            $({
                eprintln!("{}", stringify!($name));
                let $over: Over = vsock_pair;
                $body
            })*
        }
    };
}

over_any_socket! {
    fn what_both_sides_send_at_once_arrives_unchanged(over) {
        for client in every_client() {
            both_ways_at_once(client, over, 12_000_000);
        }
        both_ways_at_once(with_a_terminal(), over, 300_000);
    }

    fn the_end_of_what_ssh_sends_reaches_the_server_which_still_sends(over) {
        for client in every_client() {
            let mut relaying = Relaying::start(client, over);
            relaying.writes.write_all(b"all there is").unwrap();
            // Of one socket for both directions, only one ends.
            // SAFETY: takes numbers only.
            unsafe { libc::shutdown(relaying.writes.as_raw_fd(), libc::SHUT_WR) };
            drop(relaying.writes);
            assert_eq!(rest(&relaying.server), b"all there is");
            relaying.server.write_all(b"an answer").unwrap();
            assert_eq!(read(&relaying.reads, 9), b"an answer");
            drop(relaying.server);
            assert_eq!(rest(&relaying.reads), b"");
            assert_eq!(ends(&relaying.outcome), Ok(()));
        }
    }

    fn the_end_of_what_the_server_sends_reaches_ssh_which_still_sends(over) {
        for client in every_client() {
            let mut relaying = Relaying::start(client, over);
            relaying.server.write_all(b"all there is").unwrap();
            relaying.server.shutdown(Shutdown::Write).unwrap();
            assert_eq!(rest(&relaying.reads), b"all there is");
            relaying.writes.write_all(b"an answer").unwrap();
            assert_eq!(read(&relaying.server, 9), b"an answer");
            assert!(relaying.goes_on());
            // SAFETY: takes numbers only.
            unsafe { libc::shutdown(relaying.writes.as_raw_fd(), libc::SHUT_WR) };
            drop(relaying.writes);
            assert_eq!(rest(&relaying.server), b"");
            assert_eq!(ends(&relaying.outcome), Ok(()));
        }
    }

    fn a_server_that_is_gone_ends_it_while_ssh_says_nothing_and_ssh_is_told_of_both_ends(over) {
        for client in every_client() {
            let Relaying { mut writes, reads, server, outcome } = Relaying::start(client, over);
            drop(server);
            assert_eq!(ends(&outcome), Ok(()));
            assert_eq!(rest(&reads), b"");
            ignore_sigpipe();
            assert_eq!(writes.write_all(b"too late").unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
    }

    fn what_a_server_sent_before_it_was_gone_arrives_although_it_left_bytes_unread(over) {
        for client in every_client() {
            let mut relaying = Relaying::start(client, over);
            relaying.writes.write_all(b"nobody reads this").unwrap();
            let sent = bytes(100_000);
            relaying.server.write_all(&sent).unwrap();
            // They are there: closing now is a reset.
            let mut byte = [0; 1];
            let server = relaying.server.as_raw_fd();
            // SAFETY: the pointer and the length are those of one live, writable array.
            unsafe { libc::recv(server, byte.as_mut_ptr().cast(), 1, libc::MSG_PEEK) };
            drop(relaying.server);
            assert!(rest(&relaying.reads) == sent);
            assert_eq!(ends(&relaying.outcome), Ok(()));
        }
    }

    fn a_client_that_is_gone_ends_it_in_order_and_the_server_gets_its_last_bytes(over) {
        for client in every_client() {
            let mut relaying = Relaying::start(client, over);
            let sent = bytes(60_000);
            relaying.writes.write_all(&sent).unwrap();
            drop(relaying.writes);
            drop(relaying.reads);
            assert!(rest(&relaying.server) == sent);
            ignore_sigpipe();
            while relaying.server.write_all(b"nobody reads this").is_ok() {}
            assert_eq!(ends(&relaying.outcome), Ok(()));
        }
    }

    fn a_server_that_sends_to_a_client_that_reads_no_more_is_told_so_and_is_still_sent_to(over) {
        let mut relaying = Relaying::start(with_pipes(), over);
        drop(relaying.reads);
        ignore_sigpipe();
        while relaying.server.write_all(b"nobody reads this").is_ok() {}
        relaying.writes.write_all(b"from ssh").unwrap();
        assert_eq!(read(&relaying.server, 8), b"from ssh");
        drop(relaying.writes);
        assert_eq!(ends(&relaying.outcome), Ok(()));
    }

    fn neither_side_reading_is_no_deadlock_and_little_is_under_way(over) {
        let slow = (with_a_terminal(), 1_000_000);
        for (client, count) in every_client().map(|client| (client, 4_000_000)).into_iter().chain([slow]) {
            let relaying = Relaying::start(client, over);
            let [to_server, to_client] = [bytes(count), bytes(count - 1)];
            thread::scope(|scope| {
                let (mut writes, mut server) = (&relaying.writes, &relaying.server);
                let (up, down) = (&to_server, &to_client);
                let one = scope.spawn(move || writes.write_all(up).unwrap());
                let other = scope.spawn(move || server.write_all(down).unwrap());
                // One after the other: bytes that are not read must not block the other direction.
                assert!(read(&relaying.server, to_server.len()) == to_server);
                one.join().unwrap();
                assert!(!other.is_finished(), "all of it is under way");
                assert!(read(&relaying.reads, to_client.len()) == to_client);
                other.join().unwrap();
            });
            assert!(relaying.goes_on());
        }
    }
}

/// Of an AF_VSOCK socket that has sent its end before, nothing tells that it is gone, until it is written to.
#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn a_server_that_ends_its_side_and_then_goes_ends_it_too() {
    for client in every_client() {
        let relaying = Relaying::start(client, unix_pair);
        relaying.server.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&relaying.reads), b"");
        assert!(relaying.goes_on());
        drop(relaying.server);
        assert_eq!(ends(&relaying.outcome), Ok(()));
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn signals_lose_nothing_and_repeat_nothing() {
    for client in every_client() {
        let Client { mut writes, mut reads, from, to } = client;
        let (socket, mut server) = unix_pair();
        let sent = bytes(8_000_000);
        thread::scope(|scope| {
            scope.spawn(|| {
                writes.write_all(&sent).unwrap();
                assert!(read(&mut reads, sent.len()) == sent);
                drop(writes);
                drop(reads);
            });
            scope.spawn(|| {
                assert!(read(&mut server, sent.len()) == sent);
                server.write_all(&sent).unwrap();
                assert_eq!(rest(server), b"");
            });
            let ended = under_signals(move || {
                ignore_sigpipe();
                relay_and_close([from, to], socket)
            });
            assert_eq!(ended, Ok(()));
        });
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn a_file_is_read_to_its_end_and_written_to() {
    let folder = Folder::new();
    let sent = bytes(1_000_000);
    std::fs::write(folder.path("in"), &sent).unwrap();
    let (writes, reads) = (tempfile(&folder), tempfile(&folder));
    let from = File::open(folder.path("in")).unwrap().into();
    let to = File::create(folder.path("out")).unwrap().into();
    let relaying = Relaying::start(Client { writes, reads, from, to }, unix_pair);
    let got = rest(&relaying.server);
    assert!(got == sent);
    (&relaying.server).write_all(&got).unwrap();
    relaying.server.shutdown(Shutdown::Both).unwrap();
    assert_eq!(ends(&relaying.outcome), Ok(()));
    assert!(std::fs::read(folder.path("out")).unwrap() == sent);
}

fn tempfile(folder: &Folder) -> File {
    File::create(folder.path("unused")).unwrap()
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn what_is_left_out_says_nothing_although_it_has_hung_up() {
    let ((gone, writer), (ready, mut other)) = (pipe(), UnixStream::pair().unwrap());
    drop(writer);
    other.write_all(b"x").unwrap();
    let events = poll([(gone.as_raw_fd(), None), (ready.as_raw_fd(), Some(libc::POLLIN))], 0);
    assert_eq!(events, Ok([0, libc::POLLIN]));
    let events = poll([(gone.as_raw_fd(), Some(0)), (ready.as_raw_fd(), Some(libc::POLLIN))], 0);
    assert_eq!(events, Ok([libc::POLLHUP, libc::POLLIN]));
}

/// Stands in for a peer that makes every splice(2) return EAGAIN: a filter does.
#[cfg(target_os = "linux")]
#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn a_socket_that_is_always_ready_and_never_gives_anything_takes_no_processor() {
    use crate::test_support::{cpu_time_of_child, refuse_in_this_thread};
    let Client { writes: _writes, reads: _reads, from, to } = with_pipes();
    let (socket, mut server) = unix_pair();
    server.write_all(b"never taken").unwrap();
    let wall = Duration::from_millis(500);
    let cpu = cpu_time_of_child(wall, || {
        refuse_in_this_thread(libc::SYS_splice, libc::EAGAIN);
        let _ = relay(from.as_raw_fd(), to.as_raw_fd(), socket.as_raw_fd());
    });
    assert!(cpu < wall / 4, "{cpu:?} of {wall:?}");
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn bytes_out_of_band_are_left_out_and_what_is_before_and_after_them_arrives() {
    for client in every_client() {
        let relaying = Relaying::start(client, unix_pair);
        for part in [&b"before "[..], b"and after"] {
            (&relaying.server).write_all(part).unwrap();
            if !crate::test_support::send_out_of_band(&relaying.server) {
                eprintln!("left out: this kernel has no MSG_OOB for AF_UNIX");
                return;
            }
        }
        relaying.server.shutdown(Shutdown::Write).unwrap();
        // Of two such bytes the earlier one becomes an ordinary byte, unless it is taken before (unix(7)).
        let got = rest(&relaying.reads);
        assert!(got == b"before and after" || got == b"before !and after", "{got:?}");
        drop((relaying.server, relaying.writes));
        assert_eq!(ends(&relaying.outcome), Ok(()));
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn an_output_that_is_full_is_an_error() {
    let folder = Folder::new();
    let Client { writes, from, .. } = with_pipes();
    let pipe = from.as_raw_fd();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let reads = tempfile(&folder);
    let mut relaying = Relaying::start(Client { writes, reads, from, to: full.into() }, unix_pair);
    relaying.server.write_all(b"no room").unwrap();
    assert_eq!(ends(&relaying.outcome), Err(Errno(libc::ENOSPC)));
    // That direction was not over.
    assert_eq!(crate::fd::close(pipe), Ok(()));
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn the_flags_of_both_sockets_are_as_they_were_when_it_is_over() {
    let (near, far) = UnixStream::pair().unwrap();
    let (socket, server) = UnixStream::pair().unwrap();
    drop((near, server));
    assert_eq!(relay(far.as_raw_fd(), far.as_raw_fd(), socket.as_raw_fd()), Ok(()));
    for fd in [far.as_raw_fd(), socket.as_raw_fd()] {
        // SAFETY: takes numbers only.
        assert_eq!(unsafe { libc::fcntl(fd, libc::F_GETFL) } & libc::O_NONBLOCK, 0);
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri lacks the system calls")]
fn an_fd_that_is_not_open_is_bad() {
    let (near, far) = UnixStream::pair().unwrap();
    let (near, far) = (near.as_raw_fd(), far.as_raw_fd());
    for [from, to, socket] in
        [[closed_fd(), near, far], [near, closed_fd(), far], [near, near, closed_fd()]]
    {
        assert_eq!(relay(from, to, socket), Err(Errno(libc::EBADF)));
    }
}
