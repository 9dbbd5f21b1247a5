/**
 * What a user waits for: `ssh HOST true`, end to end, with a real sshd behind an AF_UNIX socket.
 *
 * @module
 */

import { Sshd } from "../tools/sshd.ts";
import { inTurn } from "./measure.ts";
import { onPath, OURS, type Peers, SYSTEMD } from "./peers.ts";
import { launch } from "./run.ts";
import type { Table } from "./table.ts";

/** With every one of the peers as the ProxyCommand. */
export async function ssh({ ours, systemd, relays, missing }: Peers, quick: boolean): Promise<Table[]> {
  // The server is one that socat starts.
  if (!["sshd", "socat"].every(onPath)) {
    missing.push("ssh HOST true (it needs sshd and socat)");
    return [];
  }
  await using sshd = await Sshd.start();
  const path = sshd.socket;
  const proxies = [
    ...[ours, ...systemd ? [systemd] : []].map(({ name, words }) => ({
      name,
      words: words(`unix${path}`),
      passes: true,
    })),
    ...relays.filter(({ listens }) => !listens).map(({ name, words }) => ({
      name: `${name}${name === OURS ? ", relay" : ""}`,
      words: words(path, ""),
      passes: false,
    })),
  ];
  const blocks = proxies.map(({ words, passes }, number) =>
    `Host peer${number}\n    ProxyCommand ${words.map((word) => `'${word}'`).join(" ")}\n` +
    `    ProxyUseFdpass ${passes ? "yes" : "no"}\n`
  );
  const config = sshd.folder.file(
    "ssh_config",
    `Host *\n    IdentityFile ${sshd.key}\n    IdentitiesOnly yes\n    BatchMode yes\n    LogLevel ERROR\n` +
      `    StrictHostKeyChecking no\n    UserKnownHostsFile /dev/null\n${blocks.join("")}`,
  );
  const contenders = proxies.map(({ name }, number) => ({
    name,
    // With SHLVL: where it is not set, Debian's bash reads ~/.bashrc for a ProxyCommand that has a socket as its input.
    run: () => launch("alone", () => ["env", "SHLVL=1", "ssh", "-F", config, `peer${number}`, "true"]),
  }));
  return [{
    title: "`ssh HOST true`",
    // Not the CPU time: ssh leaves a ProxyCommand that relays behind, and it is not counted.
    measures: [{ key: "wall", title: "wall, ms", digits: 1, better: "less" }],
    rows: await inTurn(contenders, quick ? 4 : 50),
    reference: { names: [SYSTEMD], title: SYSTEMD },
  }];
}
