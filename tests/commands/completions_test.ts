import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../../commands/commands.ts";
import { PROXY_PATTERNS } from "../../commands/completions/parts.ts";
import { PROXY_INVOCATION } from "../../commands/help.ts";
import { Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf } from "../../tools/programs.ts";
import { COMMAND_LINES } from "../support/command_lines.ts";
import { Installation } from "../support/installation.ts";
import { listen } from "../support/sockets.ts";
import { testWith } from "../support/tools.ts";
import { InTerminal, run } from "./typed.ts";

const installation = new Installation();
Deno.test.afterAll(() => installation[Symbol.dispose]());
const { prefix, shim } = installation;

/** A program of this name that finds two addresses, and starts nothing. */
const finds = new Folder();
Deno.test.afterAll(() => finds[Symbol.dispose]());
const LISTED = "vsock/4294967\\tvirtual machine\\tvm\\t\\nunix/it is\\tcontainer\\t\\tneeds --alias\\n";
Deno.chmodSync(finds.file("deno-ssh-proxy", `#!/bin/sh\n[ "$*" = list ] && printf '${LISTED}'\n`), 0o755);
const PATH = `${finds.path}:${prefix}/bin:${outputOf("sh", "-c", "echo $PATH").trim()}`;

/** What a shell offers for the last of the words of a command line. */
type Completes = (...words: string[]) => Promise<string[]>;

const LINE = 'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}';

