import { assertEquals } from "@std/assert";
import { Folder } from "../../tools/checkout.ts";
import { Installation } from "../support/installation.ts";
import { IS_ROOT } from "../support/ordinary_user.ts";
import { listen } from "../support/sockets.ts";
import { testWith } from "../support/tools.ts";
import { Shell, SHELLS } from "./shells.ts";

// What a program is given when somebody types a line in a shell, with the key that completes it, and Enter.

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());

const TAB = "\t";

/** Names of which a shell makes something else where they are not quoted. Some of it would make a file PWNED. */
const HOSTILE = [
  "vm$(touch PWNED).sock",
  "vm`touch PWNED`.sock",
  "vm;touch PWNED;.sock",
  "vm&touch PWNED&.sock",
  "vm|touch PWNED|.sock",
  "vm>PWNED",
  "vm space.sock",
  "vm$HOME.sock",
  "vm'$(touch PWNED)'.sock",
  'vm"$(touch PWNED)".sock',
  "vm\\$(touch PWNED).sock",
  "vm*?[a-z]{b,c}.sock",
  "vm~#!^=:@%.sock",
  "-vm.sock",
  "vmé.sock",
];

/** The same with what a list has no lines for. */
const HOSTILE_FILES = [...HOSTILE, "vm\x1b[2J.sock"];

/** A line break is no part of what fish takes from a function: such a name is not offered there. */
const LINES = "vm\n touch PWNED\n.sock";

