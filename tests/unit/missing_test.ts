import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { connectTarget } from "../../addresses/connect.ts";
import { connectError } from "../../addresses/failure.ts";
import { findNear, type Neighbour } from "../../addresses/missing.ts";
import { Deadline } from "../../core/deadline.ts";
import { editDistance } from "../../core/edit_distance.ts";
import { SystemError } from "../../ffi/errno.ts";
import { Library } from "../../ffi/library.ts";
import type { PathReader } from "../../ffi/path.ts";
import { testWhere } from "../support/tools.ts";
import { assertFailsLater, BoundSocket, Folder, LIBRARY_PATH, listen } from "./support.ts";

const library = Library.open(LIBRARY_PATH);
const HAS_PROC = Deno.build.os === "linux";

/** The hint for a path where nothing is. */
async function hintFor(path: string, kind: "unix" | "vsock-mux" = "unix"): Promise<string> {
  const dialing = () => connectTarget({ kind, path, port: 22 }, { library, deadline: new Deadline(2_000) });
  const { hint = "" } = await assertFailsLater("missing", dialing, ": the socket does not exist");
  return hint;
}

testWhere(
  HAS_PROC,
  "only Linux has /proc/net/unix",
  "a listening socket whose path differs in case alone is offered",
  async () => {
    using folder = new Folder();
    Deno.mkdirSync(folder.at("Run"));
    using _listener = listen(folder.at("Run/App.sock"));
    for (const path of [folder.at("Run/app.sock"), folder.at("run/App.sock"), folder.at("RUN/APP.SOCK")]) {
      for (const kind of ["unix", "vsock-mux"] as const) {
        assertStringIncludes(await hintFor(path, kind), `did you mean ${kind}${folder.at("Run/App.sock")}?`);
      }
    }
  },
);

testWhere(
  HAS_PROC,
  "only Linux has /proc/net/unix",
  "the hint says that ssh makes small letters where all of them are small",
  async () => {
    const sockets = "0: 00000002 00000000 00010000 0001 01 7 /R/S.sock\n";
    const small = findNear(reading(["/r"], ["/R/S.sock"], sockets), "/r/s.sock");
    assertEquals(small, { is: "socket in another case", path: "/R/S.sock" });
    using folder = new Folder();
    using _listener = listen(folder.at("S.sock"));
    // The path of a temporary directory may have capitals itself.
    const hint = await hintFor(folder.at("s.sock"));
    const isSmall = folder.path === folder.path.toLowerCase();
    assertStringIncludes(hint, isSmall ? "config --alias keeps capitals" : "capital letters count");
  },
);

testWhere(
  HAS_PROC,
  "only Linux has /proc/net/unix",
  "a listening socket of a near name is offered, after the question whether the server runs",
  async () => {
    using folder = new Folder();
    Deno.mkdirSync(folder.at("app"));
    using _listener = listen(folder.at("app/ssh.sock"));
    const hints = [
      [folder.at("app/shs.sock"), "unix", "is the server running?"],
      [folder.at("app/ssh.socket"), "unix", "is the server running?"],
      [folder.at("ap/ssh.sock"), "vsock-mux", "is the virtual machine running? Its multiplexer makes the socket."],
    ] as const;
    for (const [path, kind, maker] of hints) {
      assertEquals(await hintFor(path, kind), `${maker} Or did you mean ${kind}${folder.at("app/ssh.sock")}?`);
    }
  },
);

Deno.test("a path with % in the place of every slash, as typed for scp, gets the alias that scp needs", async () => {
  for (const kind of ["unix", "vsock-mux"] as const) {
    assertEquals(
      await hintFor("/tmp%no-such%s.sock", kind),
      `scp and rsync need a name for a path: deno-ssh-proxy config --install --alias NAME=${kind}/tmp/no-such/s.sock`,
    );
    assertStringIncludes(await hintFor("/tmp%no such.sock", kind), `--alias NAME=${kind}/PATH`);
    // Of scp's arguments none with a slash before the colon is a host.
    assert(!(await hintFor("/tmp/100%s.sock", kind)).includes("scp"));
  }
  // Not even a socket of a near name is another one for scp.
  const near = { is: "socket of a near name", path: "/tmp/sshd.sock" } as const;
  const { hint } = connectError(
    { kind: "unix", path: "/tmp%sshd.sock" },
    SystemError.named("ENOENT"),
    new Deadline(1),
    near,
  );
  assertEquals(
    hint,
    "scp and rsync need a name for a path: deno-ssh-proxy config --install --alias NAME=unix/tmp/sshd.sock",
  );
});

