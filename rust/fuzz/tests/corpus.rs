//! Runs the fuzz targets without libFuzzer, on the corpus and on pseudo-random inputs.

use std::sync::Mutex;

use deno_ssh_proxy_fuzz::{parsers, relay_script};

/// Serializes the tests, because one counts the file descriptors of the process.
static ALONE: Mutex<()> = Mutex::new(());

/// The pieces of the inputs, besides random bytes.
const TEXTS: [&[u8]; 12] = [
    b"socket:[",
    b"]",
    b"[",
    b"0",
    b"42",
    b"4294967295",
    b"6",
    b"/run",
    b"/\0",
    &[0; 16],
    &[0, 0],
    &[24, 0, 8, b'1', 0, 0, 0, 0],
];

/// Tries pseudo-random inputs, the same in each run.
fn each_input(count: u32, pieces: &[&[u8]], mut try_on: impl FnMut(&[u8])) {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize
    };
    for _ in 0..count {
        let mut input = Vec::new();
        for _ in 0..next() % [5, 200][next() % 2] {
            match pieces.get(next() % (pieces.len() * 2).max(1)) {
                Some(piece) => input.extend_from_slice(piece),
                None => input.push(next() as u8),
            }
        }
        try_on(&input);
    }
}

fn each_of_the_corpus(target: &str, mut try_on: impl FnMut(&[u8])) {
    let folder = format!("{}/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        try_on(&std::fs::read(file.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 0);
}

#[test]
fn no_text_makes_a_parser_fail_or_read_beyond_its_end() {
    let _alone = ALONE.lock();
    each_of_the_corpus("parsers", parsers);
    each_input(100_000, &TEXTS, parsers);
}

#[test]
fn however_both_sides_of_a_relay_write_read_and_end_every_byte_arrives_and_it_ends() {
    let _alone = ALONE.lock();
    each_of_the_corpus("relay", relay_script);
    each_input(3_000, &[], relay_script);
}
