/**
 * Recognises what an earlier version of this program wrote, which nobody has edited.
 *
 * @module
 */

/** The lines that version 0.1.0 wrote and later ones do not. */
const LINES_OF_0_1_0 = [
  "Match host .host,machine/.host,machine%.host",
  "Match host unix/*,unix%*,vsock/*,vsock%*,vsock-mux/*,vsock-mux%*,machine/*,machine%*,!.host,!machine/.host,!machine%.host",
  "# Everything is read once more when HostName is known, so that an alias of an address may stand below this as well.",
  "Match final all",
];

/**
 * Whether `text` is what version 0.1.0 wrote for the settings for which this version writes `now`: it has all lines of that
 * version's own, and no line else that is not in `now`. A line that somebody took out is not seen.
 */
export function isUneditedEarlier(text: string, now: string): boolean {
  const lines = new Set(text.split("\n"));
  const known = new Set([...now.split("\n"), ...LINES_OF_0_1_0]);
  return LINES_OF_0_1_0.every((line) => lines.has(line)) && [...lines].every((line) => known.has(line));
}
