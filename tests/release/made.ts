/**
 * Releases of this checkout, made for a test.
 *
 * @module
 */

import { VERSION } from "../../core/version.ts";
import { CHECKOUT, Folder } from "../../tools/checkout.ts";
import { outputOf, works } from "../../tools/programs.ts";
import type { Ran } from "../support/home.ts";

/** Copies to $2 what a commit of all that is in $1 would have. */
const COPY = `cd "$1" && git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\\0' "$file"; done |
  tar --null --files-from=- -cf - | tar -C "$2" -xf -`;

/** Whether a release can be made of this checkout: of one without its history it cannot. */
export const CAN_RELEASE = works("git", ["-C", CHECKOUT, "rev-parse"]);

/** Why not. */
export const NO_HISTORY = "this checkout has no history";

/** Copies the files of this checkout, those that are not committed too, to a new folder. */
export function copyCheckout(folder: string): void {
  Deno.mkdirSync(folder);
  outputOf("bash", "-o", "pipefail", "-c", COPY, "sh", CHECKOUT, folder);
}

/** Changes a file of such a copy. */
export function edit(path: string, change: (text: string) => string): void {
  const before = Deno.readTextFileSync(path);
  const after = change(before);
  if (after === before) throw new Error(`nothing has changed in ${path}`);
  Deno.writeTextFileSync(path, after);
}

/** Runs a program to its end. */
export function ran(words: string[], env: Record<string, string> = {}, cwd?: string): Ran {
  const [program, ...args] = words;
  const { code, stdout, stderr } = new Deno.Command(program!, {
    args,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    ...(cwd === undefined ? {} : { cwd }),
  }).outputSync();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

/** The files of this checkout as the tagged commit of a version, in a folder of its own. */
export class Tagged implements Disposable {
  readonly #folder = new Folder();
  readonly version: string;

  constructor(version: string = VERSION) {
    this.version = version;
    copyCheckout(this.checkout);
    if (version !== VERSION) {
      this.edit("deno.json", (text) => text.replace(`"version": "${VERSION}"`, `"version": "${version}"`));
    }
    this.edit(
      "CHANGELOG.md",
      (text) => text.replace("\n## [", `\n## [${version}] - 2026-01-02\n\n- A release.\n\n## [`),
    );
    this.git("init", "--quiet");
    // Newer versions tidy up in the background after a commit, while the directory is removed.
    this.git("config", "maintenance.auto", "false");
    this.commit();
    this.git("tag", `v${version}`);
  }

  get checkout(): string {
    return this.#folder.at("checkout");
  }

  /** Where a release puts what it makes. */
  get out(): string {
    return `${this.checkout}/build/release`;
  }

  /** The path of the archive that needs a Deno, without its ending. */
  get archive(): string {
    return `${this.out}/deno-ssh-proxy-${this.version}-${Deno.build.target}`;
  }

  edit(name: string, change: (text: string) => string): void {
    edit(`${this.checkout}/${name}`, change);
  }

  /** Commits all that is there, always at the same time. */
  commit(): void {
    const date = "2026-01-02T03:04:05Z";
    this.git("add", "--all");
    const { code, err } = ran(
      [
        "git",
        "-C",
        this.checkout,
        "-c",
        "user.name=Somebody",
        "-c",
        "user.email=somebody",
        "commit",
        "--quiet",
        "-m",
        "x",
      ],
      { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
    );
    if (code !== 0) throw new Error(err);
  }

  git(...args: string[]): string {
    return outputOf("git", "-C", this.checkout, ...args);
  }

  /** deno task release, in a shell that has done `before`. */
  release(before = ":"): Ran {
    return ran(["sh", "-c", `${before}; exec "$0" task --quiet release`, Deno.execPath()], {}, this.checkout);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** One that was released. */
export function released(version?: string, before?: string): Tagged {
  const tagged = new Tagged(version);
  const { code, out, err } = tagged.release(before);
  if (code === 0) return tagged;
  tagged[Symbol.dispose]();
  throw new Error(`${out}${err}`);
}
