import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { parseTarget } from "../../addresses/target.ts";
import { type ListEntry, toJson, toTable, toTsv } from "../../commands/list/entry.ts";
import { list } from "../../commands/list/list.ts";
import { detectVmm, type Monitor } from "../../commands/list/monitor.ts";
import { translate } from "../../commands/list/mounts.ts";
import { interleaveUsers } from "../../commands/list/processes.ts";
import { nameProcesses } from "../../commands/list/search.ts";
import { needsAlias } from "../../commands/ssh/needs_alias.ts";
import type { Output } from "../../commands/terminal/output.ts";
import { readListening } from "../../ffi/proc_net_unix.ts";
import { standInLibrary } from "./support.ts";

const HEADING = "Num       RefCount Protocol Flags    Type St Inode Path\n";

Deno.test("what listens is told from what is connected, from datagrams and packets, and from names that are no paths", () => {
  // As Linux 6.18 has it: vhost-device-vsock, systemd, dbus, and connections to them.
  const text = HEADING + `0000000086600aad: 00000002 00000000 00010000 0001 01 2688935 /run/vm.sock
00000000798fd71f: 00000002 00000000 00010000 0001 01 26889 /tmp/with a space  and two
0000000073fd55b7: 00000003 00000000 00000000 0001 03  1662 /run/dbus/system_bus_socket
00000000a2edccb2: 00000003 00000000 00000000 0001 03  1661
0000000005d1b7a3: 00000002 00000000 00000000 0002 01 15210 /run/systemd/notify
00000000cd1fbd68: 00000002 00000000 00010000 0005 01 15226 /run/udev/control
00000000f8a7e4de: 00000002 00000000 00010000 0001 01 15300 @/tmp/.X11-unix/X0
00000000b2c6d2f1: 00000002 00000000 00010000 0001 01    17 v.sock
`;
  assertEquals(
    [...readListening(text).paths],
    [[2688935, "/run/vm.sock"], [26889, "/tmp/with a space  and two"], [17, "v.sock"]],
  );
  assertEquals(readListening(HEADING).paths.size, 0);
  assertEquals(readListening("").paths.size, 0);
});

Deno.test("a path with a line in it invents no socket for an inode that is another's", () => {
  const line = (inode: number, path: string) =>
    `0000000086600aad: 00000002 00000000 00010000 0001 01 ${inode} ${path}\n`;
  const invention = line(20, `/tmp/x\n${line(10, "/tmp/invented").trimEnd()}`);
  for (const text of [line(10, "/run/real") + invention, invention + line(10, "/run/real")]) {
    const { paths, ambiguous } = readListening(HEADING + text);
    assertEquals([[...paths], [...ambiguous]], [[[20, "/tmp/x"]], [10]]);
  }
  assertEquals(
    readListening(HEADING + line(10, "/run/real") + line(20, "/tmp/x\nsomething") + line(30, "/y\n")).paths.size,
    1,
  );
});

Deno.test("root's processes and one's own come first, and of other users one in turn, the most ordinary users first", () => {
  const uids = [1001, 1001, 1001, 100_000, 1002, 1000, 0, 1002];
  const ordered = interleaveUsers(uids.map((uid, at) => ({ uid, pid: at + 1 })), 1000);
  assertEquals(ordered.map(({ pid }) => pid), [7, 6, 1, 5, 4, 2, 8, 3]);
});

Deno.test("a message names five processes and counts the others", () => {
  const processes = Array.from({ length: 2000 }, (_, pid) => ({ program: "QEMU" as const, pid }));
  const five = "QEMU (pid 0), QEMU (pid 1), QEMU (pid 2), QEMU (pid 3), QEMU (pid 4)";
  assertEquals(nameProcesses(processes), `${five} and 1,995 more`);
  assertEquals(nameProcesses([...processes.slice(0, 5), processes[0]!]), five);
  assertEquals(nameProcesses([{ pid: 7 }]), "process (pid 7)");
});

Deno.test("what is behind an equals sign is for something else too, and no work is done twice for it", () => {
  for (const text of ["=".repeat(250_000), "=,".repeat(125_000), `a=${"b,".repeat(125_000)}`, '"'.repeat(250_000)]) {
    for (const name of ["firecracker", "cloud-hyperviso", "vhost-device-vs", "qemu-kvm"]) {
      const args = [
        name,
        "--vsock",
        text,
        "-device",
        text,
        "--vm",
        text,
        "-name",
        text,
        `--api-sock=${text}/a`,
        "path=/tmp/s",
      ];
      const { isApiSocket } = detectVmm(name, args)!;
      if (isApiSocket) assertEquals(["/tmp/s", "path=/tmp/s", "/tmp/t"].map(isApiSocket), [true, true, false]);
    }
  }
  const many = ["vhost-device-vs", ...Array.from({ length: 50_000 }, () => "--uds-path=/s")];
  assertEquals(detectVmm("vhost-device-vs", many)?.multiplexers?.length, 50_000);
});

