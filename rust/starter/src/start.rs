//! Replaces glibc's `__libc_start_main`, which crt1.o calls.
//!
//! glibc 2.34 gave that symbol a new version, so that a program linked there does not start with an older glibc. The
//! dynamic linker has initialised the C library already. glibc's function also runs constructors and exit handlers, of
//! which the starter has none.

use core::ffi::{c_char, c_int};

type Main = unsafe extern "C" fn(c_int, *const *const c_char, *const *const c_char) -> c_int;

/// Runs `main` and ends the process.
///
/// # Safety
/// `argv` has `argc` pointers, a null pointer and the environment behind it, as the kernel puts them on the stack.
#[no_mangle]
unsafe extern "C" fn __libc_start_main(main: Main, argc: c_int, argv: *const *const c_char) -> ! {
    // SAFETY: the caller's promise.
    let environment = unsafe { argv.offset(argc as isize + 1) };
    // SAFETY: likewise.
    let code = unsafe { main(argc, argv, environment) };
    // SAFETY: takes a number and does not return.
    unsafe { libc::_exit(code) }
}
