import { assert } from "@std/assert";
import { CHECKOUT, outputOf } from "./support.ts";

Deno.test("every task that a file of the checkout names is one of deno.json, and none builds the library", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${CHECKOUT}/deno.json`));
  const files = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs", "ffi", "demo", "commands", "release", "bench"];
  const named = outputOf("grep", "-rhoE", "deno task [a-z]+(:[a-z]+)?", ...files.map((file) => `${CHECKOUT}/${file}`));
  for (const name of new Set(named.trim().split("\n").map((line) => line.replace("deno task ", "")))) {
    assert(Object.hasOwn(tasks, name), name);
  }
  // Deno fetches all of npm's packages before any task.
  assert(!JSON.stringify(tasks).includes("cargo build"));
});
