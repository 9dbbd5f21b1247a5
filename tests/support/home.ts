/**
 * A home and an /etc/ssh of a test's own. ssh takes ~ from the password database and not from HOME, and no test may touch
 * what is really there: so programs run with a password database of their own as well, in namespaces of their own.
 *
 * @module
 */

import { Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { latin1 } from "./sockets.ts";

/** How a program ended and what it printed. */
export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** How a program is run in a home. */
export interface Running {
  /** Whether as root, or as an ordinary user. */
  root?: boolean;
  /** Environment variables beside HOME and PATH, or instead of them. */
  env?: Record<string, string>;
  /** What the shell does as root before. */
  before?: string;
}

/** The name of a host that the system's resolver knows in there. */
export const HOST = "known-host.example";

/** What an ordinary user is called in there, and which number they have. */
const [NAME, UID] = ["somebody", "1000"];

/** No name is looked up anywhere but in a file of the test's own: what a network knows is no matter of a test. */
const SCRIPT = `mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/etc-ssh" /etc/ssh || exit 99
for file in nsswitch.conf resolv.conf hosts; do
  [ ! -e "/etc/$file" ] || mount --bind "$1/$file" "/etc/$file" || exit 97
done
eval "$3" || exit 98
uid=$2
shift 3
exec unshare --user --map-user="$uid" --map-group="$uid" -- "$@"`;

/** The folder that a user and root have for a home in there, and what is in /etc/ssh. */
export class Home implements Disposable {
  readonly #folder = new Folder();

  /** `home` is what the password database says, where it is not the home. */
  constructor(home?: string) {
    for (const name of ["home", "etc-ssh", "etc-ssh/ssh_config.d"]) Deno.mkdirSync(this.#folder.at(name));
    const accounts = [["root", "0"], [NAME, UID]].map(([name, uid]) =>
      `${name}:x:${uid}:${uid}::${home ?? this.path}:/bin/sh\n`
    );
    this.#folder.file("passwd", accounts.join(""));
    this.#folder.file("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
    this.#folder.file("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
    this.#folder.file("hosts", `127.0.0.1 localhost\n192.0.2.1 ${HOST}\n`);
    this.file("/etc/ssh/ssh_config", "Include /etc/ssh/ssh_config.d/*.conf\n");
  }

  /** The path of the home. */
  get path(): string {
    return this.#folder.at("home");
  }

  /** Where `path` is, which is ~ or /etc/ssh or below them. */
  at(path: string): string {
    const [, place, rest = ""] = /^(~|\/etc\/ssh)(\/.*)?$/s.exec(path) ?? [];
    if (place === undefined) throw new Error(`${path} is not in here`);
    return `${place === "~" ? this.path : this.#folder.at("etc-ssh")}${rest}`;
  }

  /** A file in here. The folder that it is in is made. */
  file(path: string, content: string | Uint8Array, mode = 0o644): string {
    const place = this.at(path);
    Deno.mkdirSync(place.slice(0, place.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    Deno.writeFileSync(place, typeof content === "string" ? new TextEncoder().encode(content) : content);
    Deno.chmodSync(place, mode);
    return place;
  }

  /** All that is in a folder: the mode of each, and what is in a file or where a link leads. */
  all(path: string): Record<string, string> {
    const found: Record<string, string> = {};
    for (const { name } of [...Deno.readDirSync(this.at(path))].sort((a, b) => a.name < b.name ? -1 : 1)) {
      const place = `${this.at(path)}/${name}`;
      const { isFile, isSymlink, mode } = Deno.lstatSync(place);
      const holds = isSymlink ? Deno.readLinkSync(place) : isFile ? latin1(Deno.readFileSync(place)) : "";
      found[name] = `${((mode ?? 0) & 0o7777).toString(8)} ${holds}`;
    }
    return found;
  }

  /** The words that run `words` in here. */
  words(words: string[], { root = false, before = "" }: Running = {}): string[] {
    const place = this.#folder.path;
    return [...NAMESPACE, "sh", "-c", SCRIPT, "sh", place, root ? "0" : UID, before, ...words];
  }

  /** Runs a program to its end. */
  async run(words: string[], running: Running = {}): Promise<Ran> {
    const [program, ...args] = this.words(words, running);
    const env = { PATH: PATH, HOME: this.path, DENO_DIR: this.#folder.at("deno"), ...running.env };
    const child = new Deno.Command(program!, { args, clearEnv: true, env, stdin: "null" });
    const { code, stdout, stderr } = await child.output();
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  }

  [Symbol.dispose](): void {
    // What a test made read-only.
    outputOf("chmod", "-R", "u+rwX", this.#folder.path);
    this.#folder[Symbol.dispose]();
  }
}

const PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/** One in which whoever runs the tests is root, and may mount. */
const NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount", "--"];

/** Whether such namespaces can be made here. */
export function hasNamespaces(): boolean {
  try {
    using home = new Home();
    const [program, ...args] = home.words(["test", "-w", "/etc/ssh/ssh_config"]);
    return new Deno.Command(program!, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}
