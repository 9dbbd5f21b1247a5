/**
 * What others wrote: command lines, a user's ssh_config, what /proc tells of their programs.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Target } from "../../addresses/forms.ts";
import { formatTarget, parseTarget } from "../../addresses/target.ts";
import { dropIn } from "../../commands/config/drop_in.ts";
import { isIncluded, withInclude, withoutInclude } from "../../commands/config/include.ts";
import type { ConfigLocation } from "../../commands/config/location.ts";
import { planInstall } from "../../commands/config/plan_install.ts";
import { planUninstall } from "../../commands/config/plan_uninstall.ts";
import { settingsOf } from "../../commands/config/settings.ts";
import { toJson, toTable, toTsv } from "../../commands/list/entry.ts";
import { detectVmm } from "../../commands/list/monitor.ts";
import { translate } from "../../commands/list/mounts.ts";
import { destinationIn } from "../../commands/ssh/destination.ts";
import { LONGEST_TIMEOUT_MS } from "../../core/deadline.ts";
import { ProxyError } from "../../core/errors.ts";
import { readListening } from "../../ffi/proc_net_unix.ts";
import { rejectAddress } from "../../proxy/address_errors.ts";
import { isProxyInvocation, parseInvocation } from "../../proxy/invocation.ts";
import { Folder } from "../../tools/checkout.ts";
import { assertOneLine, bytes } from "../unit/support.ts";
import { fuzz, nearly, triedAtLeast } from "./fuzz.ts";

/** That it is an error of this program's, of one line that a terminal can show. */
function assertUsage(thrown: unknown): void {
  if (!(thrown instanceof ProxyError)) throw thrown;
  assertEquals(thrown.kind, "usage");
  // "no address given" is the one that has nothing to name.
  if (thrown.message !== "no address given") assertOneLine(thrown);
  assert(thrown.message.length < 2000 && (thrown.hint ?? "").length < 2000, `${thrown.message.length} characters`);
}

const anyUnits = fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units));
const anyWord = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  anyUnits,
  fc.constantFrom(
    ...[
      "--as-typed",
      "--as-typed=",
      "--relay",
      "--timeout",
      "--timeout=5",
      "--timeout=1e3",
      "--wait",
      "--wait=0.5",
      "--",
    ],
    ...["unix/s", "unix%S", "vsock/42", "vsock/host", "vsock-mux/run/vm", "machine/foo", ".host", "22", "4294967296"],
    ...["\ufffd", "\ud800", "\0", "\x1b[2J", "=", "", "5", ".", "unix/\ufffd", "A".repeat(5000), "machine/A\u202e"],
  ),
);
const anyAddress = fc.oneof(
  fc.tuple(fc.constantFrom("unix/", "unix%", "vsock/", "vsock-mux/", "machine/", ""), anyWord).map((it) => it.join("")),
  fc.tuple(fc.constantFrom("unix/", "vsock-mux%"), fc.constantFrom("", "/", "./", "../", "."), anyWord)
    .map((it) => it.join("")),
  fc.constant("unix/s"),
);
const anyArguments = fc.oneof(
  fc.array(fc.oneof(anyWord, anyAddress), { maxLength: 8 }),
  fc.tuple(
    anyAddress,
    fc.constantFrom("22", "0", "4294967295"),
    fc.subarray(["--relay", "--wait", "--timeout=5", "--as-typed=UNIX/S"]),
  ).map(([address, port, options]) => [address, port, ...options]),
);

{
  const seen = { taken: 0, "no target": 0, refused: 0 };
  fuzz(
    "whatever the arguments are, they stand for a target that can be written down again, or are refused in one line",
    {
      full: 150_000,
      inputs: anyArguments,
      seen,
      holds: (args) => {
        isProxyInvocation(args);
        let invocation;
        try {
          invocation = parseInvocation(args);
          if (invocation.port === undefined) rejectAddress(invocation.host, invocation.port);
        } catch (thrown) {
          seen.refused++;
          return assertUsage(thrown);
        }
        const { host, port = "", timeout, wait } = invocation;
        for (const time of [timeout, wait ?? 1]) {
          assert(Number.isInteger(time) && time > 0 && time <= LONGEST_TIMEOUT_MS);
        }
        // Nothing but the case of letters makes a difference to what was given.
        const same = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) === same.as;
        same.as = host.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
        assert(args.some(same) && args.includes(port));
        let target: Target;
        try {
          target = parseTarget(host, port);
        } catch (thrown) {
          seen["no target"]++;
          return assertUsage(thrown);
        }
        assertEquals(parseTarget(formatTarget(target), port), target);
        if ("path" in target && !host.endsWith(".host")) {
          const rest = host.slice(host.search(/[/%]/) + 1);
          assertEquals(target.path, /^\.?\//.test(rest) ? rest : `/${rest}`);
          assert(!/[\0\ufffd]/.test(target.path) && target.path.isWellFormed());
        }
        seen.taken++;
      },
    },
  );
}

