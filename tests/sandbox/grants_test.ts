import { assert, assertEquals, assertMatch } from "@std/assert";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { spyOn } from "../commands/grants.ts";
import { run } from "../commands/typed.ts";
import { Installation } from "../support/installation.ts";
import { KEPT, LEFT, NOT_OF_THE_LIBRARY, OF_THE_LIBRARY, type Outcome, type Surroundings } from "./probe.ts";

const installation = new Installation();
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
  if (request.headers.get("upgrade") === "websocket") return Deno.upgradeWebSocket(request).response;
  return new Response("export default 1", { headers: { "content-type": "text/javascript" } });
});
Deno.test.afterAll(async () => {
  await server.shutdown();
  installation[Symbol.dispose]();
});
const LIBRARY = `${installation.program}/libdeno_ssh_proxy.so`;
const LIBC = outputOf("sh", "-c", "ldd /bin/sh | grep -o '/[^ ]*/libc\\.[^ ]*'").trim();

/** What the shim puts between Deno and the script, for an address. */
async function flagsOfShim(): Promise<string[]> {
  using folder = new Folder();
  const { out } = await run([spyOn(installation.shim, folder.path).path, "unix/s", "22"]);
  const words = out.split("\n");
  return words.slice(0, words.findIndex((word) => word.endsWith(".mjs")));
}

const FLAGS = await flagsOfShim();

/** What lets a program do everything: what keeps it back otherwise is no accident of this machine. */
const ALL = ["run", "--no-prompt", "--no-config", "--no-lock", "--allow-all", "--unstable-worker-options"];

/** Takes a way out under these flags, in surroundings of its own. */
async function take(name: string, flags: string[], env: Record<string, string> = {}): Promise<Outcome> {
  using folder = new Folder();
  using listener = Deno.listen({ transport: "unix", path: folder.at("socket") });
  const accepting = (async () => {
    for await (const connection of listener) connection.close();
  })().catch(() => {});
  Deno.copyFileSync(LIBRARY, folder.at("copy.so"));
  Deno.symlinkSync(LIBRARY, folder.at("link.so"));
  folder.file("required.cjs", "module.exports = 1;");
  const there: Surroundings = {
    folder: folder.path,
    file: folder.file("file", "text"),
    module: folder.file("module.ts", "export default 1;"),
    json: folder.file("data.json", "{}"),
    fresh: folder.at("fresh"),
    socket: folder.at("socket"),
    port: server.addr.port,
    library: LIBRARY,
    libc: LIBC,
    copy: folder.at("copy.so"),
    link: folder.at("link.so"),
  };
  const words = [Deno.execPath(), ...flags, `${CHECKOUT}/tests/sandbox/probe.ts`, name, JSON.stringify(there)];
  const { code, out, err } = await run(words, env);
  listener.close();
  await accepting;
  // Where a program ends over it, that is an answer as well.
  if (out === "") return { did: false, why: `exit code ${code}: ${err}` };
  return JSON.parse(out);
}

/** How Deno denies something: by its own error, by that of the Node module, or by a flag that the shim has. */
const DENIAL =
  /NotCapable|Requires \w+ access|--no-npm is specified|--no-remote is specified|EPERM|EACCES|denied|--unstable-worker-options/;

for (const name of Object.keys(KEPT)) {
  Deno.test(`with the shim's grants no program ${name}, and with all of them one does`, async () => {
    const [kept, free] = await Promise.all([take(name, FLAGS), take(name, ALL)]);
    assert(!kept.did, "it did");
    assertMatch(kept.why, DENIAL);
    assertEquals(free, { did: true });
  });
}

Deno.test("a worker has no more permissions either where Deno would let it have other ones", async () => {
  const outcome = await take("has a worker with more permissions", [...FLAGS, "--unstable-worker-options"]);
  assert(!outcome.did);
  assertMatch(outcome.why, /NotCapable/);
});

for (const name of Object.keys(LEFT)) {
  Deno.test(`what Deno leaves to every program: it ${name}`, async () => {
    using cache = new Folder();
    assertEquals(await take(name, FLAGS, { DENO_DIR: cache.path }), { did: true });
    const kept = [...Deno.readDirSync(cache.path)].map(({ name }) => name);
    assertEquals(kept.includes("location_data"), name.includes("keeps something"), kept.join(" "));
  });
}

for (const name of Object.keys(OF_THE_LIBRARY)) {
  Deno.test(`what the grant cannot keep from a script: it ${name}`, async () => {
    assertEquals(await take(name, FLAGS), { did: true });
    const without = await take(name, FLAGS.filter((flag) => !flag.startsWith("--allow-ffi")));
    assert(!without.did && DENIAL.test(without.why), JSON.stringify(without));
  });
}

for (const name of Object.keys(NOT_OF_THE_LIBRARY)) {
  Deno.test(`a script that may open the library ${name} with none of it, whatever else it may do`, async () => {
    for (const flags of [FLAGS, ALL]) {
      const outcome = await take(name, flags);
      assert(!outcome.did, "it did");
      assertMatch(outcome.why, /Failed to register symbol/);
    }
  });
}

Deno.test("the shim grants one library, and nothing else", () => {
  assertEquals(FLAGS.filter((flag) => flag.startsWith("--allow")), [`--allow-ffi=${LIBRARY}`]);
});
