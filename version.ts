/** The version of this program, and of the one library that it works with. deno.json and rust/Cargo.toml repeat it. */
export const VERSION = "0.1.0";
