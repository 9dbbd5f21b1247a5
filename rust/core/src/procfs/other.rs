//! For systems without /proc.

use super::kinds::{ProcFile, ProcList};
use crate::errno::{Errno, Result};

pub fn read_file(_process: u32, _file: ProcFile, _into: &mut [u8]) -> Result<usize> {
    Err(Errno(libc::ENOTSUP))
}

pub fn read_list(
    _process: u32,
    _list: ProcList,
    _take: impl FnMut(u32) -> Result<()>,
) -> Result<()> {
    Err(Errno(libc::ENOTSUP))
}
