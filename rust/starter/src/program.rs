//! Finds the directory of the installation. It has `deno`, a link to the Deno to run, the scripts
//! `proxy.mjs`, `cli.mjs` and `commands.sh`, and the native library; or in their place `standalone`.

use core::ffi::{c_char, CStr};

use crate::failure::Failure;
use crate::memory::Memory;

/// The longest path on Linux, with its NUL (limits.h).
pub const PATH_MAX: usize = 4096;

/// The name of this executable in the directory.
pub const NAME: &[u8] = b"/deno-ssh-proxy";

#[cfg(target_os = "macos")]
const LIBRARY: &[u8] = b"/libdeno_ssh_proxy.dylib";
#[cfg(not(target_os = "macos"))]
const LIBRARY: &[u8] = b"/libdeno_ssh_proxy.so";

pub struct Program {
    directory: &'static [u8],
}

impl Program {
    /// Finds the directory of this executable, through links.
    pub fn find(memory: &mut Memory) -> Result<Self, Failure> {
        let path = own_path(memory.take(PATH_MAX)?).ok_or(Failure::Lost)?;
        let end = path.iter().rposition(|byte| *byte == b'/').ok_or(Failure::Lost)?;
        Ok(Self { directory: path.get(..end).unwrap_or_default() })
    }

    pub fn directory(&self) -> &'static [u8] {
        self.directory
    }

    /// Returns the path of `name`, which begins with a `/`, in the directory.
    pub fn path(&self, name: &[u8], memory: &mut Memory) -> Result<&'static CStr, Failure> {
        memory.text(&[self.directory, name])
    }

    /// Returns Deno's permission to open the native library.
    pub fn permission(&self, memory: &mut Memory) -> Result<&'static CStr, Failure> {
        memory.text(&[b"--allow-ffi=", self.directory, LIBRARY])
    }
}

/// Returns the path of this executable: from /proc, or without /proc from the path that started it (getauxval(3)).
#[cfg(target_os = "linux")]
fn own_path(into: &'static mut [u8]) -> Option<&'static [u8]> {
    let start: *mut c_char = into.as_mut_ptr().cast();
    let link = b"/proc/self/exe\0".as_ptr().cast();
    // SAFETY: the path is a C string, and as many bytes may be written as are there.
    let length = unsafe { libc::readlink(link, start, into.len()) };
    if let Ok(length) = usize::try_from(length) {
        return into.get(..length);
    }
    // SAFETY: takes a number, and returns one that is 0 or the address of a C string.
    let started_by = unsafe { libc::getauxval(libc::AT_EXECFN) } as *const c_char;
    if started_by.is_null() {
        return None;
    }
    resolve(started_by, into)
}

#[cfg(target_os = "macos")]
fn own_path(into: &'static mut [u8]) -> Option<&'static [u8]> {
    let mut started_by = [0; PATH_MAX];
    let mut size = PATH_MAX as u32;
    // SAFETY: as many bytes may be written as are there.
    let outcome = unsafe { libc::_NSGetExecutablePath(started_by.as_mut_ptr(), &mut size) };
    if outcome != 0 {
        return None;
    }
    resolve(started_by.as_ptr(), into)
}

fn resolve(path: *const c_char, into: &'static mut [u8]) -> Option<&'static [u8]> {
    // SAFETY: the path is a C string, and realpath(3) writes PATH_MAX bytes at most.
    let resolved = unsafe { libc::realpath(path, into.as_mut_ptr().cast()) };
    if resolved.is_null() {
        return None;
    }
    let length = into.iter().position(|byte| *byte == 0)?;
    into.get(..length)
}
