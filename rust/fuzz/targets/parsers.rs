#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| deno_ssh_proxy_fuzz::parsers(input));
