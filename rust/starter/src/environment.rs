//! The environments of Deno and ssh.
//!
//! Deno gets the variables that docs/permissions.md lists, and no others. If it will start ssh, it also gets all variables
//! of this process under names that it does not know, and [`restored`] gives them back to ssh. ssh needs all of them: a
//! `Match exec`, a `${VARIABLE}` in its configuration and the user's shell can read any.

use crate::failure::Failure;
use crate::memory::{List, Memory};
use crate::program::{Program, NAME};
use crate::words::Words;

/// The prefix of a saved variable.
const SAVED: &[u8] = b"SAVED_";

/// The longest variable on Linux, with its NUL (MAX_ARG_STRLEN in execve(2)).
const LONGEST: usize = 32 * 4096;

/// Returns the environment for Deno, with `saves` including all variables of this process under other names.
pub fn for_deno(
    program: &Program,
    environment: Words,
    saves: bool,
    memory: &mut Memory,
) -> Result<List, Failure> {
    let mut list = memory.list(environment.count() + 6)?;
    // Deno always reads $HOME/.npmrc, and exits if it cannot parse it.
    list.push(memory.text(&[b"HOME=", program.directory()])?)?;
    // Disables Deno's cache, because this path is a file: a lock in a cache, held by another process, would block a
    // connection. Not /dev/null, because Deno would make a directory of that name where it is missing.
    list.push(memory.text(&[b"DENO_DIR=", program.directory(), NAME])?)?;
    // Silences Deno's warning at each start that its cache cannot be used. The level `info` would clear the lines below the
    // cursor.
    list.push(memory.text(&[b"DENO_LOG=warn,deno::cache::cache_db=off"])?)?;
    // Disables Deno's request for a newer version.
    list.push(memory.text(&[b"DENO_NO_UPDATE_CHECK=1"])?)?;
    let first = |name: &'static [u8]| {
        environment.into_iter().find(|word| word.to_bytes().starts_with(name))
    };
    // The directory with the socket of the user's own systemd-machined.
    list.extend(first(b"XDG_RUNTIME_DIR=").into_iter())?;
    // Deno.noColor needs no permission. A terminal without colours, such as the shell of Emacs, cannot redraw lines either.
    if environment.into_iter().any(|word| word.to_bytes() == b"TERM=dumb") {
        list.push(memory.text(&[b"NO_COLOR=1"])?)?;
    } else {
        list.extend(first(b"NO_COLOR=").into_iter())?;
    }
    if saves {
        for word in environment {
            // Drops a variable that is too long for execve(2) with the prefix.
            if SAVED.len() + word.to_bytes_with_nul().len() <= LONGEST {
                list.push(memory.text(&[SAVED, word.to_bytes()])?)?;
            }
        }
    }
    Ok(list)
}

/// Returns the variables that [`for_deno`] saved, under their own names.
pub fn restored(environment: Words, memory: &mut Memory) -> Result<List, Failure> {
    let mut list = memory.list(environment.count())?;
    for word in environment {
        if let Some(saved) = word.to_bytes().strip_prefix(SAVED) {
            list.push(memory.text(&[saved])?)?;
        }
    }
    Ok(list)
}
