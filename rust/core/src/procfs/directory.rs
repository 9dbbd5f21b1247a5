//! Lists a directory with getdents64(2), because readdir(3) allocates.

use core::mem::MaybeUninit;

use crate::errno::{retry_eintr, Result};
use crate::fd::OwnedFd;
use crate::path::{open, Path};

/// The buffer of one getdents64(2), aligned as the kernel writes the entries.
#[repr(C, align(8))]
struct Entries([MaybeUninit<u8>; 8192]);

/// The offset of the length in a `struct linux_dirent64` (getdents64(2)).
pub const LENGTH: usize = 16;
/// The offset of the name in a `struct linux_dirent64`.
const NAME: usize = 19;

/// Calls `take` with the open directory at `path` and the name of each file in it.
pub fn each_name(path: &Path, mut take: impl FnMut(&OwnedFd, &[u8]) -> Result<()>) -> Result<()> {
    let directory = open(path, libc::O_DIRECTORY)?;
    let mut entries = Entries([MaybeUninit::uninit(); 8192]);
    loop {
        let count = retry_eintr(|| {
            let (start, len) = (entries.0.as_mut_ptr(), entries.0.len());
            // SAFETY: the buffer is alive, writable and that long.
            unsafe { libc::syscall(libc::SYS_getdents64, directory.number(), start, len) }
        })?;
        let count = usize::try_from(count).unwrap_or_default().min(entries.0.len());
        if count == 0 {
            return Ok(());
        }
        // SAFETY: the kernel has filled that many bytes.
        let mut rest =
            unsafe { core::slice::from_raw_parts(entries.0.as_ptr().cast::<u8>(), count) };
        while let Some((entry, others)) = split_entry(rest) {
            let name = entry.get(NAME..).unwrap_or_default();
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            take(&directory, name)?;
            rest = others;
        }
    }
}

/// Splits the first entry from the rest. Returns `None` at the end, and for an entry that is longer than the buffer.
pub fn split_entry(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = entries.get(LENGTH..LENGTH + 2)?;
    let length = usize::from(u16::from_ne_bytes(length.try_into().ok()?));
    // An entry of length 0 would repeat for ever.
    if length == 0 {
        return None;
    }
    // Not split_at, because some versions of rustc leave its panic in the library.
    Some((entries.get(..length)?, entries.get(length..)?))
}
