/**
 * A second installation, which a run can spoil.
 *
 * @module
 */

import { Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";
import { installed } from "./conversation.ts";

export class Spoiled implements Disposable {
  readonly #folder = new Folder();
  readonly library: string;

  constructor(spoil: (spoiled: Spoiled) => void) {
    outputOf("cp", "-R", installed.program, this.#folder.at("program"));
    // For a program that is another user.
    Deno.chmodSync(this.#folder.path, 0o755);
    this.library = this.at("libdeno_ssh_proxy.so");
    spoil(this);
  }

  get shim(): string {
    return this.at("deno-ssh-proxy");
  }

  /** One of the program's files. */
  at(name: string): string {
    return this.#folder.at(`program/${name}`);
  }

  /** Has the starter run `deno` in the place of Deno. */
  leadTo(deno: string): void {
    Deno.removeSync(this.at("deno"));
    Deno.symlinkSync(deno, this.at("deno"));
  }

  /** Has the starter run the lines of a shell script before Deno. */
  runBefore(lines: string): void {
    const deno = Deno.realPathSync(this.at("deno"));
    const path = this.at("before");
    Deno.writeTextFileSync(path, `#!/bin/sh\n${lines}\nexec '${deno}' "$@"\n`, { mode: 0o755 });
    this.leadTo(path);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}
