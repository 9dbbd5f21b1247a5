//! Shared fixtures of the tests.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::io::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// A directory of one test. Dropping it removes it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("deno-ssh-proxy-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Returns a path in this directory that is `total` bytes long, and makes the directories on it.
    pub fn path_of_length(&self, total: usize) -> PathBuf {
        let mut path = self.0.clone();
        loop {
            let rest = total - path.as_os_str().as_bytes().len() - 1;
            if rest <= 100 {
                return path.join("s".repeat(rest));
            }
            path.push("d".repeat(50));
            std::fs::create_dir_all(&path).unwrap();
        }
    }

    /// Listens at a path that can be too long for bind(2): binds a short name and renames it.
    pub fn listen_in(&self, path: &Path) -> UnixListener {
        let listener = UnixListener::bind(self.path("short")).unwrap();
        std::fs::rename(self.path("short"), path).unwrap();
        listener
    }

    /// Listens with a full backlog. Returns the listener and the connections that fill it.
    pub fn listen_full(&self, name: &str) -> (UnixListener, Vec<OwnedFd>) {
        let listener = UnixListener::bind(self.path(name)).unwrap();
        // SAFETY: takes numbers only.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let waiting = UnixStream::connect(self.path(name)).unwrap();
        (listener, vec![waiting.into()])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs `work` while its thread gets a signal every millisecond, with a handler that does nothing.
pub fn under_signals<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    extern "C" fn ignore(_signal: libc::c_int) {}
    // Without SA_RESTART, so that a signal interrupts system calls.
    // SAFETY: all zeros is a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = ignore as extern "C" fn(libc::c_int) as usize;
    // SAFETY: `action` is filled in, and its handler does nothing that a handler may not.
    let set = unsafe { libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()) };
    assert_eq!(set, 0);
    static DONE: AtomicBool = AtomicBool::new(false);
    DONE.store(false, Ordering::SeqCst);
    let worker = std::thread::spawn(move || {
        let outcome = work();
        DONE.store(true, Ordering::SeqCst);
        outcome
    });
    use std::os::unix::thread::JoinHandleExt;
    while !DONE.load(Ordering::SeqCst) {
        // SAFETY: the thread is not joined yet, so its handle is valid.
        unsafe { libc::pthread_kill(worker.as_pthread_t(), libc::SIGUSR1) };
        std::thread::sleep(Duration::from_millis(1));
    }
    worker.join().unwrap()
}

/// A socket that listens on the vsock loopback of this machine, which the caller has checked for.
#[cfg(target_os = "linux")]
pub struct VsockListener(OwnedFd);

