/**
 * Whether a standalone executable can be made here.
 *
 * @module
 */

import { Folder } from "../tests/support/folder.ts";

/** Why `deno compile` cannot make an executable here, if it cannot: it needs denort, which it fetches. */
export function whyNoExecutable(): string | undefined {
  using folder = new Folder();
  const { success, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["compile", "--quiet", "--no-config", "--output", folder.at("empty"), folder.file("empty.js", "")],
    stdout: "null",
    env: { NO_COLOR: "1" },
  }).outputSync();
  if (success) return undefined;
  const said = new TextDecoder().decode(stderr);
  // The innermost cause is the last of the numbered ones.
  const causes = [...said.matchAll(/^ +\d+: (.*)$/gm)].map(([, cause]) => cause!).filter((one) => one !== "<unknown>");
  return causes.find((one) => one.includes("denort")) ?? causes.at(-1) ?? said.trim();
}
