/**
 * Parses the lines of an ssh_config as ssh does (process_config_line_depth in OpenSSH's readconf.c).
 *
 * @module
 */

/** A line with an option. */
export interface ConfigLine {
  /** The number of the line, from 1. */
  readonly number: number;
  /** In lower case. */
  readonly keyword: string;
  readonly words: readonly string[];
}

/** Returns the lines of `text` that are neither blank nor a comment. */
export function configLines(text: string): ConfigLine[] {
  return text.split("\n").flatMap((line, index) => {
    const [, keyword, rest = ""] = /^[ \t\f\r]*(\w+)(?:[ \t\f]*=[ \t\f]*|[ \t\f]+)(.*?)[ \t\f\r]*$/.exec(line) ?? [];
    return keyword === undefined ? [] : [{ number: index + 1, keyword: keyword.toLowerCase(), words: wordsOf(rest) }];
  });
}

/** Splits a text into words, which can be in quotes of either kind. A word that begins with `#` begins a comment. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [, double, single, plain] of text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) {
    if (plain?.startsWith("#")) break;
    words.push(double ?? single ?? plain ?? "");
  }
  return words;
}

/** Returns whether `name` matches a pattern with `*` and `?` (ssh_config(5), PATTERNS). */
export function matchesPattern(name: string, pattern: string): boolean {
  const source = pattern.replaceAll(/[\\^$.|+()[\]{}]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`, "su").test(name);
}

/** Returns whether a `Host` line with these patterns is for `name`: one of them matches, and no negated one. */
export function isForHost(name: string, patterns: readonly string[]): boolean {
  const matching = patterns.filter((pattern) => matchesPattern(name, pattern.replace(/^!/, "")));
  return matching.length > 0 && !matching.some((pattern) => pattern.startsWith("!"));
}
