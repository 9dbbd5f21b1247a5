/** The type of what is in use; the npm package comes without any. */

export function parse(text: string): unknown;
