//! The starter: `bin/deno-ssh-proxy`, as `ssh` and people start it. It replaces itself by Deno.
//!
//! Deno reads many environment variables before the first line of a script, and some of them decide what runs
//! (`NODE_OPTIONS`, `DENO_PERMISSION_BROKER_PATH`). So Deno gets a new environment ([`environment`]) instead of that of
//! this process. A script for sh(1) would need env(1) for that: one more program for every connection.
//!
//! The directory of this executable has everything that it starts ([`program`]). It does not parse addresses: it only tells
//! them from commands ([`invocation`]).

#![no_std]
#![no_main]
#![deny(unsafe_op_in_unsafe_fn)]
#![deny(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod environment;
mod execute;
mod failure;
mod invocation;
mod limits;
mod memory;
mod program;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod start;
mod words;

use core::ffi::{c_char, c_int};

use execute::Start;
use failure::Failure;
use invocation::Invocation;
use memory::Memory;
use program::Program;
use words::Words;

/// Starts the program for the command line, and returns an exit code if that fails.
///
/// # Safety
/// `argv` and `envp` are what the C runtime gives to `main`.
#[no_mangle]
pub unsafe extern "C" fn main(
    _argc: c_int,
    argv: *const *const c_char,
    envp: *const *const c_char,
) -> c_int {
    // SAFETY: the caller's promise: C strings that end with a null pointer, and stay until this process ends.
    let mut arguments = unsafe { Words::new(argv) };
    // SAFETY: likewise.
    let environment = unsafe { Words::new(envp) };
    arguments.next();
    start(arguments, environment).report()
}

/// Replaces this process. Returns if that fails.
fn start(arguments: Words, environment: Words) -> Failure {
    let outcome = Memory::new(&[arguments, environment]).and_then(|mut memory| {
        let invocation = Invocation::new(arguments);
        if let Invocation::Ssh = invocation {
            return execute::ssh(arguments.rest(), environment, &mut memory);
        }
        let program = Program::find(&mut memory)?;
        let start = Start { program: &program, arguments, environment, memory: &mut memory };
        match invocation {
            Invocation::Command { about } => start.command(about),
            Invocation::Connection => start.connection(),
            _ => Start { arguments: arguments.rest(), ..start }.deno(),
        }
    });
    match outcome {
        Ok(never) => match never {},
        Err(failure) => failure,
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: takes nothing and does not return.
    unsafe { libc::abort() }
}
