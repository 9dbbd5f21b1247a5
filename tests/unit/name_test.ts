import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { dropIn } from "../../commands/config/drop_in.ts";
import { parseAlias } from "../../commands/ssh/alias.ts";
import { destinationIn, isAliasName, withoutUser } from "../../commands/ssh/destination.ts";
import { ownCommand } from "../../commands/ssh/effective_config.ts";

Deno.test("a user before an address is left out, and an @ in a path is none", () => {
  const examples: [typed: string, host: string][] = [
    ["vsock/42", "vsock/42"],
    ["root@vsock/42", "vsock/42"],
    ["root@unix%run/s", "unix%run/s"],
    ["a.b-c@myvm", "myvm"],
    ["root@.host", ".host"],
    // Of several, as in the user of a domain, ssh takes the last.
    ["root@example.org@vsock/42", "vsock/42"],
    ["unix/run/a@b", "unix/run/a@b"],
    ["root@unix/run/a@b", "unix/run/a@b"],
    ["@vsock/42", "@vsock/42"],
    ["root@", "root@"],
  ];
  for (const [typed, host] of examples) assertEquals(withoutUser(typed), host, typed);
});

Deno.test("a name is a word with no separator, and no address is one", () => {
  for (const name of ["myvm", "my.vm", "vm-1", "vsock"]) assertEquals(isAliasName(name), true, name);
  for (const address of ["vsock/42", "unix%s", ".host", "", "my vm", "a\nb", "--wait", "--h", "-x", "*"]) {
    assertEquals(isAliasName(address), false, address);
  }
});

/** What ssh would say of a name whose block this is. */
function saysOf(alias: string): { proxyCommand: string; options: Map<string, string> } {
  const lines = dropIn(ownCommand(), { aliases: [parseAlias(`vm=${alias}`)], hostKeys: "ephemeral" }).split("\n");
  const value = (option: string) => lines.find((line) => line.startsWith(`    ${option} `))?.slice(option.length + 5);
  return {
    proxyCommand: value("ProxyCommand")!,
    options: new Map([["hostname", "vm"], ["port", value("Port") ?? "22"]]),
  };
}

Deno.test("what an alias stands for is found in its ProxyCommand, whatever is in the path", () => {
  assertEquals(destinationIn(saysOf("vsock/42")), { address: "vsock/42", port: "22" });
  assertEquals(destinationIn(saysOf("vsock/42:2222")), { address: "vsock/42", port: "2222" });
  assertEquals(destinationIn(saysOf("vsock/42:70000")), { address: "vsock/42", port: "70000" });
  assertEquals(destinationIn(saysOf("unix%run/It's a 100%h \\ path")), {
    address: "unix%run/It's a 100%h \\ path",
    port: "22",
  });
  const path = fc.string({ unit: "binary", minLength: 1 }).filter((text) =>
    !/[^\P{Cc}\t]|\uFFFD/u.test(text) && text.isWellFormed()
  );
  fc.assert(fc.property(path, fc.constantFrom("unix/", "vsock-mux%"), (path, form) => {
    assertEquals(destinationIn(saysOf(`${form}${path}:22`)).address, `${form}${path}`);
  }));
});

Deno.test("where the ProxyCommand leaves it to ssh, or is another program's, the host name counts", () => {
  const options = new Map([["hostname", "vsock/42"], ["port", "2222"]]);
  const place = { address: "vsock/42", port: "2222" };
  for (
    const proxyCommand of [`${ownCommand()} '%h' '%p' --as-typed '%n'`, `${ownCommand()} %h %p`, "other x y", undefined]
  ) {
    assertEquals(destinationIn({ proxyCommand, options }), place);
  }
});
