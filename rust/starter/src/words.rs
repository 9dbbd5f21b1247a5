//! Iterates over lists of C strings: the arguments and the environment of a program.

use core::ffi::{c_char, CStr};

/// An iterator over a list of C strings that ends with a null pointer.
#[derive(Clone, Copy)]
pub struct Words {
    at: *const *const c_char,
}

impl Words {
    /// # Safety
    /// `list` and its strings are there, unchanged, until this process ends.
    pub unsafe fn new(list: *const *const c_char) -> Self {
        Self { at: list }
    }

    /// Returns the words after the first.
    pub fn rest(mut self) -> Self {
        self.next();
        self
    }
}

impl Iterator for Words {
    type Item = &'static CStr;

    fn next(&mut self) -> Option<&'static CStr> {
        // SAFETY: `at` is within the list, as the null pointer at its end is never passed.
        let word = unsafe { *self.at };
        if word.is_null() {
            return None;
        }
        // SAFETY: the end has not been reached, so there is a next element.
        self.at = unsafe { self.at.add(1) };
        // SAFETY: `new` was promised a list of C strings that stay.
        Some(unsafe { CStr::from_ptr(word) })
    }
}