for (const name of SHELLS) {
  /** A test of this shell, in a directory in which nothing may be made. */
  const test = (what: string, fn: (shell: Shell) => Promise<void>) => {
    testWith(name, `${name} ${what}`, async () => {
      using shell = new Shell(name, installation.prefix);
      await shell.ready();
      await fn(shell);
      assertEquals([...Deno.readDirSync(shell.work)], []);
    });
  };

  test("quotes the path of a socket, so that a program is given it as it is", async (shell) => {
    for (const hostile of [...HOSTILE_FILES, LINES]) {
      using folder = new Folder();
      using _listener = listen(folder.at(hostile));
      const typed = `unix${folder.at(hostile.slice(0, 2))}`;
      const given = hostile === LINES && name === "fish" ? typed : `unix${folder.at(hostile)}`;
      assertEquals(await shell.runs(`deno-ssh-proxy check ${typed}${TAB}`), ["check", given]);
      assertEquals(await shell.runs(`deno-ssh-proxy ${typed}${TAB}`), [given]);
    }
  });

  for (const mark of ["'", '"']) {
    test(`quotes the path of a socket behind a ${mark} that is open`, async (shell) => {
      for (const hostile of HOSTILE_FILES) {
        using folder = new Folder();
        using _listener = listen(folder.at(hostile));
        const typed = `unix${folder.at(hostile.slice(0, 2))}`;
        const given = ["check", `unix${folder.at(hostile)}`];
        assertEquals(await shell.runs(`deno-ssh-proxy check ${mark}${typed}${TAB}`), given);
        assertEquals(await shell.runs(`deno-ssh-proxy check unix${mark}${typed.slice(4)}${TAB}`), given);
      }
    });
  }

  test("quotes the paths of directories on the way to a socket", async (shell) => {
    for (const hostile of HOSTILE_FILES) {
      using folder = new Folder();
      Deno.mkdirSync(folder.at(hostile));
      using _listener = listen(folder.at(`${hostile}/s$(touch PWNED)`));
      const typed = `vsock-mux${folder.at(hostile.slice(0, 2))}`;
      const words = await shell.runs(`deno-ssh-proxy check ${typed}${TAB}s${TAB}`);
      assertEquals(words, ["check", `vsock-mux${folder.at(`${hostile}/s$(touch PWNED)`)}`]);
    }
  });

  test("quotes the addresses that list shows", async (shell) => {
    for (const hostile of HOSTILE) {
      const address = `unix/nowhere/${hostile}`;
      shell.lists([address, "vsock/42"]);
      const typed = `unix/nowhere/${hostile.slice(0, 2)}`;
      assertEquals(await shell.runs(`deno-ssh-proxy wait ${typed}${TAB}`), ["wait", address]);
    }
  });

  test("offers no address that list can show only escaped", async (shell) => {
    shell.lists(["unix/nowhere/vm\\x1b[2J.sock", "unix/nowhere/vm7"]);
    assertEquals(await shell.runs(`deno-ssh-proxy wait unix/nowhere/v${TAB}`), ["wait", "unix/nowhere/vm7"]);
  });

  test("quotes what several names have in common", async (shell) => {
    for (
      const [common, ...rest] of [
        ["vm$(touch PWNED", ")a", ")b", ""],
        // zsh inserts a backslash that all of them begin with, for the names of files as well.
        ...(name === "zsh" ? [] : [["vm", "$(touch PWNED)", " space", ";touch PWNED;"], ["vm'", '"', "'"]]),
      ]
    ) {
      using folder = new Folder();
      using listeners = new DisposableStack();
      for (const end of rest) listeners.use(listen(folder.at(`${common}${end}`)));
      const words = await shell.runs(`deno-ssh-proxy check unix${folder.at("v")}${TAB}`);
      assertEquals(words, ["check", `unix${folder.at(common!)}`]);
    }
  });

  test("completes a word as far as a listed address, a socket and a directory have it in common", async (shell) => {
    for (const form of ["unix", "vsock-mux"]) {
      using folder = new Folder();
      using _listener = listen(folder.at("vm-2.sock"));
      Deno.mkdirSync(folder.at("vm-3"));
      shell.lists([
        `${form}${folder.at("vm-1.sock")}`,
        `${form}${folder.at("vm-2.sock")}`,
        "vsock-mux/elsewhere",
        "vsock/1",
      ]);
      assertEquals(await shell.runs(`deno-ssh-proxy check ${form}${folder.at("v")}${TAB}`), [
        "check",
        `${form}${folder.at("vm-")}`,
      ]);
      assertEquals(await shell.runs(`deno-ssh-proxy check ${form}${folder.at("v")}${TAB}2${TAB}`), [
        "check",
        `${form}${folder.at("vm-2.sock")}`,
      ]);
      assertEquals(await shell.runs(`deno-ssh-proxy check ${form}${folder.at("v")}${TAB}3${TAB}`), [
        "check",
        `${form}${folder.at("vm-3/")}`,
      ]);
    }
  });

  test("completes a path in which readline ends words", async (shell) => {
    using folder = new Folder();
    using _listener = listen(folder.at("a:b=c@d.sock"));
    for (const typed of ["a", "a:", "a:b", "a:b=", "a:b=c@", "a\\:b"]) {
      const words = await shell.runs(`deno-ssh-proxy check unix${folder.at(typed)}${TAB}`);
      assertEquals(words, ["check", `unix${folder.at("a:b=c@d.sock")}`], typed);
    }
  });

  test("completes aliases, where check and wait take an address", async (shell) => {
    shell.names([
      "/home/me/.ssh/x.conf",
      "  --host-keys tofu",
      "  --alias build=unix/a b",
      "/etc/ssh/x",
      "  --alias office=vsock/1",
    ]);
    for (const command of ["check", "wait"]) {
      assertEquals(await shell.runs(`deno-ssh-proxy ${command} bu${TAB}`), [command, "build"]);
      assertEquals(await shell.runs(`deno-ssh-proxy ${command} of${TAB}22`), [command, "office", "22"]);
      assertEquals(await shell.runs(`deno-ssh-proxy ${command} root@of${TAB}`), [command, "root@office"]);
    }
  });

  test("completes an address behind user@", async (shell) => {
    using folder = new Folder();
    using _listener = listen(folder.at("s $(touch PWNED)@.sock"));
    shell.lists(["vsock/4294967"]);
    const path = `unix${folder.at("s $(touch PWNED)@.sock")}`;
    assertEquals(await shell.runs(`deno-ssh-proxy check root@unix${folder.at("s")}${TAB}`), ["check", `root@${path}`]);
    assertEquals(await shell.runs(`deno-ssh-proxy check a@b@vsock/4${TAB}22`), ["check", "a@b@vsock/4294967", "22"]);
    assertEquals(await shell.runs(`deno-ssh-proxy check root@mach${TAB}x`), ["check", "root@machine/x"]);
  });

  test("completes an address behind the name of a new alias, and aliases that can be given another", async (shell) => {
    using folder = new Folder();
    using _listener = listen(folder.at("s $(touch PWNED)=.sock"));
    shell.lists(["vsock/4294967"]);
    shell.names(["/home/me/.ssh/x.conf", "  --alias build=vsock/42"]);
    const alias = (typed: string) => shell.runs(`deno-ssh-proxy config --install --alias ${typed}`);
    const given = ["config", "--install", "--alias"];
    const path = `unix${folder.at("s $(touch PWNED)=.sock")}`;
    assertEquals(await alias(`vm=unix${folder.at("s")}${TAB}`), [...given, `vm=${path}`]);
    assertEquals(await alias(`vm=vsock/4${TAB}--dry-run`), [...given, "vm=vsock/4294967", "--dry-run"]);
    assertEquals(await alias(`bui${TAB}vsock/4${TAB}`), [...given, "build=vsock/4294967"]);
    assertEquals(await alias(`vm=vsock/1 --alias vm2=mach${TAB}x`), [
      ...given,
      "vm=vsock/1",
      "--alias",
      "vm2=machine/x",
    ]);
  });

  test("completes the aliases that can be removed", async (shell) => {
    const own = ["/home/me/.ssh/x.conf", "  --alias build=vsock/42"];
    shell.names([...own, "/etc/ssh/ssh_config.d/x", "  --alias build2=vsock/1"]);
    const words = await shell.runs(`deno-ssh-proxy config --uninstall --alias bui${TAB}x`);
    // root can remove those of the system's file.
    assertEquals(words.slice(3), IS_ROOT ? ["buildx"] : ["build", "x"]);
  });

  test("completes an address after options with values", async (shell) => {
    shell.lists(["vsock/4294967"]);
    for (const value of ["--timeout 5", "--timeout=5"]) {
      const words = await shell.runs(`deno-ssh-proxy check --json ${value} vsock/4${TAB}`);
      assertEquals(words, ["check", "--json", ...value.split(" "), "vsock/4294967"]);
    }
  });

  test("completes a relative path", async (shell) => {
    Deno.mkdirSync(`${shell.work}/d`);
    const words = await shell.runs(`deno-ssh-proxy check unix/./d${TAB}x`);
    Deno.removeSync(`${shell.work}/d`);
    assertEquals(words, ["check", "unix/./d/x"]);
  });
}
