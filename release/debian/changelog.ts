/**
 * Debian's form of CHANGELOG.md (deb-changelog(5)), which a package has to have.
 *
 * As a program it takes the path of CHANGELOG.md, the version of the package, the time in seconds since 1970, and the
 * maintainer, and prints it.
 *
 * @module
 */

import { wrap } from "../../commands/terminal/wrap.ts";

/** What CHANGELOG.md does not say. */
export interface Package {
  /** The version of the package, as deno.json has it: three numbers, as Debian has them too. */
  readonly version: string;
  /** When it is built: the time of what is not released yet. */
  readonly time: Date;
  /** `NAME <ADDRESS>`. */
  readonly maintainer: string;
}

/** The section of what is not released yet. */
const UNRELEASED = "Unreleased";

/** How long a line may be. */
const WIDTH = 80;

/**
 * `markdown`, which is in the form of Keep a Changelog, as Debian's: an entry for each version with a list in it, the
 * newest first. What is not released yet is that of the package, where that version has no section of its own.
 *
 * @throws {Error} where the first entry is not of the package's version, or a version has no date
 */
export function debianChangelog(markdown: string, { version, time, maintainer }: Package): string {
  const sections = markdown.replaceAll(/^\[[^\]]+\]: .*\n?/gm, "").split(/^## (?=\[)/m).slice(1).map((section) => {
    const [, name = "", date] = /^\[([^\]]+)\](?: - (\S+))?/.exec(section) ?? [];
    return { name, date, changes: changesOf(section) };
  }).filter(({ changes }) => changes !== "");
  const has = sections.some(({ name }) => name === version);
  const entries = sections.filter(({ name }) => name !== UNRELEASED || !has).map(({ name, date, changes }) => {
    const [of, suite, day] = name === UNRELEASED
      ? [version, "UNRELEASED", time]
      : [name, "unstable", new Date(`${date}T00:00:00Z`)];
    if (isNaN(day.getTime())) throw new Error(`CHANGELOG.md: ${name} has no date`);
    const stamp = day.toUTCString().replace("GMT", "+0000");
    const title = `deno-ssh-proxy (${of}) ${suite}; urgency=medium`;
    return { of, text: `${title}\n\n${changes}\n -- ${maintainer}  ${stamp}\n` };
  });
  if (entries[0]?.of !== version) throw new Error(`CHANGELOG.md: the newest version in it is not ${version}`);
  return entries.map(({ text }) => text).join("\n");
}

/** The items of a section, those of each heading under what it says: Added, Changed, Fixed, … */
function changesOf(section: string): string {
  return section.split(/^### /m).flatMap((group, at) => {
    const heading = at === 0 ? "" : `  [ ${group.slice(0, group.indexOf("\n")).trim()} ]\n`;
    const items = group.split(/^- /m).slice(1).map((item) => listed(item.trim().replaceAll(/\s+/g, " ")));
    return items.length === 0 ? [] : [heading + items.join("")];
  }).join("\n");
}

/** An item of a list. What Markdown has for code stays: it reads well as it is. */
function listed(item: string): string {
  return wrap(item, WIDTH - "  * ".length).map((line, at) => `${at === 0 ? "  * " : "    "}${line}\n`).join("");
}

if (import.meta.main) {
  const [path, version, seconds, maintainer] = Deno.args as [string, string, string, string];
  const time = new Date(Number(seconds) * 1000);
  const text = debianChangelog(Deno.readTextFileSync(path), { version, time, maintainer });
  await Deno.stdout.write(new TextEncoder().encode(text));
}
