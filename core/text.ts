/**
 * Text from outside: decodes it, and escapes it for a terminal.
 *
 * @module
 */

/** The most characters of a name from outside that are shown. The longest path that bind(2) takes, 107 bytes, fits. */
const LONGEST_SHOWN = 160;

/**
 * Escapes every control and formatting character in `text`, line breaks too, and cuts it after `longest` characters. Names,
 * paths and replies come from command lines, servers and guests: escape sequences in them must not reach a terminal.
 */
export function escapeForTerminal(text: string, longest: number = LONGEST_SHOWN): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}...` : text;
  // Not a literal, because V8 would look up these properties while it parses the program, for every connection.
  const unsafe = new RegExp("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]", "gu");
  return cut.toWellFormed().replace(unsafe, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** Lower-cases `A` to `Z` and no other letter, as ssh does with tolower(3) in the C locale. */
export function lowerAscii(text: string): string {
  let lower = "";
  for (const character of text) lower += character >= "A" && character <= "Z" ? character.toLowerCase() : character;
  return lower;
}

/** Decodes each byte as one character. Banners and files need not be UTF-8. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Decodes the first 1,024 of some bytes, and escapes them for a terminal. */
export function quoteBytes(bytes: Uint8Array): string {
  return escapeForTerminal(decodeLatin1(bytes.subarray(0, 1024)));
}
