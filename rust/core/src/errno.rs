//! Turns the -1 of a system call into an error. No other module reads errno.

use libc::c_int;

/// The error number of a system call (errno(3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub c_int);

pub type Result<T> = core::result::Result<T, Errno>;

/// Returns the value of a system call, or errno if the value is negative.
pub fn check<T: PartialOrd + Default>(returned: T) -> Result<T> {
    if returned < T::default() {
        Err(last())
    } else {
        Ok(returned)
    }
}

/// Repeats a system call while a signal interrupts it (EINTR).
///
/// Only for calls that never block for long: one that does must check its deadline between two tries.
#[inline]
pub fn retry_eintr<T: PartialOrd + Default>(mut call: impl FnMut() -> T) -> Result<T> {
    loop {
        match check(call()) {
            Err(Errno(libc::EINTR)) => continue,
            outcome => return outcome,
        }
    }
}

/// Returns the errno of the last system call of this thread that failed.
///
/// Out of line, because only failures need it: that makes every caller smaller.
#[cold]
#[inline(never)]
pub fn last() -> Errno {
    // SAFETY: libc keeps it alive and aligned for as long as the thread lives.
    Errno(unsafe { location().read() })
}

/// Returns the address of this thread's errno.
fn location() -> *mut c_int {
    #[cfg(target_os = "linux")]
    // SAFETY: takes nothing and cannot fail.
    return unsafe { libc::__errno_location() };
    #[cfg(not(target_os = "linux"))]
    // SAFETY: as above.
    return unsafe { libc::__error() };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_call_gives_its_errno_and_a_good_one_its_value() {
        // SAFETY: takes a number only.
        assert_eq!(check(unsafe { libc::close(-1) }), Err(Errno(libc::EBADF)));
        assert_eq!(check(7), Ok(7));
        assert_eq!(check(0isize), Ok(0));
    }

    #[test]
    fn an_interrupted_call_is_made_again_and_only_that_one() {
        let mut calls = 0;
        let value = retry_eintr(|| {
            calls += 1;
            if calls < 3 {
                // SAFETY: libc keeps it alive and aligned for as long as the thread lives.
                unsafe { location().write(libc::EINTR) };
                return -1;
            }
            42
        });
        assert_eq!((value, calls), (Ok(42), 3));
        assert_eq!(
            // SAFETY: takes a number only.
            retry_eintr(|| unsafe { libc::close(-1) }),
            Err(Errno(libc::EBADF))
        );
    }
}
