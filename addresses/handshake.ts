/**
 * What a hybrid-vsock multiplexer is asked and what it answers, as pure functions over bytes.
 *
 * The protocol is Firecracker's (its docs/vsock.md, "Host-Initiated Connections"), which Cloud Hypervisor and
 * vhost-device-vsock share: `CONNECT PORT\n`, answered with `OK NUMBER\n` and then the stream, or with the end of the
 * connection.
 *
 * @module
 */

/** Asks for `port`. It is to be sent in one piece: Firecracker drops a request that arrives in two. */
export function connectRequest(port: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`CONNECT ${port}\n`);
}

/**
 * What the first bytes of an answer say.
 *
 * - `connected`: the first `length` bytes are the whole OK line; all after them is the server's.
 * - `partial`: the beginning of an OK line, and nothing else.
 * - `speaks`: the server's own banner, with no OK line before it: nothing of it is the multiplexer's.
 * - `undecided`: too few bytes to tell whether it is that banner.
 * - `foreign`: neither, whatever may follow.
 */
export type Reply =
  | { readonly is: "connected"; readonly length: number }
  | { readonly is: "partial" | "speaks" | "undecided" | "foreign" };

/**
 * The longest OK line there can be. Ports have 10 digits at most, and the multiplexers send their own or the guest's;
 * what a number means is nobody's business here, so the bound is that of any 64-bit number.
 */
export const LONGEST_OK_LINE = "OK 18446744073709551615\n".length;

/** How a server's identification string begins (RFC 4253, section 4.2). */
export const BANNER = "SSH-";

/** What `answer`, all bytes that came so far, says. */
export function readReply(answer: Uint8Array): Reply {
  const text = String.fromCharCode(...answer.subarray(0, LONGEST_OK_LINE));
  if (text.startsWith(BANNER)) return { is: "speaks" };
  if (BANNER.startsWith(text)) return { is: "undecided" };
  const line = /^OK [0-9]{1,20}\n/.exec(text);
  if (line) return { is: "connected", length: line[0].length };
  return { is: /^(?:O|OK|OK [0-9]{0,20})$/.test(text) ? "partial" : "foreign" };
}
