//! What libFuzzer tries on the library, and what must hold of it. The library is a cdylib that nothing can be linked with:
//! these are its modules once more, from the same files.
//!
//! `targets/` gives each of [`parsers()`] and [`relay_script()`] to libFuzzer. Without it, `tests/` tries them on what is in
//! `corpus/`, and on inputs of its own.

#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]
// What the C ABI alone uses is not used here.
#![allow(dead_code, unused_imports)]

#[path = "../../src/bytes.rs"]
mod bytes;
#[path = "../../src/deadline.rs"]
mod deadline;
#[path = "../../src/decimal.rs"]
mod decimal;
#[path = "../../src/describe.rs"]
mod describe;
#[path = "../../src/errno.rs"]
mod errno;
#[path = "../../src/fd.rs"]
mod fd;
#[path = "../../src/flow.rs"]
mod flow;
#[path = "../../src/path.rs"]
mod path;
#[path = "../../src/process.rs"]
mod process;
#[path = "../../src/relay.rs"]
mod relay;
#[path = "../../src/runtime.rs"]
mod runtime;
#[path = "../../src/splice.rs"]
mod splice;
#[path = "../../src/stat.rs"]
mod stat;

mod parsers;
mod script;

pub use parsers::parsers;
pub use script::relay_script;
