import { assert, assertEquals, assertThrows } from "@std/assert";
import { SystemError } from "../../ffi/errno.ts";
import {
  localCid,
  mounts,
  networkNamespace,
  openSockets,
  pathStatus,
  peerCredentials,
  processArguments,
  processFolder,
  processIds,
  processName,
  processRoot,
  THIS_PROCESS,
  unixSockets,
} from "../../ffi/inspection.ts";
import { Library } from "../../ffi/library.ts";
import { Socket } from "../../ffi/socket.ts";
import { testWhere } from "../support/tools.ts";
import { Folder, LIBRARY_PATH, listen, outputOf } from "./support.ts";

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
  assertEquals(localCid(standIn({ local_cid: () => 4294967295n })), 4294967295);
  for (const [number, code] of [[-2n, "ENOENT"], [-19n, "ENODEV"]] as const) {
    assertEquals(assertThrows(() => localCid(standIn({ local_cid: () => number })), SystemError).code, code);
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

test("this process is told as other programs know it", () => {
  // Deno itself may read nothing there.
  const read = (name: string) => outputOf("cat", `/proc/${Deno.pid}/${name}`);
  const linkAt = (name: string) => outputOf("readlink", "-n", `/proc/${Deno.pid}/${name}`);
  assertEquals(processArguments(LIBRARY, Deno.pid)!.join("\0") + "\0", read("cmdline"));
  assertEquals(processName(LIBRARY, Deno.pid), read("comm").trimEnd());
  assertEquals(processFolder(LIBRARY, Deno.pid), linkAt("cwd"));
  assertEquals(processRoot(LIBRARY, Deno.pid), linkAt("root"));
  assertEquals(networkNamespace(LIBRARY, Deno.pid), linkAt("ns/net"));
  assertEquals(mounts(LIBRARY, Deno.pid), read("mountinfo"));
  assertEquals(processFolder(LIBRARY, THIS_PROCESS), linkAt("cwd"));
  const ids = processIds(LIBRARY);
  assert(ids.includes(Deno.pid) && ids.includes(1));
});

test("a process with no arguments has none", () => {
  const thread = processIds(LIBRARY).find((pid) => processArguments(LIBRARY, pid)?.length === 0);
  // In a container there may be no thread of the kernel.
  if (thread !== undefined) assert(processName(LIBRARY, thread) !== "");
  const empty = standIn({ proc_text: () => 0 });
  assertEquals(processArguments(empty, 1), []);
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
    assert(openSockets(LIBRARY, Deno.pid)!.length >= 3000);
  } finally {
    for (const listener of listeners) listener.close();
  }
});

test("a process that is not there, or ends meanwhile, is gone", () => {
  for (const look of [processName, processArguments, processRoot, processFolder, unixSockets, mounts, openSockets]) {
    assertEquals(look(LIBRARY, NO_PROCESS), undefined);
    assertEquals(look(standIn({ proc_text: () => -3, proc_numbers: () => -3 }), 1), undefined);
  }
});

Deno.test("a process of another user is an error, and so is a system without /proc", () => {
  const denied = standIn({ proc_text: () => -13, proc_numbers: () => -13 });
  for (const look of [processRoot, processFolder, openSockets]) {
    assertEquals(assertThrows(() => look(denied, 1), SystemError).code, "EACCES");
  }
  assertThrows(() => processIds(standIn({ proc_numbers: () => -45 })), SystemError, "45");
});

Deno.test("a text that never fits is given up", () => {
  const sizes: bigint[] = [];
  const endless = standIn({
    proc_text: (...[, , , size]: unknown[]) => {
      sizes.push(size as bigint);
      return -34;
    },
  });
  assertThrows(() => unixSockets(endless, 1), SystemError, "ERANGE");
  assert(sizes.length > 5 && sizes.length < 20, String(sizes.length));
});
