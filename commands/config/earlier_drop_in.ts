/**
 * Recognises what this program wrote, in this or an earlier version and from this or another place, and nobody has edited.
 *
 * @module
 */

import { FORMS } from "../../addresses/forms.ts";

/** The lines that version 0.1.0 wrote and later ones do not. */
const LINES_OF_0_1_0 = [
  "Match host .host,machine/.host,machine%.host",
  "Match host unix/*,unix%*,vsock/*,vsock%*,vsock-mux/*,vsock-mux%*,machine/*,machine%*,!.host,!machine/.host,!machine%.host",
  "# Everything is read once more when HostName is known, so that an alias of an address may stand below this as well.",
  "Match final all",
];

/** A word as drop_in.ts quotes it for the shell. */
const WORD = String.raw`(?:[\w./=%@:+,-]|'[^']*'|\\.)+`;

/** The words with which a ProxyCommand line starts this program: the installed one, or Deno with a checkout's. */
const PROGRAM = new RegExp(
  String
    .raw`^    ProxyCommand (${WORD}(?<=/deno-ssh-proxy'?)|${WORD} run --no-prompt --no-config ${WORD} ${WORD}(?<=/proxy\.ts'?)) ` +
    String.raw`'%h' '%p' --as-typed '%n'$`,
  "m",
);

/**
 * Whether `text` is what this program wrote for the settings for which it writes `now`. Neither the place where the program
 * was installed nor the version has to be the same, and that version can have had fewer address forms.
 */
export function isUnedited(text: string, now: string): boolean {
  const here = withProgramOf(text, now);
  return here === withFormsOf(text, now) || isUneditedEarlier(here, now);
}

/** Returns `now` without the patterns of address forms that `text` has none of: a version before them wrote it. */
function withFormsOf(text: string, now: string): string {
  const isOf = (pattern: string, form: string) => /^!?([^/%]*)[/%]/.exec(pattern)?.[1]?.toLowerCase() === form;
  const patterns = text.split("\n").flatMap((line) => line.startsWith("Host ") ? line.split(" ").slice(1) : []);
  const missing = FORMS.flatMap(({ name }) => patterns.some((pattern) => isOf(pattern, name)) ? [] : [name]);
  if (missing.length === 0) return now;
  return now.split("\n").map((line) =>
    line.startsWith("Host ")
      ? line.split(" ").filter((word) => !missing.some((form) => isOf(word, form))).join(" ")
      : line
  ).join("\n");
}

/** Returns `text` with the program of `now` in its ProxyCommand lines, in the place of its own. */
function withProgramOf(text: string, now: string): string {
  const [own, others] = [text, now].map((file) => PROGRAM.exec(file)?.[1]);
  if (own === undefined || others === undefined) return text;
  const line = (program: string) => `    ProxyCommand ${program} `;
  return text.split("\n").map((each) => each.startsWith(line(own)) ? line(others) + each.slice(line(own).length) : each)
    .join("\n");
}

/**
 * Whether `text` is what version 0.1.0 wrote for the settings for which this version writes `now`: it has all lines of that
 * version's own, and no line else that is not in `now`. A line that somebody took out is not seen.
 */
export function isUneditedEarlier(text: string, now: string): boolean {
  const lines = new Set(text.split("\n"));
  const known = new Set([...now.split("\n"), ...LINES_OF_0_1_0]);
  return LINES_OF_0_1_0.every((line) => lines.has(line)) && [...lines].every((line) => known.has(line));
}
