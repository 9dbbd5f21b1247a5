//! Carrying bytes between an SSH client that cannot take a file descriptor and a connected socket, until both directions
//! are done. One thread, which waits in poll(2) and nowhere else: however both sides read and write, neither keeps the
//! other waiting for what is not its own.

use core::time::Duration;

use libc::{c_int, c_short};

use crate::bytes::NO_SIGNAL;
use crate::deadline::Pauses;
use crate::describe::{fd_kind, FdKind};
use crate::errno::{check, check_uninterrupted, Errno, Result};
use crate::fd::{close_end_of_pipe, RawFd};
use crate::flow::{End, Flow, State, BUFFER};

/// Relays from `from_ssh` to `socket`, and from `socket` to `to_ssh`.
///
/// When one direction ends, both sides are told that it has, and the other direction goes on: a socket is shut down for
/// that, and a pipe, which has no other way to say it, is closed. That a side takes no more is an end and no error:
/// clients and servers leave when they like.
pub fn relay(from_ssh: RawFd, to_ssh: RawFd, socket: RawFd) -> Result<()> {
    let [from_ssh, to_ssh, socket] = [end(from_ssh)?, end(to_ssh)?, end(socket)?];
    // splice(2) has no other way not to wait for a socket. A client's own is as it was when this is over.
    let _socket = Nonblocking::set(socket.fd)?;
    let _to_ssh = if to_ssh.is_socket() { Some(Nonblocking::set(to_ssh.fd)?) } else { None };
    let mut buffers = [[0; BUFFER]; 2];
    let [one, other] = &mut buffers;
    let mut upstream = Flow::new(from_ssh, socket, one);
    let mut downstream = Flow::new(socket, to_ssh, other);
    let mut looks = 0;
    let mut pauses = Pauses::after(FREE_ROUNDS);
    while !(upstream.is_over() && downstream.is_over()) {
        let mut ready = wait(&upstream, &downstream, looks)?;
        let mut moved = 0;
        if !downstream.is_over() {
            if ready.downstream {
                moved += downstream.step()?;
            } else if ready.client_gone {
                downstream.state = State::Over;
            }
            if downstream.is_over() {
                hang_up(to_ssh, libc::SHUT_WR);
                ready.server_gone |= is_gone(socket);
                shut_down(socket, libc::SHUT_RD);
            }
        }
        if !upstream.is_over() {
            if ready.server_gone {
                upstream.state = State::Over;
            } else if ready.upstream {
                moved += upstream.step()?;
            }
            if upstream.is_over() {
                hang_up(from_ssh, libc::SHUT_RD);
                shut_down(socket, libc::SHUT_WR);
            }
        }
        looks = if moved < MUCH { 0 } else { LOOKS };
        if moved > 0 {
            pauses = Pauses::after(FREE_ROUNDS);
        } else {
            // A session has no end that is known before.
            pauses.next(|| Ok(Duration::MAX))?;
        }
    }
    Ok(())
}

/// Who has just sent or taken this much is about to do so again. It is worth it to look this many times whether that is so,
/// and to let others run before each, rather than to sleep and be woken at once: more bytes go through, for less of a
/// processor's time (`bench/throughput.ts`). Any other wait is one sleep.
const MUCH: usize = 32 << 10;
const LOOKS: u32 = 4;

/// This many rounds in a row may move nothing: one finds that the other side has no room, and one each that a direction is
/// over. Further ones pause, because no side may keep this busy with events that come to nothing.
const FREE_ROUNDS: u32 = 4;

/// What poll(2) has found.
struct Ready {
    /// What the flow from ssh waits for is there.
    upstream: bool,
    /// What the flow to ssh waits for is there.
    downstream: bool,
    /// Nobody reads what goes to ssh any more.
    client_gone: bool,
    /// Nobody reads what goes to the socket any more.
    server_gone: bool,
}

/// Waits until a flow can go on, or has nowhere to go to. Where nothing can be done about an fd it is not looked at: poll(2)
/// says of a hang-up that it is there for as long as it is there.
fn wait(upstream: &Flow, downstream: &Flow, looks: u32) -> Result<Ready> {
    let (up, down) = (upstream.state, downstream.state);
    let from_ssh = if up == State::Source { Some(libc::POLLIN) } else { None };
    let to_ssh = match down {
        State::Sink => Some(libc::POLLOUT),
        State::Source => Some(0),
        State::Over => None,
    };
    let socket = match (up, down) {
        (State::Sink, State::Source) => Some(libc::POLLIN | libc::POLLOUT),
        (State::Sink, _) => Some(libc::POLLOUT),
        (_, State::Source) => Some(libc::POLLIN),
        (State::Source, State::Over) => Some(0),
        _ => None,
    };
    let fds = [
        (upstream.source.fd, from_ssh),
        (downstream.sink.fd, to_ssh),
        (downstream.source.fd, socket),
    ];
    let [from_ssh, to_ssh, socket] = poll(fds, looks)?;
    const GONE: c_short = libc::POLLERR | libc::POLLHUP;
    Ok(Ready {
        upstream: if up == State::Sink { socket & !libc::POLLIN != 0 } else { from_ssh != 0 },
        downstream: if down == State::Sink { to_ssh != 0 } else { socket & !libc::POLLOUT != 0 },
        client_gone: to_ssh & GONE != 0,
        server_gone: socket & GONE != 0,
    })
}

