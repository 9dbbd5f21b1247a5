/**
 * An npm registry of an attacker's on loopback: whatever package and version it is asked for, it has the same archive, and
 * the checksum of that. Writes its port to a file once it listens.
 *
 *     deno run --allow-net=127.0.0.1 --allow-read --allow-write tests/support/registry.ts ARCHIVE VERSIONS PORT-FILE
 *
 * @module
 */

const [archive, versions, portFile] = Deno.args as [string, string, string];
const bytes = Deno.readFileSync(archive);
const integrity = `sha512-${new Uint8Array(await crypto.subtle.digest("SHA-512", bytes)).toBase64()}`;

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
  const { origin, pathname } = new URL(request.url);
  if (pathname.endsWith(".tgz")) return new Response(bytes);
  const name = decodeURIComponent(pathname.slice(1));
  const entries = versions.split(",").map((version) => {
    const tarball = `${origin}/${name}/-/${name.replace(/.*\//, "")}-${version}.tgz`;
    return [version, { name, version, dist: { tarball, integrity } }];
  });
  return Response.json({
    name,
    "dist-tags": { latest: versions.split(",")[0] },
    versions: Object.fromEntries(entries),
  });
});
Deno.writeTextFileSync(`${portFile}.new`, `${server.addr.port}`);
Deno.renameSync(`${portFile}.new`, portFile);
