//! What a command line asks for. This is the one place that decides whether it is an address, and which script that needs;
//! `isProxyForm` of proxy/invocation.ts is the same rule for a program that runs without the starter, and
//! tests/support/command_lines.ts has the table that both are tested with.

use core::ffi::CStr;

use crate::words::Words;

pub enum Invocation {
    /// The ProxyCommand: an address.
    Connection(Script),
    /// A command that a person types.
    Command { about: About },
    /// What commands.sh asks for: Deno with these flags.
    Deno,
    /// What a command asks for: ssh with the environment that the starter was given.
    Ssh,
}

/// A program of the ProxyCommand.
#[derive(Clone, Copy)]
pub enum Script {
    /// One try, at an address that itself says where to connect. It is the smaller one.
    Direct,
    /// Any address, with any option.
    Proxy,
}

/// What a command is about.
#[derive(Clone, Copy)]
pub enum About {
    Address,
    /// A name that only ssh knows, or nothing.
    Name,
}

/// The options of the ProxyCommand, which may come before the address (`OPTIONS` of proxy/invocation.ts).
const OPTIONS: [&[u8]; 4] = [b"--as-typed", b"--relay", b"--timeout", b"--wait"];

impl Invocation {
    pub fn new(mut arguments: Words) -> Self {
        let all = arguments;
        let first = arguments.next().map(CStr::to_bytes).unwrap_or_default();
        if first == b"--start-deno" {
            return Self::Deno;
        }
        if first == b"--start-ssh" {
            return Self::Ssh;
        }
        let has_option = OPTIONS.iter().any(|option| first.starts_with(option));
        if has_option || is_address(first) {
            let waits = all.into_iter().any(|word| contains(word.to_bytes(), b"--wait"));
            let script = if has_option || waits || is_machine(first) {
                Script::Proxy
            } else {
                Script::Direct
            };
            return Self::Connection(script);
        }
        let about = if arguments.any(|word| is_address(without_user(word.to_bytes()))) {
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

fn is_machine(word: &[u8]) -> bool {
    let form = b"machine";
    word.get(..form.len()).map_or(false, |start| start.eq_ignore_ascii_case(form))
        && word.get(form.len()).map_or(false, |byte| is_separator(*byte))
}

fn is_separator(byte: u8) -> bool {
    byte == b'/' || byte == b'%'
}

/// Removes what ssh takes for a user: all up to the last `@`.
fn without_user(word: &[u8]) -> &[u8] {
    word.rsplit(|byte| *byte == b'@').next().unwrap_or_default()
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
