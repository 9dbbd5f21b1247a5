/**
 * Quoting for a shell, whichever one its user has.
 *
 * @module
 */

/**
 * Quotes `text` as one word for sh, bash, zsh, ksh, fish and csh. A quote stands outside the quotes, and so do a backslash,
 * which is an escape within them in fish, and a `!`, which csh replaces there. fish 3.1 overlooks a quote behind a backslash
 * when it looks for the parentheses of a command: a word with both has a backslash before each character, and no quotes.
 */
export function shellWord(text: string): string {
  if (/^[\w./=%@:+,-]+$/.test(text)) return text;
  if (!/\\.*\(/.test(text)) return `'${text.replaceAll(/['\\!]/g, "'\\$&'")}'`;
  return text.replaceAll(/[^\w./=%@:+,\u0080-\uffff-]/g, "\\$&").replaceAll(/[\u0080-\uffff]+/g, "'$&'");
}