const FILE = "deno-ssh-proxy.conf";
const HOME = "/home/somebody";
const CONFIGS = [
  "Host *\n    User me\n",
  `Include ${FILE}\n\nHost a\r\n  Port 22\r\n`,
  `# mine \xe9\xff\ninclude = "~/.ssh/${FILE}" other\nMatch all\n`,
  withInclude("Host b\n", FILE, HOME),
  withInclude("\r\nHost c\r\n", FILE, HOME),
];
const LINES = CONFIGS.flatMap((config) => config.split(/(?<=\n)/));
const anyConfig = fc.oneof(nearly(CONFIGS, ["\n", "\r\n", "\r", "\0", "Host *\n", "'", '"', "=", "\f", ...LINES]));

fuzz("a user's ssh_config keeps all of its bytes, and the line is put in once and taken out wholly", {
  full: 60_000,
  inputs: anyConfig,
  holds: (config) => {
    const edited = withInclude(config, FILE, HOME);
    assert(isIncluded(edited, FILE, HOME));
    assertEquals(withInclude(edited, FILE, HOME), edited);
    assertEquals(withoutInclude(edited, FILE), withoutInclude(config, FILE));
    if (isIncluded(config, FILE, HOME)) assertEquals(edited, config);
    else assert(edited.endsWith(withoutInclude(config, FILE)));
    // What is not this program's stays, whatever it says.
    if (!config.includes("# deno-ssh-proxy config")) assertEquals(withoutInclude(config, FILE), config);
    // Nothing but whole lines goes: what is left is in there in the same order.
    const left = withoutInclude(config, FILE).split(/(?<=\n)/);
    for (const line of config.split(/(?<=\n)/)) if (line === left[0]) left.shift();
    assertEquals(left.join(""), "");
  },
});

const COMMAND = "/usr/bin/deno-ssh-proxy";
const FRAGMENTS = [
  dropIn(COMMAND),
  dropIn(COMMAND, { aliases: [{ name: "vm", address: "unix/run/Vm", port: 2222 }], hostKeys: "tofu" }),
];
const anyFragment = nearly(FRAGMENTS, [
  "\n",
  "# --alias a=unix/b\n",
  "    # --host-keys strict\n",
  "# --alias x\n",
  "\0",
  "\xff",
]);

fuzz("a fragment that somebody has edited is read, or refused in one line", {
  full: 30_000,
  inputs: anyFragment,
  holds: (text) => {
    let settings;
    try {
      settings = settingsOf(text);
    } catch (thrown) {
      return assertUsage(thrown);
    }
    // What was read is written so that it is read again.
    if (settings !== undefined) assertEquals(settingsOf(dropIn(COMMAND, settings)), settings);
  },
});

fuzz("what is to become of a user's files is planned from any bytes, with all of theirs kept", {
  full: 4_000,
  inputs: fc.tuple(anyConfig, fc.option(anyFragment, { nil: undefined })),
  holds: ([config, written]) => {
    using folder = new Folder();
    const place: ConfigLocation = { directory: folder.path, fileName: FILE, home: HOME };
    Deno.writeFileSync(folder.at("config"), bytes(config));
    if (written !== undefined) Deno.writeFileSync(folder.at(FILE), bytes(written));
    for (
      const plan of [
        () => planInstall(place, {}, (it) => dropIn(COMMAND, it)),
        () => planUninstall(place, [], () => ""),
      ]
    ) {
      let planned;
      try {
        planned = plan();
      } catch (thrown) {
        if (!(thrown instanceof ProxyError)) throw thrown;
        assertOneLine(thrown);
        continue;
      }
      const change = planned.changes.find(({ path }) => path === folder.at("config"));
      const rest = bytes(withoutInclude(config, FILE));
      if (change?.after !== undefined) assertEquals(change.after.subarray(change.after.length - rest.length), rest);
      else if (change !== undefined) assertEquals(rest.length, 0);
    }
  },
});

