import { assertEquals, assertMatch } from "@std/assert";
import { libraryPath } from "../../ffi/library.ts";
import { CHECKOUT } from "../../tools/checkout.ts";
import { type Greeting, Sshd } from "../../tools/sshd.ts";
import { COMMAND, LIBRARY, PROGRAM, replaced } from "../support/library_document.ts";
import { multiplexer } from "./multiplexer.ts";

const sshd = await Sshd.start();
Deno.test.afterAll(async () => await sshd[Symbol.asyncDispose]());
const { folder } = sshd;
const library = libraryPath(`file://${CHECKOUT}/mod.ts`);
const imports = folder.file(
  "imports.json",
  JSON.stringify({ imports: { "@deno-ssh-proxy/deno-ssh-proxy": `file://${CHECKOUT}/mod.ts` } }),
);

/** Runs the program with its command line, both of which have `address` and this checkout in them. */
async function run(
  address: string,
  { patience = "5_000", granted = library }: { patience?: string; granted?: string } = {},
): Promise<{ code: number; out: string; err: string }> {
  const program = folder.file(
    "banner.ts",
    replaced(PROGRAM, [["vsock/42", address], [LIBRARY, library], ["(socket, 5_000)", `(socket, ${patience})`]]),
  );
  const command = replaced(COMMAND, [
    ["deno run ", `deno run --no-prompt --quiet --no-config --import-map=${imports} `],
    [LIBRARY, granted],
    ["banner.ts", program],
  ]);
  const [, ...args] = command.split(" ");
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("docs/library.md's program prints the sshd's banner, from a socket and through a multiplexer", async () => {
  for (const address of [`unix${sshd.socket}`, `vsock-mux${multiplexer(sshd, "OK 22\n").path}`]) {
    const { code, out, err } = await run(address);
    assertEquals([code, err], [0, ""], address);
    assertMatch(out, /^SSH-2\.0-OpenSSH_[ -~]+\n$/);
  }
});

Deno.test("docs/library.md's program ends with what the library says is wrong, and what to do about it", async () => {
  const missing = await run("unix/no/such");
  assertEquals([missing.code, missing.out], [66, ""]);
  assertMatch(
    missing.err,
    /^unix\/no\/such: the socket does not exist: there is no directory \/no\nis the server running\?.*\n$/,
  );
  const refused = await run(`unix${sshd.socket}`, { granted: "/no/such" });
  assertEquals([refused.code, refused.out], [77, ""]);
  assertEquals(refused.err.split("\n")[1], `run it with --allow-ffi=${library}, the path just as it stands here`);
});

Deno.test("docs/library.md's program tells a server that is no sshd, and waits for one as long as it says", async () => {
  const says = (greeting: string): Greeting => async (connection) => {
    await connection.write(new TextEncoder().encode(greeting));
    // It says no more, and stays for as long as the other side does.
    await connection.read(new Uint8Array(1));
    return false;
  };
  const other = `unix${sshd.unixDoor(says("220 \x1b[2J\n")).path}`;
  assertEquals(await run(other), { code: 76, out: "", err: `${other}: its first line is no SSH banner\n` });
  const silent = sshd.unixDoor(says("SSH-")).path;
  assertEquals(await run(`unix${silent}`, { patience: "20" }), { code: 1, out: "", err: "timed out (ETIMEDOUT)\n" });
});