/// Waits for one of the events of these fds, or for an error or a hang-up. `None` leaves one out. Before it sleeps, it looks
/// `looks` times.
fn poll<const N: usize>(fds: [(RawFd, Option<c_short>); N], looks: u32) -> Result<[c_short; N]> {
    let mut polled = fds.map(|(fd, events)| libc::pollfd {
        fd: if events.is_some() { fd } else { -1 },
        events: events.unwrap_or(0),
        revents: 0,
    });
    for looks_left in (0..=looks).rev() {
        let timeout = if looks_left == 0 { -1 } else { 0 };
        if timeout == 0 {
            // SAFETY: takes nothing.
            unsafe { libc::sched_yield() };
        }
        // SAFETY: the pointer and the length are those of one live, writable array.
        match check(unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, timeout) }) {
            Ok(0) => continue,
            Ok(_) | Err(Errno(libc::EINTR)) => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(polled.map(|one| one.revents))
}

fn end(fd: RawFd) -> Result<End> {
    fd_kind(fd).map(|kind| End { fd, kind })
}

/// Tells the other side of a client's fd that this direction is over: that no more will be written, or read.
fn hang_up(client: End, how: c_int) {
    match client.kind {
        FdKind::Pipe => close_end_of_pipe(client.fd),
        _ if client.is_socket() => shut_down(client, how),
        // A terminal or a file has nobody to tell.
        _ => (),
    }
}

/// Its error means that the other side is gone.
fn shut_down(socket: End, how: c_int) {
    // SAFETY: takes numbers only.
    unsafe { libc::shutdown(socket.fd, how) };
}

/// Whether nobody reads what goes to the socket any more, of which the other direction is over. Sending nothing tells:
/// poll(2) knows of an AF_UNIX socket, but not of an AF_VSOCK one, that both directions have ended.
fn is_gone(socket: End) -> bool {
    let nothing = [];
    let flags = libc::MSG_DONTWAIT | NO_SIGNAL;
    // SAFETY: the pointer is that of a live array, of which nothing is read.
    let sent = check(unsafe { libc::send(socket.fd, nothing.as_ptr(), 0, flags) });
    !matches!(sent, Ok(_) | Err(Errno(libc::EAGAIN | libc::EINTR)))
}

/// A file descriptor that is non-blocking for a while. Whoever else has the same open file sees it too.
struct Nonblocking {
    fd: RawFd,
    flags: c_int,
}

impl Nonblocking {
    fn set(fd: RawFd) -> Result<Self> {
        // SAFETY: takes numbers only.
        let flags = check_uninterrupted(|| unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
        let set = Self { fd, flags };
        set.change_to(flags | libc::O_NONBLOCK)?;
        Ok(set)
    }

    fn change_to(&self, flags: c_int) -> Result<c_int> {
        // SAFETY: takes numbers only.
        check_uninterrupted(|| unsafe { libc::fcntl(self.fd, libc::F_SETFL, flags) })
    }
}

impl Drop for Nonblocking {
    fn drop(&mut self) {
        let _ = self.change_to(self.flags);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{closed_fd, open_terminal, pipe, under_signals, Folder};
    use std::fs::File;
    use std::io::{ErrorKind, Read, Write};
    use std::net::Shutdown;
    use std::os::unix::io::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::{channel, Receiver};
    use std::thread;
    use std::time::Duration;

    /// What a client has: where it writes, where it reads, and the same two as the relay has them.
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

    /// As libssh does it: one end of a socket pair is both.
    fn with_a_socket() -> Client {
        let (near, far) = UnixStream::pair().unwrap();
        Client {
            writes: OwnedFd::from(near.try_clone().unwrap()).into(),
            reads: OwnedFd::from(near).into(),
            from: far.try_clone().unwrap().into(),
            to: far.into(),
        }
    }

    /// As asyncio does it until Python 3.11: a socket for the one direction, and a pipe for the other.
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

    /// A relay under way, and what is on both sides of it.
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

    /// How it ended; that it did not is a failure.
    fn ends(outcome: &Receiver<Result<()>>) -> Result<()> {
        outcome.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    /// What is left when it is over: a pipe is closed by then, and its number may be another test's.
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

    /// Both sides send this much at the same time as they read.
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

    /// A connected socket, and its server's side.
    type Over = fn() -> (UnixStream, UnixStream);

    fn unix_pair() -> (UnixStream, UnixStream) {
        UnixStream::pair().unwrap()
    }

    #[cfg(target_os = "linux")]
    fn vsock_pair() -> (UnixStream, UnixStream) {
        let listener = crate::test_support::VsockListener::bind(9024);
        let soon = crate::deadline::TimeLeft { milliseconds: 5000 };
        let socket = crate::connect::vsock(libc::VMADDR_CID_LOCAL, 9024, soon.into()).unwrap();
        // What is read, written and shut down with either is the same.
        // SAFETY: it is given away, and open.
        let socket = unsafe { OwnedFd::from_raw_fd(socket.into_raw()) };
        (socket.into(), listener.accept().into())
    }

    /// What holds over any socket: each a test over AF_UNIX, and all of them one over AF_VSOCK.
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
                    // One after the other: whatever is not read must not keep what is.
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
        let events =
            poll([(gone.as_raw_fd(), Some(0)), (ready.as_raw_fd(), Some(libc::POLLIN))], 0);
        assert_eq!(events, Ok([libc::POLLHUP, libc::POLLIN]));
    }

    /// A kernel that always says EAGAIN is what stands for a peer that has found a way to have it do so.
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
        let mut relaying =
            Relaying::start(Client { writes, reads, from, to: full.into() }, unix_pair);
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
}
