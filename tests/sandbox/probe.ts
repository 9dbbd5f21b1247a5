/**
 * Ways out of the sandbox, each by its name. A program of its own: it takes the one that its first argument names, with
 * what its second one says (JSON), and prints what came of it as JSON.
 *
 * @module
 */

/** What there is for a way out to reach. */
export interface Surroundings {
  /** A folder with everything in it. */
  readonly folder: string;
  /** In it, a text file and a TypeScript module, and a JSON file. */
  readonly file: string;
  readonly module: string;
  readonly json: string;
  /** Not there yet. */
  readonly fresh: string;
  /** Where a server listens: an AF_UNIX socket, and a TCP port that speaks HTTP and takes WebSockets. */
  readonly socket: string;
  readonly port: number;
  /** The native library, the C library, and a copy and a link of the first. */
  readonly library: string;
  readonly libc: string;
  readonly copy: string;
  readonly link: string;
}

type Way = (there: Surroundings) => unknown;

/** Never settles later than this, in milliseconds. */
const PATIENCE = 5_000;

/** What Deno's grants are to keep a program from. */
export const KEPT: Record<string, Way> = {
  "reads a file": ({ file }) => Deno.readTextFileSync(file),
  "opens a file": ({ file }) => Deno.openSync(file).close(),
  "reads a file with node:fs": async ({ file }) => (await import("node:fs")).readFileSync(file),
  "fetches a file": async ({ file }) => await (await fetch(`file://${file}`)).text(),
  "reads what the kernel tells of it": () => Deno.readTextFileSync("/proc/self/environ"),
  "looks at a file": ({ file }) => Deno.lstatSync(file),
  "looks where a link leads": ({ link }) => Deno.readLinkSync(link),
  "looks for the real path of a file": ({ link }) => Deno.realPathSync(link),
  "lists a folder": ({ folder }) => [...Deno.readDirSync(folder)],
  "watches a folder": ({ folder }) => Deno.watchFs(folder).close(),
  "goes to another folder": ({ folder }) => Deno.chdir(folder),
  "sees a variable of the environment": () => Deno.env.get("HOME"),
  "sees the environment": () => Deno.env.toObject(),
  "sees it as Node has it": async () => (await import("node:process")).env["HOME"],
  "lists it as Node has it": async () => Object.keys((await import("node:process")).env),
  "sets a variable of the environment": () => Deno.env.set("HOME", "/"),
  "writes a file": ({ fresh }) => Deno.writeTextFileSync(fresh, ""),
  "writes a file with node:fs": async ({ fresh }) => (await import("node:fs")).writeFileSync(fresh, ""),
  "makes a folder": ({ fresh }) => Deno.mkdirSync(fresh),
  "makes a temporary file": () => Deno.removeSync(Deno.makeTempFileSync()),
  "makes a link": ({ file, fresh }) => Deno.symlinkSync(file, fresh),
  "removes a file": ({ file }) => Deno.removeSync(file),
  "renames a file": ({ file, fresh }) => Deno.renameSync(file, fresh),
  "changes the mode of a file": ({ file }) => Deno.chmodSync(file, 0o600),
  "changes its umask": () => Deno.umask(0o77),
  "makes a database": async ({ fresh }) => new (await import("node:sqlite")).DatabaseSync(fresh).close(),
  "connects over TCP": async ({ port }) => (await Deno.connect({ hostname: "127.0.0.1", port })).close(),
  "connects to an AF_UNIX socket": async ({ socket }) =>
    (await Deno.connect({ transport: "unix", path: socket })).close(),
  "connects with node:net": async ({ port }) => {
    const connection = (await import("node:net")).connect(port, "127.0.0.1");
    await new Promise((resolve, reject) => connection.once("connect", resolve).once("error", reject));
  },
  "connects to an AF_UNIX socket with node:net": async ({ socket }) => {
    const connection = (await import("node:net")).connect(socket);
    await new Promise((resolve, reject) => connection.once("connect", resolve).once("error", reject));
  },
  "fetches over HTTP": async ({ port }) => await (await fetch(`http://127.0.0.1:${port}/`)).text(),
  "opens a WebSocket": async ({ port }) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = (event) => reject((event as ErrorEvent).error ?? new Error("denied"));
    });
  },
  "sends a datagram": async ({ port }) => {
    const socket = (await import("node:dgram")).createSocket("udp4");
    await new Promise<void>((resolve, reject) => {
      addEventListener("error", (event) => (event.preventDefault(), reject(event.error)));
      socket.once("error", reject).send("x", port, "127.0.0.1", (error) => error ? reject(error) : resolve());
    });
  },
  "looks up a name": async () => await (await import("node:dns/promises")).lookup("localhost"),
  "listens on a TCP port": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  "listens on an AF_UNIX socket": ({ fresh }) => Deno.listen({ transport: "unix", path: fresh }).close(),
  "serves HTTP": () => Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response()).shutdown(),
  "listens with node:net": async () => {
    const server = (await import("node:net")).createServer();
    await new Promise<void>((resolve, reject) => {
      addEventListener("error", (event) => (event.preventDefault(), reject(event.error)));
      server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
  },
  "starts a program": () => new Deno.Command("/bin/true").outputSync(),
  "starts a program with node:child_process": async () => {
    const { error } = (await import("node:child_process")).spawnSync("/bin/true");
    if (error) throw error;
  },
  "sends a signal to another process": () => Deno.kill(Deno.ppid, "SIGCONT"),
  "opens the C library": ({ libc }) => Deno.dlopen(libc, { getppid: { parameters: [], result: "i32" } }).close(),
  "opens a copy of its library": ({ copy }) => Deno.dlopen(copy, {}).close(),
  "opens its library by a link": ({ link }) => Deno.dlopen(link, {}).close(),
  "makes a pointer": () => Deno.UnsafePointer.of(new Uint8Array(1)),
  "makes a pointer out of a number": () => Deno.UnsafePointer.create(4096n),
  "asks for more permissions": async () => granted(await Deno.permissions.request({ name: "read" })),
  "has a worker with more permissions": async () => {
    const options = { type: "module", deno: { permissions: { read: true } } } as WorkerOptions;
    const code = "self.postMessage(Deno.permissions.querySync({ name: 'read' }).state)";
    const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, options);
    granted({ state: await new Promise<string>((resolve) => worker.onmessage = ({ data }) => resolve(data)) });
  },
  "imports a module": async ({ module }) => await import(`file://${module}`),
  "imports JSON": async ({ json }) => await import(`file://${json}`, { with: { type: "json" } }),
  "requires a module": async ({ folder }) =>
    (await import("node:module")).createRequire(`${folder}/`)("./required.cjs"),
  "imports a module from a server": async ({ port }) => await import(`http://127.0.0.1:${port}/module.js`),
  "imports a package": async () => await import(["npm", "@stricli/core@1.3.0"].join(":")),
  "sees the name of this machine": () => Deno.hostname(),
  "sees the system's version": () => Deno.osRelease(),
  "sees who it is": () => Deno.uid(),
  "sees who it is with node:os": async () => (await import("node:os")).userInfo(),
  "sees the network's interfaces": () => Deno.networkInterfaces(),
  "sees how busy the machine is": () => Deno.loadavg(),
  "sees how long the machine has been up": () => Deno.osUptime(),
  "sees how much memory there is": () => Deno.systemMemoryInfo(),
  "lets a debugger in": async () => (await import("node:inspector")).open(0, "127.0.0.1"),
};

