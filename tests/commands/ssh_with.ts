/**
 * The real ssh with a configuration of a test's own, and without that of whoever runs the tests.
 *
 * @module
 */

import { Folder } from "../../tools/checkout.ts";
import { outputOf, pathOf } from "../../tools/programs.ts";

/** What is on PATH here, and where the real ssh is. */
const PATH = outputOf("sh", "-c", "echo $PATH").trim();
const SSH = pathOf("ssh");

/** An ssh that comes before all others on PATH, and reads `config` only. */
export class SshWith implements Disposable {
  readonly folder = new Folder();

  constructor(config: string) {
    const path = this.folder.file("ssh_config", config);
    Deno.mkdirSync(this.folder.at("bin"));
    // Where a file is given already, as for one that ssh is asked about by itself, that one counts.
    const script = `#!/bin/sh\ncase " $* " in *" -F "*) exec ${SSH} "$@" ;; esac\nexec ${SSH} -F ${path} "$@"\n`;
    Deno.chmodSync(this.folder.file("bin/ssh", script), 0o755);
    Deno.chmodSync(this.folder.path, 0o755);
  }

  /** The environment that a program needs to find it. */
  get env(): Record<string, string> {
    return { PATH: `${this.folder.at("bin")}:${PATH}` };
  }

  /** A PATH with every other program, and no ssh. */
  without(): string {
    const folder = this.folder.at("without");
    Deno.mkdirSync(folder);
    // What is there already stays: the first on PATH wins here too.
    outputOf(
      "sh",
      "-c",
      'IFS=:; for place in $PATH; do ln -s "$place"/* "$1/" 2>/dev/null; done; rm "$1/ssh"',
      "sh",
      folder,
    );
    return folder;
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}
