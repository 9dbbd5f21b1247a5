/**
 * Searches a known_hosts file for a name (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
 *
 * @module
 */

/** Returns whether `text` has a key for `name`, with any port. A hashed name is found with port 22 only. */
export async function isKnownHost(text: string, name: string): Promise<boolean> {
  const wanted = name.toLowerCase();
  for (const line of text.split("\n")) {
    const [, names = ""] = /^[ \t]*(?:@cert-authority[ \t]+)?([^#@ \t][^ \t]*)[ \t]/.exec(line) ?? [];
    if (names.startsWith("|1|") ? await isHashOf(names, wanted) : namesIn(names).includes(wanted)) return true;
  }
  return false;
}

/** Returns the names of a line without their ports. */
function namesIn(names: string): string[] {
  return names.toLowerCase().split(",").map((name) => /^\[(.*)\]:[0-9]+$/.exec(name)?.[1] ?? name);
}

/** Returns whether `|1|SALT|HASH` is the HMAC-SHA1 of `name`, with the salt as the key (hostfile.c, host_hash). */
async function isHashOf(hashed: string, name: string): Promise<boolean> {
  const [, , salt = "", hash = ""] = hashed.split("|");
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.fromBase64(salt);
  } catch {
    return false;
  }
  if (bytes.length === 0) return false;
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  const signed = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(name));
  return new Uint8Array(signed).toBase64() === hash;
}
