import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { dropIn } from "../../commands/config/drop_in.ts";
import { HOST_KEYS, type Settings, settingsOf } from "../../commands/config/settings.ts";
import { formatAlias, parseAlias } from "../../commands/ssh/alias.ts";
import { proxyCommand } from "../../commands/ssh/own_command.ts";
import { assertFails, Folder, outputOf, testWith } from "./support.ts";

const DENO = "/usr/bin/deno";
const PLAIN: Settings = { aliases: [], hostKeys: "ephemeral" };
const LIBRARY = "/src/rust/target/release/libdeno_ssh_proxy.so";

/** The words that a shell makes of `command` once ssh has replaced its tokens, of which it may have none but `%%`. */
function wordsOf(command: string): string[] {
  assertEquals(command.replaceAll("%%", "").includes("%"), false, command);
  return outputOf("sh", "-c", `printf '%s\\n' ${command.replaceAll("%%", "%")}`).split("\n").slice(0, -1);
}

Deno.test("a checkout is started by Deno, with the one permission that it needs and no questions", () => {
  assertEquals(
    proxyCommand("file:///src/cli.ts", LIBRARY, () => DENO),
    `/usr/bin/deno run --no-prompt --no-config --allow-ffi=${LIBRARY} /src/proxy.ts`,
  );
});

Deno.test("an installed program is started by its shim", () => {
  const main = (folder: string) => `file://${folder}/lib/deno-ssh-proxy/cli.mjs`;
  assertEquals(proxyCommand(main("/usr/local"), LIBRARY, () => DENO), "/usr/local/bin/deno-ssh-proxy");
  assertEquals(proxyCommand(main("/home/a/.local"), LIBRARY, () => DENO), "/home/a/.local/bin/deno-ssh-proxy");
  assertEquals(proxyCommand(main(""), LIBRARY, () => DENO), "/bin/deno-ssh-proxy");
  assertEquals(wordsOf(proxyCommand(main("/a%20b%27c%25d"), LIBRARY, () => DENO)), ["/a b'c%d/bin/deno-ssh-proxy"]);
  for (const inside of ["cli.mjs", "0.1.0-0123456789ab/cli.mjs", "0.1.0-0123456789ab/standalone"]) {
    assertEquals(
      proxyCommand(`file:///usr/lib/deno-ssh-proxy/${inside}`, LIBRARY, () => DENO),
      "/usr/bin/deno-ssh-proxy",
    );
  }
  for (const other of ["/lib/deno-ssh-proxy/cli.ts", "/lib/deno-ssh-proxy/x/y/cli.mjs", "/lib/other/cli.mjs"]) {
    assertStringIncludes(proxyCommand(`file:///usr${other}`, LIBRARY, () => DENO), "/usr/bin/deno run ");
  }
});

Deno.test("a path arrives as it is through ssh and the shell, whatever characters it has", () => {
  for (
    const folder of [
      "/a b",
      "/it's",
      "/100%",
      "/%h",
      "/%%",
      "/$HOME",
      "/`id`",
      '/"x"',
      "/a\\b",
      "/a;b",
      "/a*",
      "/~",
      "/é",
    ]
  ) {
    const [deno, library] = [`${folder}/deno`, `${folder}/lib.so`];
    const main = `file://${folder.split("/").map(encodeURIComponent).join("/")}/cli.ts`;
    assertEquals(wordsOf(proxyCommand(main, library, () => deno)), [
      deno,
      "run",
      "--no-prompt",
      "--no-config",
      `--allow-ffi=${library}`,
      `${folder}/proxy.ts`,
    ]);
  }
});

Deno.test("any path without a line break arrives as it is", () => {
  const anyPath = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({
      unit: fc.constantFrom("'", "%", " ", "\\", "$", "`", '"', "!", "#", "\t", "a", "/", "-", ",", "(", "{", "~"),
    }),
  )
    // No argument holds a NUL, and no grant of Deno's a path with a comma.
    .map((rest) => `/${rest.replace(/[\0\n\r,]/g, "")}`);
  fc.assert(fc.property(anyPath, anyPath, (deno, library) => {
    const words = wordsOf(proxyCommand("file:///src/cli.ts", library, () => deno));
    assertEquals(words, [deno, "run", "--no-prompt", "--no-config", `--allow-ffi=${library}`, "/src/proxy.ts"]);
  }));
});