/** What a command line, as one types it, tells. */
function monitor(name: string, line: string): Monitor | undefined {
  return detectVmm(name, line.split(" "));
}

Deno.test("Firecracker's vsock is what its command line does not have for something else", () => {
  const jailed = monitor(
    "firecracker",
    "/firecracker --id 551e7604-e35c-42b3-b825-416853441234 --start-time-us 72150 --start-time-cpu-us 1003 " +
      "--parent-cpu-time-us 2100 --api-sock /run/api.sock",
  )!;
  assertEquals(jailed.program, "Firecracker");
  assertEquals(jailed.name, "551e7604-e35c-42b3-b825-416853441234");
  assertEquals(jailed.multiplexers, undefined);
  assertEquals(["/run/api.sock", "/v.sock", "/run/firecracker.socket"].map(jailed.isApiSocket!), [true, false, false]);
  const plain = monitor("firecracker", "firecracker --config-file vm.json")!;
  assertEquals(["/run/firecracker.socket", "v.sock"].map(plain.isApiSocket!), [true, false]);
  const noApi = monitor("firecracker-v1.", "/opt/firecracker-v1.7.0-x86_64 --no-api --config-file vm.json")!;
  assertEquals(["/run/firecracker.socket", "v.sock"].map(noApi.isApiSocket!), [false, false]);
  const equals = monitor("firecracker", "./firecracker --api-sock=/tmp/fc.sock --id=vm7")!;
  assertEquals([equals.name, ...["/tmp/fc.sock", "/tmp/v.sock"].map(equals.isApiSocket!)], ["vm7", true, false]);
});

Deno.test("Cloud Hypervisor's vsock is on its command line, or what that has not for something else", () => {
  for (const option of ["--vsock cid=3,socket=/tmp/ch.vsock", "--vsock=cid=3,iommu=on,socket=/tmp/ch.vsock,id=v"]) {
    const line = `cloud-hypervisor --cpus boot=1 --disk path=jammy.raw ${option} --api-socket path=/tmp/api`;
    assertEquals(monitor("cloud-hyperviso", line)?.multiplexers, [{ path: "/tmp/ch.vsock", cid: 3 }]);
  }
  const quoted = monitor("cloud-hyperviso", 'cloud-hypervisor-static --vsock socket="/tmp/a,b",cid=4');
  assertEquals(quoted?.multiplexers, [{ path: "/tmp/a,b", cid: 4 }]);
  const api = monitor(
    "cloud-hyperviso",
    "cloud-hypervisor --api-socket path=/tmp/api --serial socket=/tmp/serial --console off --event-monitor path=/tmp/e",
  )!;
  assertEquals(api.multiplexers, undefined);
  assertEquals(
    ["/tmp/api", "/tmp/serial", "/run/user/1000/cloud-hypervisor.4242", "/tmp/vsock"].map(api.isApiSocket!),
    [true, true, true, false],
  );
  const server = monitor("cloud-hyperviso", "cloud-hypervisor --net vhost_user=on,socket=/tmp/net,vhost_mode=server")!;
  assertEquals(["/tmp/net", "/tmp/vsock"].map(server.isApiSocket!), [true, false]);
  const bare = monitor("cloud-hyperviso", "/usr/bin/cloud-hypervisor --api-socket /tmp/api")!;
  assertEquals(["/tmp/api", "/tmp/vsock"].map(bare.isApiSocket!), [true, false]);
});

