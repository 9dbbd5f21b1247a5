import { assertEquals } from "@std/assert";
import { outputLater, works } from "../../tools/programs.ts";
import { Sshd } from "../../tools/sshd.ts";
import { inTime } from "../../tools/waiting.ts";
import { Client } from "../support/client.ts";
import { multiplexer } from "./multiplexer.ts";

/** How many connections there are: the whole of it takes minutes (deno task soak). */
const CONNECTIONS = Deno.args.includes("--full") ? 1000 : 30;

const sshd = await Sshd.start();
const { path: mux } = multiplexer(sshd, "OK 1073741824\n");
const client = new Client(sshd);
Deno.test.afterAll(async () => {
  client[Symbol.dispose]();
  await sshd[Symbol.asyncDispose]();
});

/** The ways in, one after the other. */
const WAYS = [
  [`unix${sshd.socket}`],
  [`vsock-mux${mux}`],
  // Which gets bytes over two pipes.
  ["-o", "ProxyUseFdpass=no", `unix${sshd.socket}`],
];

/** How many sockets of the system are bound to a path in the folder of this sshd. */
async function sockets(): Promise<number> {
  const bound = await outputLater("cat", "/proc/net/unix");
  return bound.split("\n").filter((line) => line.includes(sshd.folder.path)).length;
}

Deno.test(`${CONNECTIONS} connections, one after the other, leave no process and no socket behind`, async () => {
  const before = await sockets();
  for (let number = 0; number < CONNECTIONS; number++) {
    const { code, out, err } = await client.run("ssh", [...WAYS[number % WAYS.length]!, `echo ${number}`]);
    assertEquals({ code, out, err }, { code: 0, out: `${number}\n`, err: "" });
  }
  // The program is gone before ssh is; what ssh has left, an sshd may still be about to find out.
  assertEquals(works("pgrep", ["-f", `${client.installation.prefix}/`]), false);
  await inTime((async () => {
    while (await sockets() !== before);
  })());
});
