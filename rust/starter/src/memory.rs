//! Allocates new arguments and a new environment from one mapping that is large enough for all of them.

use core::ffi::{c_char, CStr};
use core::mem::size_of;
use core::ptr::null_mut;

use crate::failure::Failure;
use crate::words::Words;

/// The room for the paths, flags and variables that the starter adds: each path has at most PATH_MAX bytes.
const ADDED: usize = 16 * 4096;

/// The room for each argument or variable besides its own bytes: a pointer, a prefix, its NUL.
const PER_WORD: usize = 2 * size_of::<*const c_char>() + 16;

pub struct Memory {
    next: *mut u8,
    left: usize,
}

impl Memory {
    /// Maps memory for a copy of `lists`, and for the additions of the starter.
    pub fn new(lists: &[Words]) -> Result<Self, Failure> {
        let mut size = ADDED;
        for words in lists {
            size += words.map(|word| word.to_bytes().len() + PER_WORD).sum::<usize>();
        }
        // SAFETY: asks for new memory, at no address in particular.
        let start = unsafe {
            libc::mmap(
                null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(Failure::NoMemory);
        }
        Ok(Self { next: start.cast(), left: size })
    }

    /// Takes `size` bytes, all of them zero.
    pub fn take(&mut self, size: usize) -> Result<&'static mut [u8], Failure> {
        self.left = self.left.checked_sub(size).ok_or(Failure::NoMemory)?;
        // SAFETY: `size` bytes of the mapping are left and unshared, and it is never unmapped.
        let taken = unsafe { core::slice::from_raw_parts_mut(self.next, size) };
        // SAFETY: at most one past the end of the mapping.
        self.next = unsafe { self.next.add(size) };
        Ok(taken)
    }

    /// Joins `parts` to a C string. None of them may contain a NUL.
    pub fn text(&mut self, parts: &[&[u8]]) -> Result<&'static CStr, Failure> {
        let taken = self.take(parts.iter().map(|part| part.len()).sum::<usize>() + 1)?;
        let mut into = taken.iter_mut();
        for byte in parts.iter().copied().flatten() {
            if let Some(place) = into.next() {
                *place = *byte;
            }
        }
        CStr::from_bytes_with_nul(taken).map_err(|_| Failure::Defect)
    }

    /// Returns an empty list with room for `capacity` words.
    pub fn list(&mut self, capacity: usize) -> Result<List, Failure> {
        let misaligned = self.next as usize % size_of::<*const c_char>();
        self.take(size_of::<*const c_char>() - misaligned)?;
        let start = self.take((capacity + 1) * size_of::<*const c_char>())?.as_mut_ptr();
        Ok(List { start: start.cast(), next: start.cast(), left: capacity })
    }
}

/// A list of C strings for execve(2), to be filled.
pub struct List {
    start: *const *const c_char,
    next: *mut *const c_char,
    left: usize,
}

impl List {
    pub fn push(&mut self, word: &'static CStr) -> Result<(), Failure> {
        self.left = self.left.checked_sub(1).ok_or(Failure::NoMemory)?;
        // SAFETY: there was room for one more, and `Memory::list` aligned it.
        unsafe { *self.next = word.as_ptr() };
        // SAFETY: there is at least the element of the null pointer behind it.
        self.next = unsafe { self.next.add(1) };
        Ok(())
    }

    pub fn extend(&mut self, words: impl Iterator<Item = &'static CStr>) -> Result<(), Failure> {
        for word in words {
            self.push(word)?;
        }
        Ok(())
    }

    /// Returns the list, which ends with a null pointer, because the memory was zero.
    pub fn as_ptr(&self) -> *const *const c_char {
        self.start
    }
}
