//! Reads what /proc shows of processes (proc(5)): a closed list of files, links and directories.
//!
//! The list is closed so that nothing can read any other file through this module.

#[cfg(target_os = "linux")]
pub mod directory;
#[cfg(target_os = "linux")]
mod file;
mod kinds;
#[cfg(target_os = "linux")]
mod link;
#[cfg(target_os = "linux")]
pub mod list;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

#[cfg(target_os = "linux")]
pub use file::read_file;
pub use kinds::{ProcFile, ProcList};
#[cfg(target_os = "linux")]
pub use list::read_list;
#[cfg(not(target_os = "linux"))]
pub use other::{read_file, read_list};
