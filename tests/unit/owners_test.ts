import { assertEquals } from "@std/assert";
import { modeText, ownerText } from "../../commands/owners.ts";
import { Folder, outputOf } from "./support.ts";

Deno.test("a mode is shown as ls shows it", () => {
  using folder = new Folder();
  const path = folder.file("f", "");
  for (let mode = 0; mode < 0o10000; mode += 0o123) {
    Deno.chmodSync(path, mode);
    assertEquals(modeText(0o100000 | mode), outputOf("stat", "-c", "%A", path).trim(), mode.toString(8));
  }
  assertEquals(modeText(0o140777), "srwxrwxrwx");
  assertEquals(modeText(0o040755), "drwxr-xr-x");
  assertEquals(modeText(0o777), "?rwxrwxrwx");
});

Deno.test("an owner is shown by name, or by number where the number has no name", () => {
  assertEquals(ownerText(0, 0), "root:root");
  assertEquals(ownerText(4_294_967_294, 4_294_967_294), "4294967294:4294967294");
});
