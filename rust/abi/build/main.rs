//! Gives the library its version, compares it with its header, and links it without the name of the C library.

mod header;

use std::{env, error::Error, fs, path::Path};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=build");
    let out = env::var("OUT_DIR")?;
    println!("cargo:rustc-env=DENO_SSH_PROXY_VERSION={}", version("../../deno.json")?);
    let checks = header::checks(&read("deno_ssh_proxy.h")?)?;
    fs::write(Path::new(&out).join("header.rs"), checks)?;
    link_without_libc(&out)
}

fn read(path: &str) -> Result<String> {
    println!("cargo:rerun-if-changed={path}");
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}").into())
}

/// Returns the version in deno.json, which is the only place that has it.
fn version(manifest: &str) -> Result<String> {
    let text = read(manifest)?;
    let version = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("\"version\": \"")?.split('"').next());
    Ok(version.ok_or("deno.json has no line with the version")?.to_owned())
}

/// Hides the C library from the linker, so that the library does not name it as a dependency.
///
/// The program that opens the library has the C library already, so its functions are found. dlsym(3) searches a library
/// and its dependencies: with libc.so.6 among them, a script with the permission to open this library could call `system`.
fn link_without_libc(out: &str) -> Result<()> {
    // Not for the tests, which are built without optimisation: cargo before 1.86 passes the argument to them too.
    let is_release = env::var("PROFILE").as_deref() == Ok("release");
    if is_release && env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // An empty linker script, which the linker finds before the real libc.so.
        fs::write(Path::new(out).join("libc.so"), "/* nothing */\n")?;
        println!("cargo:rustc-cdylib-link-arg=-L{out}");
    }
    Ok(())
}
