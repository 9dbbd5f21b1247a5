import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/errno.ts";
import { findListening } from "../../ffi/listening.ts";
import {
  firstArgument,
  mounts,
  openSockets,
  processArguments,
  processDirectory,
  processIds,
  processName,
  processRoot,
  processUser,
  THIS_PROCESS,
  TooLong,
  unixSockets,
} from "../../ffi/processes.ts";
import { localCid, pathStatus, peerCredentials } from "../../ffi/inspection.ts";
import { Library } from "../../ffi/library.ts";
import { Socket } from "../../ffi/socket.ts";
import { testWhere } from "../support/tools.ts";
import { BoundSocket, Folder, LIBRARY_PATH, listen, outputOf } from "./support.ts";

const LIBRARY = Library.open(LIBRARY_PATH);
const ON_LINUX = Deno.build.os === "linux";
/** No process has a number as high (PID_MAX_LIMIT). */
const NO_PROCESS = 2 ** 32 - 1;

/** A library that makes no system call: its functions are `calls`. */
function standIn(calls: Record<string, (...args: never[]) => number | bigint>): Library {
  return { load: () => calls } as unknown as Library;
}

function test(name: string, fn: () => void | Promise<void>): void {
  testWhere(ON_LINUX, "this is Linux's", name, fn);
}

/** What `make` makes with `folder` as the working directory. */
class InFolder implements Disposable {
  readonly #made: Disposable;

  constructor(folder: string, make: () => Disposable) {
    const before = Deno.cwd();
    Deno.chdir(folder);
    try {
      this.#made = make();
    } finally {
      Deno.chdir(before);
    }
  }

  [Symbol.dispose](): void {
    this.#made[Symbol.dispose]();
  }
}

test("the peer of a connection is who listens", async () => {
  using folder = new Folder();
  using _listener = listen(folder.at("s"));
  using socket = await Socket.connectUnix(LIBRARY, folder.at("s"), {});
  assertEquals(peerCredentials(LIBRARY, socket.fd).pid, Deno.pid);
  const { uid, gid } = Deno.statSync(folder.at("s"));
  assertEquals(peerCredentials(LIBRARY, socket.fd), { pid: Deno.pid, uid: uid!, gid: gid! });
});

Deno.test("the CID is a number, or the error that says why there is none", () => {
  // The device of this machine is none that a test may open.
  assertEquals(localCid(standIn({ dsp_local_cid: () => 4294967295n })), 4294967295);
  for (const [number, code] of [[-2n, "ENOENT"], [-19n, "ENODEV"]] as const) {
    assertEquals(assertThrows(() => localCid(standIn({ dsp_local_cid: () => number })), SystemError).code, code);
  }
});

Deno.test("a socket at a path is one, with its permissions, owner and place", () => {
  using folder = new Folder();
  using _listener = listen(folder.at("s"));
  Deno.chmodSync(folder.at("s"), 0o1640);
  Deno.symlinkSync("s", folder.at("link"));
  const known = Deno.statSync(folder.at("s"));
  const status = pathStatus(LIBRARY, folder.at("s"));
  assertEquals(status, {
    isSocket: true,
    isDirectory: false,
    isRegularFile: false,
    permissions: 0o1640,
    mode: known.mode!,
    uid: known.uid!,
    gid: known.gid!,
    device: BigInt(known.dev),
    inode: BigInt(known.ino!),
  });
  assertEquals(pathStatus(LIBRARY, folder.at("link")), status);
  const types = (path: string) => {
    const { isSocket, isDirectory, isRegularFile } = pathStatus(LIBRARY, path);
    return { isSocket, isDirectory, isRegularFile };
  };
  assertEquals(types(folder.path), { isSocket: false, isDirectory: true, isRegularFile: false });
  assertEquals(types(folder.file("file", "")), { isSocket: false, isDirectory: false, isRegularFile: true });
  assertEquals(types("/dev/null"), { isSocket: false, isDirectory: false, isRegularFile: false });
  const error = assertThrows(() => pathStatus(LIBRARY, folder.at("none")), SystemError);
  assertEquals(error.code, "ENOENT");
});

test("this process is told as other programs know it", async () => {
  // Deno itself may read nothing there.
  const read = (name: string) => outputOf("cat", `/proc/${Deno.pid}/${name}`);
  const linkAt = (name: string) => outputOf("readlink", "-n", `/proc/${Deno.pid}/${name}`);
  const args = await processArguments(LIBRARY, Deno.pid);
  assertEquals(args!.join("\0") + "\0", read("cmdline"));
  assertEquals(await firstArgument(LIBRARY, Deno.pid), args![0]);
  assertEquals(processUser(LIBRARY, Deno.pid), Number(outputOf("id", "-ru")));
  assertEquals(processName(LIBRARY, Deno.pid), read("comm").trimEnd());
  assertEquals(processDirectory(LIBRARY, Deno.pid), linkAt("cwd"));
  assertEquals(processRoot(LIBRARY, Deno.pid), linkAt("root"));
  assertEquals(mounts(LIBRARY, Deno.pid), read("mountinfo"));
  assertEquals(processDirectory(LIBRARY, THIS_PROCESS), linkAt("cwd"));
  const ids = processIds(LIBRARY);
  assert(ids.includes(Deno.pid) && ids.includes(1));
});

