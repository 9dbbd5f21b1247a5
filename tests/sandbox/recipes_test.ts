import { assertEquals } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { works } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { run } from "../commands/typed.ts";
import { assertFailed, assertPassed, runAsSsh } from "../support/as_ssh.ts";
import { Installation } from "../support/installation.ts";
import { knows, Machined, VM } from "../support/machined.ts";
import { bytes, latin1, listen, readSome } from "../support/sockets.ts";
import { testWhere } from "../support/tools.ts";
import { script } from "./recipes.ts";

const installation = new Installation();
const folder = new Folder();
Deno.test.afterAll(() => {
  folder[Symbol.dispose]();
  installation[Symbol.dispose]();
});
const { prefix } = installation;
Deno.mkdirSync(folder.at("sockets"));

/** What the script is called with: what there is here in the place of what stands in the documentation. */
const PLACES = [
  ["prefix=/usr/local\n", `prefix='${prefix}'\n`],
  ["deno=/usr/local/lib/deno-ssh-proxy/deno\n", `deno='${Deno.execPath()}'\n`],
  ["sockets=/run/vms\n", `sockets='${folder.at("sockets")}'\n`],
] as const;

/** The environment that ssh would give it: none of it is to get in. */
const ENV = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: folder.path, SECRET: "x" };

const HAS_BUBBLEWRAP = works("bwrap", ["--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"]);

function testInBox(name: string, fn: (box: string) => Promise<void>): void {
  const why = "there is no bwrap, or the kernel lets nobody make namespaces";
  testWhere(HAS_BUBBLEWRAP, why, name, async () => {
    const box = folder.file("box", script("With bubblewrap", PLACES));
    Deno.chmodSync(box, 0o755);
    await fn(box);
  });
}

testInBox("in bubblewrap's box a connection is passed, from a socket and through a multiplexer", async (box) => {
  for (const form of ["unix", "vsock-mux"]) {
    const path = folder.at(`sockets/${form}`);
    using listener = listen(path);
    const running = runAsSsh([box, `${form}${path}`, "22", "--as-typed", `${form}${path}`], { env: ENV });
    using connection = await inTime(listener.accept());
    if (form === "vsock-mux") {
      assertEquals(latin1(await readSome(connection)), "CONNECT 22\n");
      await connection.write(bytes("OK 1\n"));
    }
    using passed = assertPassed(await running);
    await connection.write(bytes("SSH-"));
    assertEquals(latin1(await inTime(passed.read(4))), "SSH-");
  }
});

testInBox(
  "in bubblewrap's box a machine is reached by its name, where the box has systemd-machined's socket",
  async (box) => {
    const runtime = folder.at("sockets");
    const path = folder.at("sockets/machine");
    const more = `--clearenv --setenv XDG_RUNTIME_DIR '${runtime}'`;
    const other = folder.file("named", Deno.readTextFileSync(box).replace("--clearenv", () => more));
    Deno.chmodSync(other, 0o755);
    await using _machined = new Machined(runtime, knows({ ...VM, vSockCid: undefined, sshAddress: `unix${path}` }));
    using listener = listen(path);
    assertPassed(await runAsSsh([other, "machine/foo", "22"], { env: ENV })).close();
    (await inTime(listener.accept())).close();
  },
);

testInBox("in bubblewrap's box a failure has its exit code and its message", async (box) => {
  assertFailed(await runAsSsh([box, `unix${folder.at("sockets/none")}`, "22"], { env: ENV }), 66, "does not exist");
  // What is there, but not in the box.
  using _listener = listen(folder.at("outside"));
  assertFailed(await runAsSsh([box, `unix${folder.at("outside")}`, "22"], { env: ENV }), 66, "does not exist");
});

