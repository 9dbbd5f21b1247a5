/**
 * This program as install.sh installs it, in a prefix that goes away.
 *
 * @module
 */

import { CHECKOUT, Folder } from "./folder.ts";

/** An installation of this checkout. */
export class Installation implements Disposable {
  readonly #folder = new Folder();

  constructor() {
    const install = (args: string[]) => {
      const { success, stdout, stderr } = new Deno.Command(`${CHECKOUT}/install.sh`, { args }).outputSync();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      if (!success) throw new Error(`install.sh: ${err}${out}`);
      return out!;
    };
    try {
      // What the installer proves with ssh and servers of its own is no part of these tests.
      const quick = install(["--help"]).includes("--no-proof") ? ["--no-proof"] : [];
      install(["--prefix", this.prefix, ...quick]);
    } catch (thrown) {
      this[Symbol.dispose]();
      throw thrown;
    }
  }

  /** The folder that everything was installed under. */
  get prefix(): string {
    return this.#folder.path;
  }

  /** The program as `ssh` starts it. */
  get shim(): string {
    return `${this.prefix}/bin/deno-ssh-proxy`;
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}
