//! What can go wrong before Deno runs: the message, and the exit code (sysexits.h) that the program has for its kind.

use core::ffi::{c_int, c_void, CStr};

const USAGE: c_int = 64;
const MISSING: c_int = 66;
const DEFECT: c_int = 70;
const RESOURCE: c_int = 71;
/// As sh(1) has it. The command that asked for ssh reports that itself.
const NOT_FOUND: c_int = 127;

const INSTALL_AGAIN: &[u8] = b"install deno-ssh-proxy again, with ./install.sh or its package";

pub enum Failure {
    /// No memory for the arguments and the environment.
    NoMemory,
    /// A text that the starter made has a NUL in it.
    Defect,
    /// `--start-deno` has no script behind it.
    NoScript,
    /// The directory of this executable was not found.
    Lost,
    /// The working directory was deleted, and a path begins there.
    NoWorkingDirectory,
    /// A limit is too low for Deno: what this process may have, and the arguments of ulimit(1) that raise it.
    Limit { what: &'static [u8], ulimit: &'static [u8] },
    /// No memory can be made executable.
    NoExecutableMemory,
    /// There is neither Deno nor a standalone executable.
    NoDeno(&'static CStr),
    /// A file of the installation is missing or empty.
    NoFile(&'static CStr),
    /// Deno, or the standalone executable, is there and cannot be started: the errno of execve(2).
    NotStarted(&'static CStr, c_int),
    /// ssh cannot be started.
    NoSsh,
}

impl Failure {
    /// Writes the message to stderr, and returns the exit code.
    pub fn report(self) -> c_int {
        let (code, subject, what, hint): (c_int, &[u8], &[u8], &[u8]) = match &self {
            Self::NoMemory => (RESOURCE, b"memory", b"there is none left for this process", b"see ulimit -v"),
            Self::Defect => (DEFECT, b"the starter", b"a defect in this program", b"please report it"),
            Self::NoScript => (USAGE, b"--start-deno", b"no script given", b"it is for commands.sh"),
            Self::Lost => (RESOURCE, b"the starter", b"its directory was not found", INSTALL_AGAIN),
            Self::NoWorkingDirectory => (
                MISSING,
                b"the current directory",
                b"it was deleted",
                b"a path that begins with ./ begins in there; cd to another directory",
            ),
            Self::Limit { .. } => (
                RESOURCE,
                b"Deno",
                b"it cannot start: this process may have ",
                b"raise the limit for ssh: ulimit ",
            ),
            Self::NoExecutableMemory => (
                RESOURCE,
                b"Deno",
                b"it cannot start: no memory may be made executable here, and it compiles while it runs",
                b"lift MemoryDenyWriteExecute= of the systemd unit, or SELinux' deny_execmem",
            ),
            Self::NoDeno(path) => (RESOURCE, path.to_bytes(), b"there is no Deno any more", INSTALL_AGAIN),
            Self::NoFile(path) => (RESOURCE, path.to_bytes(), b"it is missing or empty", INSTALL_AGAIN),
            Self::NotStarted(path, error) => {
                let (what, hint) = reason(*error);
                (RESOURCE, path.to_bytes(), what, hint)
            }
            Self::NoSsh => return NOT_FOUND,
        };
        let (more, command): (&[u8], &[u8]) = match &self {
            Self::Limit { what, ulimit } => (what, ulimit),
            _ => (b"", b""),
        };
        let parts: [&[u8]; 9] =
            [b"deno-ssh-proxy: ", subject, b": ", what, more, b"\n  ", hint, command, b"\n"];
        // In one call, so that nobody else's words come in between.
        let vector = parts.map(|part| libc::iovec {
            iov_base: part.as_ptr() as *mut c_void,
            iov_len: part.len(),
        });
        // SAFETY: the bytes are there, and only read. A stderr that takes nothing is no reason to fail otherwise.
        unsafe { libc::writev(libc::STDERR_FILENO, vector.as_ptr(), vector.len() as c_int) };
        code
    }
}

/// Explains an error of execve(2) for a file that exists.
fn reason(error: c_int) -> (&'static [u8], &'static [u8]) {
    match error {
        libc::ENOENT => (
            b"it cannot start: its dynamic linker is missing",
            b"it is made for another C library (glibc or musl); install a Deno for this system, and deno-ssh-proxy again",
        ),
        libc::ENOEXEC => (
            b"it cannot start: it is no program for this processor",
            b"install a Deno for this system, and deno-ssh-proxy again",
        ),
        libc::EACCES | libc::EPERM => (
            b"it cannot start: permission denied",
            b"a user needs execute permission for it, and search permission for the directories that it is in",
        ),
        libc::E2BIG => (b"it cannot start: the command line is too long", b"it may have 2 MiB, or a fourth of ulimit -s"),
        libc::ENOMEM | libc::EAGAIN => (b"it cannot start: this process may have no more memory", b"see ulimit -a"),
        _ => (b"it cannot start", INSTALL_AGAIN),
    }
}

/// Returns the errno of the call before.
pub fn last_error() -> c_int {
    #[cfg(target_os = "linux")]
    // SAFETY: returns the address of this thread's errno.
    let place = unsafe { libc::__errno_location() };
    #[cfg(not(target_os = "linux"))]
    // SAFETY: likewise.
    let place = unsafe { libc::__error() };
    // SAFETY: it is there as long as the thread.
    unsafe { *place }
}
