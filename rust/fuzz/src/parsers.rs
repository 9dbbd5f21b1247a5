//! Compares the parsers of the core crate with the standard library.

use deno_ssh_proxy_core::decimal::{parse, Decimal};
use deno_ssh_proxy_core::path::Path;
use deno_ssh_proxy_core::procfs::directory::{split_entry, LENGTH};
use deno_ssh_proxy_core::procfs::list::socket_inode;
use deno_ssh_proxy_core::runtime::write_directory;

/// Tries all parsers on one input.
pub fn parsers(input: &[u8]) {
    numbers(input);
    sockets(input);
    entries(input);
    paths(input);
    directories(input);
}

/// Parses a number of 32 bits without a sign or leading zeros.
fn number(text: &[u8]) -> Option<u32> {
    let number: u32 = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(number).filter(|number| number.to_string().as_bytes() == text)
}

fn numbers(input: &[u8]) {
    assert_eq!(parse(input), number(input));
    if let [a, b, c, d, ..] = input {
        let number = u32::from_ne_bytes([*a, *b, *c, *d]);
        assert_eq!(Decimal::new(number).as_bytes(), number.to_string().as_bytes());
    }
}

fn sockets(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let inode = text.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
    assert_eq!(socket_inode(input), inode.and_then(|digits| number(digits.as_bytes())));
}

/// Splits entries as `each_name` does: none is empty, and none overlaps another.
fn entries(input: &[u8]) {
    let mut rest = input;
    while let Some((entry, others)) = split_entry(rest) {
        assert!(!entry.is_empty());
        assert_eq!([entry, others].concat(), rest);
        let length = u16::from_ne_bytes([entry_byte(rest, LENGTH), entry_byte(rest, LENGTH + 1)]);
        assert_eq!(usize::from(length), entry.len());
        rest = others;
    }
}

fn entry_byte(entry: &[u8], at: usize) -> u8 {
    *entry.get(at).expect("an entry has its length in it")
}

fn paths(input: &[u8]) {
    // One in eight is about as long as PATH_MAX.
    let (first, part) = input.split_first().map_or((0, input), |(first, rest)| (*first, rest));
    let long = usize::from(first % 8) + libc::PATH_MAX as usize - 4;
    let length = if first > 223 && !part.is_empty() { long } else { part.len() };
    let all: Vec<u8> = part.iter().copied().cycle().take(length).collect();
    let parts: Vec<&[u8]> = all.chunks(part.len().max(1)).collect();
    let whole = parts.concat();
    let fits = !whole.is_empty() && !whole.contains(&0) && whole.len() < libc::PATH_MAX as usize;
    match Path::new(&parts) {
        Ok(path) => {
            assert!(fits);
            // SAFETY: `Path` gives a C string, and lives until the end of this block.
            let text = unsafe { std::ffi::CStr::from_ptr(path.as_ptr()) };
            assert_eq!(text.to_bytes(), whole);
        }
        Err(_) => assert!(!fits),
    }
}

fn directories(input: &[u8]) {
    let [a, b, c, d, room, set @ ..] = input else { return };
    let user = u32::from_ne_bytes([*a, *b, *c, *d]);
    let expected = match set.first() {
        Some(b'/') => set.to_vec(),
        _ => format!("/run/user/{user}").into_bytes(),
    };
    let mut into = vec![b'x'; usize::from(*room)];
    match write_directory(set, user, &mut into) {
        Ok(length) => assert_eq!(into.get(..length), Some(&expected[..])),
        Err(_) => assert!(expected.len() > into.len()),
    }
}