Deno.test("each virtual machine of a vhost-device-vsock has its own multiplexer, and the vhost-user socket is none", () => {
  const two = monitor(
    "vhost-device-vs",
    "vhost-device-vsock --vm guest-cid=3,socket=/tmp/vhost3.socket,uds-path=/tmp/vm3.vsock,groups=a+b " +
      "--vm=guest_cid=4,uds_path=/tmp/vm4.vsock,socket=/tmp/vhost4.socket",
  );
  assertEquals(two?.multiplexers, [{ path: "/tmp/vm3.vsock", cid: 3 }, { path: "/tmp/vm4.vsock", cid: 4 }]);
  const one = "vhost-device-vsock --guest-cid=42 --socket /tmp/vhost.socket --uds-path=/tmp/vm.vsock";
  assertEquals(monitor("vhost-device-vs", one)?.multiplexers, [{ path: "/tmp/vm.vsock", cid: 42 }]);
  const unsaid = "vhost-device-vsock --socket=/tmp/vhost.socket --uds-path /tmp/vm.vsock";
  assertEquals(monitor("vhost-device-vs", unsaid)?.multiplexers, [{ path: "/tmp/vm.vsock", cid: 3 }]);
  const forwarding = "vhost-device-vsock --vm guest-cid=3,socket=/tmp/vhost3.socket,forward-cid=1,forward-listen=22";
  assertEquals(monitor("vhost-device-vs", forwarding)?.multiplexers, []);
  const file = monitor("vhost-device-vs", "vhost-device-vsock --config /etc/vsock.yaml");
  assertEquals([file?.multiplexers, file?.isApiSocket], [undefined, undefined]);
});

Deno.test("QEMU's guests have the CID and the name of its command line", () => {
  const examples: [args: string[], cids: number[], name?: string][] = [
    [["-name", "fedora", "-device", "vhost-vsock-pci,guest-cid=3"], [3], "fedora"],
    [["-name", "guest=web,debug-threads=on", "-device", "vhost-vsock-pci,id=vsock0,guest-cid=0x2a"], [42], "web"],
    [["-name", "process=web,guest=a,,b", "--device", "driver=vhost-vsock-device,guest-cid=7"], [7], "a,b"],
    [["-device", "vhost-vsock-pci-non-transitional,guest-cid=4294967294,vhostfd=3"], [4294967294]],
    [["-device", "vhost-vsock-ccw,guest-cid=5", "-device", "vhost-vsock-pci,guest-cid=6"], [5, 6]],
    [["-device", "vhost-user-vsock-pci,chardev=v"], []],
    [["-device", "virtio-net-pci,guest-cid=3"], []],
    [["-device", "vhost-vsock-pci,guest-cid=2"], []],
    [["-device", "vhost-vsock-pci,guest-cid=4294967296"], []],
    [["-device", "vhost-vsock-pci"], []],
    [["-device"], []],
    [["-name"], []],
  ];
  for (const [args, cids, name] of examples) {
    const monitor = detectVmm("qemu-system-x86", ["/usr/bin/qemu-system-x86_64", ...args]);
    assertEquals([monitor?.program, monitor?.cids, monitor?.name], ["QEMU", cids, name], args.join(" "));
    assertEquals(monitor?.multiplexers, []);
  }
});

Deno.test("libvirt's QEMU is one too", () => {
  const line = "/usr/bin/qemu-system-x86_64 -name guest=fedora39,debug-threads=on -S -object " +
    '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/domain-1-fedora39/master-key.aes"}' +
    ' -machine pc-q35-8.1,usb=off,smm=on -accel kvm -device {"driver":"pcie-root-port","port":16,"id":"pci.1"} -device ' +
    '{"driver":"vhost-vsock-pci","id":"vsock0","guest-cid":3,"vhostfd":"37","bus":"pci.7","addr":"0x0"} -msg timestamp=on';
  for (const name of ["qemu-system-x86", "fedora39"]) {
    assertEquals(monitor(name, line), { program: "QEMU", name: "fedora39", cids: [3], multiplexers: [] });
  }
  const broken = detectVmm("qemu-kvm", [
    "/usr/libexec/qemu-kvm",
    "-device",
    '{"driver":"vhost-vsock-pci","guest-cid":',
  ]);
  assertEquals(broken?.cids, []);
});

Deno.test("a process is a monitor by the name of its file, and no other program that is called like one", () => {
  const monitors = ["firecracker", "firecracker-v1.12.1-x86_64", "cloud-hypervisor", "cloud-hypervisor-static-aarch64"];
  monitors.push("vhost-device-vsock", "qemu-system-aarch64", "qemu-kvm", "kvm");
  for (const name of monitors) {
    assert(detectVmm(name.slice(0, 15), [`/opt/${name}`]), name);
    assert(detectVmm(name.slice(0, 15), []), `${name} without arguments`);
    assert(detectVmm("renamed", [name]), `${name} under another name`);
  }
  const others = [
    "firecracker-containerd",
    "firectl",
    "firecrackers",
    "vhost-device-vsc",
    "vhost-device-gpio",
    "qemu-img",
  ];
  others.push("qemu-ga", "kvmtool", "cloud-hypervisors", "ch-remote", "kvm-nx-lpage-recovery", "bash", "");
  for (const name of others) assertEquals(detectVmm(name.slice(0, 15), [`/opt/${name}`]), undefined, name);
});

