/**
 * That ssh makes of every other host what it made of it before this program was installed.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { pathOf } from "../../tools/programs.ts";
import { hasNamespaces, Home, type Ran } from "../support/home.ts";
import { Installation } from "../support/installation.ts";
import { testWhere } from "../support/tools.ts";
import { type Configuration, CONFIGURATIONS, COUNTED, RAN } from "./configurations.ts";

const canRun = hasNamespaces();
const installation = canRun ? new Installation() : undefined;
Deno.test.afterAll(() => installation?.[Symbol.dispose]());

/** Nothing can be looked up or connected in there: the names of /etc/hosts are all that there are. */
const WITHOUT_NETWORK = ["unshare", "--user", "--map-current-user", "--net", "--"];
const HOSTS = "127.0.0.1 localhost\n192.0.2.1 web.corp.example\n192.0.2.2 bastion.corp.example\n";
const WITH_HOSTS = "mount --bind /etc/ssh/hosts /etc/hosts";

/** Asks ssh for each of its arguments, and says how it ended. */
const ASK = 'for host; do echo "== $host"; ssh -G -- "$host" 2>&1; echo "== $?"; done';

class User implements Disposable {
  readonly home = new Home();

  constructor({ config, files = {} }: Pick<Configuration, "config" | "files">) {
    this.home.file("/etc/ssh/hosts", HOSTS);
    this.home.file("~/.ssh/config", config);
    for (const [path, text] of Object.entries(files)) this.home.file(path, text);
  }

  /** Runs `words` without a network. */
  run(words: string[], env: Record<string, string> = {}): Promise<Ran> {
    return this.home.run([...WITHOUT_NETWORK, ...words], { before: WITH_HOSTS, env: { SHELL: "/bin/sh", ...env } });
  }

  /** What ssh says of `hosts`, and what it has run meanwhile. */
  async sshSays(hosts: string[]): Promise<{ said: string; ran: string }> {
    this.home.file(RAN, "");
    const { out, err } = await this.run(["sh", "-c", ASK, "sh", ...hosts]);
    assertEquals(err, "");
    return { said: out, ran: Deno.readTextFileSync(this.home.at(RAN)) };
  }

  [Symbol.dispose](): void {
    this.home[Symbol.dispose]();
  }
}

/** Where `config --install` puts it, and how. */
const INSTALLED: [who: string, root: boolean][] = [["a user", false], ["root", true]];

async function install(home: Home, root: boolean, refused = false): Promise<void> {
  const { code, err } = await home.run([installation!.shim, "config", "--install"], { root });
  // It asks ssh whether all is well, which ssh does not say of a file that it refuses.
  if (code !== (refused ? 78 : 0)) throw new Error(`config --install: ${code}: ${err}`);
}

for (const [who, root] of INSTALLED) {
  for (const { name, config, files = {}, hosts, refused } of CONFIGURATIONS) {
    testWhere(
      canRun,
      "no user and mount namespaces can be made here",
      `after config --install by ${who}, ssh -G is the same to a byte with ${name}`,
      async () => {
        using user = new User({ config, files });
        const before = await user.sshSays(hosts);
        assertEquals(before.said.includes("== 255\n"), refused === true, before.said);
        assertEquals(before.ran !== "", config.includes(COUNTED));
        await install(user.home, root, refused);
        const after = await user.sshSays(hosts);
        // The line at the top moves the others.
        const unnumbered = (text: string) => refused ? text.replaceAll(/ line \d+/g, " line") : text;
        assertEquals(unnumbered(after.said), unnumbered(before.said));
        assertEquals(after.ran, before.ran);
      },
    );
  }
}

/** Counts how often ssh is started, and starts no more of them when there are too many. */
const COUNTING = `#!/bin/bash
echo run >>"$HOME/ran"
[ "$(wc -l <"$HOME/ran")" -le 5 ] || exit 255
exec -a ssh ${pathOf("ssh")} "$@"
`;

for (const [who, root] of INSTALLED) {
  testWhere(
    canRun,
    "no user and mount namespaces can be made here",
    `after config --install by ${who}, ssh to a bastion starts no other ssh`,
    async () => {
      const bastion = CONFIGURATIONS.find(({ hosts }) => hosts[0] === "bastion");
      assert(bastion !== undefined);
      using user = new User(bastion);
      user.home.file("~/bin/ssh", COUNTING, 0o755);
      const PATH = `${user.home.at("~/bin")}:/usr/bin:/bin`;
      const started = async (host: string) => {
        user.home.file(RAN, "");
        const { code } = await user.run(["ssh", "-o", "ConnectTimeout=5", host, "true"], { PATH });
        assertEquals(code, 255);
        return Deno.readTextFileSync(user.home.at(RAN)).split("\n").length - 1;
      };
      const before = [await started("bastion"), await started("web.corp.example")];
      // The second one is behind the first.
      assertEquals(before, [1, 2]);
      await install(user.home, root);
      assertEquals([await started("bastion"), await started("web.corp.example")], before);
    },
  );
}
