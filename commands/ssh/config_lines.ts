/**
 * The lines of an ssh_config, read as ssh reads them (process_config_line_depth in OpenSSH's readconf.c).
 *
 * @module
 */

/** A line with something on it. */
export interface ConfigLine {
  /** The number of the line, from 1. */
  readonly number: number;
  /** In lower case. */
  readonly keyword: string;
  readonly words: readonly string[];
}

/** Returns the lines of `text` that are not blank and no comment. */
export function configLines(text: string): ConfigLine[] {
  return text.split("\n").flatMap((line, index) => {
    const [, keyword, rest = ""] = /^[ \t\f\r]*(\w+)(?:[ \t\f]*=[ \t\f]*|[ \t\f]+)(.*?)[ \t\f\r]*$/.exec(line) ?? [];
    return keyword === undefined ? [] : [{ number: index + 1, keyword: keyword.toLowerCase(), words: wordsOf(rest) }];
  });
}

/** Words in quotes of either kind, or up to a blank. A word that begins with a `#` begins a comment. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [, double, single, plain] of text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) {
    if (plain?.startsWith("#")) break;
    words.push(double ?? single ?? plain ?? "");
  }
  return words;
}

/** Whether `name` matches a pattern with `*` and `?` (ssh_config(5), PATTERNS). */
export function matchesPattern(name: string, pattern: string): boolean {
  const source = pattern.replaceAll(/[\\^$.|+()[\]{}]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`, "su").test(name);
}

/** Whether a `Host` line with these patterns is for `name`: one of them matches, and none that is negated. */
export function isForHost(name: string, patterns: readonly string[]): boolean {
  const matching = patterns.filter((pattern) => matchesPattern(name, pattern.replace(/^!/, "")));
  return matching.length > 0 && !matching.some((pattern) => pattern.startsWith("!"));
}
