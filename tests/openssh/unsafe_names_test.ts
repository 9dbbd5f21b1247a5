/**
 * Host names with which a shell could do something else, with the ssh and the shells of older Debians. Newer ones refuse most
 * of them on the command line. In `HostName` none does, and a `Host` block is matched with that where names are made canonical.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { dropIn } from "../../commands/config/drop_in.ts";
import { aliasHint } from "../../commands/ssh/needs_alias.ts";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputLater } from "../../tools/programs.ts";
import { testWhere } from "../support/tools.ts";

/** A program to be found by the drop-in, which prints its arguments, each with a NUL behind it. */
const PROGRAM = `#!/bin/sh
printf '%s\\0' "$@" >/root/ran
`;

/** What systemd's drop-in has, which is read after this program's: there is nothing around its tokens. */
const AFTERWARDS = `Host unix/* unix%* vsock/* vsock%* vsock-mux/* vsock-mux%* machine/* machine%*
    ProxyCommand /root/program %h %p
    ProxyUseFdpass yes
`;

const SHELLS = ["dash", "bash", "zsh", "fish", "tcsh", "mksh"];

/** Names which end the quotes, or have a shell replace something, if they are put between single quotes or nothing. */
const UNSAFE = [
  "unix/x'$(touch pwned)'",
  "unix/x';touch pwned;'",
  "unix/x$(touch pwned)",
  "unix/x`touch pwned`",
  "unix/x\\y",
  "unix/x touch",
  "unix/x!#;touch pwned;",
  "vsock%%1'$(touch pwned)'",
  "vsock-mux/x'$(touch pwned)'",
  "machine/.host'$(touch pwned)'",
  "machine%%.'$(touch pwned)'",
];

const EACH_CHARACTER = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).join("");

/** Addresses with each printable character of ASCII, as an alias can have them, and with commands between those. */
const ALIASED = [
  `unix/${EACH_CHARACTER}(touch pwned)`,
  `unix/$(touch pwned)${EACH_CHARACTER}`,
  "unix/\\(touch pwned)$(touch pwned)`touch pwned`\\';touch pwned;'!#;touch pwned",
  "unix/!#(touch pwned)';touch pwned;'`touch pwned`\u{e9}(touch pwned)\u{1f600}\t",
  "unix/\\\u{e9}(touch pwned)\\\u{1f600}(touch pwned)",
];

/** Control characters, without a line break: csh ends a command there, even between quotes. */
const CONTROL = Array.from({ length: 32 }, (_, at) => at === 31 ? 127 : at + 1).filter((code) => code !== 10);

/** A word for sh. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** How a ssh was run: what it printed, and the arguments of the program if it ran that. */
interface Tried {
  readonly said: string;
  readonly ran: string[] | undefined;
}

/** The ssh of an older Debian, in a home of its own. */
class OlderSsh implements Disposable {
  readonly #home = new Folder();
  readonly #system: string;