const bash: Completes = async (...words) => {
  const script =
    `. "$0" && _deno_ssh_proxy deno-ssh-proxy "\${@: -1}" "\${@: -2:1}"; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { out } = await run(
    // These are what bash itself sets. Without a line that is edited, what is found is quoted all the same.
    ["bash", "-c", `${LINE}; ${script}`, place.bash, "deno-ssh-proxy", ...words],
    { PATH },
  );
  return out.split("\n").filter((line) => line !== "");
};

const fish: Completes = async (...words) => (await fishOffers(...words)).map((line) => line.split("\t")[0]!);

/** What fish offers, each with its description behind a tab if it has one. */
const fishOffers: Completes = async (...words) => {
  using home = new Folder();
  const line = ["deno-ssh-proxy", ...words].join(" ");
  const { out, err } = await run([
    "fish",
    "--no-config",
    "-c",
    'source $argv[1]; complete -C "$argv[2]"',
    place.fish,
    line,
  ], {
    PATH,
    HOME: home.path,
  });
  assertEquals(err, "");
  return out.split("\n").filter((line) => line !== "");
};

const place = {
  bash: `${prefix}/share/bash-completion/completions/deno-ssh-proxy`,
  zsh: `${prefix}/share/zsh/site-functions/_deno-ssh-proxy`,
  fish: `${prefix}/share/fish/vendor_completions.d/deno-ssh-proxy.fish`,
};

Deno.test("install.sh puts what completions prints where each shell looks for it", async () => {
  for (const [shell, path] of Object.entries(place)) {
    const { code, out } = await run([shim, "completions", shell]);
    assertEquals([code, out], [0, Deno.readTextFileSync(path)], shell);
  }
});

Deno.test("a shell that there are no completions for is refused, and those that there are named", async () => {
  const { code, err } = await run([shim, "completions", "tcsh"]);
  assertEquals(code, 64);
  assertStringIncludes(err, "bash, zsh, fish");
});

testWith("zsh", "zsh takes the words of the ProxyCommand for those, and no others", () => {
  const script = `case $1 in ${PROXY_PATTERNS.join("|")}) echo proxy ;; *) echo cli ;; esac`;
  for (const [words, needed] of COMMAND_LINES) {
    assertEquals(outputOf("zsh", "-fc", script, "zsh", ...words).trim(), needed, words.join(" "));
  }
});

for (const [shell, completes] of [["bash", bash], ["fish", fish]] as const) {
  testWith(
    shell,
    `${shell} offers the options of the ProxyCommand behind its words, and behind no others`,
    async () => {
      for (const [words, script] of COMMAND_LINES) {
        // Left out: lines without a word, with an empty one, or with an option whose value comes next.
        if (words.length === 0 || words.includes("") || words.at(-1) === "--as-typed") continue;
        const offered = await completes(...words, "--as");
        assertEquals(offered.includes("--as-typed"), script === "proxy", words.join(" "));
      }
    },
  );

  testWith(shell, `${shell} completes every command and every option of each, and nothing else`, async () => {
    const names = COMMANDS.map(({ name }) => name);
    for (const name of names) assertEquals(await completes(name.slice(0, -1)), [name]);
    const dashed = (options: object) => Object.keys(options).map((name) => `--${name}`).sort();
    for (const { name, options } of COMMANDS) {
      assertEquals((await completes(name, "--")).sort(), dashed({ ...options, help: "" }), name);
    }
    assertEquals((await completes("unix/s", "22", "--")).sort(), dashed(PROXY_INVOCATION.options));
    assertEquals((await completes("--v")).includes("--version"), true);
  });

  testWith(shell, `${shell} completes help, and behind it the commands`, async () => {
    assertEquals(await completes("hel"), ["help"]);
    assertEquals((await completes("help", "")).sort(), COMMANDS.map(({ name }) => name).sort());
    assertEquals(await completes("help", "chec"), ["check"]);
    assertEquals(await completes("help", "vsock/4"), []);
    assertEquals(await completes("help", "--tim"), []);
  });

  testWith(shell, `${shell} completes the values of an option and of an argument`, async () => {
    assertEquals((await completes("completions", "")).sort(), ["bash", "fish", "zsh"]);
    for (const { name, options } of COMMANDS) {
      for (const [option, { value, values }] of Object.entries(options)) {
        if (values !== undefined) {
          assertEquals((await completes(name, `--${option}`, "")).sort(), [...values].sort());
        } else if (value !== undefined) assertEquals(await completes(name, `--${option}`, ""), []);
      }
    }
  });

  testWith(
    shell,
    `${shell} completes the addresses that list shows, and their forms`,
    async () => {
      for (const words of [["check"], ["wait"], []]) {
        assertEquals(await completes(...words, "vsock/4"), ["vsock/4294967"]);
        assertEquals(await completes(...words, "mac"), ["machine/"]);
        assertEquals(await completes(...words, ".h"), [".host"]);
      }
      assertEquals(await completes("config", "vsock/4"), []);
    },
  );

  testWith(shell, `${shell} completes the options behind an address of every form`, async () => {
    for (const address of ["unix/s", "vsock%42", ".host", "machine/foo"]) {
      assertEquals(await completes(address, "22", "--as"), ["--as-typed"], address);
      // The value of this one may be left out, and is never a word of its own.
      assertEquals(await completes(address, "22", "--wait", "--tim"), ["--timeout"]);
    }
  });

  testWith(
    shell,
    `${shell} completes the forms of addresses, and the paths of sockets and folders in them`,
    async () => {
      using folder = new Folder();
      using _listener = listen(folder.at("guest.sock"));
      folder.file("guest.txt", "");
      Deno.mkdirSync(folder.at("guests"));
      assert((await completes("check", "vs")).includes("vsock-mux/"));
      assert((await completes("un")).includes("unix/"));
      // What follows an option is no address.
      assert((await completes("check", "--json", "--timeout", "5", "vs")).includes("vsock-mux/"));
      assertEquals(await completes("check", "--timeout", "5", "unix/s", "vs"), []);
      for (const form of ["unix", "vsock-mux"]) {
        const found = [`${form}${folder.at("guest.sock")}`, `${form}${folder.at("guests")}/`];
        assertEquals((await completes("check", `${form}${folder.at("gu")}`)).sort(), found);
        assertEquals((await completes(`${form}${folder.at("gu")}`)).sort(), found);
      }
    },
  );
}

testWith("bash", "bash completes --help, one place and no more, and leaves the cursor behind a slash", async () => {
  assertEquals(await bash("check", "--h"), ["--help"]);
  assertEquals(await bash("check", "unix/s", ""), []);
  assertEquals(await bash("completions", "bash", ""), []);
  const script = `. "$0"; complete -p deno-ssh-proxy; compopt() { echo "compopt $*"; }
    set -- deno-ssh-proxy check "$1"; ${LINE}; shift 2; _deno_ssh_proxy deno-ssh-proxy "$1" check; echo "$COMPREPLY"`;
  for (const [typed, shown] of [["unix/no/such", ""], ["machi", "compopt -o nospace\nmachine/"], [".ho", ".host"]]) {
    const { out } = await run(["bash", "-c", script, place.bash, typed!], { PATH });
    assertEquals(out, `complete -F _deno_ssh_proxy deno-ssh-proxy\n${shown}\n`);
  }
});

testWith("fish", "fish describes options, and not each of their values", async () => {
  for (const { name, options } of COMMANDS) {
    for (const [option, { brief, values }] of Object.entries(options)) {
      // fish 4 also offers those that have the word anywhere in them.
      const offered = (await fishOffers(name, `--${option}`)).filter((line) => line.startsWith(`--${option}`));
      assertEquals(offered, [`--${option}\t${brief}`]);
      if (values !== undefined) assertEquals((await fishOffers(name, `--${option}`, "")).sort(), [...values].sort());
    }
  }
  assertEquals(await fishOffers("config", "--alias", "vm=vsock/4"), ["vm=vsock/4294967"]);
});

testWith("zsh", "zsh completes a command, an option and the path of a socket", async () => {
  using folder = new Folder();
  using _listener = listen(folder.at("guest.sock"));
  folder.file("guest.txt", "");
  Deno.mkdirSync(folder.at("directory"));
  folder.file(
    ".zshrc",
    `fpath=(${prefix}/share/zsh/site-functions $fpath); autoload -U compinit; compinit -D -u; PS1='ready> '\n`,
  );
  const zsh = pathOf("zsh");
  using terminal = new InTerminal([zsh, "-i", "-d"], { PATH, ZDOTDIR: folder.path, HOME: folder.path, TERM: "dumb" });
  await terminal.shows("ready> ");
  const completes = async (typed: string, becomes: string) => {
    terminal.shown = "";
    await terminal.type(typed);
    await terminal.shows(typed);
    // What was typed may have the same in it.
    terminal.shown = "";
    await terminal.type("\t");
    await terminal.shows(becomes);
    // Clears the line: Ctrl-C is a signal, and only in a terminal that is somebody's own.
    await terminal.type("\x15");
  };
  await completes("deno-ssh-proxy chec", "k ");
  await completes("deno-ssh-proxy check --js", "on ");
  await completes(`deno-ssh-proxy check unix${folder.at("gu")}`, "est.sock");
  await completes(`deno-ssh-proxy check unix${folder.at("di")}`, "rectory/");
  await completes("deno-ssh-proxy completions fi", "sh ");
  await completes("deno-ssh-proxy wait vsock/4", "294967 ");
  await completes("deno-ssh-proxy config --host-keys to", "fu ");
  await completes("deno-ssh-proxy config --host-keys=to", "fu ");
  await completes("deno-ssh-proxy config --alias=a=vsock/4", "294967 ");
  await completes("deno-ssh-proxy config --alias a=unix/b --al", "ias=");
  await completes("deno-ssh-proxy unix/s 22 --timeo", "ut=");
  await completes("deno-ssh-proxy hel", "p ");
  await completes("deno-ssh-proxy help chec", "k ");
});