/** What Deno leaves to every program. docs/permissions.md says so. */
export const LEFT: Record<string, Way> = {
  "sees its process id and its parent's": () => [Deno.pid, Deno.ppid],
  "sees its working directory": () => Deno.cwd(),
  "sees the path of Deno": () => Deno.execPath(),
  "sees the number of processors and the language": () => [navigator.hardwareConcurrency, navigator.language],
  "sees its own memory": () => Deno.memoryUsage(),
  "has a worker with the same permissions": async () => {
    const worker = new Worker("data:text/javascript,self.postMessage(1)", { type: "module" });
    await new Promise((resolve) => worker.onmessage = resolve);
    worker.terminate();
  },
  "keeps something in localStorage": () => localStorage.setItem("a", "b"),
  "keeps something in caches": async () => {
    await (await caches.open("a")).put("https://example.com/", new Response("b"));
  },
  "asks for a graphics adapter": async () =>
    await (navigator as { gpu?: { requestAdapter(): unknown } }).gpu!.requestAdapter(),
};

/** What whoever may open a library gets with it: its own functions, for whatever they can do. docs/permissions.md says so. */
export const OF_THE_LIBRARY: Record<string, Way> = {
  "connects to any AF_UNIX socket": ({ library, socket }) => {
    const { symbols } = Deno.dlopen(library, {
      connect_unix: { parameters: ["buffer", "usize", { struct: ["u32"] }], result: "i32" },
    });
    const path = new TextEncoder().encode(socket);
    const fd = symbols.connect_unix(path, BigInt(path.length), new Uint8Array(Uint32Array.of(1000).buffer));
    if (fd < 0) throw new Error(`it failed: ${fd}`);
  },
  "is told of any path": ({ library, file }) => {
    const { symbols } = Deno.dlopen(library, {
      dsp_path_status: { parameters: ["buffer", "usize", "buffer"], result: "i32" },
    });
    const path = new TextEncoder().encode(file);
    if (symbols.dsp_path_status(path, BigInt(path.length), new BigUint64Array(5)) !== 0) throw new Error("it failed");
  },
};

/** What no library lends to a script that may open it, because it is linked with no other. */
export const NOT_OF_THE_LIBRARY: Record<string, Way> = {
  "calls a function of the C library": ({ library, fresh }) => {
    const { symbols } = Deno.dlopen(library, { system: { parameters: ["buffer"], result: "i32" } });
    if (symbols.system(new TextEncoder().encode(`: >'${fresh}'\0`)) !== 0) throw new Error("it failed");
  },
};

/** What came of a way out. */
export type Outcome = { readonly did: true } | { readonly did: false; readonly why: string };

function granted({ state }: { state: string }): void {
  if (state !== "granted") throw new Error(`denied: ${state}`);
}

async function take(way: Way, there: Surroundings): Promise<Outcome> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error("it takes for ever")), PATIENCE));
  try {
    await Promise.race([(async () => await way(there))(), late]);
    return { did: true };
  } catch (thrown) {
    return { did: false, why: String(thrown) };
  }
}

if (import.meta.main) {
  const [name = "", there = "{}"] = Deno.args;
  const outcome = await take({ ...KEPT, ...LEFT, ...OF_THE_LIBRARY, ...NOT_OF_THE_LIBRARY }[name]!, JSON.parse(there));
  console.log(JSON.stringify(outcome));
  Deno.exit(0);
}
