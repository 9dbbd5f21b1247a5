import { assert, assertEquals } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { CHECKOUT } from "../support/folder.ts";
import { outputOf } from "../support/tools.ts";

/** What `deno publish` says, as it would of a checkout with nothing changed in it. */
function rehearsal(): { success: boolean; lines: string[] } {
  const { success, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--frozen"],
    cwd: CHECKOUT,
    env: { NO_COLOR: "1" },
  }).outputSync();
  return { success, lines: new TextDecoder().decode(stderr).trimEnd().split("\n") };
}

const { success, lines } = rehearsal();

/** One of its files, with the size. */
const FILE = new RegExp(`^ +${RegExp.escape(new URL("../../", import.meta.url).href)}(.+) \\([^)]+\\)$`);

Deno.test("the package can be published, and deno publish has nothing to say about it", () => {
  const said = lines.filter((line) => !FILE.test(line) && !/^(?:Download|Check) /.test(line));
  assertEquals(said, [
    "Checking for slow types in the public API...",
    `Simulating publish of ${manifest.name}@${manifest.version} with files:`,
    "Success Dry run complete",
  ]);
  assert(success);
});

Deno.test("the package has what mod.ts imports, and what there is to read, and no other file", () => {
  const { modules } = JSON.parse(outputOf(Deno.execPath(), "info", "--json", `${CHECKOUT}/mod.ts`));
  const imported = modules.map(({ local }: { local: string }) => local.slice(`${CHECKOUT}/`.length));
  const published = lines.flatMap((line) => FILE.exec(line)?.[1] ?? []);
  assertEquals(published.sort(), [...imported, "CHANGELOG.md", "LICENSE", "README.md", "docs/library.md"].sort());
});
