/** Parses a decimal uint32_t without a sign, space or leading zero. Returns undefined for anything else. */
export function parseUint32(text: string): number | undefined {
  const number = Number(text);
  return String(number) === text && Number.isInteger(number) && number >= 0 && number < 2 ** 32 ? number : undefined;
}
