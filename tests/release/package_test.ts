import { assert, assertEquals } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { CHECKOUT } from "../../tools/checkout.ts";
import { outputOf } from "../../tools/programs.ts";

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

Deno.test("the package has mod.ts, whole layers, and what there is to read, and with them all that mod.ts imports", () => {
  const { modules } = JSON.parse(outputOf(Deno.execPath(), "info", "--json", `${CHECKOUT}/mod.ts`));
  const imported = modules.map(({ local }: { local: string }) => local.slice(`${CHECKOUT}/`.length));
  const layers = ["addresses", "core", "ffi"].flatMap((layer) =>
    [...Deno.readDirSync(`${CHECKOUT}/${layer}`)].map(({ name }) => `${layer}/${name}`)
  );
  const published = lines.flatMap((line) => FILE.exec(line)?.[1] ?? []);
  const others = ["CHANGELOG.md", "LICENSE", "README.md", "deno.json", "docs/library.md", "mod.ts"];
  assertEquals(published.sort(), [...layers, ...others].sort());
  assertEquals(imported.filter((file: string) => !published.includes(file)), []);
});
