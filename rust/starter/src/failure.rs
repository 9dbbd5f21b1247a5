//! The failures before Deno runs, each with its message and exit code (sysexits.h).

use core::ffi::{c_int, c_void, CStr};

const USAGE: c_int = 64;
const MISSING: c_int = 66;
const DEFECT: c_int = 70;
const RESOURCE: c_int = 71;
/// The exit code of sh(1) for a missing command. The command that starts ssh reports it.
const NOT_FOUND: c_int = 127;

const INSTALL_AGAIN: &[u8] = b"install deno-ssh-proxy again, with ./install.sh or its package";

pub enum Failure {
    /// There is no memory for the arguments and the environment.
    NoMemory,
    /// A string of the starter contains a NUL.
    Defect,
    /// `--start-deno` is not followed by a script.
    NoScript,
    /// The directory of this executable was not found.
    Lost,
    /// The working directory was deleted, and a path is relative to it.
    NoWorkingDirectory,
    /// A limit is too low for Deno: its value in words, and the arguments of ulimit(1) that raise it.
    Limit { what: &'static [u8], ulimit: &'static [u8] },
    /// Memory cannot be made executable.
    NoExecutableMemory,
    /// Deno and the standalone executable are both missing.
    NoDeno(&'static CStr),
    /// A file of the installation is missing or empty.
    NoFile(&'static CStr),
    /// An existing Deno or standalone executable cannot be started: the errno of execve(2).
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
        // In one call, so that the output of another process cannot come in between.
        let vector = parts.map(|part| libc::iovec {
            iov_base: part.as_ptr() as *mut c_void,
            iov_len: part.len(),
        });
        // Ignores the result, because there is no other place for the message.
        // SAFETY: the bytes are alive, and only read.
        unsafe { libc::writev(libc::STDERR_FILENO, vector.as_ptr(), vector.len() as c_int) };
        code
    }
}

/// Returns the message and the hint for an error of execve(2) with a file that exists.
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
