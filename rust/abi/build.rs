//! Gives the library its version, and links it without the C library's name in it.
//!
//! The version is that of deno.json. As for the C library: the program that opens this one has it, and its functions are
//! found. But who looks a function up by its name in this library (dlsym(3), and so whatever script may open it) looks
//! through all that the library itself names: with the C library there, `system` would be among that.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../deno.json");
    let manifest = fs::read_to_string("../../deno.json")?;
    let version = manifest
        .lines()
        .find_map(|line| line.trim().strip_prefix("\"version\": \"")?.split('"').next())
        .ok_or("deno.json has no line with the version")?;
    println!("cargo:rustc-env=DENO_SSH_PROXY_VERSION={version}");
    // Not for the tests, which are built without optimisation: cargo before 1.86 gives the argument to their executable too.
    let is_release = env::var("PROFILE").as_deref() == Ok("release");
    if is_release && env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        let folder = env::var("OUT_DIR")?;
        // A linker script that names nothing, found before the C library that the crate libc asks for.
        fs::write(Path::new(&folder).join("libc.so"), "/* nothing */\n")?;
        println!("cargo:rustc-cdylib-link-arg=-L{folder}");
    }
    Ok(())
}
