import { assertEquals } from "@std/assert";
import { dropIn } from "../../commands/config/drop_in.ts";
import { isUnedited, isUneditedEarlier } from "../../commands/config/earlier_drop_in.ts";

const OLD = `# deno-ssh-proxy: x
Match host .host,machine/.host,machine%.host
    ProxyUseFdpass yes
Match host unix/*,unix%*,vsock/*,vsock%*,vsock-mux/*,vsock-mux%*,machine/*,machine%*,!.host,!machine/.host,!machine%.host
# Everything is read once more when HostName is known, so that an alias of an address may stand below this as well.
Match final all
`;
const NOW = "# deno-ssh-proxy: x\nHost .host\n    ProxyUseFdpass yes\n    ControlPath x\n";

Deno.test("what version 0.1.0 wrote is known by its own lines, and by nothing else being in it", () => {
  assertEquals(isUneditedEarlier(OLD, NOW), true);
  assertEquals(isUneditedEarlier(`${OLD}# mine\n`, NOW), false);
  assertEquals(isUneditedEarlier(OLD.replace("yes", "no"), NOW), false);
  assertEquals(isUneditedEarlier(OLD.replace("Match final all\n", ""), NOW), false);
  assertEquals(isUneditedEarlier(NOW, NOW), false);
});

Deno.test("the program's path in the ProxyCommand lines is no edit, and everything else is", () => {
  const file = (program: string) =>
    dropIn(program, { hostKeys: "tofu", aliases: [{ name: "a", address: "unix/a b", port: undefined }] });
  const now = file("/usr/local/bin/deno-ssh-proxy");
  const checkout = "/opt/deno run --no-prompt --no-config --allow-ffi=/x/lib.so '/a b/proxy.ts'";
  for (
    const other of [
      "/home/me/.local/bin/deno-ssh-proxy",
      String.raw`'/it'\''s 100%%/bin/deno-ssh-proxy'`,
      String.raw`'/hey'\!'/bin/deno-ssh-proxy'`,
      checkout,
    ]
  ) {
    assertEquals(isUnedited(file(other), now), true, other);
    assertEquals(isUnedited(now, file(other)), true, other);
    assertEquals(isUnedited(`${file(other)}# mine\n`, now), false, other);
    assertEquals(isUnedited(file(other).replace(other, "/bin/mine"), now), false, other);
  }
  for (const other of ["/usr/bin/mine", "env A=1 /usr/bin/deno-ssh-proxy", "/usr/bin/deno-ssh-proxy --wait"]) {
    assertEquals(isUnedited(file(other), now), false, other);
  }
});