const OURS = `21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
24 21 0:22 / /run rw,nosuid shared:5 - tmpfs tmpfs rw
30 21 8:2 / /srv rw shared:9 - ext4 /dev/sda2 rw
31 21 8:2 /data /mnt/with\\040space rw shared:9 - ext4 /dev/sda2 rw
`;

Deno.test("a path in the jailer's chroot is found where that folder is", () => {
  // The jailer mounts the folder over itself, and makes it the root of a mount namespace of its own.
  const jail = "/jailer/firecracker/vm1/root";
  const example = (theirs: string) => translate("/run/v.sock", theirs, OURS);
  assertEquals(example(`80 79 8:2 ${jail} / rw master:9 - ext4 /dev/sda2 rw\n`), [`/srv${jail}/run/v.sock`]);
  assertEquals(example(`80 79 8:1 /srv2${jail} / rw master:1 - ext4 /dev/sda1 rw\n`), [`/srv2${jail}/run/v.sock`]);
  assertEquals(example(`80 79 8:2 /data/x / rw - ext4 /dev/sda2 rw\n`), [
    "/mnt/with space/x/run/v.sock",
    "/srv/data/x/run/v.sock",
  ]);
});

Deno.test("of a container's mounts the innermost and last one has the path", () => {
  const theirs = `80 79 0:50 / / rw - overlay overlay rw
81 80 8:2 /volumes/a /run rw - ext4 /dev/sda2 rw
82 81 8:1 /x /run/vm rw - ext4 /dev/sda1 rw
83 81 0:22 /y /run/vm rw - tmpfs tmpfs rw
`;
  assertEquals(translate("/run/v.sock", theirs, OURS), ["/srv/volumes/a/v.sock"]);
  assertEquals(translate("/run/vm/v.sock", theirs, OURS), ["/run/y/v.sock"]);
  assertEquals(translate("/runner/v.sock", theirs, OURS), []);
});

Deno.test("a path in a file system that is not mounted here is none here", () => {
  assertEquals(translate("/v.sock", "80 79 0:99 / / rw - tmpfs tmpfs rw\n", OURS), []);
  assertEquals(translate("/v.sock", "", OURS), []);
  assertEquals(translate("v.sock", OURS, OURS), []);
});

const FIRECRACKER: ListEntry = {
  address: "vsock-mux/srv/vm1/v.sock",
  kind: "virtual-machine",
  source: "firecracker",
  what: "Firecracker (pid 123)",
  name: "vm1",
  pid: 123,
  uid: 0,
};
const QEMU: ListEntry = {
  ...FIRECRACKER,
  address: "vsock/42",
  source: "qemu",
  what: "QEMU (pid 9)",
  name: undefined,
  cid: 42,
};
const HOST: ListEntry = { address: ".host", kind: "host", source: "systemd-ssh-generator", what: "this machine" };

Deno.test("a terminal has a table", () => {
  assertEquals(
    toTable([FIRECRACKER, QEMU, HOST], 80),
    `ADDRESS                   WHAT                   NAME
vsock-mux/srv/vm1/v.sock  Firecracker (pid 123)  vm1
vsock/42                  QEMU (pid 9)           CID 42
.host                     this machine
`,
  );
});

Deno.test("an address that ssh does not take as a host name is marked, and no other", () => {
  const table = toTable([{ ...FIRECRACKER, address: "vsock-mux/srv/my vm/v.sock" }, HOST], 80);
  assertMatch(
    table,
    /^ADDRESS +WHAT +NAME +NEEDS\nvsock-mux\/srv\/my vm\/v.sock .* vm1 +an alias\n.host +this machine\n$/,
  );
  for (const character of " \t\n'\"`$\\;&<>|(){},@!?*#[]\u2028\x7f\uFFFD") {
    assert(needsAlias(`unix/tmp/${character}.sock`), JSON.stringify(character));
  }
  for (const address of ["unix/run/A-b_c.d+e=f:1%~^", "vsock/42", ".host", "machine/web", "unix/tmp/é.sock"]) {
    assertEquals(needsAlias(address), false, address);
  }
});

