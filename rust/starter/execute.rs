//! Starting Deno, sh and ssh in the place of this process.

use core::ffi::{c_char, CStr};

use crate::environment;
use crate::failure::{last_error, Failure};
use crate::invocation::{About, Script};
use crate::limits;
use crate::memory::{List, Memory};
use crate::program::Program;
use crate::words::Words;

/// What a call returns that has replaced this process: nothing.
pub enum Never {}

/// The flags that Deno has whatever it runs (docs/permissions.md).
const FLAGS: [&[u8]; 8] = [
    b"run",
    b"--quiet",
    b"--no-prompt",
    b"--no-config",
    b"--no-lock",
    b"--no-remote",
    b"--no-npm",
    b"--no-code-cache",
];

/// Runs the ProxyCommand.
pub fn connection(
    program: &Program,
    script: Script,
    arguments: Words,
    environment: Words,
    memory: &mut Memory,
) -> Result<Never, Failure> {
    limits::check(arguments, memory)?;
    let script = match script {
        Script::Direct => program.path(b"/direct.mjs", memory)?,
        Script::Proxy => program.path(b"/proxy.mjs", memory)?,
    };
    let permission = program.permission(memory)?;
    let environment = environment::for_deno(program, environment, false, memory)?;
    let words = [permission, script].into_iter().chain(arguments);
    run_deno(program, script, words, &environment, memory)
}

/// Runs a command: commands.sh chooses the permissions that it needs, and asks for [`deno`].
pub fn command(
    program: &Program,
    about: About,
    arguments: Words,
    environment: Words,
    memory: &mut Memory,
) -> Result<Never, Failure> {
    let script = program.path(b"/commands.sh", memory)?;
    if !is_there(script) {
        let made = environment::for_deno(program, environment, false, memory)?;
        return run_standalone(program, arguments, &made, memory);
    }
    let mut list = memory.list(arguments.count() + 3)?;
    list.push(memory.text(&[b"sh"])?)?;
    list.push(script)?;
    list.push(memory.text(&[match about {
        About::Address => b"address".as_slice(),
        About::Name => b"name",
    }])?)?;
    list.extend(arguments)?;
    let mut same = memory.list(environment.count())?;
    same.extend(environment)?;
    let shell = memory.text(&[b"/bin/sh"])?;
    Err(Failure::NotStarted(shell, execute(shell, &list, &same)))
}

/// Runs Deno with `arguments`: permissions, a script, and its arguments. With the permission to start the starter, which
/// is for starting ssh, or to see variables, Deno gets those of this process too, under other names.
pub fn deno(
    program: &Program,
    arguments: Words,
    environment: Words,
    memory: &mut Memory,
) -> Result<Never, Failure> {
    let is_script = |word: &&CStr| !word.to_bytes().starts_with(b"--");
    let script = arguments.into_iter().find(is_script).ok_or(Failure::Defect)?;
    let mut permissions = arguments.take_while(|word| !is_script(word)).map(CStr::to_bytes);
    let saves = permissions
        .any(|flag| flag.starts_with(b"--allow-run=") || flag.starts_with(b"--allow-env="));
    limits::check(arguments, memory)?;
    let environment = environment::for_deno(program, environment, saves, memory)?;
    run_deno(program, script, arguments, &environment, memory)
}

/// Runs the ssh on PATH with the environment that [`deno`] has saved.
pub fn ssh(arguments: Words, environment: Words, memory: &mut Memory) -> Result<Never, Failure> {
    let name = memory.text(&[b"ssh"])?;
    let mut list = memory.list(arguments.count() + 1)?;
    list.push(name)?;
    list.extend(arguments)?;
    let restored = environment::restored(environment, memory)?;
    extern "C" {
        static mut environ: *const *const c_char;
    }
    // SAFETY: this process has one thread, and the list stays. execvp(3) looks for PATH in there.
    unsafe { environ = restored.as_ptr() };
    // SAFETY: a C string, and a list of C strings that ends with a null pointer.
    unsafe { libc::execvp(name.as_ptr(), list.as_ptr()) };
    Err(Failure::NoSsh)
}

fn run_deno(
    program: &Program,
    script: &'static CStr,
    words: impl Iterator<Item = &'static CStr> + Clone,
    environment: &List,
    memory: &mut Memory,
) -> Result<Never, Failure> {
    let deno = program.path(b"/deno", memory)?;
    let mut list = memory.list(words.clone().count() + FLAGS.len() + 1)?;
    list.push(deno)?;
    for flag in FLAGS {
        list.push(memory.text(&[flag])?)?;
    }
    list.extend(words.clone())?;
    // Deno reports an empty script in no words at all, and a missing one in words of its own.
    if is_there(deno) && is_empty(script) {
        return Err(Failure::NoFile(script));
    }
    let error = execute(deno, &list, environment);
    if error == libc::ENOENT && !is_there(deno) {
        // Permission and script are the flags of an executable that has both in it.
        return run_standalone(program, words.skip(2), environment, memory);
    }
    Err(Failure::NotStarted(target(deno, memory)?, error))
}

/// Runs what `deno compile` made, in the place of Deno and the scripts.
fn run_standalone(
    program: &Program,
    arguments: impl Iterator<Item = &'static CStr> + Clone,
    environment: &List,
    memory: &mut Memory,
) -> Result<Never, Failure> {
    let standalone = program.path(b"/standalone", memory)?;
    if !is_there(standalone) {
        return Err(Failure::NoDeno(target(program.path(b"/deno", memory)?, memory)?));
    }
    let mut list = memory.list(arguments.clone().count() + 1)?;
    list.push(standalone)?;
    list.extend(arguments)?;
    Err(Failure::NotStarted(standalone, execute(standalone, &list, environment)))
}

/// Replaces this process. Returns only the errno of a failure.
fn execute(path: &CStr, arguments: &List, environment: &List) -> libc::c_int {
    // SAFETY: a C string, and two lists of C strings, each with a null pointer at its end.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    last_error()
}

fn is_there(path: &CStr) -> bool {
    // SAFETY: the path is a C string.
    unsafe { libc::access(path.as_ptr(), libc::F_OK) == 0 }
}

/// Tells whether there is no file at `path`, or an empty one.
fn is_empty(path: &CStr) -> bool {
    let mut status = core::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the path is a C string, and the status has room for the answer.
    if unsafe { libc::stat(path.as_ptr(), status.as_mut_ptr()) } != 0 {
        return true;
    }
    // SAFETY: stat(2) has succeeded, so it is filled in.
    unsafe { status.assume_init() }.st_size == 0
}

/// Returns where a link leads, as it says, and otherwise `path`.
fn target(path: &'static CStr, memory: &mut Memory) -> Result<&'static CStr, Failure> {
    let into = memory.take(crate::program::PATH_MAX)?;
    // SAFETY: the path is a C string, and as many bytes may be written as are there.
    let length = unsafe { libc::readlink(path.as_ptr(), into.as_mut_ptr().cast(), into.len()) };
    match usize::try_from(length).ok().and_then(|length| into.get(..length)) {
        Some(link) => memory.text(&[link]),
        None => Ok(path),
    }
}
