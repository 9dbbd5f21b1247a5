/**
 * This program as install.sh installs it, in a prefix that goes away.
 *
 * @module
 */

import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";

/** Whether the tests are to try the executable that needs no Deno: `deno test … -- --standalone`. */
const STANDALONE = Deno.args.includes("--standalone");

/** Builds what the installer of this checkout puts into place, unless that was done before, and returns its directory. */
export function builtPayload(): string {
  return outputOf(`${CHECKOUT}/tests/payload.sh`, Deno.execPath()).trimEnd();
}

/** An installation of this checkout. */
export class Installation implements Disposable {
  readonly #folder = new Folder();

  constructor(standalone: boolean = STANDALONE) {
    try {
      // What the installer proves with ssh and servers of its own is no part of these tests.
      if (standalone) this.#installStandalone();
      else outputOf(`${builtPayload()}/install.sh`, "--prefix", this.prefix);
    } catch (thrown) {
      this[Symbol.dispose]();
      throw thrown;
    }
  }

  #installStandalone(): void {
    using folder = new Folder();
    const payload = folder.at("payload");
    outputOf(`${CHECKOUT}/release/payload.sh`, Deno.execPath(), payload, this.prefix);
    outputOf(`${payload}/install.sh`, "--prefix", this.prefix);
  }

  /** The folder that everything was installed under. */
  get prefix(): string {
    return this.#folder.path;
  }

  /** The folder of what was installed itself, which everything else leads to. */
  get program(): string {
    return Deno.realPathSync(`${this.prefix}/lib/deno-ssh-proxy/current`);
  }

  /** The program as `ssh` starts it. */
  get shim(): string {
    return `${this.prefix}/bin/deno-ssh-proxy`;
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}
