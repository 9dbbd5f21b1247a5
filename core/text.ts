/**
 * Text from outside: decoding it, and making it fit for a terminal.
 *
 * @module
 */

/** How much of a name from outside is shown. A path of 107 bytes, the longest that most programs can bind, fits. */
const LONGEST_SHOWN = 160;

/**
 * `text` fit for a terminal: on one line, with every control and formatting character escaped, and cut where it is long.
 * Names, paths and answers come from command lines, servers and guests, and none of them may steer a terminal.
 */
export function escapeForTerminal(text: string, longest: number = LONGEST_SHOWN): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}...` : text;
  // Not a literal: V8 would look these properties up while it reads this file, for every connection.
  const steering = new RegExp("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]", "gu");
  return cut.toWellFormed().replace(steering, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** Bytes as text, a character a byte: what a server or a file says of itself is not always UTF-8. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
