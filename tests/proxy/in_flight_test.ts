import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { pathOf, works } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { assertFailed, assertPassed, runAsSsh } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
import { AS_NOBODY, canBecomeNobody, IS_ROOT } from "../support/ordinary_user.ts";
import { pipe, socketPair, start } from "../support/process.ts";
import { latin1, listen } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());

/** How many file descriptors of a user may be in flight: enough for Deno to start. */
const LIMIT = 100;

const ETOOMANYREFS = 109;

/** Sends standard output over standard input until the kernel refuses it, and says how that ended. */
const FILL = `const library = Deno.dlopen(Deno.args[0], {
  send_fd: { parameters: ["i32", "i32", { struct: ["u32"] }], result: "i32" },
}).symbols;
let sent = 0;
let returned;
while ((returned = library.send_fd(0, 1, new Uint8Array(Uint32Array.of(1000).buffer))) === 0) sent++;
console.log(sent, returned);
setInterval(() => {}, 1000);`;

testWhere(
  Deno.build.os === "linux" && (!IS_ROOT || canBecomeNobody()) && works("prlimit", ["--version"]),
  "there is no prlimit here, or root cannot become somebody else",
  "a user with too many file descriptors in flight is told so",
  async () => {
    using folder = new Folder();
    for (const path of [folder.path, installation.prefix]) Deno.chmodSync(path, 0o755);
    using _listener = listen(folder.at("s"));
    Deno.chmodSync(folder.at("s"), 0o777);
    const limited = [
      ...(IS_ROOT ? AS_NOBODY : []),
      pathOf("env"),
      "prlimit",
      `--nofile=${LIMIT}:${LIMIT}`,
    ];
    const connect = () => runAsSsh([...limited, installation.shim, `unix${folder.at("s")}`, "22"], { env });
    const env = { PATH: "/usr/bin:/bin", DENO_DIR: "/dev/null", NO_COLOR: "1" };
    const library = `${installation.program}/libdeno_ssh_proxy.so`;
    const deno = [
      `${installation.program}/deno`,
      "run",
      "--quiet",
      "--no-prompt",
      "--no-config",
      `--allow-ffi=${library}`,
    ];
    // They are in flight for as long as nobody receives them.
    const [channel, near] = socketPair();
    const [printed, output] = pipe();
    using _printed = printed;
    const filling = start(
      [...limited, ...deno, folder.file("fill.mjs", FILL), library],
      [channel, output, output],
      env,
    );
    for (const fd of [channel, output]) fd.close();
    try {
      let said = "";
      while (!said.includes("\n")) {
        const byte = await inTime(printed.read(1));
        assert(byte.length > 0, said);
        said += latin1(byte);
      }
      assertEquals(said, `${LIMIT + 1} ${-ETOOMANYREFS}\n`);
      const outcome = await connect();
      assertFailed(
        outcome,
        71,
        "fd 1: the connection could not be passed on: too many file descriptors in flight (ETOO",
      );
      assertStringIncludes(outcome.stderr, "ulimit -n");
    } finally {
      filling.kill();
      await filling.ended;
      near.close();
    }
    assertPassed(await connect()).close();
  },
);
