/**
 * This program's ssh_config beside systemd's own drop-in, which ssh reads after it.
 *
 * @module
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { hasNamespaces, Home } from "../support/home.ts";
import { Installation } from "../support/installation.ts";
import { testWhere } from "../support/tools.ts";

const canRun = hasNamespaces();
const installation = canRun ? new Installation() : undefined;
Deno.test.afterAll(() => installation?.[Symbol.dispose]());

/** What systemd has in /etc/ssh/ssh_config.d/20-systemd-ssh-proxy.conf, with more lines for addresses of other machines. */
function dropIn(lines: string): string {
  return `Host unix/* unix%* vsock/* vsock%* vsock-mux/* vsock-mux%* machine/* machine%*
        ProxyCommand /usr/lib/systemd/systemd-ssh-proxy %h %p
        ProxyUseFdpass yes
        CheckHostIP no
${lines}
        # Disable all kinds of host identity checks, since these addresses are generally ephemeral.
        StrictHostKeyChecking no
        UserKnownHostsFile /dev/null

# Allow connecting to the local host directly via ".host"
Host .host machine/.host
        ProxyCommand /usr/lib/systemd/systemd-ssh-proxy unix/run/ssh-unix-local/socket %p
        ProxyUseFdpass yes
        CheckHostIP no
`;
}

const VERSIONS = [[257, dropIn("")], [262, dropIn("        User root\n")]] as const;
const INSTALLED = [["a user", false], ["root", true]] as const;

/** This machine, and others. */
const HERE = [".host", "machine/.host", "machine%.host", ".HOST", "machine/.HOST", "Machine%.Host"];
const THERE = [
  "machine/box",
  "machine%box",
  "unix/run/a.sock",
  "unix%run/A.sock",
  "vsock/42",
  "vsock%42",
  "vsock-mux/m",
];

/** What ssh says of options of hosts, in a home with `config` and this program beside systemd's drop-in. */
async function ask(
  { root, systemd, config = "" }: { root: boolean; systemd: string; config?: string },
  hosts: string[],
  options: string[],
): Promise<string[][]> {
  using home = new Home();
  home.file("/etc/ssh/ssh_config.d/20-systemd-ssh-proxy.conf", systemd);
  home.file("~/.ssh/config", config);
  const { code, err } = await home.run([installation!.shim, "config", "--install"], { root });
  assertEquals(code, 0, err);
  const all = hosts.map(async (host) => {
    const { out } = await home.run(["ssh", "-G", "--", host]);
    // Whatever else it says, the connection is this program's.
    assertStringIncludes(out, `\nproxycommand ${installation!.shim} `);
    const values = new Map(out.split("\n").map((line) => [line.split(" ", 1)[0]!, line.replace(/^\S+ ?/, "")]));
    return options.map((option) => values.get(option)?.replaceAll(home.path, "~") ?? "none");
  });
  return await Promise.all(all);
}

for (const [version, systemd] of VERSIONS) {
  for (const [who, root] of INSTALLED) {
    const test = (name: string, fn: () => Promise<void>) =>
      testWhere(
        canRun,
        "no user and mount namespaces can be made here",
        `beside systemd ${version}'s drop-in, installed by ${who}, ${name}`,
        fn,
      );

    test("the host key of this machine is checked under each of its names, and no other's", async () => {
      const options = ["stricthostkeychecking", "userknownhostsfile"];
      const checked = ["ask", "~/.ssh/known_hosts ~/.ssh/known_hosts2"];
      assertEquals(await ask({ root, systemd }, HERE, options), HERE.map(() => checked));
      assertEquals(await ask({ root, systemd }, THERE, options), THERE.map(() => ["false", "/dev/null"]));
    });

    // What a user installs is read before the rest of their file, and so names nobody.
    const usual = root || version === 262 ? "root" : "somebody";
    test(`the user of an address is ${usual}, unless the user has a User of their own`, async () => {
      for (
        const [config, user] of [
          ["", usual],
          ["Host *.example\n  User other\n", usual],
          ["User own\n", "own"],
          ["Host *\n  User own\n", "own"],
          ["Host machine* unix* vsock*\n  User own\n", "own"],
        ] as const
      ) {
        assertEquals(await ask({ root, systemd, config }, THERE, ["user"]), THERE.map(() => [user]), config);
      }
    });
  }
}
