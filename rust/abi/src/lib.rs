//! The C ABI of deno-ssh-proxy. Each function checks its arguments, calls the core crate, and returns a number.
//!
//! `deno_ssh_proxy.h` is the source of the prototypes: `build/header.rs` compares this crate with it.
//!
//! Every function returns a value of 0 or more, or `-errno`. None prints, exits or keeps state. A function that can wait
//! takes a [`TimeLeft`], and returns `-ETIMEDOUT` when that has passed. [`dsp_relay`] lasts as long as its session.
//!
//! No panic crosses the boundary, because the library contains none: a test checks that the linker has removed the panic
//! handler.

#![cfg_attr(not(test), no_std)]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

mod boundary;
mod connection;
mod inspection;
mod relay;
mod types;

pub use connection::*;
pub use deno_ssh_proxy_core::fdinfo::FdKind;
pub use deno_ssh_proxy_core::procfs::{ProcFile, ProcList};
pub use deno_ssh_proxy_core::unix_diag::ListeningSocket;
pub use inspection::*;
pub use relay::*;
pub use types::{Descriptor, TimeLeft};

/// The version of this library: major × 65536 + minor × 256 + patch.
///
/// Data and no function, so that a program can read it before it trusts any prototype.
#[no_mangle]
pub static dsp_version: u32 = version_number(env!("DENO_SSH_PROXY_VERSION"));

/// Compiles only if this crate and the header agree.
mod header {
    use crate::*;
    include!(concat!(env!("OUT_DIR"), "/header.rs"));
}

/// Required by the compiler, and never called.
#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: takes nothing and does not return.
    unsafe { libc::abort() }
}

/// Parses "1.2.3" at compile time. A version that it cannot parse fails the build.
const fn version_number(text: &str) -> u32 {
    let text = text.as_bytes();
    let (mut number, mut part, mut at) = (0, 0, 0);
    while at < text.len() {
        match text[at] {
            b'.' => {
                number = (number << 8) + part;
                part = 0;
            }
            digit @ b'0'..=b'9' => {
                part = part * 10 + (digit - b'0') as u32;
                assert!(part < 256, "each part of the version fits in one byte");
            }
            _ => panic!("the version is three numbers"),
        }
        at += 1;
    }
    (number << 8) + part
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: TimeLeft = TimeLeft { milliseconds: 1000 };

    #[test]
    fn the_version_is_the_one_of_the_manifest_as_a_number() {
        assert_eq!(version_number("1.2.3"), 0x01_02_03);
        assert_eq!(version_number("0.10.255"), 0x00_0a_ff);
        assert_eq!(dsp_version, version_number(env!("DENO_SSH_PROXY_VERSION")));
    }

    #[test]
    fn a_null_pointer_is_refused_unless_nothing_is_to_be_read() {
        // SAFETY: the functions must refuse null.
        let sent = unsafe { dsp_send_bytes(0, std::ptr::null(), 1, SOON) };
        assert_eq!(sent, -libc::EFAULT);
        // SAFETY: as above.
        let path = unsafe { connect_unix(std::ptr::null(), 0, SOON) };
        assert_eq!(path, -libc::EINVAL);
    }

    #[test]
    fn a_length_that_no_count_can_hold_is_refused() {
        // SAFETY: the length is refused before anything is read.
        let sent = unsafe { dsp_send_bytes(0, b"x".as_ptr(), usize::MAX, SOON) };
        assert_eq!(sent, -libc::EINVAL);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri lacks the system calls")]
    fn a_negative_fd_is_bad_everywhere() {
        assert_eq!(dsp_fd_kind(Descriptor { fd: -1 }), -libc::EBADF);
        assert_eq!(send_fd(-1, 0, SOON), -libc::EBADF);
        let (channel, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        let channel = std::os::unix::io::AsRawFd::as_raw_fd(&channel);
        assert_eq!(send_fd(channel, -5, SOON), -libc::EBADF);
        assert_eq!(dsp_close_fd(-1), -libc::EBADF);
    }

    #[test]
    fn unknown_receive_flags_are_refused() {
        let mut into = [0u8; 4];
        for flags in [RECEIVE_WHOLE, 4, u32::MAX] {
            // SAFETY: `into` is that long.
            let got = unsafe { dsp_receive_bytes(0, into.as_mut_ptr(), into.len(), flags, SOON) };
            assert_eq!(got, -libc::EINVAL);
        }
    }
}
