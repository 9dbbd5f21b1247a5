import { assertEquals, assertThrows } from "@std/assert";
import { debianChangelog } from "../../release/debian/changelog.ts";

const MARKDOWN = `# Changelog

What it is.

## [Unreleased]

### Added

- Something new.

## [0.2.0] - 2026-03-01

### Added

- \`--option\`, which does what nobody has asked for, and says so in a line that is longer than eighty
  characters.
- Another one.

### Fixed

- A defect.

## [0.1.0] - 2026-01-02

- All of it.

[0.2.0]: elsewhere
[0.1.0]: elsewhere
`;
const RELEASED = `deno-ssh-proxy (0.2.0) unstable; urgency=medium

  [ Added ]
  * \`--option\`, which does what nobody has asked for, and says so in a line that
    is longer than eighty characters.
  * Another one.

  [ Fixed ]
  * A defect.

 -- Some Body <some@body>  Sun, 01 Mar 2026 00:00:00 +0000

deno-ssh-proxy (0.1.0) unstable; urgency=medium

  * All of it.

 -- Some Body <some@body>  Fri, 02 Jan 2026 00:00:00 +0000
`;

function changelog(version: string, markdown = MARKDOWN): string {
  return debianChangelog(markdown, { version, time: new Date(86_400_000), maintainer: "Some Body <some@body>" });
}

Deno.test("each release is an entry of Debian's, with its own date", () => {
  assertEquals(changelog("0.2.0"), RELEASED);
});

Deno.test("what is not released yet is the entry of a version that has no other, and of the time it is built", () => {
  const entry = `deno-ssh-proxy (0.3.0) UNRELEASED; urgency=medium

  [ Added ]
  * Something new.

 -- Some Body <some@body>  Fri, 02 Jan 1970 00:00:00 +0000
`;
  assertEquals(changelog("0.3.0"), `${entry}\n${RELEASED}`);
});

Deno.test("a changelog that ends before the version of the package, or has a release without a date, is refused", () => {
  assertThrows(() => changelog("0.3.0", MARKDOWN.replace("- Something new.", "")), Error, "is not 0.3.0");
  assertThrows(() => changelog("0.2.0", MARKDOWN.replace(" - 2026-03-01", "")), Error, "0.2.0 has no date");
});
