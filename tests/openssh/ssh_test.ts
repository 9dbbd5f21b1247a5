import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Server } from "./server.ts";

const server = await Server.start();
Deno.test.afterAll(() => server[Symbol.asyncDispose]());
const address = `unix${server.socket}`;

Deno.test("a command and its exit status come through a socket with capital letters in its path", async () => {
  const { code, out, err } = await server.run("ssh", [address, "echo hello; exit 3"]);
  assertEquals({ code, out, err }, { code: 3, out: "hello\n", err: "" });
});

Deno.test("a percent sign is as good as the first slash", async () => {
  assertEquals((await server.run("ssh", [`unix%${server.socket.slice(1)}`, "echo hello"])).out, "hello\n");
});

const answers = [["OK 1073741824\n"], ["OK 22\n"], [..."OK 1073741824\n"], []];
const multiplexers = answers.map((answer) => ({ answer, path: server.multiplexer(answer) }));
const closing = server.multiplexer("closes");

Deno.test("a multiplexer's answer is taken whole, however it comes", async () => {
  for (const { answer, path } of multiplexers) {
    const { code, out, err } = await server.run("ssh", [`vsock-mux${path}`, "echo hello"]);
    assertEquals({ code, out, err }, { code: 0, out: "hello\n", err: "" }, JSON.stringify(answer));
  }
});

Deno.test("a multiplexer that closes says what is wrong in the guest", async () => {
  const { code, err } = await server.run("ssh", [`vsock-mux${closing}`, "true"]);
  assertEquals(code, 255);
  assertStringIncludes(err, "port 22: nothing listens on that port in the guest, or it has not booted yet\n");
});

Deno.test("a path that is missing says so before ssh does", async () => {
  const { code, err } = await server.run("ssh", ["unix/no/such/socket", "true"]);
  assertEquals(code, 255);
  assert(err.startsWith("deno-ssh-proxy: unix/no/such/socket: /no/such/socket does not exist\n"), err);
});

Deno.test("a name whose HostName is an address works too", async () => {
  const lower = `${server.folder.toLowerCase()}/lower.sock`;
  await Deno.mkdir(server.folder.toLowerCase(), { recursive: true });
  await Deno.symlink(server.socket, lower);
  assertEquals((await server.run("ssh", ["alias", "echo hello"])).out, "hello\n");
});

Deno.test("64 MiB go both ways unchanged", async () => {
  const sent = new Uint8Array(64 << 20);
  for (let at = 0; at < sent.length; at += 65536) crypto.getRandomValues(sent.subarray(at, at + 65536));
  const { code, bytes } = await server.run("ssh", [address, "cat"], sent);
  assertEquals(code, 0);
  const digest = async (of: Uint8Array<ArrayBuffer>) => new Uint8Array(await crypto.subtle.digest("SHA-256", of));
  assertEquals(await digest(bytes), await digest(sent));
});

Deno.test("scp and sftp work with the percent form and with an alias", async () => {
  await Deno.writeTextFile(`${server.folder}/file`, "a file\n");
  const copied = await server.run("scp", [`alias:${server.folder}/file`, `${server.folder}/copy`]);
  assertEquals([copied.code, await Deno.readTextFile(`${server.folder}/copy`)], [0, "a file\n"], copied.err);
  const batch = new TextEncoder().encode(`get ${server.folder}/file ${server.folder}/got\n`);
  const got = await server.run("sftp", ["-b", "-", "alias"], batch);
  assertEquals([got.code, await Deno.readTextFile(`${server.folder}/got`)], [0, "a file\n"], got.err);
});

Deno.test("fifty connections at once all come through", async () => {
  const all = await Promise.all(Array.from({ length: 50 }, (_, n) => server.run("ssh", [address, `echo ${n}`])));
  assertEquals(all.map(({ out }) => out), Array.from({ length: 50 }, (_, n) => `${n}\n`));
});
