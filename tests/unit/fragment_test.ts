import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { fragment, proxyCommand } from "../../commands/fragment.ts";
import { assertFails, Folder, outputOf, testWith } from "./support.ts";

const DENO = "/usr/bin/deno";
const LIBRARY = "/src/rust/target/release/libdeno_ssh_proxy.so";

/** The words that a shell makes of `command` once ssh has replaced its tokens, of which it may have none but `%%`. */
function wordsOf(command: string): string[] {
  assertEquals(command.replaceAll("%%", "").includes("%"), false, command);
  return outputOf("sh", "-c", `printf '%s\\n' ${command.replaceAll("%%", "%")}`).split("\n").slice(0, -1);
}

Deno.test("a checkout is started by Deno, with the one permission that it needs and no questions", () => {
  assertEquals(
    proxyCommand("file:///src/cli.ts", LIBRARY, DENO),
    `/usr/bin/deno run --no-prompt --no-config --allow-ffi=${LIBRARY} /src/proxy.ts`,
  );
});

Deno.test("an installed program is started by its shim", () => {
  const main = (folder: string) => `file://${folder}/lib/deno-ssh-proxy/cli.mjs`;
  assertEquals(proxyCommand(main("/usr/local"), LIBRARY, DENO), "/usr/local/bin/deno-ssh-proxy");
  assertEquals(proxyCommand(main("/home/a/.local"), LIBRARY, DENO), "/home/a/.local/bin/deno-ssh-proxy");
  assertEquals(proxyCommand(main(""), LIBRARY, DENO), "/bin/deno-ssh-proxy");
  assertEquals(wordsOf(proxyCommand(main("/a%20b%27c%25d"), LIBRARY, DENO)), ["/a b'c%d/bin/deno-ssh-proxy"]);
  for (const other of ["/lib/deno-ssh-proxy/cli.ts", "/lib/deno-ssh-proxy/x/cli.mjs", "/lib/other/cli.mjs"]) {
    assertStringIncludes(proxyCommand(`file:///usr${other}`, LIBRARY, DENO), "/usr/bin/deno run ");
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
    assertEquals(wordsOf(proxyCommand(main, library, deno)), [
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
    const words = wordsOf(proxyCommand("file:///src/cli.ts", library, deno));
    assertEquals(words, [deno, "run", "--no-prompt", "--no-config", `--allow-ffi=${library}`, "/src/proxy.ts"]);
  }));
});

Deno.test("a path with a line break is refused, in an error of one line", () => {
  for (const lineBreak of ["\n", "\r", "\r\n"]) {
    assertFails("usage", () => proxyCommand("file:///src/cli.ts", `/a${lineBreak}b`, DENO), "line break");
    assertFails("usage", () => proxyCommand("file:///src/cli.ts", LIBRARY, `/a${lineBreak}b`), "line break");
    const main = `file:///a${encodeURIComponent(lineBreak)}b/lib/deno-ssh-proxy/cli.mjs`;
    assertFails("usage", () => proxyCommand(main, LIBRARY, DENO), "line break");
  }
});

Deno.test("a checkout whose path Deno cannot grant is refused, and an installed program has no such path in its words", () => {
  assertFails("usage", () => proxyCommand("file:///a,b/cli.ts", "/a,b/lib.so", DENO), "comma");
  assertEquals(
    proxyCommand("file:///a,b/lib/deno-ssh-proxy/cli.mjs", "/a,b/lib.so", DENO),
    "/a,b/bin/deno-ssh-proxy",
  );
});

Deno.test("the fragment starts the command for every form of address, with the name as it was typed", () => {
  const text = fragment("/usr/local/bin/deno-ssh-proxy");
  const blocks = text.split(/^(?=Match )/m).slice(1);
  assertEquals(blocks.length, 3);
  const [here, elsewhere] = blocks.map((block) => /^Match host (.*)$/m.exec(block)?.[1]?.split(","));
  assertEquals(here, [".host", "machine/.host", "machine%.host"]);
  const forms = ["unix", "vsock", "vsock-mux", "machine"].flatMap((form) => [`${form}/*`, `${form}%*`]);
  assertEquals(elsewhere?.filter((pattern) => !pattern.startsWith("!")), forms);
  for (const block of blocks.slice(0, 2)) {
    assertStringIncludes(block, "\n    ProxyCommand /usr/local/bin/deno-ssh-proxy '%h' '%p' --as-typed '%n'\n");
    assertStringIncludes(block, "\n    ProxyUseFdpass yes\n");
  }
});

Deno.test("the host key of this machine is checked, and that of what only has a place is not", () => {
  const [here = "", elsewhere = ""] = fragment("x").split(/^(?=Match )/m).slice(1);
  assert(!/StrictHostKeyChecking|UserKnownHostsFile/.test(here));
  assertStringIncludes(elsewhere, "\n    StrictHostKeyChecking no\n    UserKnownHostsFile /dev/null\n");
});

testWith(
  "ssh",
  "ssh itself checks the host key of this machine under each of its names, and of no other machine",
  () => {
    using folder = new Folder();
    const config = folder.file("ssh_config", fragment("/bin/deno-ssh-proxy"));
    const strict = (host: string) => {
      const options = outputOf("ssh", "-F", config, "-G", host).split("\n");
      assert(options.some((option) => option.startsWith("proxycommand /bin/deno-ssh-proxy ")), host);
      return !options.includes("stricthostkeychecking false");
    };
    for (const host of [".host", "machine/.host", "machine%.host", ".HOST", "machine/.HOST"]) {
      assertEquals(strict(host), true, host);
    }
    for (
      const host of ["machine/foo", "machine%Foo", "unix/.host", "unix%run/s", "vsock/host", "vsock%3", "vsock-mux/s"]
    ) {
      assertEquals(strict(host), false, host);
    }
  },
  ["-V"],
);

Deno.test("every line of the fragment is a comment, an empty line, a Match or one option with its value", () => {
  for (const line of fragment("'/a b/deno' run").split("\n")) {
    assertMatch(line, /^(?: *# .*|Match host \S+|Match final all| {4}[A-Z][A-Za-z]+ \S.*)?$/);
  }
});