Deno.test("a path with a line break is refused, in an error of one line", () => {
  for (const lineBreak of ["\n", "\r", "\r\n"]) {
    assertFails("usage", () => proxyCommand("file:///src/cli.ts", `/a${lineBreak}b`, () => DENO), "line break");
    assertFails("usage", () => proxyCommand("file:///src/cli.ts", LIBRARY, () => `/a${lineBreak}b`), "line break");
    const main = `file:///a${encodeURIComponent(lineBreak)}b/lib/deno-ssh-proxy/cli.mjs`;
    assertFails("usage", () => proxyCommand(main, LIBRARY, () => DENO), "line break");
  }
});

Deno.test("a checkout whose path Deno cannot grant is refused, and an installed program has no such path in its words", () => {
  assertFails("usage", () => proxyCommand("file:///a,b/cli.ts", "/a,b/lib.so", () => DENO), "comma");
  assertEquals(
    proxyCommand("file:///a,b/lib/deno-ssh-proxy/cli.mjs", "/a,b/lib.so", () => DENO),
    "/a,b/bin/deno-ssh-proxy",
  );
});

/** The blocks of a fragment: the patterns of each, and its options. */
function blocksOf(text: string): { patterns: string[]; options: string[] }[] {
  return text.split(/^Host /m).slice(1).map((block) => {
    const [patterns = "", ...lines] = block.split("\n");
    return {
      patterns: patterns.split(" "),
      options: lines.map((line) => line.trim()).filter((line) => /^[^#]/.test(line)),
    };
  });
}

Deno.test("the fragment starts the command for every form of address, with the name as it was typed", () => {
  const blocks = blocksOf(dropIn("/usr/local/bin/deno-ssh-proxy", PLAIN))
    .filter(({ options }) => options.some((option) => /^ProxyCommand (?!none$)/.test(option)));
  assertEquals(blocks.length, 2);
  const [here, elsewhere] = blocks;
  for (const name of [".host", "machine/.*", "machine%.*"]) {
    assert(here!.patterns.includes(name), name);
    assert(elsewhere!.patterns.includes(`!${name}`), name);
  }
  for (const form of ["unix", "vsock", "vsock-mux", "machine", "VSOCK", "Vsock-Mux"]) {
    for (const pattern of [`${form}/*`, `${form}%*`]) assert(elsewhere!.patterns.includes(pattern), pattern);
  }
  for (const { options } of blocks) {
    assert(options.includes("ProxyCommand /usr/local/bin/deno-ssh-proxy '%h' '%p' --as-typed '%n'"));
    assert(options.includes("ProxyUseFdpass yes"));
  }
});

Deno.test("the host key of what only has a place is not checked, and nothing is said about it", () => {
  const { options } = blocksOf(dropIn("x", PLAIN)).at(-3)!;
  for (const option of ["StrictHostKeyChecking no", "UserKnownHostsFile /dev/null", "LogLevel ERROR"]) {
    assert(options.includes(option), option);
  }
});

Deno.test("the file says what LogLevel ERROR hides, and how to see it", () => {
  const [, comment = ""] = /\n((?: +#.*\n)+) +LogLevel ERROR\n/.exec(dropIn("x", PLAIN)) ?? [];
  for (const text of ["says nothing", "deno-ssh-proxy check ADDRESS", "ssh -o LogLevel=INFO"]) {
    assertStringIncludes(comment, text);
  }
});

Deno.test("addresses and aliases have the user that was asked for, and this machine has none", () => {
  const aliases = ["vm=vsock/42", "here=.host"].map(parseAlias);
  const users = (user?: string) =>
    blocksOf(dropIn("x", { aliases, hostKeys: "tofu", user }))
      .flatMap(({ patterns, options }) => options.includes("User root") ? [patterns[0]] : []);
  assertEquals(users("root"), ["vm", "unix/*"]);
  assertEquals(users("none"), []);
  assertEquals(users(), []);
});

testWith("ssh", "no two addresses that ssh tells apart by case only share a connection", () => {
  using folder = new Folder();
  const aliases = ["vm=unix/a", "Vm=unix/A", "Web=unix/b"].map(parseAlias);
  const config = folder.file("ssh_config", dropIn("x", { aliases, hostKeys: "ephemeral" }));
  const shared = (host: string) => /^controlpath (.*)$/m.exec(outputOf("ssh", "-F", config, "-G", host))?.[1] ?? "none";
  for (const host of ["unix/tmp/Foo", "vsock-mux/run/VM.sock", "machine/Web", "UNIX/tmp/foo"]) {
    assertEquals(shared(host), "none", host);
  }
  const aliasPaths = aliases.map(({ name }) => shared(name));
  for (const path of aliasPaths) assertMatch(path, /\/\.ssh\/dsp-[^/]*,(?:vm|Vm|Web),22,[^/]*$/);
  assertEquals(new Set(aliasPaths).size, aliases.length);
  const others = [
    "unix/tmp/foo",
    "unix%tmp/Foo",
    "unix%tmp/foo",
    "vsock/42",
    "vsock%42",
    "machine/web",
    ".host",
  ];
  const paths = others.map(shared);
  for (const path of paths) assertMatch(path, /\/\.ssh\/dsp-[0-9a-f]{40}$/);
  assertEquals(new Set(paths).size, others.length);
}, ["-V"]);

testWith(
  "ssh",
  "ssh itself checks the host key of this machine under each of its names, and of no other machine",
  () => {
    using folder = new Folder();
    const config = folder.file("ssh_config", dropIn("/bin/deno-ssh-proxy", PLAIN));
    const strict = (host: string) => {
      const options = outputOf("ssh", "-F", config, "-G", host).split("\n");
      assert(options.some((option) => option.startsWith("proxycommand /bin/deno-ssh-proxy ")), host);
      return !options.includes("stricthostkeychecking false");
    };
    for (const host of [".host", "machine/.host", "machine%.host", ".HOST", "machine/.HOST", "Machine%.Host"]) {
      assertEquals(strict(host), true, host);
    }
    for (
      const host of [
        "machine/foo",
        "machine%Foo",
        "MACHINE/foo",
        "unix/.host",
        "unix%run/s",
        "vsock/host",
        "vsock%3",
        "vsock-mux/s",
      ]
    ) {
      assertEquals(strict(host), false, host);
    }
  },
  ["-V"],
);

Deno.test("every line of the fragment is a comment, an empty line, a Host or one option in a Host's block", () => {
  const aliases = ["a=vsock/42", "b.c=unix/a b'c\\:2222", "d=vsock-mux/x:70000", "e=.host"].map(parseAlias);
  for (const hostKeys of HOST_KEYS) {
    const text = dropIn("'/a b/deno' run", { aliases, hostKeys, user: "root" });
    for (const line of text.split("\n")) {
      assertMatch(line, /^(?: *#(?: .*)?|Host \S.*| {4}(?!Match|Include)[A-Z][A-Za-z]+ \S.*)?$/);
      assert(line.length <= 120 || line.startsWith("Host "), line);
    }
    assert(!/^ .*\S/m.test(text.slice(0, text.indexOf("\nHost "))), "an option that is for every host");
  }
});

Deno.test("the fragment ends with an empty block for every host, so that no line below it belongs to an address", () => {
  for (const hostKeys of HOST_KEYS) {
    const text = dropIn("x", { ...PLAIN, hostKeys, user: "root" });
    assertEquals(blocksOf(text).at(-1), { patterns: ["*"], options: [] });
    assert(text.endsWith("\nHost *\n"));
  }
});

/** The lines of the block of the one alias, without its comment. */
function aliasLines(alias: string, hostKeys: Settings["hostKeys"] = "ephemeral"): string[] {
  const text = dropIn("x", { aliases: [parseAlias(alias)], hostKeys });
  return /^Host [^]*?(?=\n\n)/m.exec(text)![0].split("\n").map((line) => line.trim());
}

Deno.test("an alias has the address in its command, and the port for ssh, as far as that takes one", () => {
  const block = (...first: string[]) => [
    ...first,
    "ProxyUseFdpass yes",
    "CheckHostIP no",
    "ControlPath ~/.ssh/dsp-%L,%n,%p,%r",
  ];
  const unchecked = ["StrictHostKeyChecking no", "UserKnownHostsFile /dev/null", "LogLevel ERROR"];
  assertEquals(aliasLines("vm=vsock/42"), [...block("Host vm", "ProxyCommand x vsock/42 '%p'"), ...unchecked]);
  assertEquals(aliasLines("vm=unix%run/App.sock:2222"), [
    ...block("Host vm", "Port 2222", "ProxyCommand x unix%%run/App.sock '%p'"),
    ...unchecked,
  ]);
  assertEquals(aliasLines("vm=vsock/42:65536")[1], "ProxyCommand x vsock/42 65536");
  assertEquals(aliasLines("vm=vsock/42:0")[1], "ProxyCommand x vsock/42 0");
  for (const here of [".host", "machine/.host", "machine%.host"]) {
    assertEquals(aliasLines(`vm=${here}`).length, 5, "its host key is checked like any other");
  }
});

Deno.test("a key that is kept is the same under the alias and under the address, where known_hosts takes that for a name", () => {
  const name = (alias: string) => aliasLines(alias, "tofu").find((line) => line.startsWith("HostKeyAlias"));
  assertEquals(name("vm=unix/run/App.sock"), "HostKeyAlias unix/run/app.sock");
  assertEquals(name("vm=vsock%42:2222"), "HostKeyAlias [vsock/42]:2222");
  assertEquals(name("vm=vsock/42:22"), "HostKeyAlias vsock/42");
  for (const path of ["a b", "a*", "a?", "a,b", "!a", "a#", "a|b"]) {
    assertEquals(name(`vm=unix/run/${path}`), undefined);
  }
  assertEquals(aliasLines("vm=vsock/42").filter((line) => line.startsWith("HostKeyAlias")), []);
});

testWith("ssh", "ssh starts an alias's command with the address as it is, whatever characters it has", () => {
  using folder = new Folder();
  for (
    const path of ["a\\", "a'b", "'", "\\'", 'a"b', "a b ", "%h", "#x", "a #b", "$HOME", "\t", "é", "a=b:1x", "\\\\"]
  ) {
    const alias = parseAlias(`vm=unix/${path}`);
    const config = folder.file("config", dropIn("x", { aliases: [alias], hostKeys: "strict" }));
    const said = outputOf("ssh", "-G", "-F", config, "vm").split("\n");
    const command = said.find((line) => line.startsWith("proxycommand "))!.slice("proxycommand x ".length);
    assertEquals(wordsOf(command.replace("'%p'", "22")), [`unix/${path}`, "22"]);
  }
}, ["-V"]);

const anyAlias = fc.tuple(
  fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,9}$/),
  fc.oneof(
    fc.nat(2 ** 32 - 2).map((cid) => `vsock/${cid}`),
    fc.string({ unit: "binary", minLength: 1 }).filter((path) => !/[^\P{Cc}\t]|\uFFFD|:[0-9]+$/u.test(path)).map((
      path,
    ) => `unix/${path}`),
    fc.constant(".host"),
  ),
  fc.option(fc.nat(2 ** 32 - 2), { nil: undefined }),
).map(([name, address, port]) => ({ name, address, port }));

Deno.test("any alias is what its text says", () => {
  fc.assert(fc.property(anyAlias, (alias) => assertEquals(parseAlias(formatAlias(alias)), alias)));
});

Deno.test("what a fragment was asked for can be read from it again", () => {
  const anyUser = fc.constantFrom({}, { user: "root" }, { user: "none" });
  fc.assert(fc.property(fc.array(anyAlias), fc.constantFrom(...HOST_KEYS), anyUser, (aliases, hostKeys, user) => {
    const settings = { aliases, hostKeys, ...user };
    assertEquals(settingsOf(dropIn("x", settings)), settings);
  }));
  assertEquals(settingsOf("Host a\n"), undefined);
});

Deno.test("an alias that cannot be one is refused", () => {
  const reasons = {
    "vm": "it has no '='",
    "=vsock/1": "not a name",
    "-a=vsock/1": "not a name",
    "a b=vsock/1": "not a name",
    "!a=vsock/1": "not a name",
    "a*=vsock/1": "not a name",
    "a=": "not an address",
    "a=vsock/": "not a CID",
    "a=vsock/1:4294967296": "not a port",
    "a=unix/a\nb": "control character",
    "a=unix/a\x1b[2Jb": "control character",
    "a=unix/a\x9b2Jb": "control character",
  };
  for (const [text, reason] of Object.entries(reasons)) assertFails("usage", () => parseAlias(text), reason);
});
