//! The environment of what the starter starts.
//!
//! Deno gets the variables that docs/permissions.md lists, and no other one. Where it is to start ssh, it also gets all
//! variables of this process under names that mean nothing to it; [`restored`] gives ssh the real ones. ssh needs them
//! all: a `Match exec`, a `${VARIABLE}` in its configuration and the user's shell may look at any.

use crate::failure::Failure;
use crate::memory::{List, Memory};
use crate::program::{Program, NAME};
use crate::words::Words;

/// What the name of a variable begins with while Deno has it.
const SAVED: &[u8] = b"SAVED_";

/// How long a variable can be on Linux, with its NUL (MAX_ARG_STRLEN in execve(2)).
const LONGEST: usize = 32 * 4096;

/// Returns the environment for Deno, and with `saves` all variables of this process under other names.
pub fn for_deno(
    program: &Program,
    environment: Words,
    saves: bool,
    memory: &mut Memory,
) -> Result<List, Failure> {
    let mut list = memory.list(environment.count() + 6)?;
    // Deno reads $HOME/.npmrc, whatever it runs, and ends where it makes no sense of it.
    list.push(memory.text(&[b"HOME=", program.directory()])?)?;
    // Deno's cache: none, because this is a file, and Deno makes no directory in its place. (Where there is no /dev/null, it
    // would make one of that name.) A lock that somebody holds in a cache would keep a connection.
    list.push(memory.text(&[b"DENO_DIR=", program.directory(), NAME])?)?;
    // Deno tells a terminal at each start that its cache cannot be used, and `info` has it clear the lines below the cursor.
    list.push(memory.text(&[b"DENO_LOG=warn,deno::cache::cache_db=off"])?)?;
    // Nobody is asked for a newer version.
    list.push(memory.text(&[b"DENO_NO_UPDATE_CHECK=1"])?)?;
    let first = |name: &'static [u8]| {
        environment.into_iter().find(|word| word.to_bytes().starts_with(name))
    };
    // Where the user's own systemd-machined has its socket.
    list.extend(first(b"XDG_RUNTIME_DIR=").into_iter())?;
    // Whether text is coloured, which Deno tells a program without a permission. A terminal without colours, such as the
    // shell of Emacs, has no lines that are drawn anew either.
    if environment.into_iter().any(|word| word.to_bytes() == b"TERM=dumb") {
        list.push(memory.text(&[b"NO_COLOR=1"])?)?;
    } else {
        list.extend(first(b"NO_COLOR=").into_iter())?;
    }
    if saves {
        for word in environment {
            // execve(2) takes no longer one.
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
