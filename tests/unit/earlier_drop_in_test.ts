import { assertEquals } from "@std/assert";
import { isUneditedEarlier } from "../../commands/earlier_drop_in.ts";

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