#[cfg(target_os = "linux")]
impl VsockListener {
    pub fn bind(port: u32) -> Self {
        // SAFETY: takes numbers only.
        let fd = unsafe { libc::socket(libc::AF_VSOCK, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
        assert!(fd >= 0);
        // SAFETY: socket(2) has just made it.
        let listener = Self(unsafe { OwnedFd::from_raw_fd(fd) });
        // SAFETY: all zeros is a valid sockaddr_vm.
        let mut address: libc::sockaddr_vm = unsafe { std::mem::zeroed() };
        address.svm_family = libc::AF_VSOCK as libc::sa_family_t;
        address.svm_cid = libc::VMADDR_CID_LOCAL;
        address.svm_port = port;
        let (start, len) = (std::ptr::addr_of!(address).cast(), std::mem::size_of_val(&address));
        // SAFETY: the address lives for the call and is that long.
        assert_eq!(unsafe { libc::bind(fd, start, len as libc::socklen_t) }, 0);
        // SAFETY: takes numbers only.
        assert_eq!(unsafe { libc::listen(fd, 1) }, 0);
        listener
    }

    pub fn accept(&self) -> OwnedFd {
        let (address, len) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the address may be left out.
        let fd = unsafe { libc::accept(self.0.as_raw_fd(), address, len) };
        assert!(fd >= 0);
        // SAFETY: accept(2) has just made it.
        unsafe { OwnedFd::from_raw_fd(fd) }
    }
}

/// Receives a message: its bytes and its file descriptors.
pub fn receive_message(socket: &UnixStream) -> (Vec<u8>, Vec<OwnedFd>) {
    let mut bytes = [0u8; 64];
    let mut control = [0u64; 16];
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all zeros is a valid msghdr.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = std::mem::size_of_val(&control) as _;
    // SAFETY: `message` points to buffers that outlive the call.
    let count = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, 0) };
    let count = usize::try_from(count).unwrap();
    let mut fds = Vec::new();
    // SAFETY: recvmsg(2) has filled `message` in.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&message) };
    while !header.is_null() {
        // SAFETY: not null, so it points into `control`.
        let length = unsafe { (*header).cmsg_len } as usize;
        // SAFETY: computes a number.
        let payload = length - unsafe { libc::CMSG_LEN(0) } as usize;
        for index in 0..payload / std::mem::size_of::<RawFd>() {
            // SAFETY: as above.
            let start = unsafe { libc::CMSG_DATA(header) }.cast::<RawFd>();
            // SAFETY: the message is at least that long.
            let start = unsafe { start.add(index) };
            // SAFETY: the kernel wrote an fd there.
            let fd = unsafe { start.read_unaligned() };
            // SAFETY: the kernel has just made it for us.
            fds.push(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        // SAFETY: `header` is one of `message`.
        header = unsafe { libc::CMSG_NXTHDR(&message, header) };
    }
    (bytes[..count].to_vec(), fds)
}

/// Makes a pipe. Returns the end to read from and the end to write to.
pub fn pipe() -> (OwnedFd, OwnedFd) {
    let mut fds = [-1; 2];
    // SAFETY: there is room for two fds.
    assert_eq!(unsafe { libc::pipe(fds.as_mut_ptr()) }, 0);
    let [reader, writer] = fds;
    // SAFETY: pipe(2) has just made it.
    let reader = unsafe { OwnedFd::from_raw_fd(reader) };
    // SAFETY: as above.
    let writer = unsafe { OwnedFd::from_raw_fd(writer) };
    (reader, writer)
}

/// Opens a pseudo-terminal. Returns the side of the terminal emulator, and the terminal.
pub fn open_terminal() -> (OwnedFd, OwnedFd) {
    let (mut near, mut far) = (-1, -1);
    let (name, modes, size) = (std::ptr::null_mut(), std::ptr::null(), std::ptr::null());
    // SAFETY: both fds are writable; the name, the modes and the size may be left out.
    let opened = unsafe { libc::openpty(&mut near, &mut far, name, modes, size) };
    assert_eq!(opened, 0);
    // SAFETY: openpty(3) has just made it.
    let near = unsafe { OwnedFd::from_raw_fd(near) };
    // SAFETY: as above.
    let far = unsafe { OwnedFd::from_raw_fd(far) };
    (near, far)
}

/// Returns a number that is not an open file descriptor, far above those that a test opens.
pub fn closed_fd() -> RawFd {
    1 << 20
}

/// Sends one byte out of band (unix(7), MSG_OOB). Returns whether this kernel supports that for AF_UNIX sockets.
pub fn send_out_of_band(socket: &UnixStream) -> bool {
    let byte = [b'!'];
    let start = byte.as_ptr().cast();
    // SAFETY: the pointer and the length are those of one live array.
    let sent = unsafe { libc::send(socket.as_raw_fd(), start, byte.len(), libc::MSG_OOB) };
    sent == 1
}

/// Returns the processor time of this thread.
#[cfg(target_os = "linux")]
pub fn own_cpu_time() -> Duration {
    cpu_time(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Runs `work` in a child process for `wall`, and returns its processor time. `work` must neither end nor allocate.
#[cfg(target_os = "linux")]
pub fn cpu_time_of_child(wall: Duration, work: impl FnOnce()) -> Duration {
    // SAFETY: the child allocates nothing, and ends with _exit(2).
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        work();
        // SAFETY: takes a number only.
        unsafe { libc::_exit(1) };
    }
    std::thread::sleep(wall);
    // SAFETY: it is a child that has not been waited for.
    assert_eq!(unsafe { libc::kill(child, libc::SIGKILL) }, 0);
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `status` and `usage` are writable.
    assert_eq!(unsafe { libc::wait4(child, &mut status, 0, usage.as_mut_ptr()) }, child);
    assert!(libc::WIFSIGNALED(status), "it ended by itself: {status}");
    // SAFETY: wait4(2) has filled it.
    let usage = unsafe { usage.assume_init() };
    [usage.ru_utime, usage.ru_stime]
        .iter()
        .map(|time| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000))
        .sum()
}

#[cfg(target_os = "linux")]
fn cpu_time(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is writable.
    assert_eq!(unsafe { libc::clock_gettime(clock, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Makes the system call `number` fail with `errno` in this thread (seccomp(2)).
#[cfg(target_os = "linux")]
pub fn refuse_in_this_thread(number: libc::c_long, errno: libc::c_int) {
    let step = |code, jf, k| libc::sock_filter { code, jt: 0, jf, k };
    let mut steps = [
        // The number of the call is the first field of struct seccomp_data.
        step((libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16, 0, 0),
        step((libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16, 1, number as u32),
        step((libc::BPF_RET | libc::BPF_K) as u16, 0, libc::SECCOMP_RET_ERRNO | errno as u32),
        step((libc::BPF_RET | libc::BPF_K) as u16, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let filter = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: takes numbers only.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }, 0);
    let start: *const libc::sock_fprog = &filter;
    // SAFETY: the filter and its steps are alive for the call.
    let set = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, start) };
    assert_eq!(set, 0);
}
