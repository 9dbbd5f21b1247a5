import { assertEquals } from "@std/assert";
import { modeText, ownerText } from "../../commands/check/owners.ts";
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

Deno.test("users and groups are looked up each in its own file, which may be anybody's or nobody's", () => {
  const files: Record<string, string> = {
    "/etc/passwd":
      "root:x:0:0::/:\n# no line\n\nus\x1b[2Jer:x:7:8::/:\nlonger-than-any-name-that-there-may-be:x:9:9::/:",
    "/etc/group": "root:x:0:\ngroup:x:7:\nother:x:8:",
  };
  const { readTextFileSync } = Deno;
  try {
    Deno.readTextFileSync = (path) => files[String(path)]!;
    assertEquals(ownerText(7, 8), "us\\x1b[2Jer:other");
    assertEquals(ownerText(8, 7), "8:group");
    assertEquals(ownerText(9, 9), "longer-than-any-name-that-there-...:9");
    Deno.readTextFileSync = () => {
      throw new Deno.errors.NotCapable("no");
    };
    assertEquals(ownerText(7, 8), "7:8");
  } finally {
    Deno.readTextFileSync = readTextFileSync;
  }
});

Deno.test("an owner is shown by name, or by number where the number has no name", () => {
  assertEquals(ownerText(0, 0), "root:root");
  assertEquals(ownerText(4_294_967_294, 4_294_967_294), "4294967294:4294967294");
});
