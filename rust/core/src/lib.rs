//! The system calls of deno-ssh-proxy as a Rust library. The C ABI, the starter and the fuzz targets depend on it.
//!
//! Uses neither the standard library nor the heap, and cannot panic: the library is small, and a caller in C gets every
//! failure as an errno.

#![cfg_attr(not(test), no_std)]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

pub mod connect;
pub mod deadline;
pub mod decimal;
pub mod errno;
pub mod fd;
pub mod fdinfo;
pub mod io;
pub mod pass;
pub mod path;
pub mod procfs;
pub mod relay;
pub mod runtime;
pub mod stat;
#[cfg(test)]
mod test_support;
pub mod unix_diag;
