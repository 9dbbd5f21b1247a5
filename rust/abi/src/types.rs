//! The structs of the C ABI. Each has one field, so that it costs the same as the number in it.
//!
//! Deno compiles a trampoline at load time for each function that takes no struct. So each function that a connection
//! needs takes one: a [`TimeLeft`], or else a [`Descriptor`].

use deno_ssh_proxy_core::deadline::Deadline;
use deno_ssh_proxy_core::fd::RawFd;

/// The time that a call can take, from its start.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TimeLeft {
    pub milliseconds: u32,
}

impl From<TimeLeft> for Deadline {
    fn from(time: TimeLeft) -> Self {
        Self::in_ms(time.milliseconds)
    }
}

/// A file descriptor.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Descriptor {
    pub fd: RawFd,
}
