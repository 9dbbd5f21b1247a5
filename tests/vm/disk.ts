/**
 * The second disk of a guest: the installed program, the Deno that it was installed with, keys, and what there is to start.
 *
 * @module
 */

import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import type { Sshd } from "../../tools/sshd.ts";
import type { Installation } from "../support/installation.ts";

/** A disk that goes away. Its content is for a guest's /mnt. */
export class SecondDisk implements Disposable {
  readonly #folder = new Folder();

  /** In the guest root has the key of `sshd`, lets in whoever has it, and has included the installed fragment. */
  constructor(installation: Installation, sshd: Sshd, start = "") {
    const tree = this.#folder.at("tree");
    const { prefix } = installation;
    const deno = Deno.execPath();
    const bundle = ["bundle", "--quiet", "--output", `${tree}/in_guest.mjs`, `${CHECKOUT}/tests/vm/in_guest.ts`];
    Deno.mkdirSync(`${tree}/ssh`, { recursive: true });
    outputOf("cp", "-r", prefix, `${tree}/prefix`);
    outputOf(deno, ...bundle);
    for (
      const [from, name] of [
        [deno, "deno"],
        [libraryTests(), "library-tests"],
        [`${installation.program}/libdeno_ssh_proxy.so`, "libdeno_ssh_proxy.so"],
        [sshd.key, "ssh/id_ed25519"],
        [`${sshd.key}.pub`, "ssh/authorized_keys"],
      ] as const
    ) Deno.copyFileSync(from, `${tree}/${name}`);
    Deno.writeTextFileSync(
      `${tree}/ssh/config`,
      `Include "${prefix}/share/deno-ssh-proxy/ssh_config"\nHost *\n    BatchMode yes\n    LogLevel ERROR\n`,
    );
    // The shim has the paths of this machine in it. What is copied belongs to root, whoever made this disk.
    Deno.writeTextFileSync(
      `${tree}/prepare`,
      `set -e
mkdir -p '${prefix}' "$(dirname '${deno}')"
cp -r /mnt/prefix/. '${prefix}'
[ -e '${deno}' ] || : >'${deno}'
mount --bind /mnt/deno '${deno}'
mkdir -p -m 700 /root/.ssh
cp /mnt/ssh/* /root/.ssh
chmod 600 /root/.ssh/*
`,
    );
    Deno.writeTextFileSync(`${tree}/start`, start);
    outputOf("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", tree, this.path, "512M");
    Deno.removeSync(tree, { recursive: true });
  }

  get path(): string {
    return this.#folder.at("disk");
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** Builds the tests of the core crate, and returns the path of the program that runs them. */
function libraryTests(): string {
  const args = ["--locked", "--package=deno-ssh-proxy-core", "--lib", "--no-run", "--message-format=json"];
  const messages = outputOf("cargo", "test", ...args, `--manifest-path=${CHECKOUT}/rust/Cargo.toml`);
  for (const line of messages.trim().split("\n")) {
    const { executable } = JSON.parse(line);
    if (executable) return executable;
  }
  throw new Error("cargo did not say where the tests are");
}

/** The block of commands in docs/guest.md below `heading`. */
export function recipe(heading: string): string {
  const text = Deno.readTextFileSync(`${CHECKOUT}/docs/guest.md`);
  const below = text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0];
  const block = below?.split("\n```sh\n")[1]?.split("\n```\n")[0];
  if (block === undefined) throw new Error(`docs/guest.md has no recipe for '${heading}'`);
  return `${block}\n`;
}
