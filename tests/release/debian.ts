/**
 * Bare Debian systems for the tests of the package, each a folder that goes away, and the packages to install in them.
 *
 * @module
 */

import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputLater, outputOf } from "../../tools/programs.ts";
import { Sshd } from "../../tools/sshd.ts";
import type { Ran } from "../support/home.ts";
import { copyCheckout, edit } from "./made.ts";

/** Where the systems are that each test's own is a copy of, or why there are none. */
export function bareSystems(): { folder: string; why: string } {
  const { code, stdout, stderr } = new Deno.Command(`${CHECKOUT}/tests/release/debian.sh`).outputSync();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trimEnd());
  if (code === 77) return { folder: "", why: err!.slice(err!.lastIndexOf("\n") + 1) };
  if (code !== 0) throw new Error(err);
  return { folder: out!, why: "" };
}

/** What runs in a system: with processes, mounts and networks of its own, of which nothing is left afterwards. */
const APART = [
  "setpriv",
  "--pdeathsig",
  "KILL",
  "unshare",
  "--mount",
  "--pid",
  "--net",
  "--fork",
  "--kill-child",
  "--",
];

/** $1 is the system, $2 and $3 are what it has in /mnt and in /run/app. */
const SCRIPT = `mount -t proc proc "$1/proc" && mount --bind "$2" "$1/mnt" && mount --bind "$3" "$1/run/app" || exit 99
root=$1
shift 3
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
exec chroot "$root" env -i PATH=$path HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"`;

/** An sshd out here whose socket, Sshd.sock in its folder, every user may open. */
export async function startSshd(): Promise<Sshd> {
  const sshd = await Sshd.start();
  Deno.chmodSync(sshd.folder.path, 0o755);
  Deno.chmodSync(sshd.socket, 0o666);
  return sshd;
}

/** A Debian with nothing but what each has, and the user somebody. */
export class Debian implements Disposable {
  readonly #root: string;
  readonly #packages: string;
  readonly #app: string;

  private constructor(root: string, packages: string, app: string) {
    this.#root = root;
    this.#packages = packages;
    this.#app = app;
  }

  /** `suite` of the systems in `folder`. Files of `packages` are in its /mnt, those of `app` in /run/app. */
  static async start(folder: string, suite: string, packages: string, app: string): Promise<Debian> {
    const root = Deno.makeTempDirSync({ dir: folder.slice(0, folder.lastIndexOf("/")), prefix: "copy." });
    const system = new Debian(root, packages, app);
    await outputLater("cp", "-a", `${folder}/${suite}/.`, root);
    Deno.mkdirSync(system.at("/run/app"));
    return system;
  }

  /** The path, out here, of what is `path` in there. */
  at(path: string): string {
    return `${this.#root}${path}`;
  }

  /** Runs a command line of sh: as root, or as a user who has just logged in. */
  async run(command: string, user = "root"): Promise<Ran> {
    const words = user === "root" ? ["sh", "-c", command] : ["su", "--login", user, "--command", command];
    const [program, ...args] = [...APART, "sh", "-c", SCRIPT, "sh", this.#root, this.#packages, this.#app, ...words];
    const { code, stdout, stderr } = await new Deno.Command(program!, { args, stdin: "null" }).output();
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  }

  /** What a command printed, which must succeed. */
  async outputOf(command: string, user = "root"): Promise<string> {
    const { code, out, err } = await this.run(command, user);
    if (code !== 0) throw new Error(`${command} ended with ${code}:\n${out}${err}`);
    return out;
  }

  /** Installs a package: one of the suite's that it has at hand, or the path of a file, with what they depend on. */
  install(name: string): Promise<string> {
    return this.outputOf(`apt-get install --yes --no-install-recommends -o Dpkg::Use-Pty=0 ${name}`);
  }

  /** Root and somebody have `key` where ssh looks for theirs. */
  async have(key: string): Promise<void> {
    for (const [home, user] of [["/root", "root"], ["/home/somebody", "somebody"]] as const) {
      Deno.mkdirSync(this.at(`${home}/.ssh`), { mode: 0o700 });
      Deno.copyFileSync(key, this.at(`${home}/.ssh/id_ed25519`));
      await this.outputOf(`chown -R ${user}: ${home}/.ssh`);
    }
  }

  /** The paths of all that is in there. */
  files(): Set<string> {
    return new Set(outputOf("find", this.#root, "-xdev", "-printf", "/%P\\n").trimEnd().split("\n"));
  }

  [Symbol.dispose](): void {
    outputOf("rm", "-rf", "--one-file-system", this.#root);
  }
}

/** What release/deb.sh makes of this checkout, and of another one that is as good as this but for what a test changes. */
export class Packages implements Disposable {
  readonly #folder = new Folder();
  readonly #other = this.#folder.at("another checkout");

  constructor() {
    Deno.chmodSync(this.path, 0o755);
  }

  /** Where they are. */
  get path(): string {
    return this.#folder.path;
  }

  /** That of this checkout. */
  async build(file: string): Promise<void> {
    await this.#deb(CHECKOUT, file, "");
  }

  /** Makes the other checkout. */
  fork(): void {
    copyCheckout(this.#other);
  }

  /**
   * That of the other one, which is somewhere else and packed by somebody with other settings, and in which it takes less
   * time to pack.
   */
  async buildElsewhere(file: string): Promise<void> {
    const [time, name, address] = outputOf("git", "-C", CHECKOUT, "log", "-1", "--format=%ct%n%an%n%ae").split("\n");
    await this.#deb(
      this.#other,
      file,
      `umask 077
      export SOURCE_DATE_EPOCH=${time} DEBFULLNAME='${name}' DEBEMAIL='${address}' TZ=Pacific/Kiritimati \\
        DPKG_DEB_COMPRESSOR_TYPE=none`,
    );
  }

  /** Changes a file of the other checkout. */
  change(file: string, how: (text: string) => string): void {
    edit(`${this.#other}/${file}`, how);
  }

  async #deb(checkout: string, file: string, settings: string): Promise<void> {
    const deno = Deno.execPath().replace(/\/[^/]*$/, "");
    const script = `${settings}\nPATH=$1:$PATH exec "$2/release/deb.sh"`;
    const made = await outputLater("sh", "-c", script, "sh", deno, checkout);
    Deno.copyFileSync(made.trimEnd(), this.#folder.at(file));
    Deno.chmodSync(this.#folder.at(file), 0o644);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}