testWhere(
  HAS_PROC,
  "only Linux has /proc/net/unix",
  "the name of a socket that is offered is shown fit for a terminal",
  async () => {
    using folder = new Folder();
    using _listener = listen(folder.at("name-of-an-app\x1b\u202e.sock"));
    assertStringIncludes(await hintFor(folder.at("name-of-an-app.sock")), "name-of-an-app\\x1b\\u{202e}.sock?");
  },
);

testWhere(
  HAS_PROC,
  "only Linux has /proc/net/unix",
  "what no longer listens, or has another name, is not offered",
  async () => {
    using folder = new Folder();
    new BoundSocket("stream", folder.at("stale.sock")).close();
    using _bound = new BoundSocket("stream", folder.at("bound.sock"));
    using _datagram = new BoundSocket("datagram", folder.at("datum.sock"));
    using _listener = listen(folder.at("database"));
    for (const name of ["stale.sok", "Stale.sock", "bound.sok", "datum.sok", "web.sock"]) {
      const hint = await hintFor(folder.at(name));
      assertEquals(hint, `is the server running? Is the path right? ls -l ${folder.path} shows what is there`);
    }
  },
);

Deno.test("a name that is like another one in little but its extension is not offered for it", () => {
  const near = (name: string, ...sockets: string[]) => {
    const text = sockets.map((socket, at) => line(at + 1, socket)).join("");
    return findNear(reading([], sockets, text), `/${name}`)?.path;
  };
  assertEquals(near("nope.sock", "/Cap.sock", "/close.sock", "/no.sock"), undefined);
  assertEquals(near("ab.sock", "/ac.sock"), undefined);
  assertEquals(near("nope.sock", "/Cap.sock", "/nop.sock"), "/nop.sock");
  assertEquals(near("ssh.sok", "/ssh.sock"), "/ssh.sock");
  assertEquals(near("vm-web.sockt", "/vm-web.sock"), "/vm-web.sock");
});

Deno.test("where a directory is missing the message says which, and the hint the nearest that is there", async () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.at("there"));
  const dialing = () =>
    connectTarget({ kind: "unix", path: folder.at("there/app/run/s") }, { library, deadline: new Deadline(2_000) });
  const { message, hint } = await assertFailsLater("missing", dialing);
  assertStringIncludes(message, `: the socket does not exist: there is no directory ${folder.at("there/app")}`);
  assertEquals(hint, `is the server running? Is the path right? ls -l ${folder.at("there")} shows what is there`);
  assertStringIncludes(await hintFor("/no-such-directory/s"), "ls -l / shows");
});

Deno.test("a port at the end of a path gets the words to type", async () => {
  using folder = new Folder();
  using _listener = listen(folder.at("vm.sock"));
  for (const path of [folder.at("vm.sock"), folder.at("none/s")]) {
    assertEquals(await hintFor(`${path}:22`), `did you mean unix${path}? It has no port`);
    const mux = `vsock-mux${path}`;
    assertEquals(await hintFor(`${path}:2222`, "vsock-mux"), `did you mean ${mux} 2222? With ssh: ssh -p 2222 ${mux}`);
  }
});

/** A reader of a system with these directories, sockets, and lines of /proc/net/unix. */
function reading(
  directories: readonly string[],
  sockets: readonly string[],
  text: string,
  owners: Record<string, number> = {},
): PathReader {
  return {
    status(path) {
      const isSocket = sockets.includes(path);
      if (!isSocket && !directories.includes(path)) throw SystemError.named("ENOENT");
      return { isSocket, isDirectory: !isSocket, uid: owners[path] ?? 0 } as ReturnType<PathReader["status"]>;
    },
    sockets: () => text,
  };
}

