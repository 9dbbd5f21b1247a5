/**
 * The names in a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).
 *
 * @module
 */

/** Whether a line of `text` has a key under this very name, with any port; a hashed one with ssh's usual port only. */
export async function isKnownHost(text: string, name: string): Promise<boolean> {
  const wanted = name.toLowerCase();
  for (const line of text.split("\n")) {
    const [, names = ""] = /^[ \t]*(?:@cert-authority[ \t]+)?([^#@ \t][^ \t]*)[ \t]/.exec(line) ?? [];
    if (names.startsWith("|1|") ? await isHashOf(names, wanted) : namesIn(names).includes(wanted)) return true;
  }
  return false;
}

/** The names of a line without their ports. A pattern is none. */
function namesIn(names: string): string[] {
  return names.toLowerCase().split(",").map((name) => /^\[(.*)\]:[0-9]+$/.exec(name)?.[1] ?? name);
}

/** Whether `|1|SALT|HASH` is of `name`: HMAC-SHA1 of it, with the salt as the key (OpenSSH's hostfile.c, host_hash). */
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
