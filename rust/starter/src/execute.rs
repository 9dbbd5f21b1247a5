//! Replaces this process by Deno, sh or ssh.

use core::ffi::{c_char, CStr};

use crate::environment;
use crate::failure::Failure;
use crate::invocation::About;
use crate::limits;
use crate::memory::{List, Memory};
use crate::program::Program;
use crate::words::Words;
use deno_ssh_proxy_core::{errno, stat};

/// The success of a call that replaces this process: it never returns one.
pub enum Never {}

/// The flags of every Deno (docs/permissions.md).
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

/// The arguments and the environment of this process, and the directory of the programs that it starts.
pub struct Start<'a> {
    pub program: &'a Program,
    pub arguments: Words,
    pub environment: Words,
    pub memory: &'a mut Memory,
}

impl Start<'_> {
    /// Runs the ProxyCommand.
    pub fn connection(mut self) -> Result<Never, Failure> {
        let script = self.program.path(b"/proxy.mjs", self.memory)?;
        let permission = self.program.permission(self.memory)?;
        let words = [permission, script].into_iter().chain(self.arguments);
        self.run_deno(script, words, false)
    }

    /// Runs a command: starts commands.sh, which chooses the permissions and runs [`Start::deno`].
    pub fn command(mut self, about: About) -> Result<Never, Failure> {
        let script = self.program.path(b"/commands.sh", self.memory)?;
        if !is_there(script) {
            let environment = self.environment_for_deno(false)?;
            return self.run_standalone(self.arguments, &environment);
        }
        let about: &[u8] = match about {
            About::Address => b"address",
            About::Name => b"name",
        };
        let mut list = self.memory.list(self.arguments.count() + 3)?;
        list.push(self.memory.text(&[b"sh"])?)?;
        list.push(script)?;
        list.push(self.memory.text(&[about])?)?;
        list.extend(self.arguments)?;
        let mut same = self.memory.list(self.environment.count())?;
        same.extend(self.environment)?;
        let shell = self.memory.text(&[b"/bin/sh"])?;
        Err(Failure::NotStarted(shell, execute(shell, &list, &same)))
    }

    /// Runs Deno with these arguments: permissions, a script, and its arguments.
    ///
    /// Saves the variables of this process for it if it can start a program (this one, to start ssh) or read variables.
    pub fn deno(mut self) -> Result<Never, Failure> {
        let is_script = |word: &&CStr| !word.to_bytes().starts_with(b"--");
        let script = self.arguments.into_iter().find(is_script).ok_or(Failure::NoScript)?;
        let mut permissions =
            self.arguments.take_while(|word| !is_script(word)).map(CStr::to_bytes);
        let saves = permissions
            .any(|flag| flag.starts_with(b"--allow-run=") || flag.starts_with(b"--allow-env="));
        self.run_deno(script, self.arguments, saves)
    }

    fn run_deno(
        &mut self,
        script: &'static CStr,
        words: impl Iterator<Item = &'static CStr> + Clone,
        saves: bool,
    ) -> Result<Never, Failure> {
        limits::check(self.arguments, self.memory)?;
        let environment = self.environment_for_deno(saves)?;
        let deno = self.program.path(b"/deno", self.memory)?;
        let mut list = self.memory.list(words.clone().count() + FLAGS.len() + 1)?;
        list.push(deno)?;
        for flag in FLAGS {
            list.push(self.memory.text(&[flag])?)?;
        }
        list.extend(words.clone())?;
        // Deno exits without a message for an empty script, and with one of its own for a missing script.
        if is_there(deno) && is_empty(script) {
            return Err(Failure::NoFile(script));
        }
        let error = execute(deno, &list, &environment);
        if error == libc::ENOENT && !is_there(deno) {
            // Skips the permission and the script, because the executable contains both.
            return self.run_standalone(words.skip(2), &environment);
        }
        Err(Failure::NotStarted(target(deno, self.memory)?, error))
    }

    /// Runs the executable that `deno compile` made, which contains Deno and the scripts.
    fn run_standalone(
        &mut self,
        arguments: impl Iterator<Item = &'static CStr> + Clone,
        environment: &List,
    ) -> Result<Never, Failure> {
        let standalone = self.program.path(b"/standalone", self.memory)?;
        if !is_there(standalone) {
            let deno = self.program.path(b"/deno", self.memory)?;
            return Err(Failure::NoDeno(target(deno, self.memory)?));
        }
        let mut list = self.memory.list(arguments.clone().count() + 1)?;
        list.push(standalone)?;
        list.extend(arguments)?;
        Err(Failure::NotStarted(standalone, execute(standalone, &list, environment)))
    }

    fn environment_for_deno(&mut self, saves: bool) -> Result<List, Failure> {
        environment::for_deno(self.program, self.environment, saves, self.memory)
    }
}

/// Runs the ssh on PATH, with the environment that [`Start::deno`] saved.
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

/// Replaces this process. Returns the errno if that fails.
fn execute(path: &CStr, arguments: &List, environment: &List) -> libc::c_int {
    // SAFETY: a C string, and two lists of C strings, each with a null pointer at its end.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    errno::last().0
}

fn is_there(path: &CStr) -> bool {
    // SAFETY: the path is a C string.
    unsafe { libc::access(path.as_ptr(), libc::F_OK) == 0 }
}

/// Returns whether the file at `path` is missing or empty.
fn is_empty(path: &CStr) -> bool {
    let mut status = core::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the path is a C string, and the status has room for the answer.
    if unsafe { stat::stat(path.as_ptr(), status.as_mut_ptr()) } != 0 {
        return true;
    }
    // SAFETY: stat(2) has succeeded, so it is filled in.
    unsafe { status.assume_init() }.st_size == 0
}

/// Returns the target of the link at `path`, or `path` if it is no link.
fn target(path: &'static CStr, memory: &mut Memory) -> Result<&'static CStr, Failure> {
    let into = memory.take(crate::program::PATH_MAX)?;
    // SAFETY: the path is a C string, and as many bytes may be written as are there.
    let length = unsafe { libc::readlink(path.as_ptr(), into.as_mut_ptr().cast(), into.len()) };
    match usize::try_from(length).ok().and_then(|length| into.get(..length)) {
        Some(link) => memory.text(&[link]),
        None => Ok(path),
    }
}