  constructor(system: string) {
    this.#system = system;
    for (const name of ["program", "deno-ssh-proxy"]) Deno.chmodSync(this.#home.file(name, PROGRAM), 0o755);
    const aliases = ALIASED.map((address, at) => ({ name: `alias${at}`, address, port: undefined }));
    const text = dropIn("/root/program", { aliases, hostKeys: "ephemeral" });
    const canonical = "CanonicalizeHostname always\nCanonicalizeFallbackLocal yes\nCanonicalizeMaxDots 0\n";
    this.#home.file("config", `${canonical}${text}${AFTERWARDS}`);
  }

  /** Runs it for `host` with a `shell` that works for its user, and more options. */
  run(shell: string, host: string, ...options: string[]): Promise<Tried> {
    const ssh = ["ssh", "-F", "/root/config", "-o", "BatchMode=yes", ...options, "--", host].map(quoted).join(" ");
    const inside = `SHELL=$(command -v ${shell}) && export SHELL && { ${ssh} 2>&1 </dev/null || :; }`;
    return this.#run(inside, `${shell}: ${host}`);
  }

  /** Runs a command line of `shell`. */
  type(shell: string, line: string): Promise<Tried> {
    return this.#run(`${shell} -c ${quoted(line)}`, `${shell}: ${line}`);
  }

  /** Runs a command line of sh in there, in which nothing may run that is part of a name. */
  async #run(line: string, about: string): Promise<Tried> {
    const outside = 'mount --bind "$2" "$1/root" && exec chroot "$1" env -i -C /root "${@:3}"';
    const within = ["HOME=/root", "PATH=/root:/usr/bin:/bin", "sh", "-c", line];
    const words = ["--mount", "--net", "bash", "-c", outside, "bash", this.#system, this.#home.path, ...within];
    const said = await outputLater("unshare", ...words);
    assertEquals([...Deno.readDirSync(this.#home.path)].filter(({ name }) => name === "pwned"), [], about);
    return { said, ran: this.#ran() };
  }

  #ran(): string[] | undefined {
    try {
      const text = Deno.readTextFileSync(this.#home.at("ran"));
      Deno.removeSync(this.#home.at("ran"));
      return text.split("\0").slice(0, -1);
    } catch (thrown) {
      if (thrown instanceof Deno.errors.NotFound) return undefined;
      throw thrown;
    }
  }

  [Symbol.dispose](): void {
    this.#home[Symbol.dispose]();
  }
}

for (const suite of ["bullseye", "bookworm"]) {
  const { code, stdout, stderr } = new Deno.Command(`${CHECKOUT}/tests/openssh/older.sh`, { args: [suite] })
    .outputSync();
  const [system, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trimEnd());
  if (code !== 0 && code !== 77) throw new Error(errors);
  const test = (name: string, fn: (ssh: OlderSsh) => Promise<void>) =>
    testWhere(
      code === 0,
      errors!.slice(errors!.lastIndexOf("\n") + 1),
      `with the ssh of ${suite}, ${name}`,
      async () => {
        using ssh = new OlderSsh(system!);
        await fn(ssh);
      },
    );

  test("no command is started for a host name that a shell could act on", async (ssh) => {
    for (const name of UNSAFE) {
      for (const shell of SHELLS) {
        const { said, ran } = await ssh.run(shell, "other", "-o", `HostName="${name}"`);
        assertEquals(ran, undefined, `${shell}: ${name}`);
        assertStringIncludes(said, "ssh: Could not resolve hostname", `${shell}: ${name}`);
      }
    }
  });

  // An older ssh has no way to write one in a value.
  if (suite !== "bullseye") {
    test("no command is started for a host name with a double quote in it", async (ssh) => {
      const { said, ran } = await ssh.run("sh", "other", "-o", 'HostName="unix/x\\"y"');
      assertEquals(ran, undefined);
      assertStringIncludes(said, 'ssh: Could not resolve hostname unix/x"y');
    });
  }

  test("every shell gives the program a name with a control character as it is", async (ssh) => {
    const name = `unix/x${
      CONTROL.map((code) => `${String.fromCharCode(code)}touch pwned`.replace(" ", "\t")).join("")
    }`;
    for (const shell of SHELLS) {
      const { ran } = await ssh.run(shell, "other", "-o", `HostName="${name}"`);
      assertEquals(ran, [name, "22", "--as-typed", "other"], shell);
    }
  });

  test("every shell gives the program the address of an alias as it is, whatever is in it", async (ssh) => {
    for (const [at, address] of ALIASED.entries()) {
      for (const shell of SHELLS) assertEquals((await ssh.run(shell, `alias${at}`)).ran, [address, "22"], shell);
    }
  });

  test("the command of a hint gives the address as it is, whatever shell it is copied to", async (ssh) => {
    for (const address of ALIASED) {
      const [, command] = /(deno-ssh-proxy .*)$/.exec(aliasHint(address) ?? "") ?? [];
      // One with a tab in it is shown with an escape.
      if (command === undefined || address.includes("\t")) continue;
      for (const shell of SHELLS) {
        assertEquals((await ssh.type(shell, command)).ran?.at(-1), `NAME=${address}`, `${shell}: ${command}`);
      }
    }
  });
}
