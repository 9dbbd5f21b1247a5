//! The inputs that libFuzzer tries on the core crate, and the properties that must hold.
//!
//! `targets/` gives [`parsers()`] and [`relay_script()`] to libFuzzer. Without libFuzzer, `tests/` tries them on the
//! inputs in `corpus/` and on pseudo-random ones.

#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]

mod parsers;
mod script;

pub use parsers::parsers;
pub use script::relay_script;
