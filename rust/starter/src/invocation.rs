//! Decides whether a command line is the ProxyCommand's or a command's. `isProxyInvocation` of proxy/invocation.ts is the same
//! rule for a program that runs without the starter; both are tested with the table of tests/support/command_lines.ts.

use core::ffi::CStr;

use crate::words::Words;

pub enum Invocation {
    /// The ProxyCommand: an address.
    Connection,
    /// A command that a person types.
    Command { about: About },
    /// What commands.sh asks for: Deno with these flags.
    Deno,
    /// What a command asks for: ssh with the environment that the starter was given.
    Ssh,
}

/// What a command is about.
#[derive(Clone, Copy)]
pub enum About {
    Address,
    /// A name that only ssh knows, or nothing.
    Name,
}

/// The options of the ProxyCommand, which may come before the address (`PROXY_OPTIONS` of proxy/invocation.ts).
const OPTIONS: [&[u8]; 4] = [b"--as-typed", b"--relay", b"--timeout", b"--wait"];

impl Invocation {
    pub fn new(mut arguments: Words) -> Self {
        let first = arguments.next().map(CStr::to_bytes).unwrap_or_default();
        if first == b"--start-deno" {
            return Self::Deno;
        }
        if first == b"--start-ssh" {
            return Self::Ssh;
        }
        let has_option = OPTIONS.iter().any(|option| first.starts_with(option));
        if has_option || is_address(first) {
            return Self::Connection;
        }
        let about = if arguments.any(|word| is_destination(word.to_bytes())) {
            About::Address
        } else {
            About::Name
        };
        Self::Command { about }
    }
}

/// Every address but `.host` has a separator, and no command and no name has one.
fn is_address(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b".host") || word.iter().any(|byte| is_separator(*byte))
}

fn is_separator(byte: u8) -> bool {
    byte == b'/' || byte == b'%'
}

/// The same for an address with a user before it, as ssh takes it. A path can have an `@` as well.
fn is_destination(word: &[u8]) -> bool {
    let without_user = word.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    is_address(word) || is_address(without_user)
}
