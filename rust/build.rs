//! Links the library without the C library's name in it. The program that opens it has the C library, and that one's
//! functions are found. But who looks a function up by its name in this library (dlsym(3), and so whatever script may open
//! it) looks through all that the library itself names: with the C library there, `system` would be among that.

use std::{env, error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        let folder = env::var("OUT_DIR")?;
        // A linker script that names nothing, found before the C library that the crate libc asks for.
        fs::write(Path::new(&folder).join("libc.so"), "/* nothing */\n")?;
        println!("cargo:rustc-cdylib-link-arg=-L{folder}");
    }
    Ok(())
}