testInBox("in bubblewrap's box there is nothing but what the program needs", async (box) => {
  const text = Deno.readTextFileSync(box);
  // The shell of the box, in the place of the program.
  const look = `
    echo / /*; echo bin /bin/*; echo usr /usr/*; echo etc /etc/*; echo home "$HOME"; echo secret "$SECRET"
    for one in /proc/[0-9]*; do echo process "$(read -r name <$one/comm && echo "$name")"; done
    while read -r name rest; do case $name in *:) echo interface "$name" ;; esac; done </proc/net/dev
    for place in / /usr/lib /tmp "$1" "$2"; do (: >"$place/x") 2>/dev/null && echo writes "$place"; done
    while read -r name value; do case $name in Cap*|NoNewPrivs:) echo "$name" "$value" ;; esac; done </proc/self/status
  `;
  const end = '--remount-ro / -- "$prefix/lib/deno-ssh-proxy/current/deno-ssh-proxy" "$@"';
  assertEquals(text.split(end).length, 2);
  const shell = '--ro-bind "$(readlink -f /bin/sh)" /bin/sh --remount-ro / -- /bin/sh -c "$@"';
  const other = folder.file("look", text.replace(end, () => shell));
  const { code, out, err } = await run(["sh", other, look, "sh", prefix, folder.at("sockets")], ENV);
  assertEquals([code === 0 || code === 1, err], [true, ""]);
  const said = (name: string) =>
    out.split("\n").filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const tops = (path: string) => `/${path.split("/")[1]}`;
  const expected = new Set(["/bin", "/dev", "/lib", "/lib64", "/proc", "/usr", tops(prefix), tops(Deno.execPath())]);
  assertEquals(new Set(said("/")[0]?.split(" ")), expected);
  assertEquals([said("bin"), said("etc"), said("home"), said("secret")], [["/bin/sh"], ["/etc/*"], [""], [""]]);
  const inUsr = said("usr")[0]?.split(" ").filter((one) => !/^\/usr\/lib(?:64)?$/.test(one));
  assertEquals(inUsr?.filter((one) => !`${Deno.execPath()}/`.startsWith(`${one}/`)), []);
  assertEquals(said("process").filter((name) => !["bwrap", "sh"].includes(name)), []);
  assertEquals(said("interface"), ["lo:"]);
  assertEquals(said("writes"), []);
  for (const set of ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"]) {
    assertEquals(said(set), ["0000000000000000"], set);
  }
  assertEquals(said("NoNewPrivs:"), ["1"]);
});

testInBox("in bubblewrap's box the library can connect to no socket of others, which it can outside", async (box) => {
  const library = `${installation.program}/libdeno_ssh_proxy.so`;
  const path = `${installation.program}/proxy.mjs`;
  const real = Deno.readTextFileSync(path);
  using other = new Folder();
  using _listener = listen(other.at("socket"));
  // A script that somebody has put in the place of the program, and that does what the grant cannot keep it from.
  Deno.writeTextFileSync(
    path,
    `const { symbols } = Deno.dlopen("${library}", {
  connect_unix: { parameters: ["buffer", "usize", { struct: ["u32"] }], result: "i32" },
});
const socket = new TextEncoder().encode("${other.at("socket")}");
const time = new Uint8Array(Uint32Array.of(1000).buffer);
Deno.exit(symbols.connect_unix(socket, BigInt(socket.length), time) >= 0 ? 0 : 9);`,
  );
  try {
    const words = [`unix${folder.at("sockets/x")}`, "22"];
    assertEquals((await run([installation.shim, ...words], ENV)).code, 0);
    assertEquals((await run([box, ...words], ENV)).code, 9);
  } finally {
    Deno.writeTextFileSync(path, real);
  }
});

/** Whether systemd runs here, and starts services for whoever runs this. */
const HAS_SYSTEMD = works("systemd-run", ["--quiet", "--pipe", "--wait", "--collect", "true"]);

testWhere(
  HAS_SYSTEMD,
  "systemd does not run here; tests/vm has a guest where it does",
  "under systemd's directives a connection is passed",
  async () => {
    const box = folder.file("systemd", script("With systemd", [["/usr/local/bin/deno-ssh-proxy", installation.shim]]));
    Deno.chmodSync(box, 0o755);
    const path = folder.at("sockets/systemd");
    using listener = listen(path);
    using passed = assertPassed(await runAsSsh([box, `unix${path}`, "22"], { env: ENV, timeout: 10_000 }));
    using connection = await inTime(listener.accept());
    await connection.write(bytes("SSH-"));
    assertEquals(latin1(await inTime(passed.read(4))), "SSH-");
  },
);
