/**
 * The checkout, and temporary directories.
 *
 * @module
 */

/** The root of the checkout. */
export const CHECKOUT: string = decodeURIComponent(new URL("../", import.meta.url).pathname).replace(/\/$/, "");

/** A temporary directory that is removed at the end of its scope. */
export class Folder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "dsp-" });

  /** The path of `name` in here. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** A file in here. */
  file(name: string, text: string): string {
    Deno.writeTextFileSync(this.at(name), text);
    return this.at(name);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
