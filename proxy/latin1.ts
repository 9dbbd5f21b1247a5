/** Bytes as text, a character a byte: what a server or a file says of itself is not always UTF-8. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