test("a process with no arguments has none", async () => {
  for (const pid of processIds(LIBRARY)) {
    // In a container there may be no thread of the kernel, which has none.
    if ((await processArguments(LIBRARY, pid).catch(() => undefined))?.length !== 0) continue;
    assert(processName(LIBRARY, pid) !== "");
    assertEquals(await firstArgument(LIBRARY, pid), "");
    break;
  }
  const empty = standIn({ dsp_proc_text: () => 0 });
  assertEquals(await processArguments(empty, 1), []);
});

test("a socket that listens is among the open ones, and in the namespace under its path", () => {
  using folder = new Folder();
  const path = folder.at("s");
  using _listener = listen(path);
  const line = unixSockets(LIBRARY, Deno.pid)!.split("\n").find((line) => line.endsWith(` ${path}`));
  const inode = Number(line?.split(/ +/).at(-2));
  assert(openSockets(LIBRARY, Deno.pid)!.includes(inode), line);
});

test("thousands of sockets are read, each of them once", () => {
  using folder = new Folder();
  const listeners = Array.from({ length: 3000 }, (_, number) => listen(folder.at(String(number))));
  try {
    const paths = unixSockets(LIBRARY, THIS_PROCESS)!.split("\n").map((line) => line.slice(line.indexOf("/")));
    const ours = paths.filter((path) => path.startsWith(`${folder.path}/`));
    assertEquals(ours.length, 3000);
    assertEquals(new Set(ours).size, 3000);
    assertEquals(openSockets(LIBRARY, Deno.pid)!.length, 1024);
  } finally {
    for (const listener of listeners) listener.close();
  }
});

test("a process that is not there, or ends meanwhile, is gone", async () => {
  const looks = [processName, processArguments, firstArgument, processRoot, processDirectory, unixSockets, mounts];
  for (const look of [...looks, openSockets, processUser]) {
    assertEquals(await look(LIBRARY, NO_PROCESS), undefined);
    assertEquals(await look(standIn({ dsp_proc_text: () => -3, dsp_proc_numbers: () => -3 }), 1), undefined);
  }
});

Deno.test("a process of another user is an error, and so is a system without /proc", () => {
  const denied = standIn({ dsp_proc_text: () => -13, dsp_proc_numbers: () => -13 });
  for (const look of [processRoot, processDirectory, openSockets]) {
    assertEquals(assertThrows(() => look(denied, 1), SystemError).code, "EACCES");
  }
  assertThrows(() => processIds(standIn({ dsp_proc_numbers: () => -45 })), SystemError, "45");
});

Deno.test("of each text about a process no more is read than an honest one has", async () => {
  let largest = 0;
  const endless = standIn({
    dsp_proc_text: (...[, , into, size]: unknown[]) => {
      assertEquals((into as Uint8Array).length, Number(size));
      largest = Math.max(largest, Number(size));
      return -34;
    },
  });
  const most = async (look: (library: Library, pid: number) => unknown) => {
    largest = 0;
    await assertRejects(() => Promise.try(look, endless, 1), TooLong);
    return largest;
  };
  assertEquals(await most(processName), 256);
  for (const look of [processRoot, processDirectory]) assertEquals(await most(look), 8192);
  assertEquals(await most(processArguments), 256 * 1024);
  for (const look of [unixSockets, mounts]) assertEquals(await most(look), 4 * 1024 * 1024);
});

Deno.test("of a process with very many sockets those with the lowest descriptors are told", () => {
  const many = standIn({
    dsp_proc_numbers: (...[, , into]: unknown[]) => {
      new Uint32Array((into as Uint8Array).buffer).set([7, 8, 9]);
      return -34;
    },
  });
  assertEquals(openSockets(many, 1), [7, 8, 9]);
});

test("what listens is found by its inode number and by its path, whatever else is called like it", () => {
  using folder = new Folder();
  const inodeAt = (path: string) => {
    const line = unixSockets(LIBRARY, THIS_PROCESS)!.split("\n").find((line) => line.endsWith(` ${path}`));
    return Number(line?.split(/ +/).at(-2));
  };
  using _listener = listen(folder.at("s"));
  using _bound = new BoundSocket("stream", folder.at("b"));
  const inode = inodeAt(folder.at("s"));
  // A relative path has room for a line of which a long one would be too much.
  const forged = `x\n0: 00000002 00000000 00010000 0001 01 ${inode} /no/such`;
  Deno.mkdirSync(folder.at(forged.replace("/such", "")), { recursive: true });
  using _broken = new InFolder(folder.path, () => listen(forged));
  assert(unixSockets(LIBRARY, THIS_PROCESS)!.includes(` 01 ${inode} /no/such\n`), "it is forged there");
  const names = [folder.at("s"), folder.at("b"), folder.at("none"), "/no/such", "x", "x".repeat(200), ""];
  const found = findListening(LIBRARY, [inode, inodeAt(folder.at("b")), 1, 0], names);
  assertEquals(found.bound, new Set([folder.at("s")]));
  assertEquals([...found.paths], [[inode, folder.at("s")]]);
  assertEquals(found.ambiguous.size, 0);
  assertEquals(findListening(LIBRARY, [], []).paths.size, 0);
});

test("a path with a line break in it is no path", () => {
  using folder = new Folder();
  const before = new Set(openSockets(LIBRARY, Deno.pid));
  using _broken = listen(folder.at("x\ny"));
  const inodes = openSockets(LIBRARY, Deno.pid)!.filter((inode) => !before.has(inode));
  assertEquals(inodes.length, 1);
  assertEquals(findListening(LIBRARY, inodes, []).paths.size, 0);
});
