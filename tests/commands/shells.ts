/**
 * The interactive shells in a terminal, with the completions of this program and a program in its place.
 *
 * @module
 */

import { Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf } from "../../tools/programs.ts";
import { inTime } from "../../tools/waiting.ts";
import { InTerminal } from "./typed.ts";

/** What stands in the place of this program: it has lists in files, and keeps the words that it is started with otherwise. */
const PROGRAM = `#!/bin/sh
here=\${0%/*}
case $* in
list) cat "$here/list" ;;
'config --list') cat "$here/aliases" ;;
*)
  printf '%s\\0' "$@" >"$here/ran.new"
  mv "$here/ran.new" "$here/ran"
  ;;
esac
`;

/** The names of the shells. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type ShellName = typeof SHELLS[number];

/** A shell that somebody types into. */
export class Shell implements Disposable {
  readonly #folder = new Folder();
  readonly #terminal: InTerminal;

  /** `prefix` is where the completions are installed. */
  constructor(name: ShellName, prefix: string) {
    const folder = this.#folder;
    for (const directory of ["bin", "home", "work", "home/.config"]) Deno.mkdirSync(folder.at(directory));
    Deno.chmodSync(folder.file("bin/deno-ssh-proxy", PROGRAM), 0o755);
    this.lists([]);
    this.names([]);
    const [words, rc] = START[name];
    folder.file("home/.rc", rc.replaceAll("PREFIX", prefix).replaceAll("WORK", this.work));
    folder.file("home/.zshrc", Deno.readTextFileSync(folder.at("home/.rc")));
    // fish takes no terminal that is not its own.
    const start = [pathOf("setsid"), "--ctty", pathOf(name)];
    this.#terminal = new InTerminal([...start, ...words.map((word) => word.replace("HOME", folder.at("home")))], {
      PATH: `${folder.at("bin")}:${outputOf("sh", "-c", "echo $PATH").trim()}`,
      HOME: folder.at("home"),
      ZDOTDIR: folder.at("home"),
      XDG_CONFIG_HOME: folder.at("home/.config"),
      TERM: "dumb",
      LC_ALL: "C.UTF-8",
      HISTFILE: "/dev/null",
    });
  }

  /** The directory that the shell is in. */
  get work(): string {
    return this.#folder.at("work");
  }

  /** Has `deno-ssh-proxy list` show these addresses. */
  lists(addresses: readonly string[]): void {
    this.#folder.file("bin/list", addresses.map((address) => `${address}\tsomething\t\t\n`).join(""));
  }

  /** Has `deno-ssh-proxy config --list` show these lines. */
  names(lines: readonly string[]): void {
    this.#folder.file("bin/aliases", lines.map((line) => `${line}\n`).join(""));
  }

  /** Waits until it is ready for the first line. */
  async ready(): Promise<void> {
    await this.#terminal.shows("ready> ");
  }

  /** Types a line with these keys, and Enter. Returns the words that the program is started with. */
  async runs(typed: string): Promise<string[]> {
    const ran = this.#folder.at("bin/ran");
    this.#terminal.shown = "";
    await this.#terminal.type(`${typed}\r`);
    const started = async () => {
      for (;;) {
        try {
          const words = Deno.readTextFileSync(ran).split("\0").slice(0, -1);
          Deno.removeSync(ran);
          return words;
        } catch (thrown) {
          if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    };
    const [words] = await inTime(Promise.all([started(), this.#terminal.shows("ready> ")])).catch((thrown) => {
      throw new Error(`${JSON.stringify(this.#terminal.shown)}`, { cause: thrown });
    });
    return words;
  }

  [Symbol.dispose](): void {
    this.#terminal[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** How each is started: its arguments, and what it reads at its start. */
const START: Record<ShellName, [words: string[], rc: string]> = {
  bash: [
    ["--noprofile", "--rcfile", "HOME/.rc", "-i"],
    "cd WORK; bind 'set enable-bracketed-paste off'; . PREFIX/share/bash-completion/completions/deno-ssh-proxy; PS1='ready> '\n",
  ],
  zsh: [
    ["-i", "-d"],
    "cd WORK; fpath=(PREFIX/share/zsh/site-functions $fpath); autoload -U compinit; compinit -D -u; PS1='ready> '\n",
  ],
  fish: [
    ["--no-config", "-i", "-C", "source HOME/.rc"],
    "cd WORK; source PREFIX/share/fish/vendor_completions.d/deno-ssh-proxy.fish; function fish_prompt; echo -n 'ready> '; end\n",
  ],
};
