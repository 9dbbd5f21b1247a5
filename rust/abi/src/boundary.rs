//! Converts between C and Rust: pointers to slices, and results to numbers.

use deno_ssh_proxy_core::errno::{Errno, Result};

/// Returns the value of `work`, or its errno as a negative number.
pub fn as_number<N: From<i32>>(work: impl FnOnce() -> Result<N>) -> N {
    work().unwrap_or_else(|Errno(number)| N::from(-number))
}

/// Returns the `len` bytes at `start`. Returns `EFAULT` for a null pointer, unless `len` is 0.
///
/// # Safety
/// `start` is null, or points to `len` readable bytes that outlive the use of the result.
pub unsafe fn bytes_at<'a>(start: *const u8, len: usize) -> Result<&'a [u8]> {
    match (start.is_null(), checked_len(len)?) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Errno(libc::EFAULT)),
        // SAFETY: not null, not over isize::MAX, and by the caller's promise readable.
        (false, len) => Ok(unsafe { core::slice::from_raw_parts(start, len) }),
    }
}

/// Returns the `len` bytes at `start`, as [`bytes_at`] does, to write to.
///
/// # Safety
/// `start` is null, or points to `len` writable bytes that nothing else uses while the result lives.
pub unsafe fn bytes_at_mut<'a>(start: *mut u8, len: usize) -> Result<&'a mut [u8]> {
    match (start.is_null(), checked_len(len)?) {
        (_, 0) => Ok(&mut []),
        (true, _) => Err(Errno(libc::EFAULT)),
        // SAFETY: not null, not over isize::MAX, and by the caller's promise writable and unshared.
        (false, len) => Ok(unsafe { core::slice::from_raw_parts_mut(start, len) }),
    }
}

/// Returns `len`, or `EINVAL` if it exceeds `i32`, in which counts are returned.
pub fn checked_len(len: usize) -> Result<usize> {
    as_count(len).map(|_| len)
}

pub fn as_count(len: usize) -> Result<i32> {
    i32::try_from(len).map_err(|_| Errno(libc::EINVAL))
}