const line = (inode: number, path: string) => `0: 00000002 00000000 00010000 0001 01 ${inode} ${path}\n`;

Deno.test("what the hint offers is near the path as it was typed, and a socket that is there", () => {
  const all = ["/r/vm1.sock", "/r/vm10.sock", "/q/vm2.sock", "/r/x/vm2.sock", "/r/gone.sock"];
  const text = all.map((path, at) => line(at + 1, path)).join("");
  const near = (path: string): Neighbour | undefined =>
    findNear(reading([".", "/r", "/q"], all.slice(0, 4), text), path);
  assertEquals(near("/r/vm2.sock"), { is: "socket of a near name", path: "/r/vm1.sock" });
  assertEquals(near("/r/vm11.sock"), { is: "socket of a near name", path: "/r/vm1.sock" });
  assertEquals(near("/r/gon.sock"), undefined);
  assertEquals(near("/q/vm3.sock"), { is: "socket of a near name", path: "/q/vm2.sock" });
  assertEquals(near("/none/vm1.sock"), { is: "missing directory", path: "/none" });
  assertEquals(near("./vm1.sock"), undefined);
});

Deno.test("no socket is offered that another user has put near the path, nor one that is only forged", () => {
  const near = (owner: number, text = line(1, "/t/vm1.sock")) =>
    findNear(
      reading(["/t", "/t/", "/proc/self"], ["/t/vm1.sock"], text, { "/t/vm1.sock": owner, "/t/": 7, "/proc/self": 8 }),
      "/t/vm2.sock",
    )?.path;
  for (const owner of [0, 7, 8]) assertEquals(near(owner), "/t/vm1.sock", String(owner));
  assertEquals(near(9), undefined);
  assertEquals(near(0, line(1, `/t/x\n${line(2, "/t/vm3.sock").trimEnd()}`)), undefined);
});

Deno.test("where the system tells of no sockets the missing directory is found all the same", () => {
  const failing = {
    ...reading(["/r"], [], ""),
    sockets: () => {
      throw SystemError.named("ENOENT");
    },
  };
  assertEquals(findNear(failing, "/r/a/s"), { is: "missing directory", path: "/r/a" });
});

Deno.test("thousands of sockets and the longest path are looked at in a moment, and hostile names stay whole", () => {
  const names = Array.from({ length: 8_000 }, (_, at) => `/r/${"x".repeat(60)}${String(at).padStart(8, "0")}`);
  const text = names.map((path, at) => line(at + 1, path)).join("");
  findNear(reading(["/r"], names, text), `/r/${"x".repeat(60)}y`);
  findNear(reading(["/r"], names, text), `/r/${"y".repeat(4_000)}`);
  findNear(reading(["/r"], names, text), `/r${"/y".repeat(2_000)}`);
  const hostile = "/r/a\x1b[2Jb.sock";
  const found = findNear(reading(["/r"], [hostile], line(1, hostile)), "/r/a\x1b[2Jc.sock");
  assertEquals(found?.path, hostile);
});

Deno.test("the distance of two names is how many letters somebody mistyped", () => {
  const examples: [one: string, other: string, far: number][] = [
    ["vsock", "vsock", 0],
    ["vsok", "vsock", 1],
    ["vsokc", "vsock", 1],
    ["vosck", "vsock", 1],
    ["unixx", "unix", 1],
    ["unux", "unix", 1],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
    ["x".repeat(121), "x", Infinity],
  ];
  for (const [one, other, far] of examples) {
    assertEquals([editDistance(one, other), editDistance(other, one)], [far, far], one);
  }
  const short = fc.string({ unit: "grapheme", maxLength: 12 });
  fc.assert(fc.property(short, short, (one, other) => {
    const far = editDistance(one, other);
    assertEquals(far, editDistance(other, one));
    assert(far <= Math.max([...one].length, [...other].length));
    assertEquals(far === 0, one === other);
  }));
});
