/**
 * Explains why an ssh that uses this program did not reach the server, by the output of ssh and of the user's shell.
 *
 * @module
 */

import { ProxyError } from "../../core/errors.ts";
import { escapeForTerminal } from "../../core/text.ts";
import { shellWord } from "./shell_word.ts";

/** The output of an `ssh -v` that got no banner. */
export interface Failure {
  /** The host name that ssh was given. */
  readonly host: string;
  /** The lines of its stderr, also from the programs that it started. */
  readonly lines: readonly string[];
  /** The shell with which ssh starts a ProxyCommand, if it is known. */
  readonly shell: string | undefined;
  /** The time after which ssh was killed, in milliseconds; undefined if it ended by itself. */
  readonly endedAfter: number | undefined;
}

/** The lines of `-v`, and the one about a standard input that is not a terminal. */
const NOISE = /^(?:debug[123]: |OpenSSH_|Pseudo-terminal will not be allocated |$)/;

/** The most characters of this program's message that are shown. */
const LONGEST = 1_000;

/** The message of ssh about a missing file descriptor. */
const NO_FD = /^mm_receive_fd: /;

/** The messages of ssh about other output than a server's or this program's, with `ProxyUseFdpass` and without. */
const STRAY_OUTPUT = /^mm_receive_fd: no message header$|kex_exchange_identification: banner line [0-9]+: /m;

/** The login shells of POSIX and of distributions. */
const SHELLS = /\/(?:sh|r?bash|dash|ash|busybox|[lm]?ksh(?:93)?|mksh|r?zsh|fish|t?csh|nu|xonsh|elvish|pwsh)$/;

/** Returns the error for an ssh that did not reach the server. */
export function explainSshFailure(failure: Failure): ProxyError {
  const { host, lines, endedAfter } = failure;
  const told = lines.filter((line) => !NOISE.test(line));
  const [message, hint] = ownMessage(told) ?? shellFailure(failure, told) ??
    [
      told.length > 0
        ? told.slice(-3).map((line) => escapeForTerminal(line)).join("; ")
        : endedAfter === undefined
        ? "it ended without a word"
        : `no SSH banner within ${endedAfter / 1000} s`,
      hintFor(told) ?? `ssh -v ${escapeForTerminal(host)} shows all of it`,
    ];
  return new ProxyError("configuration", `ssh: ${message}`, { hint });
}

/** Returns a hint for a message of ssh; undefined if there is none. */
export function hintFor(lines: readonly string[]): string | undefined {
  const [, path] = lines.map((line) => /^Bad owner or permissions on (.*)$/.exec(line)).find((match) => match) ?? [];
  if (path === undefined) return undefined;
  return `ssh reads it only where it is yours or root's and nobody else may write to it: chmod go-w ${
    escapeForTerminal(shellWord(path))
  }`;
}

/** Returns the message and the hint of this program, if it failed before ssh did. */
function ownMessage(told: readonly string[]): [string, string | undefined] | undefined {
  const end = told.findIndex((line) => NO_FD.test(line));
  const before = end === -1 ? told : told.slice(0, end);
  const at = before.findLastIndex((line) => line.startsWith("deno-ssh-proxy: "));
  if (at === -1) return undefined;
  const next = before[at + 1];
  return [
    escapeForTerminal(before[at]!, LONGEST),
    next?.startsWith("  ") ? escapeForTerminal(next.trim(), LONGEST) : undefined,
  ];
}

function shellFailure({ lines, shell, endedAfter }: Failure, told: readonly string[]): [string, string] | undefined {
  const name = shell === undefined ? "the shell in SHELL" : escapeForTerminal(shell);
  const other = "have SHELL=/bin/sh in the environment of whatever starts ssh";
  if (told.some((line) => /\brestricted\b/.test(line))) {
    return [`${name} is a restricted shell, which may not start this program`, other];
  }
  const [refusal] = told.filter((line) => /^\S+: (?:No such file or directory|Permission denied)$/.test(line));
  if (refusal !== undefined && (shell === undefined ? /^\//.test(refusal) : refusal.startsWith(`${shell}: `))) {
    return [`its shell cannot be started: ${escapeForTerminal(refusal)}`, other];
  }
  const isStray = STRAY_OUTPUT.test(lines.join("\n"));
  if (!isStray && (told.length === 0 || !NO_FD.test(told[0]!))) return waiting(lines, name, endedAfter);
  const isShell = shell === undefined || SHELLS.test(shell);
  if (!isShell) return [`SHELL is ${name}, which is no shell`, other];
  if (isStray) return [`${name} prints something where ssh waits for a connection`, quiet(shell)];
  return [`${name} ended and did not start this program`, "have its start files not exit where it is not interactive"];
}

/** Explains a shell that does not start this program in time. ssh reports `Local version string` once it is connected. */
function waiting(lines: readonly string[], name: string, endedAfter?: number): [string, string] | undefined {
  if (endedAfter === undefined) return undefined;
  if (!lines.some((line) => line.startsWith("debug1: Executing proxy"))) return undefined;
  if (lines.some((line) => line.startsWith("debug1: Local version string"))) return undefined;
  return [
    `its ProxyCommand did not end within ${endedAfter / 1000} s`,
    `does a start file of ${name} wait for something?`,
  ];
}

/** Returns a hint for a shell that prints something. */
function quiet(shell = ""): string {
  if (/zsh$/.test(shell)) return "have ~/.zshenv print nothing";
  if (/bash$/.test(shell)) return "put this line at the top of ~/.bashrc: case $- in *i*) ;; *) return ;; esac";
  return "have its start files print nothing where it is not interactive";
}
