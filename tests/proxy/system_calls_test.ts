import { assert, assertEquals } from "@std/assert";
import { Folder } from "../support/folder.ts";
import { Installation } from "../support/installation.ts";
import { bytes, inTime, listen, readSome } from "../support/sockets.ts";
import { outputOf, testWith } from "../support/tools.ts";
import { assertPassed, runAsSsh } from "../support/as_ssh.ts";

/** What a trace says of a run. */
interface Trace {
  /** The programs that were started, each in the place of the one before. */
  programs: string[];
  /** The files that were opened. */
  files: string[];
  /** The address families of the sockets that were made. */
  families: Set<string>;
  /** How processes were made that are not threads. */
  children: string[];
}

function read(trace: string): Trace {
  const calls = trace.split("\n").filter((line) => !/ = -1 E|^$/.test(line));
  const first = (call: RegExp) => calls.flatMap((line) => call.exec(line)?.[1] ?? []);
  return {
    programs: first(/^execve(?:at\(.*?, |\()"([^"]*)"/),
    files: first(/^open(?:at2?\(.*?, |\()"([^"]*)"/),
    families: new Set(first(/^socket(?:pair)?\((\w+)/)),
    children: calls.filter((line) =>
      /^v?fork\(/.test(line) || /^clone3?\(/.test(line) && !line.includes("CLONE_THREAD")
    ),
  };
}

/** All that is in the files of `folder` whose names begin like this. */
function logs(folder: Folder, beginning: string): string {
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name).filter((name) => name.startsWith(beginning));
  return names.map((name) => Deno.readTextFileSync(folder.at(name))).join("");
}

testWith(
  "strace",
  "a connection loads one script and one library, opens no network socket and starts no other program",
  async () => {
    using folder = new Folder();
    using installation = new Installation();
    const { prefix, shim } = installation;
    for (const form of ["unix", "vsock-mux"]) {
      const path = folder.at(form);
      const log = folder.at(`${form}.log`);
      using listener = listen(path);
      const calls = "trace=execve,execveat,open,openat,openat2,socket,socketpair,clone,clone3,fork,vfork";
      // With a log a thread, no call is written down in two pieces.
      const strace = [outputOf("sh", "-c", "command -v strace").trim(), "-ff", "-s", "4096", "-e", calls, "-o", log];
      const running = runAsSsh([...strace, shim, `${form}${path}`, "22"]);
      // Where it fails before it connects, what it says is what the test says.
      const ended = running.then(assertPassed);
      const accepting = inTime(listener.accept());
      {
        using connection = await Promise.race([accepting, ended.then(() => accepting)]);
        if (form === "vsock-mux") await readSome(connection);
        await connection.write(bytes("OK 1\n"));
        using _passed = await ended;
      }
      const { programs, files, families, children } = read(logs(folder, `${form}.log.`));
      const program = `${prefix}/lib/deno-ssh-proxy`;
      const scripts = files.filter((file) => /\.(?:[cm]?[jt]sx?|json|wasm)$/.test(file));
      assertEquals(scripts, [`${program}/direct.mjs`]);
      // The shell reads the shim.
      const ours = files.filter((file) => file.startsWith(prefix));
      assertEquals(ours.sort(), [shim, `${program}/direct.mjs`, `${program}/libdeno_ssh_proxy.so`]);
      assertEquals([...families], ["AF_UNIX"]);
      assertEquals(children, []);
      assertEquals(programs.length, 2, programs.join(" "));
      assertEquals(programs[0], shim);
      assert(programs[1]!.endsWith("/deno"), programs[1]);
    }
  },
  ["-o", "/dev/null", "true"],
);
