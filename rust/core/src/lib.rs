//! The system calls of deno-ssh-proxy, as Rust: the C ABI, the starter and the fuzz targets are built on this crate.

#![cfg_attr(not(test), no_std)]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]
#![deny(clippy::unwrap_used, clippy::expect_used)]

pub mod bytes;
pub mod connect;
pub mod deadline;
pub mod decimal;
pub mod describe;
pub mod errno;
pub mod fd;
mod flow;
pub mod pass;
pub mod path;
pub mod process;
pub mod relay;
pub mod runtime;
#[cfg(target_os = "linux")]
mod splice;
pub mod stat;
#[cfg(test)]
mod test_support;
pub mod unix_diag;