Deno.test("a terminal that is too narrow for the table has the address on a line of its own, and nothing is cut", () => {
  const wide = { ...FIRECRACKER, name: "n".repeat(40), what: "cloud-hypervisor (pid 4194304, uid 4294967294)" };
  assertEquals(
    toTable([wide, { ...HOST, address: "unix/a b" }], 80),
    `vsock-mux/srv/vm1/v.sock
  cloud-hypervisor (pid 4194304, uid 4294967294),
  ${wide.name}
unix/a b
  this machine, needs an alias
`,
  );
  assertMatch(toTable([wide, HOST], 200), /^ADDRESS +WHAT +NAME\n/);
  for (const columns of [200, 114, 113, 80, 60, 40, 20, 1]) {
    const table = toTable([wide, HOST], columns);
    for (const whole of [wide.address, wide.name, HOST.address]) assertStringIncludes(table, whole);
    for (const word of wide.what.split(" ")) assertStringIncludes(table, word);
    for (const line of table.split("\n")) assert(line.length <= columns || !line.trim().includes(" "), line);
  }
});

Deno.test("a table with wide characters has straight columns", () => {
  const machine = { ...QEMU, address: "machine/日本", name: "日本" };
  assertEquals(
    toTable([machine, { ...QEMU, what: "QEMU 🚀" }, HOST], 80),
    `ADDRESS       WHAT          NAME
machine/日本  QEMU (pid 9)  日本
vsock/42      QEMU 🚀       CID 42
.host         this machine
`,
  );
});

Deno.test("anything else than a terminal has lines with tabs, the address first", () => {
  const lines = toTsv([FIRECRACKER, QEMU, { ...HOST, address: "unix/a b" }]);
  assertEquals(
    lines,
    "vsock-mux/srv/vm1/v.sock\tFirecracker (pid 123)\tvm1\t\n" +
      "vsock/42\tQEMU (pid 9)\tCID 42\t\nunix/a b\tthis machine\t\tneeds an alias\n",
  );
  assertEquals(toTsv([]), "");
  // The longest path through /proc, and more.
  const long = { ...HOST, address: `unix/${"long/".repeat(100)}` };
  assert(toTsv([long]).startsWith(`${long.address}\t`));
  assert(toTable([long], 80).startsWith(`${long.address}\n`));
});

Deno.test("JSON has every name for each", () => {
  assertEquals(JSON.parse(toJson([QEMU, HOST])), [
    {
      address: "vsock/42",
      kind: "virtual-machine",
      source: "qemu",
      name: null,
      cid: 42,
      pid: 123,
      uid: 0,
      needsAlias: false,
    },
    {
      address: ".host",
      kind: "host",
      source: "systemd-ssh-generator",
      name: null,
      cid: null,
      pid: null,
      uid: null,
      needsAlias: false,
    },
  ]);
  assertEquals(toJson([]), "[]\n");
});

/** What `list` writes with a library that makes no system call: its functions are `calls`. */
async function listWith(
  calls: Record<string, (...args: never[]) => number | Promise<number>>,
): Promise<{ code: number; out: string; err: string }> {
  const written = { out: "", err: "" };
  const output = (name: "out" | "err"): Output => ({
    isTerminal: false,
    takesControls: false,
    columns: 80,
    write: (text) => Promise.resolve(void (written[name] += text)),
  });
  const { library } = standInLibrary({ connect_unix: () => -2, dsp_runtime_directory: () => -2 });
  Object.assign(library, { load: () => calls });
  const code = await list.run({ out: output("out"), err: output("err"), commands: [], library }, {});
  return { code, ...written };
}

Deno.test("a system without /proc is no failure, and the reason is told", async () => {
  const { code, err } = await listWith({
    dsp_path_status: () => -2,
    dsp_proc_text: () => -45,
    dsp_proc_numbers: () => -45,
  });
  assertEquals(code, 0);
  assertMatch(
    err,
    /\ndeno-ssh-proxy: the processes of this machine: they cannot be looked at: error 45 of proc_numbers\n/,
  );
});