fuzz("the ProxyCommand that ssh would start gives a place, or an error of one line", {
  full: 30_000,
  inputs: nearly(
    ["'/usr/bin/deno-ssh-proxy' 'unix/run/vm' '22' --as-typed 'vm'", "sh -c 'exec nc -U /x'", "none"],
    ["'", '"', "\\", "%h", "%%", " ", "\0", "--", "$(", "\xff"],
  ),
  holds: (proxyCommand) => {
    try {
      const { address, port } = destinationIn({ proxyCommand, options: new Map([["host", "vm"], ["port", "22"]]) });
      assertEquals([typeof address, typeof port], ["string", "string"]);
    } catch (thrown) {
      if (!(thrown instanceof ProxyError)) throw thrown;
    }
  },
});

const SOCKETS = [
  "Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 4242 /run/s\n",
  "0000000000000000: 00000003 00000000 00000000 0001 03 17 /run/x\n0: 00000002 00000000 00010000 0001 01 18 @a\n",
];
const MOUNTS = ["21 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 21 8:2 /a\\040b /srv rw - ext4 /dev/sda2 rw\n"];
const VMMS = ["firecracker", "cloud-hypervisor", "vhost-device-vsock", "qemu-kvm"];
const anyVmmWord = fc.oneof(
  anyUnits,
  nearly(
    [
      "--vsock=cid=3,socket=/v",
      "--vm=guest-cid=4,uds-path=/u",
      "--api-sock",
      "vhost-vsock-pci,guest-cid=5",
      '{"driver":"vhost-vsock-pci"}',
    ],
    [
      "{",
      "}",
      '"',
      ",",
      ",,",
      "=",
      "guest-cid=",
      '{"driver":"vhost-vsock-pci","guest-cid":2}',
      "0x",
      "4294967295",
      "9",
    ],
  ),
);
const anyVmm = fc.array(fc.tuple(fc.subarray(["-device", "-name", "--vm", "--vsock"], { maxLength: 1 }), anyVmmWord), {
  maxLength: 5,
}).map((options) => options.flatMap(([name, word]) => [...name, word]));

fuzz("whatever /proc tells of others' programs, what is listed is true to it and cannot steer a terminal", {
  full: 60_000,
  inputs: fc.record({
    sockets: nearly(SOCKETS, ["\n", " ", ...SOCKETS, "00010000", "\x1b[2J"]),
    mounts: nearly(MOUNTS, ["\n", "\\012", "\\777", " ", "/", "8:2"]),
    program: fc.constantFrom(...VMMS),
    words: anyVmm,
    path: fc.oneof(anyUnits.map((text) => `/${text}`), fc.constantFrom("/run/s", "/srv/x", "s")),
  }),
  holds: ({ sockets, mounts, program, words, path }) => {
    const lines = sockets.split("\n");
    for (const [inode, bound] of readListening(sockets).paths) {
      assert(bound !== "" && !bound.startsWith("@"));
      // Of so many digits is the number of no socket that there is: it was somebody's invention.
      if (!Number.isSafeInteger(inode)) continue;
      assert(lines.some((line) => line.endsWith(` ${inode} ${bound}`) && line.includes(" 0001 ")), sockets);
    }
    for (const there of translate(path, mounts, MOUNTS[0]!)) assertEquals(typeof there, "string");
    const found = detectVmm(program.slice(0, 15), [program, ...words])!;
    found.isApiSocket?.(path);
    for (const cid of [...found.cids, ...(found.multiplexers ?? []).flatMap(({ cid }) => cid ?? [])]) {
      assert(Number.isInteger(cid) && cid >= 3 && cid < 2 ** 32);
    }
    const rows = (found.multiplexers ?? []).map(({ path, cid }) => ({
      address: `vsock-mux${path}`,
      kind: "virtual-machine" as const,
      source: "qemu" as const,
      what: words.join(" "),
      name: found.name,
      cid,
    }));
    for (const text of [toTable(rows, 80), toTsv(rows), toJson(rows)]) {
      assert(!/[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/u.test(text) && text.isWellFormed(), text);
    }
  },
});

triedAtLeast(330_000);
