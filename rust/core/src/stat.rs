//! stat(2) and fstat(2), by system call instead of by the C library's functions of these names.
//!
//! glibc before 2.33 does not export these functions: libc_nonshared.a had them. A library that was linked on a newer
//! system would fail with "undefined symbol: fstat" on Debian 11, Ubuntu 20.04 and RHEL 8.
//!
//! On x86_64 and aarch64 `libc::stat` has the layout of the kernel's structure.

use libc::{c_char, c_int};

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
mod system {
    use super::{c_char, c_int};

    /// # Safety
    /// `path` is a C string, and `status` can be written to.
    pub unsafe fn stat(path: *const c_char, status: *mut libc::stat) -> c_int {
        // SAFETY: the caller's promise. The kernel fills a `libc::stat`.
        unsafe { libc::syscall(libc::SYS_newfstatat, libc::AT_FDCWD, path, status, 0) as c_int }
    }

    /// # Safety
    /// `status` can be written to.
    pub unsafe fn fstat(fd: c_int, status: *mut libc::stat) -> c_int {
        // SAFETY: likewise.
        unsafe { libc::syscall(libc::SYS_fstat, fd, status) as c_int }
    }
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(miri)
)))]
mod system {
    use super::{c_char, c_int};

    /// # Safety
    /// `path` is a C string, and `status` can be written to.
    pub unsafe fn stat(path: *const c_char, status: *mut libc::stat) -> c_int {
        // SAFETY: the caller's promise.
        unsafe { libc::stat(path, status) }
    }

    /// # Safety
    /// `status` can be written to.
    pub unsafe fn fstat(fd: c_int, status: *mut libc::stat) -> c_int {
        // SAFETY: likewise.
        unsafe { libc::fstat(fd, status) }
    }
}

pub use system::{fstat, stat};
