//! Checks the limits that Deno needs to start. Below them V8 prints a stack trace, or Deno "Deno has panicked".

use core::ffi::CStr;
use core::ptr::null_mut;

use crate::failure::Failure;
use crate::memory::Memory;
use crate::program::PATH_MAX;
use deno_ssh_proxy_core::errno;

/// Returns the soft limit of a resource, or no limit if getrlimit(2) fails. A macro, because the type of a resource differs
/// between systems.
macro_rules! limit {
    ($resource:path) => {{
        let mut limit =
            libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: the limit is there for the call.
        unsafe { libc::getrlimit($resource, &mut limit) };
        limit.rlim_cur
    }};
}

/// Checks that Deno can start in this process with `arguments`. Changes to `/` if the working directory was deleted.
pub fn check(
    mut arguments: impl Iterator<Item = &'static CStr>,
    memory: &mut Memory,
) -> Result<(), Failure> {
    check_limits()?;
    check_executable_memory()?;
    if has_working_directory(memory)? {
        return Ok(());
    }
    if arguments.any(|word| is_relative(word.to_bytes())) {
        return Err(Failure::NoWorkingDirectory);
    }
    // SAFETY: the path is a C string.
    match unsafe { libc::chdir(b"/\0".as_ptr().cast()) } {
        0 => Ok(()),
        _ => Err(Failure::NoWorkingDirectory),
    }
}

/// Makes a page executable, as V8 does to compile (mprotect(2)). systemd's MemoryDenyWriteExecute= and SELinux' execmem
/// refuse that.
fn check_executable_memory() -> Result<(), Failure> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let (writable, executable) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::PROT_READ | libc::PROT_EXEC);
    // The kernel rounds up to a page.
    let size = 1;
    // SAFETY: asks for new memory, at no address in particular.
    let start = unsafe { libc::mmap(null_mut(), size, writable, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(Failure::NoMemory);
    }
    // SAFETY: the memory is new, and nobody uses it.
    match unsafe { libc::mprotect(start, size, executable) } {
        0 => Ok(()),
        _ => Err(Failure::NoExecutableMemory),
    }
}

/// Compares the limits of this process with the lowest ones with which Deno 2.9.6 starts, found by trying.
fn check_limits() -> Result<(), Failure> {
    let needs: [(libc::rlim_t, libc::rlim_t, &[u8], &[u8]); 4] = [
        // V8 reserves 32 GiB for its heaps.
        (limit!(libc::RLIMIT_AS), 33 << 30, b"less than 33 GiB of address space", b"-v unlimited"),
        (limit!(libc::RLIMIT_DATA), 576 << 20, b"less than 576 MiB of data", b"-d unlimited"),
        (limit!(libc::RLIMIT_STACK), 512 << 10, b"less than 512 KiB of stack", b"-s 8192"),
        (limit!(libc::RLIMIT_NOFILE), 18, b"fewer than 18 open files", b"-n 1024"),
    ];
    for (limit, least, what, ulimit) in needs {
        if limit < least {
            return Err(Failure::Limit { what, ulimit });
        }
    }
    Ok(())
}

fn has_working_directory(memory: &mut Memory) -> Result<bool, Failure> {
    let into = memory.take(PATH_MAX)?;
    // SAFETY: as many bytes may be written as are there.
    let path = unsafe { libc::getcwd(into.as_mut_ptr().cast(), into.len()) };
    // Any other error, such as a path that is too long, does not keep Deno from starting.
    Ok(!path.is_null() || errno::last().0 != libc::ENOENT)
}

/// Returns whether the path of an address is relative to the working directory, as in `unix/./s`.
fn is_relative(word: &[u8]) -> bool {
    let rest = word.iter().position(|byte| *byte == b'/' || *byte == b'%').map(|at| at + 1);
    rest.and_then(|at| word.get(at..)).map_or(false, |path| path.starts_with(b"./"))
}