Deno.test("whatever error one process gives, it is left out, which is said, and the others are not", async () => {
  const text = (words: string) => (into: Uint8Array) => into.set(new TextEncoder().encode(words));
  for (const errno of [5, 12, 22, 99]) {
    // Of the two processes the first cannot be read; the second is a QEMU with a CID.
    const write: Record<number, (into: Uint8Array) => void> = {
      0: text("qemu-kvm\n"),
      1: text("qemu-kvm\0-device\0vhost-vsock-pci,guest-cid=77"),
      6: text("qemu-kvm\0"),
      7: text("Name:\tqemu-kvm\nUid:\t0\t0\t0\t0\n"),
    };
    const dsp_proc_text = (pid: number, which: number, into: Uint8Array) => {
      if (pid === 1) return -errno;
      write[which]?.(into);
      return into.findLastIndex((byte) => byte !== 0) + 1;
    };
    const dsp_proc_numbers = (...[pid, , into]: [number, number, Uint8Array]) => {
      if (pid !== 0) return 0;
      new Uint32Array(into.buffer).set([1, 2]);
      return 2;
    };
    const { code, out, err } = await listWith({ dsp_path_status: () => -2, dsp_proc_text, dsp_proc_numbers });
    assertEquals([code, out], [0, "vsock/77\tQEMU (pid 2, uid 0)\tCID 77\t\n"]);
    assertMatch(err, /^deno-ssh-proxy: process \(pid 1\): not all of it is listed: /m);
  }
});

Deno.test("a process that holds up whoever reads its memory is left out, and after some of them the others of its user", async () => {
  const read = new Set<number>();
  const { code, err } = await listWith({
    dsp_path_status: () => -2,
    dsp_proc_text: (pid: number, which: number) => {
      if (which !== 6) return 0;
      read.add(pid);
      return new Promise<number>(() => {});
    },
    dsp_proc_numbers: (...[pid, , into]: [number, number, Uint8Array]) => {
      if (pid !== 0) return 0;
      new Uint32Array(into.buffer).set(Array.from({ length: 100 }, (_, at) => at + 1));
      return 100;
    },
  });
  assertEquals(code, 0);
  assert(read.size >= 4 && read.size <= 40, String(read.size));
  assertMatch(err, /^deno-ssh-proxy: process \(pid 1\), .* and [0-9]+ more: not all of it is listed: it does not let/m);
  assertMatch(err, /: others of its user do not let themselves be read\n/);
});

Deno.test("where processes end while they are looked at there is nothing of them", async () => {
  const { code, out, err } = await listWith({
    dsp_path_status: () => -2,
    dsp_proc_text: () => -3,
    dsp_proc_numbers: () => 5,
  });
  assertEquals([code, out], [0, ""]);
  assertEquals(err.split("\n").filter((line) => line.startsWith("deno-ssh-proxy: ")).length, 1);
});

const HOSTILE = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  // deno-lint-ignore no-control-regex
  fc.stringMatching(/^[ -~\x00-\x1f\x7f-\x9f\u202e\u2028]{0,40}$/),
);

Deno.test("nothing that a process is called, or has for a path, steers a terminal or breaks a line", () => {
  const steering = /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}]/u;
  fc.assert(
    fc.property(fc.array(fc.tuple(HOSTILE, HOSTILE, HOSTILE), { maxLength: 5 }), fc.nat(200), (rows, columns) => {
      const all = rows.map(([path, what, name]) => ({ ...FIRECRACKER, address: `unix/${path}`, what, name }));
      const [table, lines, json] = [toTable(all, columns), toTsv(all), toJson(all)];
      for (const text of [table, lines, json]) {
        assert(!steering.test(text) && text.isWellFormed(), JSON.stringify(text));
      }
      assert(!table.includes("\t"));
      // A line for each and a header, or where it is narrow two lines for each or more.
      const count = table.split("\n").length - 1;
      assert(count === all.length + 1 || count >= 2 * all.length, table);
      assertEquals(lines.split("\n").map((line) => line.split("\t").length), [...all.map(() => 4), 1]);
      const parsed = JSON.parse(json) as ListEntry[];
      assertEquals(parsed.map(({ address, name }) => [address, name]), all.map(({ address, name }) => [address, name]));
    }),
  );
});

Deno.test("no text from /proc makes the parsers fail", () => {
  const monitorish = fc.constantFrom("firecracker", "cloud-hypervisor", "vhost-device-vsock", "qemu-kvm");
  const option = fc.constantFrom("--vsock", "--vm", "--uds-path", "-device", "-name", "--api-sock", "--config", "--id");
  const words = fc.array(fc.oneof(option, HOSTILE, fc.constantFrom("{", "{}", "null", "[1]", ",,", "=", '"', "a=b=c")));
  fc.assert(fc.property(monitorish, words, HOSTILE, (name, args, text) => {
    const found = detectVmm(name, args)!;
    found.isApiSocket?.(text);
    for (const cid of found.cids) assertEquals(parseTarget(`vsock/${cid}`, "22").kind, "vsock");
    readListening(text).paths;
    translate(text, text, text);
    needsAlias(text);
  }));
});
